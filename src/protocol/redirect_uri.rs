//! Redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1): what may be registered, and the one way to match:
//! byte for byte, with the port of a native client's loopback URI as the only exception (threats 1–10).

use std::fmt;
use url::{Host, Url};

/// What kind of application a client is (OpenID Connect Registration §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplicationType {
    /// Runs on a server or in a browser page.
    #[default]
    Web,
    /// Is installed on a device.
    Native,
}

/// Whether plain http on the loopback is open to web applications too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// The issuer is https: web applications are too.
    Production,
    /// The issuer is on this machine's loopback.
    Development,
}

/// Where an authorization response may be sent to: a value that exists obeys the rules of registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    kind: RedirectKind,
    application_type: ApplicationType,
}

/// What stands behind a redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// An https URL: the host vouches for who receives the response.
    Https {
        /// The host, and the port when it is not 443.
        authority: String,
    },
    /// http on this device's loopback: any program on it may listen there (RFC 8252 §8.3).
    Loopback,
    /// A private-use scheme: any program on the device may claim it (RFC 8252 §8.4).
    PrivateUse {
        /// The scheme, without its colon.
        scheme: String,
    },
}

/// Why a text may not be registered as a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// Not an absolute URI.
    #[error("is not an absolute URI")]
    NotAUri,
    /// A character that browsers and parsers read differently.
    #[error("holds a control character, a space, a backslash or a letter outside ASCII")]
    Character,
    /// Written otherwise than a browser would send it.
    #[error("is not in its plain form: lower-case scheme and host, no default port, no dot segments")]
    NotPlain,
    /// `*` or a percent-encoded dot, slash, backslash or percent in the path.
    #[error("holds a wildcard or an encoded `.`, `/`, `\\` or `%` in its path")]
    Ambiguous,
    /// RFC 6749 §3.1.2.
    #[error("holds a fragment")]
    Fragment,
    /// User information before the host.
    #[error("holds a user or password")]
    UserInformation,
    /// http elsewhere than on the loopback, or on the loopback of a web application in production.
    #[error("is http: only native applications, and development, may use it, on the loopback")]
    NotSecure,
    /// A scheme that is neither https nor a native application's private-use scheme with a dot (RFC 8252 §7.1).
    #[error("has a scheme other than https (native applications: or a reverse domain name, with a dot)")]
    Scheme,
    /// A query parameter that authorization responses use (threat 10).
    #[error("holds a query parameter that authorization responses use")]
    ReservedParameter,
}

/// Parameters of authorization responses, which no registered URI may hold in its query.
const RESERVED_PARAMETERS: [&str; 13] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "session_state",
    "response",
];

impl RedirectUri {
    /// Checks a redirect URI that a client registers.
    pub fn register(
        text: &str,
        application_type: ApplicationType,
        deployment: Deployment,
    ) -> Result<Self, RedirectUriError> {
        if text.len() > 2000 || !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\') {
            return Err(RedirectUriError::Character);
        }
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAUri)?;
        let kind = kind_of(&url, application_type, deployment)?;
        if !url.username().is_empty() || url.password().is_some() || authority_of(text).contains('@') {
            return Err(RedirectUriError::UserInformation);
        }
        if !is_plain(text, &url) {
            return Err(RedirectUriError::NotPlain);
        }
        let path = url.path().to_ascii_lowercase();
        if text.contains('*') || ["%2e", "%2f", "%5c", "%25", "..;"].iter().any(|trick| path.contains(trick))
        {
            return Err(RedirectUriError::Ambiguous);
        }
        if url.query_pairs().any(|(name, _)| RESERVED_PARAMETERS.contains(&name.as_ref())) {
            return Err(RedirectUriError::ReservedParameter);
        }
        Ok(Self { text: text.to_owned(), kind, application_type })
    }

    /// Whether a request that presents `presented` means this URI: equal bytes, or, for a native application's
    /// loopback address, equal bytes but for the port (RFC 8252 §7.3).
    pub fn matches(&self, presented: &str) -> bool {
        if presented == self.text {
            return true;
        }
        if self.application_type != ApplicationType::Native {
            return false;
        }
        ["http://127.0.0.1", "http://[::1]"].into_iter().any(|prefix| {
            match (self.text.strip_prefix(prefix), presented.strip_prefix(prefix)) {
                (Some(registered), Some(presented)) => {
                    match (after_port(registered), after_port(presented)) {
                        (Some(registered), Some(presented)) => registered == presented,
                        _ => false,
                    }
                }
                _ => false,
            }
        })
    }

    /// What stands behind the URI.
    pub fn kind(&self) -> &RedirectKind {
        &self.kind
    }

    /// Whether another program on the person's device could receive the response (RFC 8252 §8.3, §8.4): consent is
    /// then never taken for granted.
    pub fn is_spoofable(&self) -> bool {
        !matches!(self.kind, RedirectKind::Https { .. })
    }

    /// The URI as it was registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn kind_of(
    url: &Url,
    application_type: ApplicationType,
    deployment: Deployment,
) -> Result<RedirectKind, RedirectUriError> {
    match url.scheme() {
        "https" => {
            let host = url.host_str().filter(|host| !host.is_empty()).ok_or(RedirectUriError::NotAUri)?;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Ok(RedirectKind::Https { authority: format!("{host}{port}") })
        }
        "http" => {
            let loopback = match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
                Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
                None => false,
            };
            let open = application_type == ApplicationType::Native || deployment == Deployment::Development;
            if loopback && open { Ok(RedirectKind::Loopback) } else { Err(RedirectUriError::NotSecure) }
        }
        scheme if application_type == ApplicationType::Native && scheme.contains('.') => {
            Ok(RedirectKind::PrivateUse { scheme: scheme.to_owned() })
        }
        _ => Err(RedirectUriError::Scheme),
    }
}

/// Whether a browser would send the very bytes that were registered; only a missing path may differ.
fn is_plain(text: &str, url: &Url) -> bool {
    let serialized = url.as_str();
    serialized == text
        || (url.path() == "/" && url.query().is_none() && serialized.strip_suffix('/') == Some(text))
}

fn authority_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}

/// What follows an optional port; `None` when what stands there is no port.
fn after_port(rest: &str) -> Option<&str> {
    let tail = match rest.strip_prefix(':') {
        Some(ported) => {
            let digits = ported.bytes().take_while(u8::is_ascii_digit).count();
            let port: u16 = ported[..digits].parse().ok()?;
            if port == 0 || ported.starts_with('0') {
                return None;
            }
            &ported[digits..]
        }
        None => rest,
    };
    (tail.is_empty() || tail.starts_with(['/', '?'])).then_some(tail)
}

#[cfg(test)]
#[path = "redirect_uri_tests.rs"]
mod tests;
