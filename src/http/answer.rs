//! From outcomes to responses: pages, redirects, JSON. Each refusal is told twice: to the caller in the RFC's words, and to
//! the operator with its reason, once.

use super::app::App;
use super::cross_origin::ForeignRequest;
use super::extract::Visit;
use super::limits::FormError;
use super::security_headers::{PagePolicy, RouteClass, Script};
use crate::authorization::begin::Refusal;
use crate::authorization::error::{AuthorizationError, AuthorizationVerdict};
use crate::authorization::target::{Assent, AuthorizationResponse};
use crate::clients::authentication::ClientAuthenticationError as Unauthenticated;
use crate::config::Config;
use crate::grants::error::TokenError;
use crate::model::audit_event::{About, EventName};
use crate::model::client::{Client, Provenance};
use crate::pages::{
    Destination, ErrorPage, FormPostPage, Language, Layout, ReturnLink, Theme, View, WayOn, WebLink,
    form_post_script_hash,
};
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response_mode::ResponseMode;
use crate::storage::error::StorageError;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use url::Url;

/// What all pages share, in the person's language.
pub fn layout(visit: &Visit) -> Layout<'_> {
    frame(&visit.snapshot.config, visit.languages.page())
}

/// What all pages share, in `language`.
pub fn frame(config: &Config, language: Language) -> Layout<'_> {
    Layout {
        name: &config.pages.name,
        base: config.issuer.path(),
        logo: config.pages.logo.as_ref().map(|_| "/assets/logo"),
        accent: config.pages.accent.as_deref(),
        language,
        direction: language.direction(),
        theme: Theme::System,
    }
}

