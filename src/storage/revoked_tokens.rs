//! Access tokens revoked one by one, and the moments before which nothing counts.

use crate::protocol::identifiers::{ClientId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;

#[derive(sqlx::FromRow)]
struct RevokedRow {
    #[allow(dead_code)] // its being there is the answer
    hit: i64,
}

/// Whom a not-before is about.
#[derive(Clone, Copy, Debug)]
pub enum NotBefore<'a> {
    /// Tokens that a client got for itself.
    Client(&'a ClientId),
    /// Tokens about a person.
    User(&'a UserId),
}

impl NotBefore<'_> {
    fn name(self) -> String {
        match self {
            Self::Client(id) => format!("client:{id}"),
            Self::User(id) => format!("user:{id}"),
        }
    }
}

/// Revokes one access token until it would have expired; false when it was revoked before.
pub async fn insert(
    connection: &mut Connection,
    jti: &str,
    expires_at: Timestamp,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING",
        jti,
        expires_at.millis(),
    )
    .map(|changed| changed == 1)
}

/// Whether a token that no grant stands behind was revoked: itself, or with everything its client got before a moment.
pub async fn is_revoked(
    connection: &mut Connection,
    jti: &str,
    client: &ClientId,
    issued_at: Timestamp,
) -> Result<bool, StorageError> {
    let row = fetch_optional!(
        connection,
        RevokedRow,
        "SELECT CAST(1 AS BIGINT) AS hit FROM revoked_tokens WHERE jti = $1
         UNION ALL
         SELECT CAST(1 AS BIGINT) AS hit FROM not_before WHERE name = $2 AND moment >= $3
         LIMIT 1",
        jti,
        NotBefore::Client(client).name(),
        issued_at.millis(),
    )?;
    Ok(row.is_some())
}

/// Sets the moment before which nothing counts; it never goes back.
pub async fn set_not_before(
    connection: &mut Connection,
    about: NotBefore<'_>,
    moment: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO not_before (name, moment) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET moment = excluded.moment WHERE not_before.moment < excluded.moment",
        about.name(),
        moment.millis(),
    )
    .map(drop)
}

/// Deletes up to `limit` revocations of tokens that expired before `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM revoked_tokens WHERE jti IN (SELECT jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}

/// Deletes up to `limit` of the moments before `before`: what they were held against has expired.
pub async fn sweep_not_before(
    connection: &mut Connection,
    before: Timestamp,
    limit: i64,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM not_before WHERE name IN (SELECT name FROM not_before WHERE moment < $1 LIMIT $2) AND moment < $1",
        before.millis(),
        limit,
    )
}
