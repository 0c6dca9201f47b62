//! How much a request may bring, and in which form (threats 156, 158, 166): URLs of 16 KiB, bodies of 64 KiB, and nothing
//! but `application/x-www-form-urlencoded` in UTF-8 (RFC 6749 Appendix B). What is beyond that is refused in OAuth's own
//! words, before anybody reads a parameter; how long a body may take is decided in `visit`.

use super::answer::{self, frame};
use super::app::App;
use super::extract::texts;
use super::security_headers::{PagePolicy, RouteClass};
use super::visit::BodyTimedOut;
use crate::pages::{ErrorPage, Languages, Layout, WayOn};
use crate::protocol::error_code::ErrorCode;
use crate::protocol::identifiers::RequestId;
use crate::protocol::parameters::{ParameterError, Parameters};
use crate::protocol::strict_json::parse_object;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde_json::{Map, Value};
use std::error::Error;

/// The longest URL, path and query, in bytes.
pub const MAXIMUM_URL: usize = 16 * 1024;
/// The longest body, in bytes.
pub const MAXIMUM_BODY: usize = 64 * 1024;

/// Why a request was not read. Its text says nothing of what the body holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// RFC 9110 §15.5.15.
    #[error("the URL is longer than 16 KiB; ask for less, or push the request")]
    UrlTooLong,
    /// RFC 6749 §3.1, §3.2, Appendix B.
    #[error("the body must be application/x-www-form-urlencoded in UTF-8")]
    NotAForm,
    /// RFC 7591 §3.1.
    #[error("the body must be one JSON object in which no member is repeated, as application/json")]
    NotJson,
    /// RFC 9110 §15.5.14.
    #[error("the body is larger than 64 KiB")]
    TooLarge,
    /// RFC 9110 §15.5.9.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// The connection broke, or its framing did.
    #[error("the body did not arrive whole")]
    Incomplete,
    /// What arrived is no list of parameters.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
}

impl FormError {
    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::NotAForm | Self::NotJson | Self::Incomplete | Self::Parameters(_) => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    /// The `error` of the answer (RFC 6749 §5.2).
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }

    /// The `error_description` of the answer, in the characters that RFC 6749 §5.2 allows.
    pub fn description(&self) -> String {
        let allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        self.to_string().replace('§', "section ").chars().filter(allowed).collect()
    }
}

impl IntoResponse for FormError {
    /// The answer of a protocol endpoint.
    fn into_response(self) -> Response {
        let body =
            serde_json::json!({ "error": self.code().as_str(), "error_description": self.description() });
        let mut response = (self.status(), Json(body)).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        response
    }
}

/// Reads the form in a request's body: for the POSTs of protocol endpoints.
///
/// # Errors
/// Every [`FormError`] but `UrlTooLong`.
pub async fn read_form(headers: &HeaderMap, body: Body) -> Result<Parameters, FormError> {
    if !is_form(headers) {
        return Err(FormError::NotAForm);
    }
    Ok(Parameters::parse(&read(body).await?)?)
}

/// Reads a form of our own pages in which `repeatable` may be there more than once: several boxes of one name.
///
/// # Errors
/// Like [`read_form`].
pub async fn read_boxes(headers: &HeaderMap, body: Body, repeatable: &str) -> Result<Parameters, FormError> {
    if !is_form(headers) {
        return Err(FormError::NotAForm);
    }
    Ok(Parameters::parse_repeating(&read(body).await?, repeatable)?)
}

/// Reads the form in a request's body, or the absence of both: a POST to /userinfo may have nothing but its header
/// (OpenID Connect Core §5.3.1).
///
/// # Errors
/// Like [`read_form`].
pub async fn read_form_if_any(headers: &HeaderMap, body: Body) -> Result<Parameters, FormError> {
    if headers.contains_key(header::CONTENT_TYPE) || !body.is_end_stream() {
        let bytes = read(body).await?;
        return match (is_form(headers), bytes.is_empty()) {
            (true, _) => Ok(Parameters::parse(&bytes)?),
            (false, true) => Ok(Parameters::default()),
            (false, false) => Err(FormError::NotAForm),
        };
    }
    Ok(Parameters::default())
}

/// Reads the JSON object in a request's body (RFC 7591 §3.1, RFC 7592 §2.2).
///
/// # Errors
/// Every [`FormError`] but those of forms and URLs.
pub async fn read_json(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, FormError> {
    if !is_of_type(headers, "application/json") {
        return Err(FormError::NotJson);
    }
    parse_object(&read(body).await?).map_err(|_| FormError::NotJson)
}

/// Refuses a request whose URL is too long, before anything else looks at it.
pub async fn bound_url(State(app): State<App>, request: Request, next: Next) -> Response {
    match admit_url(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            let snapshot = app.snapshot.load();
            let config = &snapshot.config;
            if RouteClass::of(request.uri().path(), &config.issuer) != RouteClass::Page {
                return error.into_response();
            }
            let id = RequestId::from_random(app.entropy.bytes());
            tracing::info!(request.id = id.as_str(), %error, "refused");
            let accepted = texts(request.headers(), &header::ACCEPT_LANGUAGE);
            let language = Languages::new(&[], accepted).page();
            refusal_page(&error, id.as_str(), frame(config, language))
        }
    }
}

/// Refuses a URL that is too long; for one that is about to be redirected to as well.
///
/// # Errors
/// [`FormError::UrlTooLong`].
pub fn admit_url(uri: &Uri) -> Result<(), FormError> {
    let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if length > MAXIMUM_URL { Err(FormError::UrlTooLong) } else { Ok(()) }
}

/// Answers HEAD where GET does something (threat 166): `get(…).post(…).head(refuse_head)`.
pub async fn refuse_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")]).into_response()
}

fn refusal_page(error: &FormError, error_id: &str, layout: Layout<'_>) -> Response {
    let reason = error.to_string();
    let page = ErrorPage {
        layout,
        code: error.code().as_str(),
        reason: &reason,
        error_id,
        way_on: WayOn::BackToApp,
    };
    answer::page(error.status(), &page, PagePolicy::no_forms())
}

/// Whether the body is what RFC 6749 Appendix B says.
fn is_form(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/x-www-form-urlencoded")
}

/// Whether the media type is there once, with no parameter but `charset=UTF-8`.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let (essence, parameter) = match text.split_once(';') {
        Some((essence, parameter)) => (essence, Some(parameter.trim_matches([' ', '\t']))),
        None => (text, None),
    };
    let is_utf8 = |parameter: &str| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            name.eq_ignore_ascii_case("charset") && unquoted.unwrap_or(value).eq_ignore_ascii_case("utf-8")
        })
    };
    essence.trim_matches([' ', '\t']).eq_ignore_ascii_case(media_type)
        && parameter.is_none_or(|parameter| parameter.is_empty() || is_utf8(parameter))
}

async fn read(body: Body) -> Result<Bytes, FormError> {
    let least = body.size_hint().lower();
    if least > MAXIMUM_BODY as u64 {
        return Err(FormError::TooLarge);
    }
    match Limited::new(body, MAXIMUM_BODY).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) => Err(reason_of(&*error)),
    }
}

fn reason_of(error: &(dyn Error + 'static)) -> FormError {
    let mut link = Some(error);
    while let Some(error) = link {
        if error.is::<BodyTimedOut>() {
            return FormError::TimedOut;
        }
        if error.is::<LengthLimitError>() {
            return FormError::TooLarge;
        }
        link = error.source();
    }
    FormError::Incomplete
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
