//! The one issuer of access tokens (RFC 9068) and ID tokens (OpenID Connect Core §2).

use crate::config::Config;
use crate::jose::jwt_type::JwtType;
use crate::keys::key_ring::KeyRing;
use crate::model::client::Client;
use crate::model::entropy::SharedEntropy;
use crate::model::grant::Grant;
use crate::protocol::access_token::{AccessTokenClaims, token_name};
use crate::protocol::id_token::{HashLength, IdTokenClaims, at_hash};
use crate::protocol::introspection_response::IntrospectionResponse;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use crate::protocol::token_response::TokenResponse;
use crate::tokens::subject::Subjects;
use serde_json::{Map, Value};

/// What signing leans on: the snapshot of a request.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The keys.
    pub ring: &'a KeyRing,
    /// Chance, for the tokens' names.
    pub entropy: &'a SharedEntropy,
    /// By which subjects clients know people.
    pub subjects: Subjects<'a>,
    /// The moment.
    pub now: Timestamp,
}

/// What an access token is issued for.
#[derive(Clone)]
pub struct Authority<'a> {
    /// Whom it is given to.
    pub client: &'a Client,
    /// The grant it stands on; none for a service's own.
    pub grant: Option<&'a Grant>,
    /// What the ID token says of the person beside who they are (OpenID Connect Core §5.5).
    pub claims: Map<String, Value>,
    /// What it allows.
    pub scopes: &'a Scopes,
    /// Where; none is this server itself.
    pub resource: Option<&'a Resource>,
}

/// No key signs with the algorithm that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key signs now")]
pub struct NoSigner;

impl Issuer<'_> {
    /// Issues the access token, and beside it the ID token when `openid` is granted; the refresh token is the caller's.
    pub fn issue(
        &self,
        authority: &Authority<'_>,
        refresh_token: Option<String>,
    ) -> Result<TokenResponse, NoSigner> {
        let (access_token, expires_in) = self.access_token(authority)?;
        let id_token = match authority.grant {
            Some(grant) if grant.scopes.contains("openid") && authority.scopes.contains("openid") => {
                Some(self.id_token(authority, grant, &access_token)?)
            }
            _ => None,
        };
        let scope = authority.scopes.to_string();
        Ok(TokenResponse { access_token, token_type: "Bearer", expires_in, scope, refresh_token, id_token })
    }

    /// What the userinfo endpoint says, signed for a client that wants it so (OpenID Connect Core §5.3.2). It never expires, so
    /// that nobody takes it for an ID token.
    pub fn userinfo(
        &self,
        client: &Client,
        algorithm: SigningAlgorithm,
        claims: &Map<String, Value>,
    ) -> Result<String, NoSigner> {
        let mut signed = claims.clone();
        signed.extend(self.envelope(client));
        self.ring.signer(algorithm).ok_or(NoSigner)?.sign(JwtType::Jwt, &signed).map_err(|_| NoSigner)
    }

    /// What introspection says, signed for the one who asked (RFC 9701 §5).
    pub fn introspection(
        &self,
        caller: &Client,
        response: &IntrospectionResponse,
    ) -> Result<String, NoSigner> {
        // §6: RS256 when the client registered none
        let algorithm = caller.metadata.introspection_signed_response_alg.unwrap_or(SigningAlgorithm::Rs256);
        let mut signed = self.envelope(caller);
        let response = serde_json::to_value(response).map_err(|_| NoSigner)?;
        signed.insert("token_introspection".to_owned(), response);
        let signer = self.ring.signer(algorithm).ok_or(NoSigner)?;
        signer.sign(JwtType::TokenIntrospection, &signed).map_err(|_| NoSigner)
    }

    /// Who says it, to whom, and when.
    fn envelope(&self, client: &Client) -> Map<String, Value> {
        let mut envelope = Map::new();
        envelope.insert("iss".to_owned(), self.config.issuer.as_str().into());
        envelope.insert("aud".to_owned(), client.id.as_str().into());
        envelope.insert("iat".to_owned(), self.now.seconds().into());
        envelope
    }

    fn access_token(&self, authority: &Authority<'_>) -> Result<(String, u64), NoSigner> {
        let signer = self.ring.access_token_signer(&self.config.signing_keys.algorithms).ok_or(NoSigner)?;
        let until = self.now.plus(self.config.lifetimes.access_token);
        let until = authority.grant.map_or(until, |grant| until.min(grant.expires_at));
        let sub = match authority.grant {
            Some(grant) => self.subjects.subject(authority.client, &grant.user_id),
            None => authority.client.id.as_str().to_owned(),
        };
        let jti = token_name(authority.grant.map(|grant| &grant.id), &self.entropy.text::<12>());
        let claims = AccessTokenClaims {
            iss: self.config.issuer.as_str(),
            sub: &sub,
            aud: authority.resource.map_or(self.config.issuer.as_str(), Resource::as_str),
            exp: until.seconds(),
            iat: self.now.seconds(),
            jti: &jti,
            client_id: authority.client.id.as_str(),
            scope: &authority.scopes.to_string(),
            auth_time: authority.grant.map(|grant| grant.authentication.at.seconds()),
            acr: authority.grant.map(|grant| grant.authentication.acr.as_str()),
        };
        let token = signer.sign(JwtType::AccessToken, &claims).map_err(|_| NoSigner)?;
        let expires_in = u64::try_from(until.seconds().saturating_sub(self.now.seconds())).unwrap_or(0);
        Ok((token, expires_in))
    }

    fn id_token(
        &self,
        authority: &Authority<'_>,
        grant: &Grant,
        access_token: &str,
    ) -> Result<String, NoSigner> {
        let client = authority.client;
        let algorithm = client.metadata.id_token_signed_response_alg;
        let signer = self.ring.signer(algorithm).ok_or(NoSigner)?;
        let digest = match algorithm {
            SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 => HashLength::Sha256,
            SigningAlgorithm::EdDsa => HashLength::Sha512,
        };
        let claims = IdTokenClaims {
            iss: self.config.issuer.as_str(),
            sub: &self.subjects.subject(client, &grant.user_id),
            aud: client.id.as_str(),
            exp: self.now.plus(self.config.lifetimes.id_token).seconds(),
            iat: self.now.seconds(),
            auth_time: grant.authentication.at.seconds(),
            nonce: grant.nonce.as_deref(),
            acr: &grant.authentication.acr,
            amr: &grant.authentication.amr,
            sid: &self.subjects.session(client, &grant.session_id),
            at_hash: &at_hash(access_token, digest),
            claims: &authority.claims,
        };
        signer.sign(JwtType::Jwt, &claims).map_err(|_| NoSigner)
    }
}
