//! The issuer identifier (RFC 8414 §2, OpenID Discovery §3): parsed once; every URL of this server derives from it, never
//! from what a request says (threat 162).

use url::{Host, Url};

/// This server's own name: an https URL without query, fragment or user, http on the loopback only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    origin: String,
    path: String,
    host: String,
    port: u16,
    secure: bool,
}

/// Why a text is not an issuer identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Not a URL.
    #[error("is not a URL")]
    NotAUrl,
    /// http elsewhere than on the loopback.
    #[error("must be https (http only on localhost, 127.0.0.1 and [::1])")]
    NotSecure,
    /// Carries something no issuer may carry.
    #[error("may hold neither query, fragment, user nor password")]
    Superfluous,
    /// Is not what a URL parser would write: tokens compare it byte for byte.
    #[error(
        "is not in its plain form: lower-case host, no default port, no trailing slash, no dots in the path"
    )]
    NotPlain,
}

impl Issuer {
    /// Reads an issuer identifier.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(text).map_err(|_| IssuerError::NotAUrl)?;
        let host = url.host().ok_or(IssuerError::NotAUrl)?;
        let secure = match url.scheme() {
            "https" => true,
            "http" if is_loopback(&host) => false,
            _ => return Err(IssuerError::NotSecure),
        };
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::Superfluous);
        }
        let plain = url.as_str().trim_end_matches('/');
        if plain != text {
            return Err(IssuerError::NotPlain);
        }
        Ok(Self {
            text: text.to_owned(),
            origin: url.origin().ascii_serialization(),
            path: url.path().trim_end_matches('/').to_owned(),
            host: host.to_string(),
            port: url.port_or_known_default().unwrap_or(443),
            secure,
        })
    }

    /// The identifier itself, as `iss` says it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as an `Origin` header would say them (RFC 6454 §6.2).
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path before every endpoint: empty, or `/realm` without a trailing slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own when none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether browsers reach this server by https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The URL of the endpoint at `path`, which begins with a slash.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => *address == std::net::Ipv4Addr::LOCALHOST,
        Host::Ipv6(address) => *address == std::net::Ipv6Addr::LOCALHOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_https_and_plain() {
        for wrong in [
            "http://auth.example.com",
            "http://127.0.0.2:8080",
            "https://auth.example.com/",
            "https://auth.example.com:443",
            "https://Auth.example.com",
            "https://a.example/x/../y",
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
            "auth.example.com",
            "ftp://a.example",
            "",
        ] {
            assert!(Issuer::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_url_derives_from_the_issuer() {
        let issuer = Issuer::parse("https://auth.example.com/realm").expect("valid");
        assert_eq!(issuer.endpoint("/token"), "https://auth.example.com/realm/token");
        assert_eq!(issuer.origin(), "https://auth.example.com");
        assert_eq!(issuer.path(), "/realm");
        let dev = Issuer::parse("http://localhost:8080").expect("valid");
        assert!(!dev.is_secure());
        assert_eq!((dev.host(), dev.port(), dev.path()), ("localhost", 8080, ""));
        assert!(Issuer::parse("http://[::1]:8080").is_ok());
    }
}
