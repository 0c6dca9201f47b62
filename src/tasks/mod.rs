//! What runs on its own: each task is one `run_once(…) -> Report` that a loop calls, and tests call directly. What must run
//! on one replica only takes a lease first.

pub mod check_clock;
mod deliver_mail;
pub mod deliver_outbox;
pub mod delivery_pace;
pub mod reload_configuration;
pub mod rotate_keys;
pub mod sweep_expired;
pub mod weigh_passwords;
pub mod write_refusals;

use crate::http::app::App;
use crate::model::entropy::SharedEntropy;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, leases};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The loops of one replica; dropped, they stop.
pub struct Supervisor {
    loops: Vec<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts every loop.
    pub fn start(
        app: &App,
        refusals: tokio::sync::mpsc::Receiver<crate::model::audit_event::AuditEvent>,
    ) -> Self {
        let holder = app.entropy.text::<12>();
        let loops = vec![
            tokio::spawn(write_refusals::run(app.clone(), refusals)),
            tokio::spawn(rotate_keys::run(app.clone())),
            tokio::spawn(sweep_expired::run(app.clone(), holder)),
            tokio::spawn(check_clock::run(app.clone())),
            tokio::spawn(weigh_passwords::run(app.clone())),
            tokio::spawn(deliver_outbox::run(app.clone())),
        ];
        Self { loops }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for running in &self.loops {
            running.abort();
        }
    }
}

/// A pause between two rounds, a little longer or shorter each time so that replicas do not march in step.
pub(crate) async fn pause(entropy: &SharedEntropy, about: Duration) {
    let [random] = entropy.bytes::<1>();
    let part = about / 5;
    tokio::time::sleep(about - part / 2 + part * u32::from(random) / 255).await;
}

/// Takes or keeps a lease.
pub(crate) async fn lead(
    store: &Store,
    name: &'static str,
    holder: &str,
    now: Timestamp,
    life: Duration,
) -> Result<bool, StorageError> {
    let holder = holder.to_owned();
    store
        .write_one(move |connection| {
            let holder = holder.clone();
            Box::pin(async move { leases::take(connection, name, &holder, now, now.plus(life)).await })
        })
        .await
}
