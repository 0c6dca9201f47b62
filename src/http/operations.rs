//! The operators' listener: liveness, readiness and metrics, never on the public one (threat 167). It tells what is
//! wanting, not why: the why is in the log (threat 169).

use super::app::App;
use super::security_headers::{RouteClass, Transport, apply};
use crate::storage::error::StorageError;
use crate::storage::{leases, signing_keys};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What the operators' listener shares.
#[derive(Clone)]
struct Operations {
    app: App,
    metrics: PrometheusHandle,
}

/// How long the store may take to answer.
const STORE_PATIENCE: Duration = Duration::from_secs(1);

/// The routes of the operators' listener. Somebody else calls `run_upkeep` on the handle from time to time.
pub fn router(app: App, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render_metrics))
        .layer(map_response(|mut response: Response| async {
            apply(response.headers_mut(), RouteClass::Protocol, Transport::Http, None);
            response
        }))
        .with_state(Operations { app, metrics })
}

/// The process answers.
async fn live() -> Response {
    Json(serde_json::json!({ "status": "live" })).into_response()
}

/// What the replica needs to serve.
#[derive(Debug, Serialize)]
struct Readiness {
    status: &'static str,
    store: &'static str,
    signing_key: &'static str,
    clock: &'static str,
    listener: &'static str,
}

/// Whether requests should be sent here: the store answers, access tokens can be signed, the clock agrees
/// with the database's, and the server is not about to stop.
async fn ready(State(operations): State<Operations>) -> Response {
    let app = &operations.app;
    let store = match tokio::time::timeout(STORE_PATIENCE, answers(app)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the store does not do its work");
            Err(())
        }
        Err(_) => {
            tracing::warn!("not ready: the store does not answer in time");
            Err(())
        }
    };
    let snapshot = app.snapshot.load();
    let signs = app.keys.ring().access_token_signer(&snapshot.config.signing_keys.algorithms).is_some();
    if !signs {
        tracing::warn!("not ready: no key signs access tokens");
    }
    let clock_is_off = app.clock_is_off.load(Ordering::Relaxed);
    let is_draining = app.is_draining.load(Ordering::Relaxed);
    let is_ready = store.is_ok() && signs && !clock_is_off && !is_draining;
    let body = Readiness {
        status: if is_ready { "ready" } else { "unready" },
        store: if store.is_ok() { "ok" } else { "unavailable" },
        signing_key: if signs { "ok" } else { "missing" },
        clock: if clock_is_off { "off" } else { "ok" },
        listener: if is_draining { "draining" } else { "ok" },
    };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// Asks the store for a small read, and, where the last write failed, whether it takes a small one now.
async fn answers(app: &App) -> Result<(), StorageError> {
    app.store.read(|connection| Box::pin(signing_keys::list(connection))).await?;
    if app.store.is_failing_to_write() {
        let now = app.clock.now();
        let write = app.store.write_one(move |connection| {
            Box::pin(async move { leases::take(connection, "readiness", "", now, now).await })
        });
        write.await?;
    }
    Ok(())
}

/// The metrics, in Prometheus' text format.
async fn render_metrics(State(operations): State<Operations>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], operations.metrics.render()).into_response()
}

#[cfg(test)]
#[path = "operations_tests.rs"]
pub(super) mod tests;
