//! Compares the version of the registered clients with the store's, so that what another replica changed or deleted is seen
//! within ten seconds. What this replica changes it forgets by itself.

use super::pause;
use crate::http::app::App;
use crate::storage::error::StorageError;
use std::time::Duration;

/// What one round found.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// Clients do not register themselves here.
    Off,
    /// Nothing changed.
    Unchanged,
    /// What was kept is forgotten, and read again when it is asked for.
    Forgotten,
}

/// How often a round runs; with the pause's leeway never more than ten seconds apart.
const EVERY: Duration = Duration::from_secs(9);

/// One round.
pub async fn run_once(app: &App) -> Result<Report, StorageError> {
    let snapshot = app.snapshot.load_full();
    let Some(registered) = snapshot.registry.registered() else { return Ok(Report::Off) };
    Ok(match registered.refresh(&app.store).await? {
        true => Report::Forgotten,
        false => Report::Unchanged,
    })
}

/// Rounds, for as long as the server runs.
pub async fn run(app: App) {
    loop {
        pause(&app.entropy, EVERY).await;
        if let Err(error) = run_once(&app).await {
            tracing::warn!(error = %error, "the registered clients could not be compared");
        }
    }
}
