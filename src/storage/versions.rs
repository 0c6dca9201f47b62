//! The table of versions: counters that replicas compare with what they hold in memory.

use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;

/// Counts changes and ends of registered clients.
pub const REGISTERED_CLIENTS: &str = "registered_clients";

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
}

/// The version of this name; 0 before the first change.
pub async fn current(connection: &mut Connection, name: &str) -> Result<i64, StorageError> {
    let row = fetch_optional!(connection, VersionRow, "SELECT version FROM versions WHERE name = $1", name)?;
    Ok(row.map_or(0, |row| row.version))
}

/// Counts a change, in the transaction of the change.
pub async fn advance(connection: &mut Connection, name: &str) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO versions (name, version) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET version = versions.version + 1",
        name,
    )
    .map(drop)
}
