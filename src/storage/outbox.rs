//! The table of what has to be told to somebody else. A message is held by one replica at a time, by one guarded UPDATE;
//! whoever dies with it loses it to the others when the hold is over.

use crate::model::outbox::{HeldMessage, Message, MessageKind};
use crate::protocol::identifiers::{MessageId, RequestId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, object};
use serde_json::Value;

#[derive(sqlx::FromRow)]
struct OutboxRow {
    id: String,
    kind: String,
    recipient: String,
    facts: String,
    sealed: Option<Vec<u8>>,
    request_id: String,
    created_at: i64,
    expires_at: i64,
    attempts: i64,
    held_until: i64,
}

const TABLE: &str = "outbox";

impl TryFrom<OutboxRow> for HeldMessage {
    type Error = StorageError;

    fn try_from(row: OutboxRow) -> Result<Self, StorageError> {
        let message = Message {
            id: column(TABLE, "id", MessageId::parse(&row.id))?,
            kind: column(TABLE, "kind", MessageKind::parse(&row.kind).ok_or(()))?,
            recipient: row.recipient,
            facts: object(TABLE, "facts", &row.facts)?,
            sealed: row.sealed,
            request_id: column(TABLE, "request_id", RequestId::parse(&row.request_id))?,
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
        };
        let attempts = column(TABLE, "attempts", u32::try_from(row.attempts))?;
        Ok(Self { message, attempts, held_until: Timestamp::from_millis(row.held_until) })
    }
}

/// Adds a message, in the transaction of its fact; one of this name that is there already stays.
pub async fn insert(connection: &mut Connection, message: &Message) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO outbox (id, kind, state, recipient, facts, sealed, request_id, created_at, expires_at, attempts,
                             next_attempt_at, held_until, last_error)
         VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, 0, $7, 0, '') ON CONFLICT (id) DO NOTHING",
        message.id.as_str(),
        message.kind.as_str(),
        &message.recipient,
        Value::Object(message.facts.clone()).to_string(),
        message.sealed.as_deref(),
        message.request_id.as_str(),
        message.created_at.millis(),
        message.expires_at.millis(),
    )
    .map(drop)
}

/// Takes up to `limit` messages that are due, for nobody else to take before `held_until`.
pub async fn claim(
    connection: &mut Connection,
    kind: MessageKind,
    now: Timestamp,
    held_until: Timestamp,
    limit: i64,
) -> Result<Vec<HeldMessage>, StorageError> {
    let rows = fetch_all!(
        connection,
        OutboxRow,
        "UPDATE outbox SET held_until = $3
         WHERE id IN (SELECT id FROM outbox WHERE state = 'pending' AND kind = $1 AND next_attempt_at <= $2
                        AND held_until <= $2 ORDER BY next_attempt_at LIMIT $4)
           AND state = 'pending' AND next_attempt_at <= $2 AND held_until <= $2
         RETURNING id, kind, recipient, facts, sealed, request_id, created_at, expires_at, attempts, held_until",
        kind.as_str(),
        now.millis(),
        held_until.millis(),
        limit,
    )?;
    rows.into_iter().map(TryFrom::try_from).collect()
}

/// Notes that a message arrived, whoever holds it by now; false when that was noted before, or it was abandoned.
pub async fn deliver(
    connection: &mut Connection,
    id: &MessageId,
    now: Timestamp,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE outbox SET state = 'delivered', done_at = $2, sealed = NULL, last_error = ''
         WHERE id = $1 AND state = 'pending'",
        id.as_str(),
        now.millis(),
    )
    .map(|changed| changed == 1)
}

/// Gives a message up that this replica holds; false when another one holds it by now. Where `error` says nothing, what the last
/// attempt failed for stays.
pub async fn abandon(
    connection: &mut Connection,
    held: &HeldMessage,
    now: Timestamp,
    error: Option<&str>,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE outbox SET state = 'abandoned', done_at = $3, sealed = NULL, attempts = $5,
                last_error = COALESCE($4, last_error)
         WHERE id = $1 AND state = 'pending' AND held_until = $2",
        held.message.id.as_str(),
        held.held_until.millis(),
        now.millis(),
        error,
        i64::from(held.attempts),
    )
    .map(|changed| changed == 1)
}

/// Notes a failed attempt at a message that this replica holds, and when the next is due.
pub async fn reschedule(
    connection: &mut Connection,
    held: &HeldMessage,
    at: Timestamp,
    why: &str,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $3, held_until = 0, last_error = $4
         WHERE id = $1 AND state = 'pending' AND held_until = $2",
        held.message.id.as_str(),
        held.held_until.millis(),
        at.millis(),
        why,
    )
    .map(drop)
}

/// Gives a message back that this replica holds and did not try to deliver.
pub async fn postpone(
    connection: &mut Connection,
    held: &HeldMessage,
    at: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "UPDATE outbox SET next_attempt_at = $3, held_until = 0
         WHERE id = $1 AND state = 'pending' AND held_until = $2",
        held.message.id.as_str(),
        held.held_until.millis(),
        at.millis(),
    )
    .map(drop)
}

/// Takes a message out that nobody waits for.
pub async fn discard(connection: &mut Connection, id: &MessageId) -> Result<(), StorageError> {
    execute!(connection, "DELETE FROM outbox WHERE id = $1 AND state = 'pending'", id.as_str()).map(drop)
}

/// What waits of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    /// How many messages.
    pub messages: i64,
    /// How many of them are due.
    pub due: i64,
    /// Since when the oldest waits, in milliseconds since the epoch; nothing waits without it.
    pub since: Option<i64>,
}

/// What waits of `kind`.
pub async fn waiting(
    connection: &mut Connection,
    kind: MessageKind,
    now: Timestamp,
) -> Result<Waiting, StorageError> {
    let row = fetch_optional!(
        connection,
        Waiting,
        "SELECT COUNT(*) AS messages, MIN(created_at) AS since,
                COUNT(CASE WHEN next_attempt_at <= $2 AND held_until <= $2 THEN 1 END) AS due
         FROM outbox WHERE state = 'pending' AND kind = $1",
        kind.as_str(),
        now.millis(),
    )?;
    Ok(row.unwrap_or_default())
}

/// Deletes up to `limit` messages that were done with before `before`.
pub async fn sweep(connection: &mut Connection, before: Timestamp, limit: i64) -> Result<u64, StorageError> {
    execute!(
        connection,
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE done_at < $1 LIMIT $2)",
        before.millis(),
        limit,
    )
}
