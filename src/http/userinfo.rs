//! `/userinfo` (OpenID Connect Core §5.3, RFC 6750 §2): a token with `openid` opens it, whatever its audience. The token
//! comes in the header or, by POST, in the body; never in the query (threat 22).

use super::answer::{described, json, signed, with_retry_after};
use super::app::App;
use super::extract::{Visit, authorization};
use super::limits::{FormError, read_form_if_any};
use crate::clients::named;
use crate::model::audit_event::{About, EventName};
use crate::protocol::timestamp::Timestamp;
use crate::tokens::bearer::{Living, recognise, stand};
use crate::tokens::bearer_error::BearerError;
use crate::tokens::claims;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

/// `GET /userinfo` and `POST /userinfo`.
pub async fn answer(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    match claims(&app, &mut visit, request).await {
        Ok(Answer::Plain(claims)) => json(StatusCode::OK, &claims),
        Ok(Answer::Signed(token)) => signed("application/jwt", token),
        Err(error) => refuse(&app, &visit, &error),
    }
}

/// What is said, in the form that the client wants.
enum Answer {
    Plain(Map<String, Value>),
    Signed(String),
}

async fn claims(app: &App, visit: &mut Visit, request: Request) -> Result<Answer, BearerError> {
    let token = presented(visit, request).await?;
    visit.arrived(app);
    visit.name(app, named::client_of_token(&token).as_slice()).await?;
    let config = &visit.snapshot.config;
    let now: Timestamp = visit.circumstances.now;
    let registry = &visit.snapshot.registry;
    let token = recognise(&token, config, registry, &app.keys.ring(), now);
    let token = token.ok_or(BearerError::InvalidToken)?;
    let living = stand(&app.store, &token, app.subjects(), now).await?.ok_or(BearerError::InvalidToken)?;
    let Living::OfGrant(standing) = living else {
        return Err(BearerError::InsufficientScope("the token is not about a person"));
    };
    if !token.scopes.contains("openid") {
        return Err(BearerError::InsufficientScope("the token needs the scope openid"));
    }
    let asked = claims::still_allowed(config, &token.client, &standing.grant.claims);
    let mut claims = claims::for_userinfo(config, &standing.user, &token.scopes, &asked);
    claims.insert("sub".to_owned(), token.sub.into());
    match token.client.metadata.userinfo_signed_response_alg {
        None => Ok(Answer::Plain(claims)),
        Some(algorithm) => {
            let ring = app.keys.ring();
            let signed = app.issuer(&visit.snapshot, &ring, now).userinfo(&token.client, algorithm, &claims);
            signed.map(Answer::Signed).map_err(|_| BearerError::Unavailable)
        }
    }
}

async fn presented(visit: &Visit, request: Request) -> Result<String, BearerError> {
    let query = visit.query.as_ref();
    let query = query.map_err(|_| BearerError::Malformed("the parameters in the URL cannot be read"))?;
    if query.get("access_token").is_some() {
        return Err(BearerError::Malformed("a token never travels in a URL (RFC 9700 §4.3.2)"));
    }
    let in_header = bearer(request.headers())?;
    let in_body = match *request.method() == Method::POST {
        true => {
            let (head, body) = request.into_parts();
            let body = read_form_if_any(&head.headers, body).await;
            let body = body.map_err(|error| match error {
                FormError::TooLarge => BearerError::Body(413, "the body is larger than 64 KiB"),
                FormError::TimedOut => BearerError::Body(408, "the body did not arrive in time"),
                _ => BearerError::Malformed("the body is not a form"),
            })?;
            body.get("access_token").map(str::to_owned)
        }
        false => None,
    };
    match (in_header, in_body) {
        (Some(_), Some(_)) => Err(BearerError::Malformed("the token is there twice (RFC 6750 §2)")),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(BearerError::Missing),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, BearerError> {
    let Some(value) = authorization(headers) else { return Ok(None) };
    let malformed = BearerError::Malformed("the Authorization header does not hold one Bearer token");
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
            if token.is_empty() || !token.bytes().all(plain) {
                Err(malformed)
            } else {
                Ok(Some(token.to_owned()))
            }
        }
        Some(_) => Ok(None),
        None => Err(malformed),
    }
}

fn refuse(app: &App, visit: &Visit, error: &BearerError) -> Response {
    let (status, code, description) = error.verdict();
    let event = EventName::TokenRefused;
    app.trail.refused(app.trail.event(
        &visit.circumstances,
        event,
        About::default(),
        description,
        "RFC 6750 §3.1",
    ));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    let description = described(description);
    let challenge = match code {
        None => "Bearer realm=\"portreeve\"".to_owned(),
        Some(code) => {
            format!("Bearer realm=\"portreeve\", error=\"{code}\", error_description=\"{description}\"")
        }
    };
    let body = match code {
        None => json!({}),
        Some(code) => json!({"error": code.as_str(), "error_description": description}),
    };
    let mut response = json(status, &body);
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE { with_retry_after(response, 2) } else { response }
}
