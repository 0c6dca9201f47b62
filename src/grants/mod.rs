//! The token endpoint (RFC 6749 §3.2): one pipeline, one match. The client has been authenticated; here its grant type is
//! looked up, allowed, and answered by the one file that knows it. Shared steps are here, so that no grant forgets one.

mod authorization_code;
mod client_credentials;
pub mod error;
mod refresh_token;

use crate::audit::{Circumstances, Trail};
use crate::clients::authentication::AuthenticatedClient;
use crate::config::Config;
use crate::grants::error::TokenError;
use crate::keys::SecretPurposes;
use crate::keys::key_ring::KeyRing;
use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::client::Client;
use crate::model::entropy::SharedEntropy;
use crate::model::grant::Grant;
use crate::protocol::grant_type::GrantType;
use crate::protocol::parameters::Parameters;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::token_response::TokenResponse;
use crate::storage::{Store, users};
use crate::tokens::issue::{Authority, Issuer};
use crate::tokens::subject::Subjects;
use crate::tokens::{audience, claims};
use serde_json::{Map, Value};

/// What the grants lean on: the snapshot of one request.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The store.
    pub store: &'a Store,
    /// The configuration.
    pub config: &'a Config,
    /// The keys that sign.
    pub ring: &'a KeyRing,
    /// What authenticates refresh tokens.
    pub secrets: &'a SecretPurposes,
    /// By which subjects clients know people.
    pub subjects: Subjects<'a>,
    /// Chance.
    pub entropy: &'a SharedEntropy,
    /// Where events go.
    pub trail: &'a Trail,
    /// By how many milliseconds our clock is ahead of the database's.
    pub clock_ahead: i64,
    /// Request, address and moment.
    pub circumstances: &'a Circumstances,
}

/// Answers a token request of an authenticated client.
pub async fn answer(
    desk: &Desk<'_>,
    client: &AuthenticatedClient,
    parameters: &Parameters,
) -> Result<TokenResponse, TokenError> {
    let name = parameters.get("grant_type").ok_or(TokenError::Missing("grant_type"))?;
    let grant_type = GrantType::parse(name).ok_or(TokenError::UnsupportedGrantType)?;
    let client = client.client();
    if !client.metadata.allows(grant_type) {
        return Err(TokenError::GrantTypeNotAllowed);
    }
    desk.check_signers(client)?;
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(desk, client, parameters).await,
        GrantType::RefreshToken => refresh_token::refresh(desk, client, parameters).await,
        GrantType::ClientCredentials => client_credentials::grant(desk, client, parameters),
    }
}

impl Desk<'_> {
    /// A code is not spent for a token that nobody could sign.
    fn check_signers(&self, client: &Client) -> Result<(), TokenError> {
        let access_token = self.ring.access_token_signer(&self.config.signing_keys.algorithms);
        let id_token = self.ring.signer(client.metadata.id_token_signed_response_alg);
        match access_token.is_some() && id_token.is_some() {
            true => Ok(()),
            false => Err(TokenError::Unavailable("no key signs now".to_owned())),
        }
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer {
            config: self.config,
            ring: self.ring,
            entropy: self.entropy,
            subjects: self.subjects,
            now: self.circumstances.now,
        }
    }

    /// Issues what a grant allows, narrowed to `scope` and `resource` of the request.
    async fn issue(
        &self,
        client: &Client,
        grant: &Grant,
        narrowed: Option<&Scopes>,
        asked: Option<&Resource>,
        refresh_token: Option<String>,
    ) -> Result<TokenResponse, TokenError> {
        let resource = asked.or(grant.resources.first());
        let scopes = audience::scopes_for(self.config, narrowed.unwrap_or(&grant.scopes), resource);
        // What was taken from the client's registration since is not given any more.
        let scopes = scopes.retain(|scope| client.metadata.scope.contains(scope));
        let claims = self.claims_of_id_token(client, grant).await?;
        let authority = Authority { client, grant: Some(grant), claims, scopes: &scopes, resource };
        Ok(self.issuer().issue(&authority, refresh_token)?)
    }

    /// What the request asked to be told of the person in the ID token; nobody is looked up when it asked for nothing.
    async fn claims_of_id_token(
        &self,
        client: &Client,
        grant: &Grant,
    ) -> Result<Map<String, Value>, TokenError> {
        let asked = claims::still_allowed(self.config, client, &grant.claims);
        if asked.id_token.is_empty() {
            return Ok(Map::new());
        }
        let user_id = grant.user_id.clone();
        let read = self.store.read(move |connection| {
            let user_id = user_id.clone();
            Box::pin(async move { users::find(connection, &user_id).await })
        });
        Ok(read.await?.map(|user| claims::for_id_token(&user, &asked)).unwrap_or_default())
    }

    fn event(&self, grant: &Grant, name: EventName, reason: &str, section: &'static str) -> AuditEvent {
        let about = About {
            client_id: Some(grant.client_id.clone()),
            user_id: Some(grant.user_id.clone()),
            session_id: Some(grant.session_id.clone()),
            grant_id: Some(grant.id.clone()),
        };
        self.trail.event(self.circumstances, name, about, reason, section)
    }
}

/// `resource` of a token request: one at most, as a token has one audience (RFC 8707 §2.2).
fn resource_asked(parameters: &Parameters) -> Result<Option<Resource>, TokenError> {
    let mut asked = parameters.all("resource");
    let first = asked.next();
    if asked.any(|another| Some(another) != first) {
        return Err(TokenError::Target(audience::TargetError::Several));
    }
    let parsed = first.map(Resource::parse).transpose();
    parsed.map_err(|_| TokenError::Target(audience::TargetError::Unknown))
}

/// `scope` of a token request.
fn scopes_asked(parameters: &Parameters) -> Result<Option<Scopes>, TokenError> {
    let parsed = parameters.get("scope").map(Scopes::parse).transpose();
    parsed.map_err(|_| TokenError::InvalidScope("scope holds a character that no scope may hold"))
}
