//! URLs that clients name and this server asks: `jwks_uri`, `request_uri`, `sector_identifier_uri`, `logo_uri`,
//! `backchannel_logout_uri` (threats 87, 93). What is written here holds for every one of them; which of them may be reached,
//! `outbound` decides when it asks.

use std::fmt;
use url::{Host, Url};

/// An https URL that may be asked: written plainly, without user information.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OutboundUrl {
    text: String,
    path_and_query: String,
    authority: Authority,
}

/// A host and a port (RFC 3986 §3.2, without user information).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority {
    host: Host<String>,
    port: u16,
}

/// Why a text is no URL that may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundUrlError {
    /// Not an absolute URL.
    #[error("is not an absolute URL")]
    NotAUrl,
    /// Longer than any that is meant.
    #[error("is longer than 2000 characters")]
    TooLong,
    /// A character that parsers read differently.
    #[error("holds a control character, a space, a backslash or a letter outside ASCII")]
    Character,
    /// Anything but https.
    #[error("is not https")]
    NotHttps,
    /// User information before the host.
    #[error("holds a user or password")]
    UserInformation,
    /// A host that is written otherwise than it is read, such as `0x7f.1`, or an authority with parts left empty.
    #[error("has a host or port that is not in its plain form")]
    NotPlain,
}

/// No URL is longer.
const LONGEST: usize = 2000;

const SCHEME: &str = "https://";

impl OutboundUrl {
    /// Reads a URL that a client registers or sends.
    pub fn parse(text: &str) -> Result<Self, OutboundUrlError> {
        if text.len() > LONGEST {
            return Err(OutboundUrlError::TooLong);
        }
        if !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\') {
            return Err(OutboundUrlError::Character);
        }
        let url = Url::parse(text).map_err(|_| OutboundUrlError::NotAUrl)?;
        if url.scheme() != "https" {
            return Err(OutboundUrlError::NotHttps);
        }
        // `https:host` and `https:///host` are URLs to a browser only.
        let scheme = text.get(..SCHEME.len()).filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
        let rest = scheme.and_then(|scheme| text.get(scheme.len()..)).ok_or(OutboundUrlError::NotAUrl)?;
        let written = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if written.contains('@') {
            return Err(OutboundUrlError::UserInformation);
        }
        let authority = Authority::read(written, Some(443)).ok_or(OutboundUrlError::NotPlain)?;
        let path_and_query = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { text: text.to_owned(), path_and_query, authority })
    }

    /// The URL as it was written, its fragment included: what is compared.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its host and port.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What is sent after the authority; the fragment is not (RFC 9110 §4.2.5).
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The URL without its query, which may hold a secret: for the log.
    pub fn without_query(&self) -> String {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        format!("{SCHEME}{}{path}", self.authority)
    }
}

impl fmt::Debug for OutboundUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "OutboundUrl({})", self.without_query())
    }
}

impl Authority {
    /// Reads `host:port`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, None)
    }

    /// The host.
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a Host header says: the port only when it is not that of https.
    pub fn as_header(&self) -> String {
        if self.port == 443 { self.host.to_string() } else { self.to_string() }
    }

    fn read(text: &str, usual_port: Option<u16>) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let plain = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                (host, port.parse().ok().filter(|port| plain && *port != 0)?)
            }
            _ => (text, usual_port?),
        };
        let parsed = Host::parse(host).ok()?;
        // Numbers in octal or hexadecimal, percent-encoded letters and the like are read as something else.
        let is_plain = match &parsed {
            Host::Domain(name) => is_plain_name(name) && name.eq_ignore_ascii_case(host),
            Host::Ipv4(address) => address.to_string() == host,
            Host::Ipv6(_) => true,
        };
        is_plain.then_some(Self { host: parsed, port })
    }
}

/// Labels of letters, digits, hyphens and underscores, and no root's dot at the end.
fn is_plain_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.split('.').all(|label| !label.is_empty() && label.bytes().all(fits))
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
#[path = "outbound_url_tests.rs"]
mod tests;
