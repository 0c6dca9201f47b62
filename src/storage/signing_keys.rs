//! The table of signing keys.

use crate::model::signing_key::StoredSigningKey;
use crate::protocol::identifiers::KeyId;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all};
use crate::storage::error::StorageError;
use crate::storage::row::{column, of_row};
use std::time::Duration;

#[derive(sqlx::FromRow)]
struct SigningKeyRow {
    id: String,
    algorithm: String,
    generation: i64,
    public_jwk: String,
    sealed_private_key: Vec<u8>,
    announced_at: i64,
    signs_from: i64,
    token_life: i64,
    removed_at: Option<i64>,
}

impl TryFrom<SigningKeyRow> for StoredSigningKey {
    type Error = StorageError;

    fn try_from(row: SigningKeyRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: of_row(&row.id, column("signing_keys", "id", KeyId::parse(&row.id)))?,
            algorithm: of_row(
                &row.id,
                column("signing_keys", "algorithm", SigningAlgorithm::parse(&row.algorithm).ok_or(())),
            )?,
            generation: row.generation,
            public_jwk: row.public_jwk,
            sealed_private_key: row.sealed_private_key,
            announced_at: Timestamp::from_millis(row.announced_at),
            signs_from: Timestamp::from_millis(row.signs_from),
            token_life: Duration::from_millis(of_row(
                &row.id,
                column("signing_keys", "token_life", u64::try_from(row.token_life)),
            )?),
            removed_at: row.removed_at.map(Timestamp::from_millis),
        })
    }
}

/// Every key, by algorithm and generation. An impossible row is told of and left out: the others still sign and verify (F-39).
pub async fn list(connection: &mut Connection) -> Result<Vec<StoredSigningKey>, StorageError> {
    let rows = fetch_all!(
        connection,
        SigningKeyRow,
        "SELECT id, algorithm, generation, public_jwk, sealed_private_key, announced_at, signs_from, token_life,
                removed_at
         FROM signing_keys ORDER BY algorithm, generation",
    )?;
    Ok(rows.into_iter().filter_map(|row| StoredSigningKey::try_from(row).ok()).collect())
}

/// Adds a key; false when another replica made the one of this generation first.
pub async fn insert(connection: &mut Connection, key: &StoredSigningKey) -> Result<bool, StorageError> {
    execute!(
        connection,
        "INSERT INTO signing_keys (id, algorithm, generation, public_jwk, sealed_private_key, announced_at, signs_from,
                                   token_life)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (algorithm, generation) DO NOTHING",
        key.id.as_str(),
        key.algorithm.as_str(),
        key.generation,
        &key.public_jwk,
        &key.sealed_private_key[..],
        key.announced_at.millis(),
        key.signs_from.millis(),
        millis(key.token_life),
    )
    .map(|changed| changed == 1)
}

/// Notes that what the keys sign may live for `life`; what a row says never shortens. Yields how many rows changed.
pub async fn lengthen(connection: &mut Connection, life: Duration) -> Result<u64, StorageError> {
    execute!(
        connection,
        "UPDATE signing_keys SET token_life = $1 WHERE token_life < $1 AND removed_at IS NULL",
        millis(life),
    )
}

/// Takes a key out, at once; false when it was out.
pub async fn remove(connection: &mut Connection, id: &KeyId, now: Timestamp) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE signing_keys SET removed_at = $2 WHERE id = $1 AND (removed_at IS NULL OR removed_at > $2)",
        id.as_str(),
        now.millis(),
    )
    .map(|changed| changed == 1)
}

/// Deletes the keys that were taken out before `before`; their generations stay behind those that follow.
pub async fn sweep(connection: &mut Connection, before: Timestamp) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM signing_keys WHERE removed_at < $1
           AND EXISTS (SELECT 1 FROM signing_keys later
                       WHERE later.algorithm = signing_keys.algorithm AND later.generation > signing_keys.generation)",
        before.millis(),
    )
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
