//! The table of clients that registered themselves, and what goes with one of them.

use crate::model::registered_client::RegisteredClient;
use crate::protocol::identifiers::ClientId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, digest, object};
use crate::storage::versions;

#[derive(sqlx::FromRow)]
struct ClientRow {
    id: String,
    metadata: String,
    secret_hash: Vec<u8>,
    registration_token_hash: Vec<u8>,
    created_at: i64,
    used_at: i64,
}

#[derive(sqlx::FromRow)]
struct IdRow {
    id: String,
}

#[derive(sqlx::FromRow)]
struct CountRow {
    rows: i64,
}

const TABLE: &str = "registered_clients";

impl TryFrom<ClientRow> for RegisteredClient {
    type Error = StorageError;

    fn try_from(row: ClientRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: column(TABLE, "id", ClientId::parse(&row.id))?,
            members: object(TABLE, "metadata", &row.metadata)?,
            secret_hash: match row.secret_hash.is_empty() {
                true => None,
                false => Some(digest(TABLE, "secret_hash", row.secret_hash)?),
            },
            token_hash: digest(TABLE, "registration_token_hash", row.registration_token_hash)?,
            created_at: Timestamp::from_millis(row.created_at),
            used_at: Timestamp::from_millis(row.used_at),
        })
    }
}

fn text(client: &RegisteredClient) -> String {
    serde_json::Value::Object(client.members.clone()).to_string()
}

fn bytes(hash: Option<&[u8; 32]>) -> &[u8] {
    hash.map_or(&[], |hash| &hash[..])
}

/// How many there are.
pub async fn count(connection: &mut Connection) -> Result<i64, StorageError> {
    let row = fetch_optional!(connection, CountRow, "SELECT COUNT(*) AS rows FROM registered_clients")?;
    Ok(row.map_or(0, |row| row.rows))
}

/// Adds one.
pub async fn insert(connection: &mut Connection, client: &RegisteredClient) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO registered_clients (id, metadata, secret_hash, registration_token_hash, created_at, updated_at,
                                         used_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6)",
        client.id.as_str(),
        text(client),
        bytes(client.secret_hash.as_ref()),
        &client.token_hash[..],
        client.created_at.millis(),
        client.used_at.millis(),
    )
    .map(drop)
}

/// The one of this name.
pub async fn find(
    connection: &mut Connection,
    id: &ClientId,
) -> Result<Option<RegisteredClient>, StorageError> {
    let row = fetch_optional!(
        connection,
        ClientRow,
        "SELECT id, metadata, secret_hash, registration_token_hash, created_at, used_at
         FROM registered_clients WHERE id = $1",
        id.as_str(),
    )?;
    row.map(TryFrom::try_from).transpose()
}

/// Replaces metadata and secret; false when the client is gone or got another secret since it was read.
pub async fn update(
    connection: &mut Connection,
    client: &RegisteredClient,
    secret_before: Option<&[u8; 32]>,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let changed = execute!(
        connection,
        "UPDATE registered_clients SET metadata = $4, secret_hash = $5, updated_at = $6, used_at = $6
         WHERE id = $1 AND registration_token_hash = $2 AND secret_hash = $3",
        client.id.as_str(),
        &client.token_hash[..],
        bytes(secret_before),
        text(client),
        bytes(client.secret_hash.as_ref()),
        now.millis(),
    )?;
    if changed == 1 {
        versions::advance(connection, versions::REGISTERED_CLIENTS).await?;
    }
    Ok(changed == 1)
}

/// Holds a client until the transaction ends, so that nobody deletes it meanwhile; false when it is gone.
pub async fn hold(connection: &mut Connection, id: &ClientId) -> Result<bool, StorageError> {
    let sql = "UPDATE registered_clients SET used_at = used_at WHERE id = $1";
    execute!(connection, sql, id.as_str()).map(|held| held == 1)
}

/// Notes that a client is in use, unless that was noted after `unless_after`. The first use is later than the registration,
/// whatever the clock says.
pub async fn stamp_use(
    connection: &mut Connection,
    id: &ClientId,
    now: Timestamp,
    unless_after: Timestamp,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        "UPDATE registered_clients SET used_at = CASE WHEN created_at < $2 THEN $2 ELSE created_at + 1 END
         WHERE id = $1 AND (used_at <= $3 OR used_at = created_at)",
        id.as_str(),
        now.millis(),
        unless_after.millis(),
    )
}

/// Deletes the client whose registration access token has this digest, and all that it had (threat 119); false when there is
/// none.
pub async fn delete(
    connection: &mut Connection,
    id: &ClientId,
    token_hash: &[u8; 32],
) -> Result<bool, StorageError> {
    let deleted = execute!(
        connection,
        "DELETE FROM registered_clients WHERE id = $1 AND registration_token_hash = $2",
        id.as_str(),
        &token_hash[..],
    )?;
    if deleted == 1 {
        delete_what_it_had(connection, id).await?;
    }
    Ok(deleted == 1)
}

/// Up to `limit` of those that were last used before `before`, or registered before `at_first` and never used.
pub async fn unused_since(
    connection: &mut Connection,
    before: Timestamp,
    at_first: Timestamp,
    limit: i64,
) -> Result<Vec<ClientId>, StorageError> {
    let rows = fetch_all!(
        connection,
        IdRow,
        "SELECT id FROM registered_clients WHERE used_at < $1 OR (used_at = created_at AND created_at < $2)
         ORDER BY used_at LIMIT $3",
        before.millis(),
        at_first.millis(),
        limit,
    )?;
    rows.into_iter().map(|row| column(TABLE, "id", ClientId::parse(&row.id))).collect()
}

/// Deletes such a client, and all that it had; false when it was used meanwhile.
pub async fn delete_unused(
    connection: &mut Connection,
    id: &ClientId,
    before: Timestamp,
    at_first: Timestamp,
) -> Result<bool, StorageError> {
    let deleted = execute!(
        connection,
        "DELETE FROM registered_clients
         WHERE id = $1 AND (used_at < $2 OR (used_at = created_at AND created_at < $3))",
        id.as_str(),
        before.millis(),
        at_first.millis(),
    )?;
    if deleted == 1 {
        delete_what_it_had(connection, id).await?;
    }
    Ok(deleted == 1)
}

/// Grants, consents, pushed requests, news that it waits for: no later client may come into them.
async fn delete_what_it_had(connection: &mut Connection, id: &ClientId) -> Result<(), StorageError> {
    for sql in [
        "DELETE FROM grants WHERE client_id = $1",
        "DELETE FROM consents WHERE client_id = $1",
        "DELETE FROM pushed_requests WHERE client_id = $1",
        "DELETE FROM session_clients WHERE client_id = $1",
        "DELETE FROM outbox WHERE kind = 'logout_token' AND recipient = $1",
    ] {
        execute!(connection, sql, id.as_str())?;
    }
    versions::advance(connection, versions::REGISTERED_CLIENTS).await
}
