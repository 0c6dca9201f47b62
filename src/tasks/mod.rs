//! What runs on its own: each task is one `run_once(…) -> Report` that a loop calls, and tests call directly. What must run
//! on one replica only takes a lease first.

pub mod check_clock;
mod deliver_mail;
pub mod deliver_outbox;
pub mod delivery_pace;
pub mod refresh_registry;
pub mod reload_configuration;
pub mod rotate_keys;
pub mod sweep_expired;
pub mod weigh_passwords;
pub mod write_refusals;

use crate::audit::Refusals;
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
    refusals: Arc<Mutex<Refusals>>,
}

/// How long a loop that panicked stands still.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Starts every loop.
    pub fn start(app: &App, refusals: Refusals) -> Self {
        let holder = app.entropy.text::<12>();
        let refusals = Arc::new(Mutex::new(refusals));
        let (waiting, of) = (refusals.clone(), || app.clone());
        let (writing, rotating, sweeping, checking) = (of(), of(), of(), of());
        let (delivering, weighing, refreshing) = (of(), of(), of());
        let loops = vec![
            supervise("write_refusals", move || write_refusals::run(writing.clone(), waiting.clone())),
            supervise("rotate_keys", move || rotate_keys::run(rotating.clone())),
            supervise("sweep_expired", move || sweep_expired::run(sweeping.clone(), holder.clone())),
            supervise("check_clock", move || check_clock::run(checking.clone())),
            supervise("deliver_outbox", move || deliver_outbox::run(delivering.clone())),
            supervise("weigh_passwords", move || weigh_passwords::run(weighing.clone())),
            supervise("refresh_registry", move || refresh_registry::run(refreshing.clone())),
        ];
        Self { loops, refusals }
    }

    /// Stops every loop, and writes what still waits to be written.
    pub async fn stop(self, app: &App) {
        // Held, so that no loop is stopped in the middle of writing.
        let mut refusals = self.refusals.lock().await;
        for running in &self.loops {
            running.abort();
        }
        if let Err(error) = refusals.write(&app.store).await {
            tracing::warn!(error = %error, "the last refusals could not be written");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        for running in &self.loops {
            running.abort();
        }
    }
}

/// Runs a loop for as long as the server runs: one that panics is counted, and begun again after a pause (F-38).
fn supervise<F, Running>(name: &'static str, begin: F) -> JoinHandle<()>
where
    F: Fn() -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
            metrics::counter!("portreeve_panics_total").increment(1);
            tracing::error!(task = name, "a task panicked; it begins again");
            tokio::time::sleep(AFTER_A_PANIC).await;
        }
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    // F-38
    #[tokio::test]
    async fn a_loop_that_panics_begins_again_after_a_pause() {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = begun.clone();
        let running = supervise("test", move || {
            let before = count.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(before > 0, "a fault");
                std::future::pending::<()>().await;
            }
        });
        let again = async {
            while begun.load(Ordering::Relaxed) < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(30), again).await.is_ok());
        assert!(!running.is_finished());
        running.abort();
        assert!(running.await.is_err_and(|ended| ended.is_cancelled()));
    }
}
