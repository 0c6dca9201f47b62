//! The table of sessions.

use crate::model::session::{Authentication, Session};
use crate::model::user::{PasswordHash, User};
use crate::protocol::identifiers::{SessionId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, of_row};
use crate::storage::users::UserRow;
use std::time::Duration;

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    authenticated_at: i64,
    selected_at: i64,
    acr: String,
    amr: String,
    last_seen_at: i64,
    absolute_until: i64,
    #[sqlx(flatten)]
    user: UserRow,
}

impl TryFrom<SessionRow> for (Session, User) {
    type Error = StorageError;

    fn try_from(row: SessionRow) -> Result<Self, StorageError> {
        let user = User::try_from(row.user)?;
        let session = Session {
            id: of_row(&row.id, column("sessions", "id", SessionId::parse(&row.id)))?,
            user_id: user.id.clone(),
            authentication: Authentication {
                at: Timestamp::from_millis(row.authenticated_at),
                acr: row.acr,
                amr: row.amr.split(' ').map(str::to_owned).collect(),
            },
            selected_at: Timestamp::from_millis(row.selected_at),
            last_seen_at: Timestamp::from_millis(row.last_seen_at),
            absolute_until: Timestamp::from_millis(row.absolute_until),
        };
        Ok((session, user))
    }
}

/// The beginning of a statement that finds sessions with their people.
macro_rules! with_person {
    () => {
        "SELECT s.id, s.authenticated_at, s.selected_at, s.acr, s.amr, s.last_seen_at, s.absolute_until,
                u.id AS user_id, u.username, u.verified_email, u.password_hash, u.claims,
                u.created_at AS user_created_at, u.updated_at AS user_updated_at, u.disabled_at,
                u.must_change_password
         FROM sessions s JOIN users u ON u.id = s.user_id "
    };
}

/// The living session whose cookie's secret has this digest, with its person, who is not disabled.
pub async fn find_living(
    connection: &mut Connection,
    secret_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<(Session, User)>, StorageError> {
    let row = fetch_optional!(
        connection,
        SessionRow,
        concat!(
            with_person!(),
            "WHERE s.secret_hash = $1 AND s.ended_at IS NULL AND s.idle_until > $2 AND s.absolute_until > $2
           AND u.disabled_at IS NULL"
        ),
        &secret_hash[..],
        now.millis(),
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// Holds a person's row until the transaction ends: whoever disables them or changes their password meanwhile waits, and then
/// finds the session to end. A `Conflict` when they are disabled or gone already, or have another password than the one they
/// signed in by: the sign-in came too late (threat 45).
async fn hold(
    connection: &mut Connection,
    user: &UserId,
    signed_in_by: Option<&PasswordHash>,
) -> Result<(), StorageError> {
    let held = execute!(
        connection,
        "UPDATE users SET updated_at = updated_at
         WHERE id = $1 AND disabled_at IS NULL AND COALESCE(password_hash, '') = $2",
        user.as_str(),
        signed_in_by.map_or("", |hash| hash.0.as_str()),
    )?;
    match held {
        1 => Ok(()),
        _ => Err(StorageError::Conflict("the person was disabled or has another password".to_owned())),
    }
}

/// Adds a session; a `Conflict` when its person is disabled, or has another password than the one they signed in by.
pub async fn insert(
    connection: &mut Connection,
    session: &Session,
    secret_hash: &[u8; 32],
    idle_until: Timestamp,
    signed_in_by: Option<&PasswordHash>,
) -> Result<(), StorageError> {
    hold(connection, &session.user_id, signed_in_by).await?;
    execute!(
        connection,
        "INSERT INTO sessions (id, secret_hash, user_id, created_at, authenticated_at, selected_at, acr, amr,
                               last_seen_at, idle_until, absolute_until)
         VALUES ($1, $2, $3, $4, $4, $4, $5, $6, $4, $7, $8)",
        session.id.as_str(),
        &secret_hash[..],
        session.user_id.as_str(),
        session.authentication.at.millis(),
        &session.authentication.acr,
        session.authentication.amr.join(" "),
        idle_until.millis(),
        session.absolute_until.millis(),
    )
    .map(drop)
}

/// Notes that the same person signed in again: a new secret, a new moment, the same `sid`. False when the session ended
/// meanwhile; a `Conflict` as for [`insert`].
pub async fn renew(
    connection: &mut Connection,
    session: &Session,
    secret_hash: &[u8; 32],
    idle_until: Timestamp,
    signed_in_by: Option<&PasswordHash>,
) -> Result<bool, StorageError> {
    hold(connection, &session.user_id, signed_in_by).await?;
    execute!(
        connection,
        "UPDATE sessions SET secret_hash = $2, authenticated_at = $3, selected_at = $3, acr = $4, amr = $5,
                last_seen_at = $3, idle_until = $6, absolute_until = $7
         WHERE id = $1 AND ended_at IS NULL",
        session.id.as_str(),
        &secret_hash[..],
        session.authentication.at.millis(),
        &session.authentication.acr,
        session.authentication.amr.join(" "),
        idle_until.millis(),
        session.absolute_until.millis(),
    )
    .map(|changed| changed == 1)
}

/// Notes that the person chose this account.
pub async fn select(connection: &mut Connection, id: &SessionId, now: Timestamp) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE sessions SET selected_at = $2 WHERE id = $1 AND ended_at IS NULL",
        id.as_str(),
        now.millis(),
    )
    .map(drop)
}

