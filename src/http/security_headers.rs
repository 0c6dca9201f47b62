//! The security headers of every answer, by table (threats 153, 154, 163, 165, 168).
//!
//! A path belongs to a [`RouteClass`], a class has a row of the table, and a handler says no more than the [`PagePolicy`]
//! of its page, as an extension of its response. What is no page gets a Content-Security-Policy that allows nothing. Who
//! may read an answer from another origin is decided in `cross_origin`.
//!
//! The 400 and 431 that the HTTP library gives to what is no request at all come from below the router, and the library has no
//! place to add to them: they have no body, nothing to run or to frame, and the connection ends with them.

use super::app::App;
use crate::protocol::issuer::Issuer;
use crate::protocol::server_metadata::path;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use url::Url;

/// What kind of answer a path gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteClass {
    /// Something for people.
    Page,
    /// A file that pages load.
    Asset,
    /// Something for anybody's program: metadata and keys.
    PublicDocument,
    /// Something for a client or a resource server, and whatever is not there.
    Protocol,
}

impl RouteClass {
    /// The class of a request's path.
    pub fn of(request_path: &str, issuer: &Issuer) -> Self {
        if is_metadata(request_path, issuer) {
            return Self::PublicDocument;
        }
        match below(request_path, issuer) {
            Some(path::JWKS) => Self::PublicDocument,
            Some(page) if PAGES.contains(&page) => Self::Page,
            Some(file) if file.starts_with("/assets/") => Self::Asset,
            _ => Self::Protocol,
        }
    }
}

/// How browsers reach this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By https, here or at a proxy.
    Https,
    /// By http, on the loopback.
    Http,
}

impl Transport {
    /// How browsers reach `issuer`.
    pub fn of(issuer: &Issuer) -> Self {
        if issuer.is_secure() { Self::Https } else { Self::Http }
    }
}

/// What a page needs beside its own styles and images; a handler puts it among its response's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePolicy {
    /// Where its forms may lead.
    pub form_action: FormAction,
    /// Which script may run.
    pub script: Script,
    /// What a script may fetch.
    pub connect: Connect,
    /// The origins that it may load in frames (Front-Channel Logout; threat 175).
    pub frames: Vec<String>,
}

/// Where a page's forms may lead (CSP Level 3 §6.4.1). Browsers hold it against every hop of the redirects that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormAction {
    /// It has none.
    None,
    /// To this server only.
    SelfOnly,
    /// To this server, any https URL, and the redirect URI that the request presented.
    SelfHttpsAnd(String),
}

/// Which script of a page may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// None.
    None,
    /// The inline one with this digest, as `sha256-…` without quotes.
    Hash(String),
    /// Files of this server.
    SelfOrigin,
}

/// What a page's script may fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connect {
    /// Nothing.
    None,
    /// Answers of this server.
    SelfOrigin,
}

impl PagePolicy {
    /// A page without script whose forms lead to this server.
    pub const fn own_forms() -> Self {
        Self {
            form_action: FormAction::SelfOnly,
            script: Script::None,
            connect: Connect::None,
            frames: Vec::new(),
        }
    }

    /// A page without script and without forms.
    pub const fn no_forms() -> Self {
        Self {
            form_action: FormAction::None,
            script: Script::None,
            connect: Connect::None,
            frames: Vec::new(),
        }
    }

    /// A page without script whose form's answer may redirect to `redirect_uri`, as the request presented it: login,
    /// consent.
    pub fn leading_to(redirect_uri: &str) -> Self {
        Self { form_action: FormAction::SelfHttpsAnd(redirect_uri.to_owned()), ..Self::own_forms() }
    }

    /// A page without forms that loads frames of these origins, and of no other.
    pub fn framing(origins: Vec<String>) -> Self {
        Self { frames: origins, ..Self::no_forms() }
    }

    /// These rules with `script`.
    pub fn with_script(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The Content-Security-Policy.
    pub fn render(&self) -> String {
        let mut policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action ".to_owned();
        match &self.form_action {
            FormAction::None => policy.push_str("'none'"),
            FormAction::SelfOnly => policy.push_str("'self'"),
            FormAction::SelfHttpsAnd(redirect_uri) => {
                policy.push_str("'self' https:");
                if let Some(source) = source_of(redirect_uri) {
                    policy.push(' ');
                    policy.push_str(&source);
                }
            }
        }
        policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
        match &self.script {
            Script::None => {}
            Script::Hash(hash) if is_hash(hash) => policy.push_str(&format!("; script-src '{hash}'")),
            Script::Hash(_) => {}
            Script::SelfOrigin => policy.push_str("; script-src 'self'"),
        }
        if self.connect == Connect::SelfOrigin {
            policy.push_str("; connect-src 'self'");
        }
        // an origin is scheme, host and port, and holds nothing that would end the directive
        if self.frames.iter().any(|origin| is_origin(origin)) {
            policy.push_str("; frame-src");
            for origin in self.frames.iter().filter(|origin| is_origin(origin)) {
                policy.push(' ');
                policy.push_str(origin);
            }
        }
        policy
    }
}

/// Sets the headers of `class` on every answer; goes around everything else, so that no refusal is without them.
pub async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let snapshot = app.snapshot.load();
    let issuer = &snapshot.config.issuer;
    let (class, transport) = (RouteClass::of(request.uri().path(), issuer), Transport::of(issuer));
    drop(snapshot);
    let mut response = next.run(request).await;
    let policy = response.extensions_mut().remove::<PagePolicy>();
    apply(response.headers_mut(), class, transport, policy.as_ref());
    response
}

