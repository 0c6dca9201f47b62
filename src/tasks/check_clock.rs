//! Holds this machine's clock against the database's (decision 189): lifetimes are judged by ours, so a difference is told
//! early, and a replica that is far off takes no requests. Windows shorter than clocks differ (a double submit, a retry after a lost
//! answer) are judged by what was measured here, which is stored with the moment they begin at.

use super::pause;
use crate::http::app::App;
use crate::storage::error::StorageError;
use std::sync::atomic::Ordering;
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
/// A measurement that took no longer than this is taken for one.
const PRECISE: Duration = Duration::from_millis(200);
/// How often a round runs.
const EVERY: Duration = Duration::from_secs(60);

/// One round.
pub async fn run_once(app: &App) -> Result<Report, StorageError> {
    let before = app.clock.now();
    let theirs = app.store.now(before).await?;
    let ours = app.clock.now();
    let difference = if theirs > ours { theirs.since(ours) } else { before.since(theirs) };
    // Somewhere between before and after: a slow answer says little.
    let took = ours.since(before);
    if took <= PRECISE {
        let ahead = before.plus(took / 2).millis().saturating_sub(theirs.millis());
        app.clock_ahead.store(ahead, Ordering::Relaxed);
    }
    metrics::gauge!("portreeve_clock_difference_seconds").set(difference.as_secs_f64());
    if difference > TELL {
        tracing::warn!(difference_ms = difference.as_millis(), "the clock differs from the database's");
    }
    app.clock_is_off.store(difference > NOT_READY, Ordering::Relaxed);
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
