//! The table of remembered consents.

use crate::model::consent::Consent;
use crate::protocol::identifiers::{ClientId, UserId};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, of_row, resources, resources_text, scopes};

#[derive(sqlx::FromRow)]
struct ConsentRow {
    scopes: String,
}

/// The scopes that the person agreed to for this client and these resources.
pub async fn find(
    connection: &mut Connection,
    user: &UserId,
    client: &ClientId,
    resources: &[Resource],
) -> Result<Option<Scopes>, StorageError> {
    let row = fetch_optional!(
        connection,
        ConsentRow,
        "SELECT scopes FROM consents WHERE user_id = $1 AND client_id = $2 AND resources = $3",
        user.as_str(),
        client.as_str(),
        resources_text(resources),
    )?;
    row.map(|row| of_row(&format!("{user} {client}"), scopes("consents", &row.scopes))).transpose()
}

/// Whether the person ever agreed to anything for this client.
pub async fn exists(
    connection: &mut Connection,
    user: &UserId,
    client: &ClientId,
) -> Result<bool, StorageError> {
    let row = fetch_optional!(
        connection,
        ConsentRow,
        "SELECT scopes FROM consents WHERE user_id = $1 AND client_id = $2 LIMIT 1",
        user.as_str(),
        client.as_str(),
    )?;
    Ok(row.is_some())
}

/// Holds the place of a consent until the transaction ends, and yields what is agreed to there now: whoever decides about the same
/// meanwhile waits. A new place is empty, and has to be filled or given up.
pub async fn hold(connection: &mut Connection, consent: &Consent) -> Result<Scopes, StorageError> {
    let row = fetch_optional!(
        connection,
        ConsentRow,
        "INSERT INTO consents (user_id, client_id, resources, scopes, granted_at) VALUES ($1, $2, $3, '', $4)
         ON CONFLICT (user_id, client_id, resources) DO UPDATE SET granted_at = consents.granted_at
         RETURNING scopes",
        consent.user_id.as_str(),
        consent.client_id.as_str(),
        resources_text(&consent.resources),
        consent.granted_at.millis(),
    )?;
    row.map_or_else(|| Ok(Scopes::default()), |row| scopes("consents", &row.scopes))
}

/// Holds what was agreed to until the transaction ends, and yields it; none where nothing is any more.
pub async fn hold_agreed(
    connection: &mut Connection,
    (user, client): (&UserId, &ClientId),
    resources: &[Resource],
) -> Result<Option<Scopes>, StorageError> {
    let row = fetch_optional!(
        connection,
        ConsentRow,
        "UPDATE consents SET granted_at = granted_at WHERE user_id = $1 AND client_id = $2 AND resources = $3
         RETURNING scopes",
        user.as_str(),
        client.as_str(),
        resources_text(resources),
    )?;
    row.map(|row| scopes("consents", &row.scopes)).transpose()
}

#[derive(sqlx::FromRow)]
struct WholeRow {
    client_id: String,
    resources: String,
    scopes: String,
    granted_at: i64,
}

/// All that a person agreed to.
pub async fn of_user(connection: &mut Connection, user: &UserId) -> Result<Vec<Consent>, StorageError> {
    let rows = fetch_all!(
        connection,
        WholeRow,
        "SELECT client_id, resources, scopes, granted_at FROM consents WHERE user_id = $1
         ORDER BY client_id, resources",
        user.as_str(),
    )?;
    let consent = |row: WholeRow| {
        Ok(Consent {
            user_id: user.clone(),
            client_id: column("consents", "client_id", ClientId::parse(&row.client_id))?,
            resources: resources("consents", &row.resources)?,
            scopes: scopes("consents", &row.scopes)?,
            granted_at: Timestamp::from_millis(row.granted_at),
        })
    };
    rows.into_iter().map(consent).collect()
}

/// Forgets all that a person agreed to for a client; tells how many consents that were.
pub async fn forget(
    connection: &mut Connection,
    user: &UserId,
    client: &ClientId,
) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM consents WHERE user_id = $1 AND client_id = $2",
        user.as_str(),
        client.as_str(),
    )
}

/// Forgets all that anybody agreed to for a client.
pub async fn forget_client(connection: &mut Connection, client: &ClientId) -> Result<u64, StorageError> {
    execute!(connection, "DELETE FROM consents WHERE client_id = $1", client.as_str())
}

/// Gives up the place of a consent: nothing is agreed to there any more.
pub async fn give_up(connection: &mut Connection, consent: &Consent) -> Result<(), StorageError> {
    execute!(
        connection,
        "DELETE FROM consents WHERE user_id = $1 AND client_id = $2 AND resources = $3",
        consent.user_id.as_str(),
        consent.client_id.as_str(),
        resources_text(&consent.resources),
    )
    .map(drop)
}

/// Remembers a consent in the place of an earlier one for the same client and resources.
pub async fn put(connection: &mut Connection, consent: &Consent) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO consents (user_id, client_id, resources, scopes, granted_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, client_id, resources)
         DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at",
        consent.user_id.as_str(),
        consent.client_id.as_str(),
        resources_text(&consent.resources),
        consent.scopes.to_string(),
        consent.granted_at.millis(),
    )
    .map(drop)
}
