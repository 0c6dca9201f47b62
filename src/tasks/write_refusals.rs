//! Writes what strangers were refused, in batches, off the request's path.

use super::pause;
use crate::audit;
use crate::http::app::App;
use crate::model::audit_event::AuditEvent;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

/// Writes what waits, every second.
pub async fn run(app: App, waiting: Arc<Mutex<Receiver<AuditEvent>>>) {
    loop {
        if let Err(error) = audit::write_refusals(&app.store, &mut *waiting.lock().await).await {
            tracing::warn!(error = %error, "refusals could not be written");
        }
        pause(&app.entropy, Duration::from_secs(1)).await;
    }
}
