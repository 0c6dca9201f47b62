//! Deletes what has expired, in small batches, on one replica at a time (threat 193). Sweeping changes no answer: what is
//! swept was refused already.

use super::{lead, pause};
use crate::audit::record;
use crate::http::app::App;
use crate::model::audit_event::{About, EventName};
use crate::model::grant::KEPT_AFTER_ITS_END;
use crate::model::recovery::REMEMBERED;
use crate::protocol::identifiers::GrantId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::{
    Store, audit_events, grants, outbox, pushed_requests, recovery_tokens, registered_clients,
    revoked_tokens, sessions, signing_keys, spent_jtis,
};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// What one round deleted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows in all.
    pub rows: u64,
}

/// How many rows a transaction deletes at most.
const BATCH: i64 = 500;
/// How many batches of one table a round deletes at most.
const BATCHES: usize = 200;
/// How many slices of the grants a round looks through at most.
const SLICES: usize = 40;
/// How long after its end a row may stay: clocks differ.
const AFTER_THE_END: Duration = Duration::from_secs(3600);
/// How long a message stays that was delivered or given up, for operators.
const DONE_MESSAGES: Duration = Duration::from_secs(86_400);
/// How long a removed key's row stays, for operators.
const REMOVED_KEYS: Duration = Duration::from_secs(90 * 86_400);
/// After how long a client that registered itself and was never used since is deleted.
const UNUSED_CLIENTS: Duration = Duration::from_secs(90 * 86_400);
/// The same of one that was not used even once: whoever fills the places with such keeps them for so long only.
const NEVER_USED_CLIENTS: Duration = Duration::from_secs(7 * 86_400);
/// How often a round runs.
const EVERY: Duration = Duration::from_secs(60);

type Sweep = for<'c> fn(&'c mut Connection, Timestamp) -> BoxFuture<'c, Result<u64, StorageError>>;

/// One round.
pub async fn run_once(app: &App) -> Result<Report, StorageError> {
    let now = app.clock.now();
    let (before, keep) = (now.minus(AFTER_THE_END), app.snapshot.load().config.audit.keep);
    let life = app.snapshot.load().config.lifetimes.longest_token().max(app.keys.ring().longest_token_life());
    let tables: [(Timestamp, Sweep); 10] = [
        (before, |connection, before| Box::pin(pushed_requests::sweep(connection, before, BATCH))),
        (now.minus(REMEMBERED), |connection, before| {
            Box::pin(recovery_tokens::sweep(connection, before, BATCH))
        }),
        (before, |connection, before| Box::pin(grants::sweep(connection, before, BATCH))),
        (before, |connection, before| Box::pin(sessions::sweep(connection, before, BATCH))),
        (before, |connection, before| Box::pin(revoked_tokens::sweep(connection, before, BATCH))),
        (before, |connection, before| Box::pin(spent_jtis::sweep(connection, before, BATCH))),
        (before.minus(life), |connection, before| {
            Box::pin(revoked_tokens::sweep_not_before(connection, before, BATCH))
        }),
        (now.minus(keep), |connection, before| Box::pin(audit_events::sweep(connection, before, BATCH))),
        (now.minus(DONE_MESSAGES), |connection, before| Box::pin(outbox::sweep(connection, before, BATCH))),
        (now.minus(REMOVED_KEYS), |connection, before| Box::pin(signing_keys::sweep(connection, before))),
    ];
    let mut report = Report::default();
    for (before, sweep) in tables {
        report.rows = report.rows.saturating_add(sweep_table(&app.store, before, sweep).await?);
    }
    report.rows = report.rows.saturating_add(sweep_idle_grants(app, before).await?);
    report.rows = report.rows.saturating_add(sweep_unused_clients(app, now).await?);
    Ok(report)
}

/// Walks some slices of the grants, from anywhere: their names are random, so in time every one has its turn. What a grant gave at
/// its last use may outlive its idle end.
async fn sweep_idle_grants(app: &App, before: Timestamp) -> Result<u64, StorageError> {
    let lifetimes = app.snapshot.load().config.lifetimes.clone();
    let outlives = lifetimes.access_token.max(lifetimes.id_token).max(KEPT_AFTER_ITS_END);
    let (before, start) = (before.minus(outlives), GrantId::from_random(app.entropy.bytes()));
    let mut rows: u64 = 0;
    let mut wrapped = false;
    let mut after = start.as_str().to_owned();
    for _ in 0..SLICES {
        let from = after.clone();
        let swept = app.store.write(move |connection| {
            let from = from.clone();
            Box::pin(async move { grants::sweep_idle(connection, &from, before, BATCH).await })
        });
        let (swept, last) = swept.await?;
        rows = rows.saturating_add(swept);
        match last {
            Some(last) if wrapped && last.as_str() > start.as_str() => break,
            Some(last) => after = last,
            None if wrapped => break,
            None => (after, wrapped) = (String::new(), true),
        }
    }
    Ok(rows)
}

/// Clients that registered themselves and are not used (threat 114), with all that they had.
async fn sweep_unused_clients(app: &App, now: Timestamp) -> Result<u64, StorageError> {
    let snapshot = app.snapshot.load_full();
    // where nobody may register, nobody's use is noted
    if snapshot.config.registration.is_none() {
        return Ok(0);
    }
    // a grant of theirs may be idle for longer
    let before = now.minus(UNUSED_CLIENTS.max(snapshot.config.lifetimes.refresh_token_idle));
    let at_first = now.minus(NEVER_USED_CLIENTS);
    let unused = app
        .store
        .read(move |connection| {
            Box::pin(registered_clients::unused_since(connection, before, at_first, BATCH))
        })
        .await?;
    let mut swept = 0;
    for id in unused {
        // a client that an operator took over is in use for as long as the files have it
        if snapshot.registry.is_in_files(&id) {
            let stamped = app.store.write_one(move |connection| {
                let id = id.clone();
                Box::pin(async move { registered_clients::stamp_use(connection, &id, now, now).await })
            });
            stamped.await?;
            continue;
        }
        let about = About { client_id: Some(id.clone()), ..About::default() };
        let (circumstances, kind, name) = (app.circumstances(""), EventName::ClientDeleted, id.clone());
        let event = app.trail.event(&circumstances, kind, about, "it was not used", "RFC 7591 §5");
        let deleted = app
            .store
            .write(move |connection| {
                let (id, event) = (id.clone(), event.clone());
                Box::pin(async move {
                    let deleted =
                        registered_clients::delete_unused(connection, &id, before, at_first).await?;
                    if deleted {
                        record(connection, &event).await?;
                    }
                    Ok(deleted)
                })
            })
            .await?;
        swept += u64::from(deleted);
        if let Some(registered) = snapshot.registry.registered() {
            registered.forget(&name);
        }
    }
    Ok(swept)
}

async fn sweep_table(store: &Store, before: Timestamp, sweep: Sweep) -> Result<u64, StorageError> {
    let mut rows: u64 = 0;
    for _ in 0..BATCHES {
        let swept = store.write_one(move |connection| sweep(connection, before)).await?;
        rows = rows.saturating_add(swept);
        if swept < BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(rows)
}

/// Rounds, for as long as the server runs and this replica leads.
pub async fn run(app: App, holder: String) {
    loop {
        pause(&app.entropy, EVERY).await;
        let round = async {
            if lead(&app.store, "sweep_expired", &holder, app.clock.now(), EVERY * 2).await? {
                run_once(&app).await?;
            }
            Ok::<(), StorageError>(())
        };
        if let Err(error) = round.await {
            tracing::warn!(error = %error, "expired rows could not be swept");
        }
    }
}
