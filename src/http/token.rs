//! `/token` (RFC 6749 §3.2).

use super::answer::{json, refuse_token};
use super::app::App;
use super::client_authentication::receive;
use super::extract::Visit;
use crate::grants::{Desk, answer};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::atomic::Ordering;

/// `POST /token`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let received = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let ring = app.keys.ring();
    let desk = Desk {
        store: &app.store,
        config: &visit.snapshot.config,
        ring: &ring,
        secrets: &app.secrets,
        subjects: app.subjects(),
        entropy: &app.entropy,
        trail: &app.trail,
        clock_ahead: app.clock_ahead.load(Ordering::Relaxed),
        circumstances: &visit.circumstances,
    };
    match answer(&desk, &received.client, &received.parameters).await {
        Ok(tokens) => json(StatusCode::OK, &tokens),
        Err(error) => refuse_token(&app, &visit, &error, Some(received.client.client()), received.challenge),
    }
}
