//! The table of pushed authorization requests (RFC 9126). A row is spent by one guarded delete, in the transaction that
//! issues the code it becomes.

use crate::protocol::identifiers::ClientId;
use crate::protocol::parameters::Parameters;
use crate::protocol::request_uri::PushedRequestId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::column;

/// A request that a client pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// What it is known by.
    pub id: PushedRequestId,
    /// Who pushed it.
    pub client_id: ClientId,
    /// Its parameters.
    pub parameters: Parameters,
    /// When.
    pub created_at: Timestamp,
    /// Until when a visit with it may begin.
    pub expires_at: Timestamp,
}

/// How many requests of one client may wait at once, when it proved who it is (threat 83).
pub const MOST_OF_A_CONFIDENTIAL_CLIENT: i64 = 10_000;
/// The same of a public client, in whose name anybody can push.
pub const MOST_OF_A_PUBLIC_CLIENT: i64 = 500;

#[derive(sqlx::FromRow)]
struct PushedRequestRow {
    client_id: String,
    parameters: String,
    created_at: i64,
    expires_at: i64,
}

/// Keeps a request; false when the client has `most` or more that wait and have not expired.
pub async fn insert(
    connection: &mut Connection,
    pushed: &PushedRequest,
    most: i64,
) -> Result<bool, StorageError> {
    let changed = execute!(
        connection,
        "INSERT INTO pushed_requests (id, client_id, parameters, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5
         WHERE (SELECT COUNT(*) FROM pushed_requests WHERE client_id = $2 AND expires_at > $4) < $6",
        pushed.id.as_str(),
        pushed.client_id.as_str(),
        pushed.parameters.encode(),
        pushed.created_at.millis(),
        pushed.expires_at.millis(),
        most,
    )?;
    Ok(changed == 1)
}

/// The request that `id` names, expired or not.
pub async fn find(
    connection: &mut Connection,
    id: &PushedRequestId,
) -> Result<Option<PushedRequest>, StorageError> {
    let row = fetch_optional!(
        connection,
        PushedRequestRow,
        "SELECT client_id, parameters, created_at, expires_at FROM pushed_requests WHERE id = $1",
        id.as_str(),
    )?;
    let Some(row) = row else { return Ok(None) };
    const TABLE: &str = "pushed_requests";
    Ok(Some(PushedRequest {
        id: id.clone(),
        client_id: column(TABLE, "client_id", ClientId::parse(&row.client_id))?,
        parameters: column(TABLE, "parameters", Parameters::parse(row.parameters.as_bytes()))?,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
    }))
}

/// Spends the request: true for exactly one of all who try.
pub async fn spend(connection: &mut Connection, id: &PushedRequestId) -> Result<bool, StorageError> {
    execute!(connection, "DELETE FROM pushed_requests WHERE id = $1", id.as_str()).map(|spent| spent == 1)
}

/// Deletes what expired before `before`, `limit` rows at most.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM pushed_requests WHERE id IN (SELECT id FROM pushed_requests WHERE expires_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}
