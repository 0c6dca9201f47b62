//! The table of origins that registered clients' own pages have.

use crate::protocol::identifiers::ClientId;
use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;

#[derive(sqlx::FromRow)]
struct OriginRow {
    #[allow(dead_code)] // its being there is the answer
    origin: String,
}

/// Puts a client's origins in the place of those it had.
pub async fn replace(
    connection: &mut Connection,
    client: &ClientId,
    origins: &[String],
) -> Result<(), StorageError> {
    execute!(connection, "DELETE FROM registered_origins WHERE client_id = $1", client.as_str())?;
    for origin in origins {
        execute!(
            connection,
            "INSERT INTO registered_origins (origin, client_id) VALUES ($1, $2)
             ON CONFLICT (origin, client_id) DO NOTHING",
            origin,
            client.as_str(),
        )?;
    }
    Ok(())
}

/// Whether a registered client has pages at this origin.
pub async fn exists(connection: &mut Connection, origin: &str) -> Result<bool, StorageError> {
    let row = fetch_optional!(
        connection,
        OriginRow,
        "SELECT origin FROM registered_origins WHERE origin = $1 LIMIT 1",
        origin,
    )?;
    Ok(row.is_some())
}
