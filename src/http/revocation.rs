//! `/revoke` (RFC 7009): 200 for whatever was presented, by whomever.

use super::answer::{refuse_token, status_only};
use super::app::App;
use super::client_authentication::receive;
use super::extract::Visit;
use crate::grants::error::TokenError;
use crate::tokens::revoke::Revocation;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

/// `POST /revoke`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let received = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let client = received.client.client();
    let refuse = |error: &TokenError| refuse_token(&app, &visit, error, Some(client), received.challenge);
    let Some(token) = received.parameters.get("token") else { return refuse(&TokenError::Missing("token")) };
    let ring = app.keys.ring();
    let revocation = Revocation {
        store: &app.store,
        config: &visit.snapshot.config,
        registry: &visit.snapshot.registry,
        ring: &ring,
        secrets: &app.secrets,
        trail: &app.trail,
    };
    match revocation.revoke(token, client, &visit.circumstances).await {
        Ok(()) => status_only(StatusCode::OK),
        Err(error) => refuse(&error.into()),
    }
}
