//! The table of one-time links that are sent by mail, one for a person at most. What is kept opens nothing: the token's digest, and
//! the seed that the token follows from by a key of the server's.

use crate::model::recovery::{Digest, RecoveryToken};
use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, digest};

#[derive(sqlx::FromRow)]
struct TokenRow {
    user_id: String,
    token_hash: Vec<u8>,
    seed: Vec<u8>,
    mails: i64,
    mailed_at: i64,
    expires_at: i64,
}

const TABLE: &str = "recovery_tokens";

impl TryFrom<TokenRow> for RecoveryToken {
    type Error = StorageError;

    fn try_from(row: TokenRow) -> Result<Self, StorageError> {
        Ok(Self {
            user_id: column(TABLE, "user_id", UserId::parse(&row.user_id))?,
            hash: Digest(digest(TABLE, "token_hash", row.token_hash)?),
            seed: column(TABLE, "seed", row.seed.try_into())?,
            mails: column(TABLE, "mails", u32::try_from(row.mails))?,
            mailed_at: Timestamp::from_millis(row.mailed_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}

/// The person's, expired or not.
pub async fn of_user(
    connection: &mut Connection,
    user: &UserId,
) -> Result<Option<RecoveryToken>, StorageError> {
    let row = fetch_optional!(
        connection,
        TokenRow,
        "SELECT user_id, token_hash, seed, mails, mailed_at, expires_at FROM recovery_tokens WHERE user_id = $1",
        user.as_str(),
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// Writes the person's in the place of the one that was mailed at `before`, if there was one; false when another request was first.
pub async fn put(
    connection: &mut Connection,
    token: &RecoveryToken,
    before: Option<Timestamp>,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "INSERT INTO recovery_tokens (user_id, token_hash, seed, mails, mailed_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, seed = excluded.seed,
                mails = excluded.mails, mailed_at = excluded.mailed_at, expires_at = excluded.expires_at
         WHERE recovery_tokens.mailed_at = $7",
        token.user_id.as_str(),
        &token.hash.0[..],
        &token.seed[..],
        i64::from(token.mails),
        token.mailed_at.millis(),
        token.expires_at.millis(),
        before.map_or(-1, Timestamp::millis),
    )
    .map(|changed| changed == 1)
}

/// The living one with this digest; reading spends nothing (threat 147: mail scanners).
pub async fn find_living(
    connection: &mut Connection,
    hash: &Digest,
    now: Timestamp,
) -> Result<Option<RecoveryToken>, StorageError> {
    let row = fetch_optional!(
        connection,
        TokenRow,
        "SELECT user_id, token_hash, seed, mails, mailed_at, expires_at FROM recovery_tokens
         WHERE token_hash = $1 AND expires_at > $2",
        &hash.0[..],
        now.millis(),
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// Spends the living one with this digest, and tells whose it was; nothing when it is spent, expired or replaced.
pub async fn spend(
    connection: &mut Connection,
    hash: &Digest,
    now: Timestamp,
) -> Result<Option<UserId>, StorageError> {
    let row = fetch_optional!(
        connection,
        TokenRow,
        "DELETE FROM recovery_tokens WHERE token_hash = $1 AND expires_at > $2
         RETURNING user_id, token_hash, seed, mails, mailed_at, expires_at",
        &hash.0[..],
        now.millis(),
    )?;
    row.map(|row| column(TABLE, "user_id", UserId::parse(&row.user_id))).transpose()
}

/// Makes the person's link one that opens nothing; how many mails were sent stays known.
pub async fn void(connection: &mut Connection, user: &UserId) -> Result<(), StorageError> {
    execute!(connection, "UPDATE recovery_tokens SET expires_at = 0 WHERE user_id = $1", user.as_str())
        .map(drop)
}

/// Deletes up to `limit` of those that nothing was mailed for since `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM recovery_tokens WHERE user_id IN
           (SELECT user_id FROM recovery_tokens WHERE expires_at < $1 AND mailed_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}
