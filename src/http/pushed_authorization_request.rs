//! `/par` (RFC 9126): a client that proved who it is hands in a request and gets a name for it.

use super::answer::{json, refuse_push};
use super::app::App;
use super::client_authentication::receive;
use super::extract::Visit;
use crate::authorization::begin::Grounds;
use crate::authorization::error::AuthorizationError;
use crate::authorization::push::{LIFE, push};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

/// `POST /par`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let received = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let client = received.client.client();
    // whom an operator knows can be told to stop
    if client.is_anybodys() && app.push_pace.admit(&visit.address_key, visit.circumstances.now).is_err() {
        return refuse_push(&app, &visit, &AuthorizationError::PushedTooOften, client);
    }
    let ring = app.keys.ring();
    let grounds = Grounds {
        config: &visit.snapshot.config,
        registry: &visit.snapshot.registry,
        ring: &ring,
        now: visit.circumstances.now,
    };
    let sources = app.sources(&visit.snapshot);
    match push(&sources, &grounds, client, &received.parameters, app.entropy.bytes()).await {
        Ok(uri) => {
            let body = json!({"request_uri": uri.to_text(), "expires_in": LIFE.as_secs()});
            json(StatusCode::CREATED, &body)
        }
        Err(error) => refuse_push(&app, &visit, &error, client),
    }
}
