//! Writes what strangers were refused, in batches, off the request's path.

use super::pause;
use crate::audit::Refusals;
use crate::http::app::App;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Writes what waits, every second.
pub async fn run(app: App, refusals: Arc<Mutex<Refusals>>) {
    loop {
        if let Err(error) = refusals.lock().await.write(&app.store).await {
            tracing::warn!(error = %error, "refusals could not be written");
        }
        pause(&app.entropy, Duration::from_secs(1)).await;
    }
}
