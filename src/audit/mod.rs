//! The audit trail: an event for every security decision, recorded in the transaction of its fact. What strangers are
//! refused goes through a bounded queue to a capped table, off the request's path. Whether something is allowed is
//! decided by the rooms that call.

use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::entropy::SharedEntropy;
use crate::protocol::identifiers::{EventId, RequestId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::{Store, audit_events};
use tokio::sync::mpsc;

/// Under which circumstances something is decided: which request, from where, when.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The request.
    pub request_id: RequestId,
    /// The client's address; nothing for what an operator does on the machine itself.
    pub address: String,
    /// The moment.
    pub now: Timestamp,
}

/// Makes events, and takes those about strangers.
#[derive(Clone)]
pub struct Trail {
    entropy: SharedEntropy,
    refusals: mpsc::Sender<AuditEvent>,
}

/// How many refusals wait to be written; beyond that the log line is all that is left of one.
const WAITING_REFUSALS: usize = 1024;
/// How many refusals are kept.
const KEPT_REFUSALS: i64 = 20_000;

impl Trail {
    /// A trail, and what it will have refused.
    pub fn new(entropy: SharedEntropy) -> (Self, Refusals) {
        let (refusals, waiting) = mpsc::channel(WAITING_REFUSALS);
        (Self { entropy, refusals }, Refusals { waiting, taken: Vec::new() })
    }

    /// Makes an event.
    pub fn event(
        &self,
        circumstances: &Circumstances,
        event: EventName,
        about: About,
        reason: impl Into<String>,
        section: &'static str,
    ) -> AuditEvent {
        AuditEvent {
            id: EventId::from_random(self.entropy.bytes()),
            occurred_at: circumstances.now,
            event,
            request_id: circumstances.request_id.clone(),
            reason: reason.into(),
            section,
            about,
            address: circumstances.address.clone(),
        }
    }

    /// Notes what somebody was refused: a log line now, a row soon.
    pub fn refused(&self, event: AuditEvent) {
        log(&event);
        if self.refusals.try_send(event).is_err() {
            metrics::counter!("portreeve_audit_refusals_dropped_total").increment(1);
        }
    }
}

/// Records an event in the transaction of its fact.
pub async fn record(connection: &mut Connection, event: &AuditEvent) -> Result<(), StorageError> {
    audit_events::insert(connection, event).await?;
    log(event);
    Ok(())
}

/// Writes the log line of an event: what ordinary refreshes and service tokens leave instead of a row.
pub fn log(event: &AuditEvent) {
    let text = |id: Option<&str>| id.unwrap_or_default().to_owned();
    tracing::info!(
        event = event.event.as_str(),
        request.id = %event.request_id,
        client.id = text(event.about.client_id.as_ref().map(AsRef::as_ref)),
        user.id = text(event.about.user_id.as_ref().map(AsRef::as_ref)),
        grant.id = text(event.about.grant_id.as_ref().map(AsRef::as_ref)),
        client.address = %event.address,
        section = event.section,
        reason = %event.reason.escape_debug(),
    );
    metrics::counter!("portreeve_events_total", "event" => event.event.as_str()).increment(1);
}

/// The refusals that are not written yet.
pub struct Refusals {
    waiting: mpsc::Receiver<AuditEvent>,
    /// Taken from the queue, and kept until they are written.
    taken: Vec<AuditEvent>,
}

impl Refusals {
    /// The next one that waits, taken out and never written.
    pub fn take(&mut self) -> Option<AuditEvent> {
        self.waiting.try_recv().ok()
    }

    /// Writes what waits, in one transaction, and keeps their table within its cap; what the store does not take waits on.
    /// Yields how many there were.
    pub async fn write(&mut self, store: &Store) -> Result<usize, StorageError> {
        while self.taken.len() < WAITING_REFUSALS
            && let Ok(event) = self.waiting.try_recv()
        {
            self.taken.push(event);
        }
        let count = self.taken.len();
        if count == 0 {
            return Ok(0);
        }
        let batch = std::sync::Arc::new(self.taken.clone());
        store
            .write(move |connection| {
                let batch = batch.clone();
                Box::pin(async move {
                    for event in batch.iter() {
                        audit_events::insert_refusal(connection, event).await?;
                    }
                    audit_events::cap_refusals(connection, KEPT_REFUSALS).await.map(drop)
                })
            })
            .await?;
        self.taken.clear();
        Ok(count)
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        let lost = self.taken.len().saturating_add(self.waiting.len());
        if lost > 0 {
            tracing::warn!(refusals = lost, "the log lines are all that is left of these refusals");
            metrics::counter!("portreeve_audit_refusals_dropped_total").increment(lost as u64);
        }
    }
}
