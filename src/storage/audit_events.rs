//! The audit trail, and the capped table of what strangers were refused.

use crate::model::audit_event::AuditEvent;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all};
use crate::storage::error::StorageError;

/// A recorded event, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordedEvent {
    /// Milliseconds since the epoch.
    pub occurred_at: i64,
    /// The event's name.
    pub event: String,
    /// The request it belongs to.
    pub request_id: String,
    /// Why.
    pub reason: String,
    /// The section that demands it.
    pub section: String,
    /// The client, or nothing.
    pub client_id: String,
    /// The person, or nothing.
    pub user_id: String,
    /// The session, or nothing.
    pub session_id: String,
    /// The grant, or nothing.
    pub grant_id: String,
    /// The address, or nothing.
    pub address: String,
}

/// Records an event; called in the transaction of the fact.
pub async fn insert(connection: &mut Connection, event: &AuditEvent) -> Result<(), StorageError> {
    put(
        connection,
        "INSERT INTO audit_events (id, occurred_at, event, request_id, reason, section, client_id, user_id, session_id,
                                   grant_id, address, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '')",
        event,
    )
    .await
}

/// Records a refusal; again is as once.
pub async fn insert_refusal(connection: &mut Connection, event: &AuditEvent) -> Result<(), StorageError> {
    put(
        connection,
        "INSERT INTO refusals (id, occurred_at, event, request_id, reason, section, client_id, user_id, session_id,
                               grant_id, address, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '') ON CONFLICT (id) DO NOTHING",
        event,
    )
    .await
}

async fn put(connection: &mut Connection, sql: &'static str, event: &AuditEvent) -> Result<(), StorageError> {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    execute!(
        connection,
        sql,
        event.id.as_str(),
        event.occurred_at.millis(),
        event.event.as_str(),
        event.request_id.as_str(),
        &event.reason,
        event.section,
        text(event.about.client_id.as_ref().map(AsRef::as_ref)),
        text(event.about.user_id.as_ref().map(AsRef::as_ref)),
        text(event.about.session_id.as_ref().map(AsRef::as_ref)),
        text(event.about.grant_id.as_ref().map(AsRef::as_ref)),
        &event.address,
    )
    .map(drop)
}

/// What was recorded of one request, facts and refusals, in their order.
pub async fn of_request(
    connection: &mut Connection,
    request_id: &str,
) -> Result<Vec<RecordedEvent>, StorageError> {
    fetch_all!(
        connection,
        RecordedEvent,
        "SELECT occurred_at, event, request_id, reason, section, client_id, user_id, session_id, grant_id, address
         FROM audit_events WHERE request_id = $1
         UNION ALL
         SELECT occurred_at, event, request_id, reason, section, client_id, user_id, session_id, grant_id, address
         FROM refusals WHERE request_id = $1
         ORDER BY occurred_at",
        request_id,
    )
}

/// Deletes up to `limit` events that are older than `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE occurred_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}

/// Keeps the newest `cap` refusals.
pub async fn cap_refusals(connection: &mut Connection, cap: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM refusals WHERE occurred_at <
           (SELECT COALESCE(MIN(occurred_at), 0) FROM
             (SELECT occurred_at FROM refusals ORDER BY occurred_at DESC LIMIT $1) newest)",
        cap,
    )
}
