//! Learns what the dearest password hash in use costs, so that checking a password takes the same time whoever is asked for, also
//! before the first of those people signs in (threat 139). An import beside a running server is seen within the hour, or when one
//! of those people is asked for.

use super::pause;
use crate::http::app::App;
use crate::storage::error::StorageError;
use crate::storage::users;
use std::time::Duration;

/// What one round found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many different costs.
    pub costs: usize,
}

/// How often a round runs.
const EVERY: Duration = Duration::from_secs(3600);

/// One round.
pub async fn run_once(app: &App) -> Result<Report, StorageError> {
    let hashes = app.store.read(|connection| Box::pin(users::hashes_of_each_cost(connection))).await?;
    app.passwords.set_dearest(hashes.iter().map(|hash| hash.0.as_str()));
    Ok(Report { costs: hashes.len() })
}

/// Rounds, for as long as the server runs.
pub async fn run(app: App) {
    loop {
        if let Err(error) = run_once(&app).await {
            tracing::warn!(error = %error, "the cost of password hashes could not be learned");
        }
        pause(&app.entropy, EVERY).await;
    }
}
