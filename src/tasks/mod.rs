//! What runs on its own: each task is one `run_once(…) -> Report` that a loop calls, and tests call directly. What must run
//! on one replica only takes a lease first.

pub mod check_clock;
pub mod reload_configuration;
pub mod rotate_keys;
pub mod sweep_expired;
pub mod write_refusals;

use crate::http::app::App;
use crate::model::entropy::SharedEntropy;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, leases};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
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
        let refusals = Arc::new(Mutex::new(refusals));
        let of = || app.clone();
        let (writer, rotator, sweeper, checker) = (of(), of(), of(), of());
        let loops = vec![
            keep_running("write_refusals", move || write_refusals::run(writer.clone(), refusals.clone())),
            keep_running("rotate_keys", move || rotate_keys::run(rotator.clone())),
            keep_running("sweep_expired", move || sweep_expired::run(sweeper.clone(), holder.clone())),
            keep_running("check_clock", move || check_clock::run(checker.clone())),
        ];
        Self { loops }
    }
}

/// How long after a panic a loop begins again.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// A loop that panics is told of, counted and begun again: a server without it would fail much later (F-38, threat 195).
fn keep_running<F>(name: &'static str, begin: impl Fn() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send,
{
    tokio::spawn(async move {
        while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
            metrics::counter!("portreeve_panics_total").increment(1);
            tracing::error!(task = name, "a task panicked and begins again");
            tokio::time::sleep(AFTER_A_PANIC).await;
        }
    })
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
