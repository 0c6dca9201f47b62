//! The table of salts: random values that are made once and never change, whichever replica is first.

use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::digest;

#[derive(sqlx::FromRow)]
struct SaltRow {
    salt: Vec<u8>,
}

/// The salt of this name; `fresh` when there was none.
pub async fn find_or_insert(
    connection: &mut Connection,
    name: &str,
    fresh: [u8; 32],
) -> Result<[u8; 32], StorageError> {
    execute!(
        connection,
        "INSERT INTO salts (name, salt) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        &fresh[..],
    )?;
    let row = fetch_optional!(connection, SaltRow, "SELECT salt FROM salts WHERE name = $1", name)?;
    let row = row.ok_or(StorageError::Corrupt { table: "salts", column: "name" })?;
    digest("salts", "salt", row.salt)
}