/// A page, under its content policy. The URL alone does not say which language comes (RFC 9110 §12.5.5, §8.5).
pub fn page(status: StatusCode, page: &impl View, policy: PagePolicy) -> Response {
    match crate::pages::render(page) {
        Ok(html) => {
            let mut response = Response::new(Body::from(html));
            *response.status_mut() = status;
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, html);
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(page.language().tag()));
            headers.append(header::VARY, HeaderValue::from_static("accept-language"));
            response.extensions_mut().insert(policy);
            response
        }
        Err(error) => {
            tracing::error!(error = %error, "a page could not be rendered");
            status_only(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A signed answer, which is a JSON Web Token.
pub fn signed(media_type: &'static str, token: String) -> Response {
    let mut response = Response::new(Body::from(token));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A status without a body.
pub fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 303 See Other: whatever the request was, the next is a GET (threat 20).
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(value) => {
            let mut response = status_only(StatusCode::SEE_OTHER);
            response.headers_mut().insert(header::LOCATION, value);
            response
        }
        Err(_) => status_only(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The response with a Set-Cookie header more.
pub fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// JSON, never to be kept (RFC 6749 §5.1).
pub fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let Ok(text) = serde_json::to_string(body) else { return status_only(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The error page: what went wrong in words, the id that the operator finds it by, and a way on.
pub fn error_page(visit: &Visit, status: u16, code: &str, reason: &str, way_on: WayOn<'_>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let error_id = visit.circumstances.request_id.as_str();
    let view = ErrorPage { layout: layout(visit), code, reason, error_id, way_on };
    page(status, &view, PagePolicy::own_forms())
}

/// Why somebody sees the error page instead of what they asked for.
pub struct PageRefusal<'a> {
    /// What the operator finds it under.
    pub event: EventName,
    /// The status of the page.
    pub status: StatusCode,
    /// The code.
    pub code: ErrorCode,
    /// Why, in words for both of them.
    pub reason: &'a str,
    /// The section that demands it.
    pub section: &'static str,
    /// What the person can do.
    pub way_on: WayOn<'a>,
}

/// The error page, and the reason for the operator under the page's id.
pub fn refuse_on_page(app: &App, visit: &Visit, refusal: &PageRefusal<'_>) -> Response {
    let reason = format!("{}: {}", refusal.code, refusal.reason);
    let (event, about) = (refusal.event, About::default());
    app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, refusal.section));
    error_page(visit, refusal.status.as_u16(), refusal.code.as_str(), refusal.reason, refusal.way_on)
}

/// The error page for a body that is no form.
pub fn refuse_body(app: &App, visit: &Visit, event: EventName, error: &FormError) -> Response {
    let (status, code, reason) = (error.status(), error.code(), error.to_string());
    let (section, way_on) = ("RFC 6749 Appendix B", WayOn::BackToApp);
    let refusal = PageRefusal { event, status, code, reason: &reason, section, way_on };
    refuse_on_page(app, visit, &refusal)
}

/// The error page for a form that another site sent (threats 28, 135).
pub fn refuse_foreign(app: &App, visit: &Visit, event: EventName, foreign: ForeignRequest) -> Response {
    let refusal = PageRefusal {
        event,
        status: foreign.status(),
        code: ErrorCode::AccessDenied,
        reason: &foreign.to_string(),
        section: "RFC 9700 §4.7",
        way_on: WayOn::BackToApp,
    };
    refuse_on_page(app, visit, &refusal)
}

/// The error page while the store does not answer; what it said is for the log.
pub fn refuse_for_now(app: &App, visit: &Visit, event: EventName, error: &StorageError) -> Response {
    tracing::error!(request.id = %visit.circumstances.request_id, error = %error, "the store does not answer");
    let refusal = PageRefusal {
        event,
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: ErrorCode::TemporarilyUnavailable,
        reason: "the server cannot answer now; try again in a moment",
        section: "RFC 9110 §15.6.4",
        way_on: WayOn::BackToApp,
    };
    with_retry_after(refuse_on_page(app, visit, &refusal), 2)
}

/// The answer to a request whose client the store cannot tell now: a page for people, JSON for programs.
pub fn refuse_visit(app: &App, visit: &Visit, path: &str, error: &StorageError) -> Response {
    match RouteClass::of(path, &visit.snapshot.config.issuer) {
        RouteClass::Page => refuse_for_now(app, visit, EventName::AuthorizationRefused, error),
        _ => refuse_token(app, visit, &TokenError::from(error.clone()), None, Challenge::None),
    }
}

/// An authorization response on its way, by the mode that was asked for.
pub fn deliver(visit: &Visit, response: &AuthorizationResponse, client: &Client) -> Response {
    match response.response_mode {
        ResponseMode::Query => see_other(&response.location()),
        ResponseMode::FormPost => {
            let fields: Vec<(&str, &str)> =
                response.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let Some(action) = ReturnLink::parse(&response.uri) else {
                return error_page(
                    visit,
                    400,
                    "invalid_request",
                    "the redirect URI cannot be posted to",
                    WayOn::BackToApp,
                );
            };
            let view = FormPostPage {
                layout: layout(visit),
                action,
                client: visit.name_of(client),
                fields: &fields,
            };
            let policy =
                PagePolicy::leading_to(&response.uri).with_script(Script::Hash(form_post_script_hash()));
            page(StatusCode::OK, &view, policy)
        }
    }
}

/// An authorization request that is refused: to the client when it is known where, on a page otherwise.
pub fn refuse_authorization(app: &App, visit: &Visit, refusal: &Refusal) -> Response {
    let verdict = refusal.error.verdict();
    let about =
        About { client_id: refusal.client.as_ref().map(|client| client.id.clone()), ..About::default() };
    let event = EventName::AuthorizationRefused;
    let reason = format!("{}: {}", verdict.code, refusal.error.reason());
    app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, verdict.section));
    match (&refusal.target, &refusal.client) {
        (Some(target), Some(client)) => {
            let issuer = visit.snapshot.config.issuer.as_str();
            let response = target.failure(verdict.code, verdict.description.clone(), issuer);
            match target.assent() {
                Assent::Given => deliver(visit, &response, client),
                Assent::Needed => offer(visit, &response, &verdict),
            }
        }
        _ => {
            let begin = refusal.client.as_ref().and_then(|client| login_at(visit, client));
            let way_on = match (begin.as_deref().and_then(WebLink::parse), &refusal.client) {
                (Some(link), Some(client)) => WayOn::App { link, name: visit.name_of(client) },
                _ => WayOn::BackToApp,
            };
            let (code, description) = (verdict.code.as_str(), &verdict.description);
            let response = error_page(visit, verdict.status, code, description, way_on);
            if verdict.status == 503 { with_retry_after(response, 2) } else { response }
        }
    }
}

/// A pushed request that is refused (RFC 9126 §2.3).
pub fn refuse_push(app: &App, visit: &Visit, error: &AuthorizationError, client: &Client) -> Response {
    let verdict = error.verdict();
    let about = About { client_id: Some(client.id.clone()), ..About::default() };
    let reason = format!("{}: {}", verdict.code, error.reason());
    let event = EventName::AuthorizationRefused;
    app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, verdict.section));
    let status = StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"error": verdict.code.as_str(), "error_description": verdict.description});
    let response = json(status, &body);
    if matches!(verdict.status, 429 | 503) { with_retry_after(response, 2) } else { response }
}

