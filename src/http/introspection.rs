//! `/introspect` (RFC 7662): for clients that prove who they are; a public one cannot, and so may not ask. Signed for those
//! who ask for it so (RFC 9701).

use super::answer::{json, refuse_token, signed};
use super::app::App;
use super::client_authentication::receive;
use super::extract::{Visit, texts};
use crate::clients::authentication::ClientAuthenticationError;
use crate::grants::error::TokenError;
use crate::tokens::introspect::Introspection;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

/// The media type of a signed answer (RFC 9701 §4).
const SIGNED: &str = "application/token-introspection+jwt";

/// Whether the caller names the signed form among what it accepts.
fn wants_signed(headers: &HeaderMap) -> bool {
    let accepted = texts(headers, &header::ACCEPT).flat_map(|value| value.split(','));
    accepted.filter_map(|one| one.split(';').next()).any(|one| one.trim().eq_ignore_ascii_case(SIGNED))
}

/// `POST /introspect`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let wants_signed = wants_signed(request.headers());
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
        subjects: app.subjects(),
        now: visit.circumstances.now,
    };
    match introspection.introspect(token, client).await {
        Ok(answer) if wants_signed => {
            let issuer = app.issuer(&visit.snapshot, &ring, visit.circumstances.now);
            match issuer.introspection(client, &answer) {
                Ok(token) => signed(SIGNED, token),
                Err(error) => refuse(&error.into()),
            }
        }
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(error) => refuse(&error.into()),
    }
}