/// Notes that the person chose this account, which was not the active one: a new secret in the place of the one before. The same
/// again is as once; false when the session ended, or has another secret by now.
pub async fn choose(
    connection: &mut Connection,
    id: &SessionId,
    (before, after): (&[u8; 32], &[u8; 32]),
    now: Timestamp,
    idle_until: Timestamp,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE sessions SET secret_hash = $3, selected_at = $4, last_seen_at = $4, idle_until = $5
         WHERE id = $1 AND (secret_hash = $2 OR secret_hash = $3) AND ended_at IS NULL AND idle_until > $4
           AND absolute_until > $4",
        id.as_str(),
        &before[..],
        &after[..],
        now.millis(),
        idle_until.millis(),
    )
    .map(|changed| changed == 1)
}

/// Puts a new secret in the place of the one before; the same again is as once.
pub async fn rotate(
    connection: &mut Connection,
    id: &SessionId,
    before: &[u8; 32],
    after: &[u8; 32],
) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE sessions SET secret_hash = $3 WHERE id = $1 AND secret_hash = $2 AND ended_at IS NULL",
        id.as_str(),
        &before[..],
        &after[..],
    )
    .map(drop)
}

/// Notes a visit, which puts the idle end off.
pub async fn stamp(
    connection: &mut Connection,
    id: &SessionId,
    now: Timestamp,
    idle: Duration,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE sessions SET last_seen_at = $2, idle_until = $3
         WHERE id = $1 AND ended_at IS NULL AND idle_until > $2 AND last_seen_at < $2",
        id.as_str(),
        now.millis(),
        now.plus(idle).millis(),
    )
    .map(drop)
}

/// The living sessions of a person who is not disabled, the latest seen first.
pub async fn living_of_user(
    connection: &mut Connection,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Session>, StorageError> {
    let rows = fetch_all!(
        connection,
        SessionRow,
        concat!(
            with_person!(),
            "WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.idle_until > $2 AND s.absolute_until > $2
           AND u.disabled_at IS NULL
         ORDER BY s.last_seen_at DESC, s.id LIMIT 200"
        ),
        user.as_str(),
        now.millis(),
    )?;
    rows.into_iter().map(|row| <(Session, User)>::try_from(row).map(|(session, _)| session)).collect()
}

/// Whether a session is this person's.
pub async fn is_of(connection: &mut Connection, id: &SessionId, user: &UserId) -> Result<bool, StorageError> {
    let row = fetch_optional!(
        connection,
        NamesRow,
        "SELECT id, user_id FROM sessions WHERE id = $1 AND user_id = $2",
        id.as_str(),
        user.as_str(),
    )?;
    Ok(row.is_some())
}

#[derive(sqlx::FromRow)]
struct NamesRow {
    id: String,
    user_id: String,
}

/// Ends one session for good, and tells whose it was; nothing when it had ended before.
pub async fn end(
    connection: &mut Connection,
    id: &SessionId,
    now: Timestamp,
) -> Result<Option<UserId>, StorageError> {
    let row = fetch_optional!(
        connection,
        NamesRow,
        "UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id, user_id",
        id.as_str(),
        now.millis(),
    )?;
    row.map(|row| column("sessions", "user_id", UserId::parse(&row.user_id))).transpose()
}

/// Ends every session of a person, and tells which went on until now.
pub async fn end_of_user(
    connection: &mut Connection,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<SessionId>, StorageError> {
    let rows = fetch_all!(
        connection,
        NamesRow,
        "UPDATE sessions SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL RETURNING id, user_id",
        user.as_str(),
        now.millis(),
    )?;
    rows.into_iter().map(|row| column("sessions", "id", SessionId::parse(&row.id))).collect()
}

/// The sessions of a person that have not ended, held until the transaction ends: no app joins one meanwhile.
pub async fn hold_of_user(
    connection: &mut Connection,
    user: &UserId,
) -> Result<Vec<SessionId>, StorageError> {
    let rows = fetch_all!(
        connection,
        NamesRow,
        "UPDATE sessions SET last_seen_at = last_seen_at WHERE user_id = $1 AND ended_at IS NULL
         RETURNING id, user_id",
        user.as_str(),
    )?;
    rows.into_iter().map(|row| column("sessions", "id", SessionId::parse(&row.id))).collect()
}

/// Holds a session until the transaction ends, so that nothing comes of it that its end would not see; false when it has ended.
pub async fn hold_living(connection: &mut Connection, id: &SessionId) -> Result<bool, StorageError> {
    let sql = "UPDATE sessions SET last_seen_at = last_seen_at WHERE id = $1 AND ended_at IS NULL";
    execute!(connection, sql, id.as_str()).map(|held| held == 1)
}

/// Deletes up to `limit` sessions that ended by themselves before `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE absolute_until < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}
