//! Token revocation (RFC 7009): a refresh token takes its whole grant with it, an access token only itself. Another
//! client's token, and what is no token, is answered as if it were done (§2.2, threat 48).

use crate::audit::{self, Circumstances, Trail};
use crate::clients::registry::Registry;
use crate::config::Config;
use crate::keys::SecretPurposes;
use crate::keys::key_ring::KeyRing;
use crate::model::audit_event::{About, EventName};
use crate::model::client::Client;
use crate::model::grant::{GrantState, RevocationReason};
use crate::model::secret::constant_time_eq;
use crate::protocol::access_token::TokenName;
use crate::protocol::identifiers::GrantId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::grants::find_standing;
use crate::storage::{Store, grants, revoked_tokens};
use crate::tokens::{bearer, refresh};

/// What revocation leans on: the snapshot of a request.
#[derive(Clone, Copy)]
pub struct Revocation<'a> {
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
    /// Where events go.
    pub trail: &'a Trail,
}

impl Revocation<'_> {
    /// Revokes `token` if it is one of `caller`'s.
    pub async fn revoke(
        &self,
        token: &str,
        caller: &Client,
        circumstances: &Circumstances,
    ) -> Result<(), StorageError> {
        if let Some(token) = refresh::recognise(&self.secrets.refresh_tokens, token) {
            return self
                .refresh_token(token.grant_id, refresh::salt_hash(&token.salt), caller, circumstances)
                .await;
        }
        let recognised = bearer::recognise_of_any_time(token, self.config, self.registry, self.ring);
        let Some(token) = recognised else { return Ok(()) };
        if token.client_id != caller.id {
            return Ok(());
        }
        let grant_id = match &token.name {
            TokenName::OfGrant(id) => Some(id.clone()),
            TokenName::OfService => None,
        };
        let about = About { client_id: Some(caller.id.clone()), grant_id, ..About::default() };
        let reason = "the client revoked an access token";
        let event =
            self.trail.event(circumstances, EventName::AccessTokenRevoked, about, reason, "RFC 7009 §2.1");
        let (jti, until) = (token.jti, Timestamp::from_seconds(token.exp.saturating_add(1)));
        self.store
            .write(move |connection| {
                let (jti, event) = (jti.clone(), event.clone());
                Box::pin(async move {
                    match revoked_tokens::insert(connection, &jti, until).await? {
                        true => audit::record(connection, &event).await,
                        false => Ok(()),
                    }
                })
            })
            .await
    }

    async fn refresh_token(
        &self,
        grant_id: GrantId,
        salt_hash: [u8; 32],
        caller: &Client,
        circumstances: &Circumstances,
    ) -> Result<(), StorageError> {
        let now = circumstances.now;
        let about = About {
            client_id: Some(caller.id.clone()),
            grant_id: Some(grant_id.clone()),
            ..About::default()
        };
        let reason = "the client revoked a refresh token";
        let event = self.trail.event(circumstances, EventName::GrantRevoked, about, reason, "RFC 7009 §2.1");
        let caller = caller.id.clone();
        self.store
            .write(move |connection| {
                let (grant_id, caller, mut event) = (grant_id.clone(), caller.clone(), event.clone());
                Box::pin(async move {
                    let Some(standing) = find_standing(connection, &grant_id, "", now).await? else {
                        return Ok(());
                    };
                    if standing.grant.client_id != caller || !has_salt(&standing.grant.state, &salt_hash) {
                        return Ok(());
                    }
                    if grants::revoke(connection, &grant_id, now, RevocationReason::RevokedByClient).await? {
                        event.about.user_id = Some(standing.user.id);
                        audit::record(connection, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

fn has_salt(state: &GrantState, salt_hash: &[u8; 32]) -> bool {
    match state {
        GrantState::Active { refresh: Some(refresh), .. } => constant_time_eq(&refresh.salt_hash, salt_hash),
        _ => false,
    }
}