/// Sets the headers of `class`. Only Cache-Control is left as the handler set it.
pub fn apply(headers: &mut HeaderMap, class: RouteClass, transport: Transport, page: Option<&PagePolicy>) {
    let own = TABLE.iter().filter(|(row, _)| *row == class).flat_map(|(_, own)| own.iter());
    for (name, value) in EVERY_ANSWER.iter().chain(own) {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    if let Some(policy) = page.and_then(|page| HeaderValue::try_from(page.render()).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if transport == Transport::Https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TWO_YEARS));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Whether a request's path is one of the metadata document's: OpenID Discovery §4.1 puts it below the issuer's path, RFC
/// 8414 §3.1 before it, and clients that know no better look below too.
pub(super) fn is_metadata(request_path: &str, issuer: &Issuer) -> bool {
    matches!(below(request_path, issuer), Some(path::OPENID_CONFIGURATION | path::OAUTH_AUTHORIZATION_SERVER))
        || request_path.strip_prefix(path::OAUTH_AUTHORIZATION_SERVER) == Some(issuer.path())
}

/// The part of a request's path below the issuer's own; `None` when it is elsewhere.
pub(super) fn below<'a>(request_path: &'a str, issuer: &Issuer) -> Option<&'a str> {
    request_path.strip_prefix(issuer.path()).filter(|rest| rest.starts_with('/'))
}

/// The source expression that a redirect URI needs beside `'self' https:` (CSP Level 3 §2.3.1): the origin on the loopback,
/// the scheme of a private-use URI. An IPv6 host has no expression of its own, so its scheme stands for it.
fn source_of(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    match (url.scheme(), url.host()) {
        ("https", _) => None,
        ("http", Some(url::Host::Ipv6(_))) => Some("http:".to_owned()),
        ("http", _) => Some(url.origin().ascii_serialization()),
        // a private-use scheme is a reversed domain name (RFC 8252 §7.1), which no scheme that browsers act on is
        (scheme, _) => scheme.contains('.').then(|| format!("{scheme}:")),
    }
}

/// Whether `text` is a plain https origin: what URLs allow in a host is more than what a directive survives.
fn is_origin(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    text.strip_prefix("https://").is_some_and(|rest| rest.bytes().all(plain))
        && Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

fn is_hash(text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.strip_prefix("sha256-").is_some_and(|digest| digest.len() == 44 && digest.bytes().all(base64))
}

/// The paths of pages, below the issuer.
const PAGES: [&str; 14] = [
    "/",
    path::AUTHORIZATION,
    "/login",
    "/consent",
    "/account",
    "/account/grants",
    "/account/sessions",
    "/account/password",
    "/recovery",
    "/recovery/sent",
    "/recovery/new-password",
    "/recovery/done",
    path::END_SESSION,
    "/playground",
];

/// Two years, in seconds (RFC 6797 §6.1); other hosts of the domain are not this server's to bind.
const TWO_YEARS: &str = "max-age=63072000";

type Row = (HeaderName, &'static str);

/// What every answer carries.
static EVERY_ANSWER: [Row; 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
];

/// What the answers of a class carry beside it; a page's own policy takes the place of the one here.
static TABLE: [(RouteClass, [Row; 2]); 4] = [
    (RouteClass::Page, [(header::CONTENT_SECURITY_POLICY, NOTHING), (RESOURCE_POLICY, "same-origin")]),
    (RouteClass::Asset, [(header::CONTENT_SECURITY_POLICY, PICTURE), (RESOURCE_POLICY, "same-origin")]),
    (
        RouteClass::PublicDocument,
        [(header::CONTENT_SECURITY_POLICY, NOTHING), (RESOURCE_POLICY, "cross-origin")],
    ),
    (RouteClass::Protocol, [(header::CONTENT_SECURITY_POLICY, NOTHING), (RESOURCE_POLICY, "same-origin")]),
];

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The policy of what is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The policy of a file: an operator's SVG logo may have styles of its own, but runs nothing when it is opened by itself
/// (threat 152).
const PICTURE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; sandbox";

/// What no page of this server uses.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), \
encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), \
microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()";

#[cfg(test)]
#[path = "security_headers_tests.rs"]
mod tests;
