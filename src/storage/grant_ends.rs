//! How grants end: revoked, one or many, and swept when nothing of them counts any more.
//!
//! A revoked grant keeps its row only for as long as a replayed code or token of it should be told from nonsense: revocation cuts
//! `expires_at`, which rotation never touches, so that its index does not keep rotations from being heap-only.

use crate::model::grant::{KEPT_AFTER_ITS_END, RevocationReason};
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::identifiers::{ClientId, GrantId, SessionId, UserId};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, resources, scopes};

/// Ends grants at the moment $2 for the reason $3, and keeps their rows until $4 at most.
macro_rules! ended {
    () => {
        "UPDATE grants SET state = 'revoked', revoked_at = $2, revocation_reason = $3,
                expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END "
    };
}

fn kept_until(now: Timestamp) -> i64 {
    now.plus(KEPT_AFTER_ITS_END).millis()
}

/// Ends one grant for good; false when it had ended before.
pub async fn revoke(
    connection: &mut Connection,
    id: &GrantId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE id = $1 AND state <> 'revoked'"),
        id.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
    )
    .map(|changed| changed == 1)
}

/// Ends what does not outlive a session: its unspent codes, and its grants without `offline_access`.
pub async fn revoke_of_session(
    connection: &mut Connection,
    session: &SessionId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE session_id = $1 AND (state = 'code' OR (state = 'active' AND NOT offline))"),
        session.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
    )
}

/// Ends every grant of a person.
pub async fn revoke_of_user(
    connection: &mut Connection,
    user: &UserId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE user_id = $1 AND state <> 'revoked'"),
        user.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
    )
}

/// Ends every grant that a person gave in another session than this one.
pub async fn revoke_of_user_elsewhere(
    connection: &mut Connection,
    user: &UserId,
    here: &SessionId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE user_id = $1 AND session_id <> $5 AND state <> 'revoked'"),
        user.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
        here.as_str(),
    )
}

/// Ends every grant that a person gave a client.
pub async fn revoke_given(
    connection: &mut Connection,
    (user, client): (&UserId, &ClientId),
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE user_id = $1 AND client_id = $5 AND state <> 'revoked'"),
        user.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
        client.as_str(),
    )
}

/// Ends every grant of a client.
pub async fn revoke_of_client(
    connection: &mut Connection,
    client: &ClientId,
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        concat!(ended!(), "WHERE client_id = $1 AND state <> 'revoked'"),
        client.as_str(),
        now.millis(),
        reason.as_str(),
        kept_until(now),
    )
}

#[derive(sqlx::FromRow)]
struct HeldRow {
    id: String,
    scopes: String,
    resources: String,
    claims_request: String,
}

/// Ends the grants that a client has of a person for no other resources than these, and that hold a scope or a single
/// claim of what was taken back.
pub async fn revoke_holding(
    connection: &mut Connection,
    (user, client): (&UserId, &ClientId),
    within: &[Resource],
    (taken_back, claims): (&Scopes, &[String]),
    now: Timestamp,
    reason: RevocationReason,
) -> Result<u64, StorageError> {
    let rows = fetch_all!(
        connection,
        HeldRow,
        "SELECT id, scopes, resources, claims_request FROM grants WHERE user_id = $1 AND client_id = $2 AND state <> 'revoked'",
        user.as_str(),
        client.as_str(),
    )?;
    let mut ended: u64 = 0;
    for row in rows {
        let held = scopes("grants", &row.scopes)?;
        let elsewhere =
            resources("grants", &row.resources)?.iter().any(|resource| !within.contains(resource));
        let asked = column("grants", "claims_request", ClaimsRequest::from_text(&row.claims_request))?;
        let holds = held.iter().any(|scope| taken_back.contains(scope.as_str()))
            || asked.names().any(|name| claims.iter().any(|claim| claim == name));
        if elsewhere || !holds {
            continue;
        }
        let id = column("grants", "id", GrantId::parse(&row.id))?;
        ended = ended.saturating_add(u64::from(revoke(connection, &id, now, reason).await?));
    }
    Ok(ended)
}

/// Deletes up to `limit` grants of which nothing has been valid since `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}

#[derive(sqlx::FromRow)]
struct SliceRow {
    last: Option<String>,
}

/// Deletes the grants that were to be used again before `before` and were not, among the `slice` that follow `after` by name;
/// yields how many went and where the next slice begins, if there is one. Rotation changes `idle_until`, so it has no index: the
/// table is walked by its key, a slice at a time.
pub async fn sweep_idle(
    connection: &mut Connection,
    after: &str,
    before: Timestamp,
    slice: i64,
) -> Result<(u64, Option<String>), StorageError> {
    let found = fetch_optional!(
        connection,
        SliceRow,
        "SELECT MAX(id) AS last FROM (SELECT id FROM grants WHERE id > $1 ORDER BY id LIMIT $2) AS slice",
        after,
        slice,
    )?;
    let Some(last) = found.and_then(|row| row.last) else { return Ok((0, None)) };
    let swept = execute!(
        connection,
        "DELETE FROM grants WHERE id > $1 AND id <= $2 AND idle_until < $3",
        after,
        &last,
        before.millis(),
    )?;
    Ok((swept, Some(last)))
}
