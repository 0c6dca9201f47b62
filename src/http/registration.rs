//! `/register` (RFC 7591 §3, OpenID Connect Registration §3) and `/register/{client_id}` (RFC 7592): there when the
//! configuration lets clients register themselves. Nothing here is shared across origins.

use super::answer::{described, json, status_only, with_retry_after};
use super::app::App;
use super::extract::{Visit, authorization};
use super::limits::{FormError, read_json};
use super::router::method_not_allowed;
use crate::clients::registration::{ClientInformation, Registrations};
use crate::clients::registration_error::RegistrationError;
use crate::clients::registration_policy::Policy;
use crate::model::audit_event::{About, EventName};
use crate::model::secret::Secret;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::identifiers::ClientId;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};

/// `POST /register`.
pub async fn post(State(app): State<App>, visit: Visit, request: Request) -> Response {
    let Some(registrations) = registrations(&app, &visit) else { return absent() };
    let registered = async {
        let (head, body) = request.into_parts();
        let token = bearer(&head.headers)?;
        let members = read_json(&head.headers, body).await.map_err(unreadable)?;
        registrations.register(token.as_ref(), members, &visit.address_key, &visit.circumstances).await
    };
    answer(&app, &visit, StatusCode::CREATED, None, registered.await)
}

/// `GET /register/{client_id}`.
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(registrations) = registrations(&app, &visit) else { return absent() };
    let read = async { registrations.read(&client_id, bearer(&headers)?.as_ref()).await };
    answer(&app, &visit, StatusCode::OK, Some(&client_id), read.await)
}

/// `PUT /register/{client_id}`.
pub async fn put(
    State(app): State<App>,
    visit: Visit,
    Path(client_id): Path<String>,
    request: Request,
) -> Response {
    let Some(registrations) = registrations(&app, &visit) else { return absent() };
    let updated = async {
        let (head, body) = request.into_parts();
        let token = bearer(&head.headers)?;
        let members = read_json(&head.headers, body).await.map_err(unreadable)?;
        registrations.update(&client_id, token.as_ref(), members, &visit.circumstances).await
    };
    answer(&app, &visit, StatusCode::OK, Some(&client_id), updated.await)
}

/// `DELETE /register/{client_id}`.
pub async fn delete(
    State(app): State<App>,
    visit: Visit,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(registrations) = registrations(&app, &visit) else { return absent() };
    let deleted =
        async { registrations.delete(&client_id, bearer(&headers)?.as_ref(), &visit.circumstances).await };
    match deleted.await {
        Ok(()) => status_only(StatusCode::NO_CONTENT),
        Err(error) => refuse(&app, &visit, Some(&client_id), &error),
    }
}

/// Any other method: 405, or 404 where clients may not register themselves.
pub async fn by_another_method(State(app): State<App>) -> Response {
    match app.snapshot.load().config.registration {
        Some(_) => method_not_allowed().await,
        None => absent(),
    }
}

fn registrations<'a>(app: &'a App, visit: &'a Visit) -> Option<Registrations<'a>> {
    let snapshot = &visit.snapshot;
    Some(Registrations {
        store: &app.store,
        registry: &snapshot.registry,
        registered: snapshot.registry.registered()?,
        policy: Policy {
            config: &snapshot.config,
            registration: snapshot.config.registration.as_ref()?,
            outbound: &snapshot.outbound,
        },
        pace: &app.registration_pace,
        entropy: &app.entropy,
        trail: &app.trail,
    })
}

/// What every path answers that is not there.
fn absent() -> Response {
    json(StatusCode::NOT_FOUND, &serde_json::json!({"error": "not_found"}))
}

/// The Bearer token of the request, if it has one.
fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, RegistrationError> {
    let Some(value) = authorization(headers) else { return Ok(None) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    match value.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.bytes().all(plain) =>
        {
            Ok(Some(Secret::new(token)))
        }
        _ => Err(RegistrationError::MalformedToken),
    }
}

fn unreadable(error: FormError) -> RegistrationError {
    match error {
        FormError::NotJson => RegistrationError::Body(
            400,
            "the body must be one JSON object in which no member is repeated, as application/json",
        ),
        FormError::TooLarge => RegistrationError::Body(413, "the body is larger than 64 KiB"),
        FormError::TimedOut => RegistrationError::Body(408, "the body did not arrive in time"),
        _ => RegistrationError::Body(400, "the body did not arrive whole"),
    }
}

fn answer(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    client_id: Option<&str>,
    outcome: Result<ClientInformation, RegistrationError>,
) -> Response {
    match outcome {
        Ok(information) => json(status, &information),
        Err(error) => refuse(app, visit, client_id, &error),
    }
}

fn refuse(app: &App, visit: &Visit, client_id: Option<&str>, error: &RegistrationError) -> Response {
    let verdict = error.verdict();
    let about = About { client_id: client_id.and_then(|id| ClientId::parse(id).ok()), ..About::default() };
    let code = verdict.code.map_or("401", ErrorCode::as_str);
    let (event, reason) = (EventName::RegistrationRefused, format!("{code}: {}", error.reason()));
    app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, verdict.section));
    let status = StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::BAD_REQUEST);
    let description = described(&verdict.description);
    let mut body = Map::new();
    if let Some(code) = verdict.code {
        body.insert("error".into(), Value::from(code.as_str()));
        body.insert("error_description".into(), Value::from(description.as_str()));
    }
    let mut response = json(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = match verdict.code {
            None => "Bearer realm=\"portreeve\"".to_owned(),
            Some(code) => {
                format!("Bearer realm=\"portreeve\", error=\"{code}\", error_description=\"{description}\"")
            }
        };
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    match verdict.retry_after {
        Some(seconds) => with_retry_after(response, seconds),
        None => response,
    }
}
