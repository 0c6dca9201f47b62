//! Token introspection (RFC 7662): everything to the token's client and to the resource servers of its audience; to all
//! others, and of what does not count, that it is not active and no more (threat 49).

use crate::clients::registry::Registry;
use crate::config::Config;
use crate::keys::SecretPurposes;
use crate::keys::key_ring::KeyRing;
use crate::model::client::Client;
use crate::model::grant::{Access, GrantState, Presented};
use crate::model::secret::constant_time_eq;
use crate::model::user::User;
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::introspection_response::{ActiveToken, IntrospectionResponse};
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::storage::Store;
use crate::storage::error::StorageError;
use crate::storage::grants::{SessionStanding, find_standing};
use crate::tokens::bearer::{self, Living, VerifiedAccessToken};
use crate::tokens::refresh;
use crate::tokens::subject::Subjects;

/// What introspection leans on: the snapshot of a request.
#[derive(Clone, Copy)]
pub struct Introspection<'a> {
    /// The store.
    pub store: &'a Store,
    /// The configuration.
    pub config: &'a Config,
    /// The clients.
    pub registry: &'a Registry,
    /// The keys.
    pub ring: &'a KeyRing,
    /// What authenticates refresh tokens.
    pub secrets: &'a SecretPurposes,
    /// By which subjects clients know people.
    pub subjects: Subjects<'a>,
    /// The moment.
    pub now: Timestamp,
}

impl Introspection<'_> {
    /// What `caller` learns about `token`.
    pub async fn introspect(
        &self,
        token: &str,
        caller: &Client,
    ) -> Result<IntrospectionResponse, StorageError> {
        if let Some(recognised) = bearer::recognise(token, self.config, self.registry, self.ring, self.now) {
            return self.access_token(&recognised, caller).await;
        }
        self.refresh_token(token, caller).await
    }

    async fn access_token(
        &self,
        token: &VerifiedAccessToken,
        caller: &Client,
    ) -> Result<IntrospectionResponse, StorageError> {
        if !self.may_ask(token, caller) {
            return Ok(IntrospectionResponse::INACTIVE);
        }
        let Some(living) = bearer::stand(self.store, token, self.subjects, self.now).await? else {
            return Ok(IntrospectionResponse::INACTIVE);
        };
        let username = match living {
            Living::OfGrant(standing) => username(&token.client, &token.scopes, standing.user),
            Living::OfService => None,
        };
        Ok(IntrospectionResponse::Active(Box::new(ActiveToken {
            active: true,
            scope: token.scopes.to_string(),
            client_id: token.client_id.as_str().to_owned(),
            username,
            token_type: Some("Bearer"),
            exp: token.exp,
            iat: token.iat,
            sub: token.sub.clone(),
            aud: Some(token.aud.clone()),
            iss: self.config.issuer.as_str().to_owned(),
            jti: Some(token.jti.clone()),
            auth_time: token.auth_time,
            acr: token.acr.clone(),
        })))
    }

    /// The token's client, and who is named for its audience.
    fn may_ask(&self, token: &VerifiedAccessToken, caller: &Client) -> bool {
        token.client_id == caller.id
            || self.config.resources.iter().any(|resource| {
                resource.resource.as_str() == token.aud && resource.introspection_clients.contains(&caller.id)
            })
    }

    async fn refresh_token(
        &self,
        token: &str,
        caller: &Client,
    ) -> Result<IntrospectionResponse, StorageError> {
        let Some(token) = refresh::recognise(&self.secrets.refresh_tokens, token) else {
            return Ok(IntrospectionResponse::INACTIVE);
        };
        let (grant_id, now) = (token.grant_id.clone(), self.now);
        let read = self.store.read(move |connection| {
            let grant_id = grant_id.clone();
            Box::pin(async move { find_standing(connection, &grant_id, "", now).await })
        });
        let Some(standing) = read.await? else { return Ok(IntrospectionResponse::INACTIVE) };
        let grant = standing.grant;
        let GrantState::Active { redeemed_at, refresh: Some(state) } = &grant.state else {
            return Ok(IntrospectionResponse::INACTIVE);
        };
        let living = grant.client_id == caller.id
            && constant_time_eq(&refresh::salt_hash(&token.salt), &state.salt_hash)
            && state.judge(token.generation, now) == Presented::Fresh
            && now < state.idle_until
            && now < grant.expires_at
            && standing.user.disabled_at.is_none()
            && standing.user.is_in_one_of(&caller.allowed_groups)
            && (grant.access == Access::Offline || standing.session == SessionStanding::Living);
        if !living {
            return Ok(IntrospectionResponse::INACTIVE);
        }
        Ok(IntrospectionResponse::Active(Box::new(ActiveToken {
            active: true,
            scope: grant.scopes.to_string(),
            client_id: grant.client_id.as_str().to_owned(),
            username: username(caller, &grant.scopes, standing.user),
            token_type: None,
            exp: state.idle_until.min(grant.expires_at).seconds(),
            iat: redeemed_at.seconds(),
            sub: self.subjects.subject(caller, &grant.user_id),
            aud: None,
            iss: self.config.issuer.as_str().to_owned(),
            jti: None,
            auth_time: Some(grant.authentication.at.seconds()),
            acr: Some(grant.authentication.acr.clone()),
        })))
    }
}

/// A person's name on this server, for those who may know it: it rides on `profile`, and would tell two sectors that a person is
/// the same (OpenID Connect Core §5.4, §8; threat 137).
fn username(client: &Client, scopes: &Scopes, user: User) -> Option<String> {
    let told = scopes.contains("profile") && client.metadata.subject_type == SubjectType::Public;
    told.then_some(user.username)
}
