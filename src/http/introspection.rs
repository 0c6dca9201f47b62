//! `/introspect` (RFC 7662): for clients that prove who they are; a public one cannot, and so may not ask.

use super::answer::{json, refuse_token};
use super::app::App;
use super::client_authentication::receive;
use super::extract::Visit;
use crate::clients::authentication::ClientAuthenticationError;
use crate::grants::error::TokenError;
use crate::tokens::introspect::Introspection;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

/// `POST /introspect`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let received = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let client = received.client.client();
    let refuse = |error: &TokenError| refuse_token(&app, &visit, error, Some(client), received.challenge);
    if client.metadata.is_public() {
        return refuse(&TokenError::Client(ClientAuthenticationError::WrongMethod));
    }
    let Some(token) = received.parameters.get("token") else { return refuse(&TokenError::Missing("token")) };
    let ring = app.keys.ring();
    let introspection = Introspection {
        store: &app.store,
        config: &visit.snapshot.config,
        registry: &visit.snapshot.registry,
        ring: &ring,
        secrets: &app.secrets,
        now: visit.circumstances.now,
    };
    match introspection.introspect(token, client).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(error) => refuse(&error.into()),
    }
}
