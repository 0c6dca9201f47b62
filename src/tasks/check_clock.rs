//! Holds this machine's clock against the database's (decision 189): lifetimes are judged by ours, so a difference is told
//! early, and a replica that is far off takes no requests.

use super::pause;
use crate::http::app::App;
use crate::storage::error::StorageError;
use std::time::Duration;

/// What one round found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How far the clocks are apart.
    pub difference: Duration,
}

/// From here on it is told.
pub const TELL: Duration = Duration::from_secs(5);
/// From here on the replica is not ready.
pub const NOT_READY: Duration = Duration::from_secs(60);
/// How often a round runs.
const EVERY: Duration = Duration::from_secs(60);

/// One round.
pub async fn run_once(app: &App) -> Result<Report, StorageError> {
    let before = app.clock.now();
    let theirs = app.store.now(before).await?;
    let ours = app.clock.now();
    let difference = if theirs > ours { theirs.since(ours) } else { before.since(theirs) };
    metrics::gauge!("portreeve_clock_difference_seconds").set(difference.as_secs_f64());
    if difference > TELL {
        tracing::warn!(difference_ms = difference.as_millis(), "the clock differs from the database's");
    }
    app.clock_is_off.store(difference > NOT_READY, std::sync::atomic::Ordering::Relaxed);
    Ok(Report { difference })
}

/// Rounds, for as long as the server runs.
pub async fn run(app: App) {
    loop {
        if let Err(error) = run_once(&app).await {
            tracing::warn!(error = %error, "the database's clock could not be read");
        }
        pause(&app.entropy, EVERY).await;
    }
}
