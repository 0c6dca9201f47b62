//! `refresh_token` (RFC 6749 §6, RFC 9700 §4.14.2): one row for a grant whatever the number of rotations. A client that
//! lost an answer gets the same successor again for a while; any older generation ends the grant; a generation that the
//! row has not reached tells of a lost commit and alarms (threats 38–46).

use crate::audit;
use crate::grants::error::TokenError;
use crate::grants::{Desk, resource_asked, scopes_asked};
use crate::model::audit_event::{AuditEvent, EventName};
use crate::model::client::{Client, RefreshTokenRotation};
use crate::model::grant::{
    Access, Grant, GrantState, Presented, RefreshState, RevocationReason, USE_STAMP_EVERY,
};
use crate::model::secret::constant_time_eq;
use crate::protocol::parameters::Parameters;
use crate::protocol::refresh_token::RefreshToken;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::token_response::TokenResponse;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::grants::{self, RotationAttempt, SessionStanding, Standing, resource_is_granted};
use crate::tokens::refresh;
use std::sync::Arc;

/// Refreshes.
pub(super) async fn refresh(
    desk: &Desk<'_>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenResponse, TokenError> {
    let presented = parameters.get("refresh_token").ok_or(TokenError::Missing("refresh_token"))?;
    let (scopes, resource) = (scopes_asked(parameters)?, resource_asked(parameters)?);
    let token = refresh::recognise(&desk.secrets.refresh_tokens, presented);
    let token = token.ok_or(TokenError::InvalidGrant("the refresh token is not one of this server's"))?;
    let attempt = Arc::new(RotationAttempt {
        id: token.grant_id.clone(),
        client_id: client.id.clone(),
        generation: token.generation,
        salt_hash: refresh::salt_hash(&token.salt),
        resource: resource.as_ref().map(Resource::as_str).unwrap_or_default().to_owned(),
        now: desk.circumstances.now,
        idle_until: desk.circumstances.now.plus(desk.config.lifetimes.refresh_token_idle),
        clock_ahead: desk.clock_ahead,
    });
    check_before(desk, client, &attempt, scopes.as_ref()).await?;
    let (grant, generation) = match client.refresh_token_rotation {
        RefreshTokenRotation::EveryUse => rotate(desk, &attempt).await?,
        RefreshTokenRotation::Never => stay(desk, &attempt).await?,
    };
    audit::log(&desk.event(&grant, EventName::Refreshed, "", "RFC 6749 §6"));
    answer(desk, client, grant, (generation, &token), scopes.as_ref(), resource.as_ref()).await
}

/// A refreshed ID token says nothing of the request's nonce (OpenID Connect Core §12.2).
async fn answer(
    desk: &Desk<'_>,
    client: &Client,
    grant: Grant,
    (generation, token): (u32, &RefreshToken),
    scopes: Option<&Scopes>,
    resource: Option<&Resource>,
) -> Result<TokenResponse, TokenError> {
    let grant = Grant { nonce: None, ..grant };
    let next = refresh::mint(&desk.secrets.refresh_tokens, &grant.id, generation, token.salt);
    desk.issue(client, &grant, scopes, resource, Some(next)).await
}

/// What must be known before anything changes: that narrower scopes are asked for, and that the person still belongs.
async fn check_before(
    desk: &Desk<'_>,
    client: &Client,
    attempt: &Arc<RotationAttempt>,
    scopes: Option<&Scopes>,
) -> Result<(), TokenError> {
    if scopes.is_none() && client.allowed_groups.is_empty() {
        return Ok(());
    }
    let Some(standing) = find(desk, attempt).await? else { return Ok(()) };
    if standing.grant.client_id != client.id {
        return Ok(());
    }
    if !standing.user.is_in_one_of(&client.allowed_groups) {
        return Err(TokenError::InvalidGrant("the person is in none of the client's groups"));
    }
    match scopes {
        Some(scopes) if !scopes.is_subset(&standing.grant.scopes) => {
            Err(TokenError::InvalidScope("scope names more than was granted"))
        }
        _ => Ok(()),
    }
}

async fn find(desk: &Desk<'_>, attempt: &Arc<RotationAttempt>) -> Result<Option<Standing>, StorageError> {
    let attempt = attempt.clone();
    desk.store
        .read(move |connection| {
            let attempt = attempt.clone();
            Box::pin(async move { grants::find_standing(connection, &attempt.id, "", attempt.now).await })
        })
        .await
}

/// One guarded write; when it changes nothing, one transaction tells why.
async fn rotate(desk: &Desk<'_>, attempt: &Arc<RotationAttempt>) -> Result<(Grant, u32), TokenError> {
    let rotated = {
        let attempt = attempt.clone();
        desk.store
            .write_one(move |connection| {
                let attempt = attempt.clone();
                Box::pin(async move { grants::rotate(connection, &attempt).await })
            })
            .await?
    };
    match rotated {
        Some(grant) => Ok((grant, attempt.generation.saturating_add(1))),
        None => resolve(desk, attempt, RefreshTokenRotation::EveryUse).await,
    }
}

