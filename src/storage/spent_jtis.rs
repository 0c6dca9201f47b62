//! Assertions that were accepted: each once, whichever replica it is shown to (RFC 7523 §3 (7), threat 57).

use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute};
use crate::storage::error::StorageError;

/// Whether an assertion was shown before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// It was not.
    First,
    /// It was.
    Again,
}

/// Spends the assertion that `name` stands for; the row stays until `until`, after which the assertion itself is too old.
pub async fn spend(
    connection: &mut Connection,
    name: &str,
    until: Timestamp,
) -> Result<Spending, StorageError> {
    let inserted = execute!(
        connection,
        "INSERT INTO spent_jtis (name, expires_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        name,
        until.millis(),
    )?;
    Ok(if inserted == 1 { Spending::First } else { Spending::Again })
}

/// Deletes up to `limit` rows of assertions that were too old before `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM spent_jtis WHERE name IN (SELECT name FROM spent_jtis WHERE expires_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}
