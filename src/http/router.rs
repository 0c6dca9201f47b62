//! Every path of the public listener, by audience. Whatever is not here is 404, in the shape of the protocol.

use super::app::{App, Mode};
use super::extract::Visit;
use super::{
    account, answer, assets, authorization, client_logo, consent, cross_origin, end_session, introspection,
    jwks, limits, login, metadata, new_password, password, playground, pushed_authorization_request,
    recovery, registration, revocation, security_headers, token, userinfo,
};
use crate::protocol::server_metadata::path;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

/// The router of the public listener.
pub fn router(app: App) -> Router {
    let snapshot = app.snapshot.load_full();
    let issuer = &snapshot.config.issuer;
    let people = Router::new()
        .route("/", get(to_account))
        .route(
            path::AUTHORIZATION,
            get(authorization::get).post(authorization::post).head(limits::refuse_head),
        )
        .route("/login", get(login::get).post(login::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route(path::END_SESSION, get(end_session::get).post(end_session::post).head(limits::refuse_head))
        .route("/account", get(account::get))
        .route("/account/grants", post(account::take_back))
        .route("/account/sessions", post(account::end_sessions))
        .route("/account/password", get(password::get).post(password::post))
        .route("/recovery", get(recovery::get).post(recovery::post))
        .route("/recovery/sent", get(recovery::sent))
        .route("/recovery/new-password", get(new_password::get).post(new_password::post))
        .route("/recovery/done", get(new_password::done));
    let clients = Router::new()
        .route(path::TOKEN, post(token::post))
        .route(path::PUSHED_AUTHORIZATION_REQUEST, post(pushed_authorization_request::post))
        .route(path::REVOCATION, post(revocation::post))
        .route(path::INTROSPECTION, post(introspection::post))
        .route(path::USERINFO, get(userinfo::answer).post(userinfo::answer))
        .route(path::REGISTRATION, post(registration::post).fallback(registration::by_another_method))
        .route(
            &format!("{}/{{client_id}}", path::REGISTRATION),
            get(registration::get)
                .put(registration::put)
                .delete(registration::delete)
                .fallback(registration::by_another_method),
        );
    let everybody =
        Router::new().route(path::JWKS, get(jwks::jwks)).route("/assets/{file}", get(assets::asset));
    let everybody = everybody.route(&format!("{}{{client_id}}", client_logo::PATH), get(client_logo::get));
    let mut below = people.merge(clients).merge(everybody);
    if app.mode == Mode::Dev {
        below = below.route("/playground", get(playground::get));
    }
    let base = issuer.path();
    let all = match base {
        "" => below,
        // Nesting knows `/realm` only, and people type `/realm/`.
        base => Router::new().nest(base, below).route(&format!("{base}/"), get(to_account)),
    };
    let all = all.merge(metadata::routes(issuer));
    all.fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), limits::bound_url))
        .layer(from_fn_with_state(app.clone(), cross_origin::share))
        .layer(from_fn_with_state(app.clone(), security_headers::add))
        .layer(from_fn(measure))
        .with_state(app)
}

async fn to_account(visit: Visit) -> Response {
    answer::see_other(&authorization::to_page(&visit, "/account", &visit.own()))
}

async fn not_found() -> Response {
    answer::json(StatusCode::NOT_FOUND, &json!({"error": "not_found"}))
}

/// 405 (RFC 9110 §15.5.6).
pub(super) async fn method_not_allowed() -> Response {
    let body = json!({"error": "invalid_request", "error_description": "this method is not supported here"});
    answer::json(StatusCode::METHOD_NOT_ALLOWED, &body)
}

/// A panic is one request's, tells the caller nothing, and is counted (threat 195).
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    metrics::counter!("portreeve_panics_total").increment(1);
    tracing::error!("a handler panicked");
    let body =
        json!({"error": "server_error", "error_description": "the server met a condition it did not expect"});
    answer::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// Counts answers by route and status; how long they took is in the same place.
#[allow(clippy::disallowed_methods)] // a stopwatch, not a clock: nothing is decided by it
async fn measure(request: Request, next: Next) -> Response {
    let route = route_label(request.uri().path());
    let start = std::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("portreeve_http_requests_total", "route" => route, "status" => status).increment(1);
    metrics::histogram!("portreeve_http_request_duration_seconds", "route" => route)
        .record(start.elapsed().as_secs_f64());
    response
}

/// A label of a bounded set, whatever the path.
fn route_label(path: &str) -> &'static str {
    const ROUTES: [&str; 21] = [
        "/par",
        "/authorize",
        "/login",
        "/consent",
        "/logout",
        "/account",
        "/account/grants",
        "/account/password",
        "/account/sessions",
        "/recovery",
        "/recovery/done",
        "/recovery/new-password",
        "/recovery/sent",
        "/token",
        "/revoke",
        "/introspect",
        "/userinfo",
        "/register",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
    ];
    ROUTES.into_iter().find(|route| path.ends_with(route)).unwrap_or("other")
}
