//! `authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.6): one guarded write spends the code and opens its grant. An attempt
//! that fails any binding changes nothing; only a complete and correct one that comes again ends the grant, and not
//! within the window in which browsers submit twice (threats 11, 17–19, 29–35; decisions 11, 18, 30).

use crate::audit;
use crate::grants::error::TokenError;
use crate::grants::{Desk, resource_asked};
use crate::model::audit_event::EventName;
use crate::model::client::Client;
use crate::model::grant::{DOUBLE_SUBMIT_WINDOW, GrantState, RedirectUriInRequest, RevocationReason};
use crate::protocol::grant_type::GrantType;
use crate::protocol::parameters::Parameters;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::token_response::TokenResponse;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::grants::{self, RedemptionAttempt, Standing, resource_is_granted};
use crate::tokens::{code, refresh};
use std::sync::Arc;

/// Redeems a code.
pub(super) async fn redeem(
    desk: &Desk<'_>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenResponse, TokenError> {
    let presented = parameters.get("code").ok_or(TokenError::Missing("code"))?;
    let verifier = parameters.get("code_verifier");
    let challenge = verifier.map(CodeChallenge::of_verifier).transpose();
    let challenge = challenge.map_err(|_| TokenError::InvalidGrant("code_verifier is malformed"))?;
    let resource = resource_asked(parameters)?;
    let salt: Option<[u8; 16]> =
        client.metadata.allows(GrantType::RefreshToken).then(|| desk.entropy.bytes());
    let attempt = Arc::new(attempt(desk, client, parameters, presented, challenge, salt));
    refuse_outsiders(desk, client, &attempt).await?;
    let redeemed = {
        let attempt = attempt.clone();
        desk.store
            .write_one(move |connection| {
                let attempt = attempt.clone();
                Box::pin(async move { grants::redeem(connection, &attempt).await })
            })
            .await?
    };
    let Some(grant) = redeemed else { return Err(judge_failure(desk, &attempt).await?) };
    audit::log(&desk.event(&grant, EventName::CodeRedeemed, "", "RFC 6749 §4.1.3"));
    let refresh_token = salt.map(|salt| refresh::mint(&desk.secrets.refresh_tokens, &grant.id, 0, salt));
    desk.issue(client, &grant, None, resource.as_ref(), refresh_token).await
}

fn attempt(
    desk: &Desk<'_>,
    client: &Client,
    parameters: &Parameters,
    presented: &str,
    challenge: Option<CodeChallenge>,
    salt: Option<[u8; 16]>,
) -> RedemptionAttempt {
    let (now, lifetimes) = (desk.circumstances.now, &desk.config.lifetimes);
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let expires_at = match salt {
        Some(_) => now.plus(lifetimes.refresh_token_absolute),
        None => now.plus(lifetimes.access_token.max(lifetimes.id_token)),
    };
    RedemptionAttempt {
        id: code::grant_id(presented),
        client_id: client.id.clone(),
        redirect_uri: text(parameters.get("redirect_uri")),
        code_challenge: text(challenge.as_ref().map(CodeChallenge::as_str)),
        resource: text(parameters.get("resource")),
        now,
        clock_ahead: desk.clock_ahead,
        expires_at,
        refresh: salt.map(|salt| (refresh::salt_hash(&salt), now.plus(lifetimes.refresh_token_idle))),
    }
}

/// Who left the client's groups since the code was issued gets nothing for it (threat 138).
async fn refuse_outsiders(
    desk: &Desk<'_>,
    client: &Client,
    attempt: &RedemptionAttempt,
) -> Result<(), TokenError> {
    if client.allowed_groups.is_empty() {
        return Ok(());
    }
    let (id, now) = (attempt.id.clone(), attempt.now);
    let read = desk.store.read(move |connection| {
        let id = id.clone();
        Box::pin(async move { grants::find_standing(connection, &id, "", now).await })
    });
    match read.await? {
        Some(standing) if !standing.user.is_in_one_of(&client.allowed_groups) => {
            Err(TokenError::InvalidGrant("the person is in none of the client's groups"))
        }
        _ => Ok(()),
    }
}

/// What a redemption that changed nothing was.
enum Failure {
    /// Complete and correct, but the code was spent before.
    Replayed(Box<Standing>),
    /// All is right but the resource.
    Resource,
    /// Anything else.
    Refused,
}

async fn judge_failure(desk: &Desk<'_>, attempt: &Arc<RedemptionAttempt>) -> Result<TokenError, TokenError> {
    let reason = "a complete and correct code came again";
    let blank = desk.trail.event(
        desk.circumstances,
        EventName::CodeReplayed,
        Default::default(),
        reason,
        "RFC 6749 §4.1.2",
    );
    let work = Arc::new((attempt.clone(), blank));
    let failure = desk
        .store
        .write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (attempt, event) = work.as_ref();
                let failure = judge(connection, attempt).await?;
                if let Failure::Replayed(standing) = &failure
                    && let grant = &standing.grant
                    && revokes(standing, attempt)
                    && grants::revoke(connection, &grant.id, attempt.now, RevocationReason::CodeReplayed)
                        .await?
                {
                    let mut event = event.clone();
                    event.about.client_id = Some(grant.client_id.clone());
                    event.about.user_id = Some(grant.user_id.clone());
                    event.about.grant_id = Some(grant.id.clone());
                    audit::record(connection, &event).await?;
                }
                Ok(failure)
            })
        })
        .await?;
    Ok(match failure {
        Failure::Replayed(_) => TokenError::InvalidGrant("the code was redeemed before"),
        Failure::Resource => TokenError::TargetNotGranted,
        Failure::Refused => {
            TokenError::InvalidGrant("the code is unknown, expired, foreign or bound to something else")
        }
    })
}

async fn judge(connection: &mut Connection, attempt: &RedemptionAttempt) -> Result<Failure, StorageError> {
    let standing = grants::find_standing(connection, &attempt.id, "", attempt.now).await?;
    let Some(standing) = standing else { return Ok(Failure::Refused) };
    let grant = &standing.grant;
    let redirect_uri = match grant.redirect_uri_in_request {
        RedirectUriInRequest::Present => attempt.redirect_uri == grant.redirect_uri,
        RedirectUriInRequest::Absent => {
            attempt.redirect_uri.is_empty() || attempt.redirect_uri == grant.redirect_uri
        }
    };
    let challenge = grant.code_challenge.as_ref().map_or("", CodeChallenge::as_str);
    if grant.client_id != attempt.client_id || !redirect_uri || challenge != attempt.code_challenge {
        return Ok(Failure::Refused);
    }
    let resource = resource_is_granted(&grant.resources, &attempt.resource);
    Ok(match grant.state {
        GrantState::CodeIssued { until } if until > attempt.now && !resource => Failure::Resource,
        GrantState::Active { .. } | GrantState::Revoked { redeemed_at: Some(_) } if resource => {
            Failure::Replayed(Box::new(standing))
        }
        GrantState::CodeIssued { .. } | GrantState::Active { .. } | GrantState::Revoked { .. } => {
            Failure::Refused
        }
    })
}

fn revokes(standing: &Standing, attempt: &RedemptionAttempt) -> bool {
    let now = standing.by_its_clock(attempt.now, attempt.clock_ahead);
    match standing.grant.state {
        GrantState::Active { redeemed_at, .. } => now.since(redeemed_at) > DOUBLE_SUBMIT_WINDOW,
        GrantState::CodeIssued { .. } | GrantState::Revoked { .. } => false,
    }
}
