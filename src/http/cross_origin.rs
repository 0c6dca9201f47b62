//! Who may read this server's answers from another origin (CORS, by table; threat 164), and which requests of other sites
//! are refused at the pages for people (Fetch Metadata; threat 165).
//!
//! Credentials never travel across origins: what is shared is shared with the bearer of a code or a token. Which origins
//! are a client's is decided by its registration.

use super::app::App;
use super::security_headers::{below, is_metadata};
use crate::clients::registry::Registry;
use crate::protocol::issuer::Issuer;
use crate::protocol::server_metadata::path;
use crate::storage::Store;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Who may read the answers of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: pages, introspection, and whatever is not there.
    Nobody,
    /// Everybody.
    Everybody,
    /// The origins of registered clients.
    Clients {
        /// The methods that a preflight request is told.
        methods: &'static str,
    },
}

impl Sharing {
    /// Who may read the answer to a request's path.
    pub fn of(request_path: &str, issuer: &Issuer) -> Self {
        if is_metadata(request_path, issuer) {
            return Self::Everybody;
        }
        let Some(local) = below(request_path, issuer) else { return Self::Nobody };
        TABLE.iter().find(|(path, _)| *path == local).map_or(Self::Nobody, |(_, sharing)| *sharing)
    }
}

/// What is shared beside the metadata documents; the rest is not.
const TABLE: [(&str, Sharing); 5] = [
    (path::PUSHED_AUTHORIZATION_REQUEST, Sharing::Clients { methods: "POST" }),
    (path::JWKS, Sharing::Everybody),
    (path::TOKEN, Sharing::Clients { methods: "POST" }),
    (path::USERINFO, Sharing::Clients { methods: "GET, POST" }),
    (path::REVOCATION, Sharing::Clients { methods: "POST" }),
];

/// For how long a browser may keep the answer to a preflight request, in seconds.
const PREFLIGHT_AGE: &str = "7200";

/// Answers preflight requests, and says on every other answer who may read it. Goes around everything that refuses, so that
/// a client can read its refusals.
pub async fn share(State(app): State<App>, request: Request, next: Next) -> Response {
    let snapshot = app.snapshot.load_full();
    let sharing = Sharing::of(request.uri().path(), &snapshot.config.issuer);
    if sharing == Sharing::Nobody {
        return next.run(request).await;
    }
    let known = allowed_origin(sharing, request.headers(), |origin| snapshot.registry.allows_origin(origin));
    let allowed = match known {
        None => registered_origin(sharing, request.headers(), &snapshot.registry, &app.store).await,
        known => known,
    };
    let exchange = Exchange::of(request.method(), request.headers());
    let mut response = match exchange {
        Exchange::Preflight => no_content(),
        Exchange::Actual => next.run(request).await,
    };
    mark(response.headers_mut(), sharing, exchange, allowed);
    response
}

/// What a request asks across origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    /// Whether it may come.
    Preflight,
    /// The thing itself.
    Actual,
}

impl Exchange {
    /// Fetch Standard §3.3.2: a preflight is OPTIONS with an origin and the method to come.
    fn of(method: &Method, headers: &HeaderMap) -> Self {
        let announced = [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD];
        if method == Method::OPTIONS && announced.iter().all(|name| headers.contains_key(name)) {
            Self::Preflight
        } else {
            Self::Actual
        }
    }
}

/// Writes on an answer that `allowed` may read it.
fn mark(headers: &mut HeaderMap, sharing: Sharing, exchange: Exchange, allowed: Option<HeaderValue>) {
    if matches!(sharing, Sharing::Clients { .. }) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    let Some(allowed) = allowed else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    // public documents depend on no header: clients that send some of their own (a protocol version) may
    let (methods, names) = match sharing {
        Sharing::Nobody => return,
        Sharing::Everybody => ("GET", "*"),
        Sharing::Clients { methods } => (methods, "authorization, content-type"),
    };
    match exchange {
        Exchange::Preflight => {
            say(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            say(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
            say(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE);
        }
        Exchange::Actual => {
            say(header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate");
        }
    }
}

/// The value of Access-Control-Allow-Origin, if any: the request's one origin, byte for byte, when it is a client's.
fn allowed_origin(
    sharing: Sharing,
    headers: &HeaderMap,
    is_registered: impl Fn(&str) -> bool,
) -> Option<HeaderValue> {
    match sharing {
        Sharing::Nobody => None,
        Sharing::Everybody => Some(HeaderValue::from_static("*")),
        Sharing::Clients { .. } => {
            let origin = only(headers, header::ORIGIN)?;
            let text = origin.to_str().ok().filter(|text| *text != OPAQUE)?;
            is_registered(text).then(|| origin.clone())
        }
    }
}

/// Like [`allowed_origin`], of the clients that registered themselves: the store knows theirs.
async fn registered_origin(
    sharing: Sharing,
    headers: &HeaderMap,
    registry: &Registry,
    store: &Store,
) -> Option<HeaderValue> {
    let registered = registry.registered()?;
    let origin = allowed_origin(sharing, headers, |_| true)?;
    match registered.allows_origin(origin.to_str().ok()?, store).await {
        Ok(true) => Some(origin),
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(error = %error, "an origin could not be looked up");
            None
        }
    }
}

fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What a page for people refuses of another site; the answer is 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignRequest {
    /// Another site loads the page as something else than a page.
    #[error("another site loads this page as a part of its own (Sec-Fetch-Site, Sec-Fetch-Mode)")]
    Load,
    /// The browser says that the form stands on another site.
    #[error("the form was sent from another site (Sec-Fetch-Site)")]
    Form,
    /// The browser says that the form stands on another origin.
    #[error("the form was sent from another origin (Origin)")]
    Origin,
}

impl ForeignRequest {
    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        StatusCode::FORBIDDEN
    }
}

/// Lets another site send people to a page, and not load it as an image, a script or data (threat 165). Browsers
/// that send no Fetch Metadata pass. For /authorize, /login, /consent, /logout and /account.
pub fn admit_load(headers: &HeaderMap) -> Result<(), ForeignRequest> {
    let navigates = only(headers, SEC_FETCH_MODE).is_some_and(|mode| mode == "navigate");
    if says(headers, SEC_FETCH_SITE, "cross-site") && !navigates {
        return Err(ForeignRequest::Load);
    }
    Ok(())
}

/// Lets a form in that stands on a page of this server (threats 28, 135): for POST /login, /consent and the form of /logout.
/// `Origin: null` alone is no reason to refuse, because pages are `no-referrer`; the form's own token decides then.
pub fn admit_form(headers: &HeaderMap, issuer: &Issuer) -> Result<(), ForeignRequest> {
    if says(headers, SEC_FETCH_SITE, "cross-site") || says(headers, SEC_FETCH_SITE, "same-site") {
        return Err(ForeignRequest::Form);
    }
    let own = |origin: &HeaderValue| origin == issuer.origin() || origin == OPAQUE;
    if headers.get_all(header::ORIGIN).iter().all(own) { Ok(()) } else { Err(ForeignRequest::Origin) }
}

/// An origin that the browser does not tell (RFC 6454 §6.1).
const OPAQUE: &str = "null";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn says(headers: &HeaderMap, name: HeaderName, value: &str) -> bool {
    headers.get_all(name).iter().any(|found| found == value)
}

#[cfg(test)]
#[path = "cross_origin_tests.rs"]
mod tests;