/// Where an app that an operator vouches for begins a sign-in by itself (OpenID Connect Core §4): the way out of a request that
/// cannot be answered.
fn login_at(visit: &Visit, client: &Client) -> Option<String> {
    let uri = client.metadata.initiate_login_uri.as_deref()?;
    let mut url = Url::parse(uri).ok().filter(|_| client.provenance == Provenance::Configured)?;
    url.query_pairs_mut().append_pair("iss", visit.snapshot.config.issuer.as_str());
    Some(url.into())
}

/// The page that stands between an error and a client that this server does not vouch for (threat 14, RFC 9700 §4.11.2).
fn offer(visit: &Visit, response: &AuthorizationResponse, verdict: &AuthorizationVerdict) -> Response {
    let location = response.location();
    let way_on = match ReturnLink::parse(&location) {
        Some(link) => WayOn::Continue { link, host: Destination::of(&response.uri) },
        None => WayOn::BackToApp,
    };
    let page = error_page(visit, verdict.status, verdict.code.as_str(), &verdict.description, way_on);
    if verdict.status == 503 { with_retry_after(page, 2) } else { page }
}

/// Whether Basic was tried, which a 401 then has to challenge (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By Basic.
    Basic,
    /// Not.
    None,
}

/// A token, revocation or introspection request that is refused.
pub fn refuse_token(
    app: &App,
    visit: &Visit,
    error: &TokenError,
    client: Option<&Client>,
    challenge: Challenge,
) -> Response {
    let verdict = error.verdict();
    let about = About { client_id: client.map(|client| client.id.clone()), ..About::default() };
    let event = match error {
        TokenError::Client(Unauthenticated::Busy(_) | Unauthenticated::Unchecked) => EventName::TokenRefused,
        TokenError::Client(_) => EventName::ClientAuthenticationFailed,
        _ => EventName::TokenRefused,
    };
    let reason = format!("{}: {}", verdict.code, error.reason());
    app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, verdict.section));
    let status = StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({"error": verdict.code.as_str(), "error_description": described(&verdict.description)});
    let mut response = json(status, &body);
    if status == StatusCode::UNAUTHORIZED && challenge == Challenge::Basic {
        let realm = HeaderValue::from_static("Basic realm=\"portreeve\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    }
    match verdict.retry_after {
        Some(seconds) => with_retry_after(response, seconds),
        None => response,
    }
}

/// The response with the time after which it is worth trying again (RFC 9110 §10.2.3).
pub fn with_retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A description in the characters that RFC 6749 §5.2 and RFC 6750 §3 allow.
pub(super) fn described(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    text.replace('§', "section ").chars().filter(allowed).collect()
}
