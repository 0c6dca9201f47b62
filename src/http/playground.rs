//! `/playground`, under `dev` only: the code flow in the browser, step by step, as the public demo client.

use super::answer::{frame, page};
use super::app::App;
use super::extract::Visit;
use super::security_headers::{Connect, PagePolicy, Script};
use crate::pages::{Language, PlaygroundPage};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

/// The demo's public client.
pub const CLIENT: &str = "photo-spa";

/// `GET /playground`.
pub async fn get(State(_): State<App>, visit: Visit) -> Response {
    let config = &visit.snapshot.config;
    let scope = visit.snapshot.registry.find_named(CLIENT).map(|client| client.metadata.scope.to_string());
    let view = PlaygroundPage {
        layout: frame(config, Language::English),
        issuer: config.issuer.as_str(),
        client_id: CLIENT,
        redirect_uri: &config.issuer.endpoint("/playground"),
        scope: &scope.unwrap_or_default(),
        resource: config.resources.first().map(|resource| resource.resource.as_str()).unwrap_or_default(),
    };
    let policy = PagePolicy {
        connect: Connect::SelfOrigin,
        ..PagePolicy::own_forms().with_script(Script::SelfOrigin)
    };
    page(StatusCode::OK, &view, policy)
}