/// Nothing rotates; the row is stamped at most once an hour.
async fn stay(desk: &Desk<'_>, attempt: &Arc<RotationAttempt>) -> Result<(Grant, u32), TokenError> {
    let standing = find(desk, attempt).await?;
    let Some((grant, state)) = standing.as_ref().and_then(|standing| living(standing, attempt)) else {
        return resolve(desk, attempt, RefreshTokenRotation::Never).await;
    };
    if state.generation != attempt.generation || !resource_is_granted(&grant.resources, &attempt.resource) {
        return resolve(desk, attempt, RefreshTokenRotation::Never).await;
    }
    let stamp_every = USE_STAMP_EVERY.min(desk.config.lifetimes.refresh_token_idle / 4);
    if attempt.now.since(state.used_at) >= stamp_every {
        let attempt = attempt.clone();
        desk.store
            .write_one(move |connection| {
                let attempt = attempt.clone();
                Box::pin(async move {
                    grants::stamp_use(connection, &attempt.id, attempt.now, attempt.idle_until).await
                })
            })
            .await?;
    }
    Ok((grant.clone(), attempt.generation))
}

/// The grant and its refresh side, when everything but generation and resource is right.
fn living<'a>(standing: &'a Standing, attempt: &RotationAttempt) -> Option<(&'a Grant, &'a RefreshState)> {
    let grant = &standing.grant;
    let GrantState::Active { refresh: Some(state), .. } = &grant.state else { return None };
    let session = grant.access == Access::Offline || standing.session == SessionStanding::Living;
    let holds = grant.client_id == attempt.client_id
        && constant_time_eq(&state.salt_hash, &attempt.salt_hash)
        && attempt.now < state.idle_until
        && attempt.now < grant.expires_at
        && standing.user.disabled_at.is_none()
        && session;
    holds.then_some((grant, state))
}

/// What a refresh that changed nothing was.
enum Outcome {
    /// The same successor again, for a lost answer.
    Successor(Box<Grant>, u32),
    /// An old token: the grant is over.
    Replayed,
    /// A token the row has not reached.
    FromTheFuture,
    /// All is right but the resource.
    Resource,
    /// Anything else.
    Refused,
}

async fn resolve(
    desk: &Desk<'_>,
    attempt: &Arc<RotationAttempt>,
    rotation: RefreshTokenRotation,
) -> Result<(Grant, u32), TokenError> {
    let event = |name, reason| {
        desk.trail.event(desk.circumstances, name, Default::default(), reason, "RFC 9700 §4.14.2")
    };
    let replayed =
        event(EventName::RefreshTokenReplayed, "a refresh token of an earlier generation came again");
    let future = event(
        EventName::RefreshTokenFromTheFuture,
        "the store has not reached this generation: a commit was lost",
    );
    let work = Arc::new((attempt.clone(), replayed, future));
    let outcome = desk
        .store
        .write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (attempt, replayed, future) = work.as_ref();
                judge(connection, attempt, rotation, replayed, future).await
            })
        })
        .await?;
    match outcome {
        Outcome::Successor(grant, generation) => Ok((*grant, generation)),
        Outcome::Replayed => {
            Err(TokenError::InvalidGrant("the refresh token was replaced before: the grant is over"))
        }
        Outcome::FromTheFuture => {
            metrics::counter!("portreeve_refresh_tokens_from_the_future_total").increment(1);
            tracing::error!("a refresh token is later than its row: the database has lost a commit");
            Err(TokenError::InvalidGrant("the refresh token is later than the store"))
        }
        Outcome::Resource => Err(TokenError::TargetNotGranted),
        Outcome::Refused => {
            Err(TokenError::InvalidGrant("the refresh token is unknown, expired, foreign or over"))
        }
    }
}

async fn judge(
    connection: &mut Connection,
    attempt: &RotationAttempt,
    rotation: RefreshTokenRotation,
    replayed: &AuditEvent,
    future: &AuditEvent,
) -> Result<Outcome, StorageError> {
    let standing = grants::find_standing(connection, &attempt.id, "", attempt.now).await?;
    let Some((standing, (grant, state))) =
        standing.as_ref().and_then(|standing| Some((standing, living(standing, attempt)?)))
    else {
        return Ok(Outcome::Refused);
    };
    let about = |event: &AuditEvent| {
        let mut event = event.clone();
        event.about.client_id = Some(grant.client_id.clone());
        event.about.user_id = Some(grant.user_id.clone());
        event.about.grant_id = Some(grant.id.clone());
        event
    };
    let resource = resource_is_granted(&grant.resources, &attempt.resource);
    Ok(match state.judge(attempt.generation, standing.by_its_clock(attempt.now, attempt.clock_ahead)) {
        Presented::Fresh | Presented::LostAnswer if !resource => Outcome::Resource,
        Presented::LostAnswer => Outcome::Successor(Box::new(grant.clone()), state.generation),
        // Whoever does not rotate and finds the token fresh after all was overtaken between two reads.
        Presented::Fresh if rotation == RefreshTokenRotation::Never => {
            Outcome::Successor(Box::new(grant.clone()), state.generation)
        }
        Presented::Fresh => Outcome::Refused,
        Presented::Replayed => {
            grants::revoke(connection, &grant.id, attempt.now, RevocationReason::RefreshTokenReplayed)
                .await?;
            audit::record(connection, &about(replayed)).await?;
            Outcome::Replayed
        }
        Presented::FromTheFuture => {
            audit::record(connection, &about(future)).await?;
            Outcome::FromTheFuture
        }
    })
}
