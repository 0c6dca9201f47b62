//! Addresses that clients chose, checked once more before they become a link or a form's target (threats 8, 152).

use std::fmt;

/// A page of a client (its policy, its terms): `https`, or `http` on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebLink<'a>(&'a str);

impl<'a> WebLink<'a> {
    /// The link to `url`; nothing when its scheme is another or it holds what no encoded URL holds.
    pub fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = split(url)?;
        let web = scheme.eq_ignore_ascii_case("https")
            || (scheme.eq_ignore_ascii_case("http") && is_loopback(authority(rest)));
        (web && !authority(rest).is_empty()).then_some(Self(url))
    }

    /// Its host, with the port when the URL names one.
    pub fn host(self) -> &'a str {
        split(self.0).map(|(_, rest)| authority(rest)).unwrap_or_default()
    }
}

impl fmt::Display for WebLink<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// The way back to a client: a redirect URI, parameters included. `https`, `http`, or a private-use scheme, which has
/// a dot (RFC 8252 §7.1), so that `javascript:`, `data:` and their like never become a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnLink<'a>(&'a str);

impl<'a> ReturnLink<'a> {
    /// The link to `uri`; nothing when its scheme is not among those above or it holds what no encoded URI holds.
    pub fn parse(uri: &'a str) -> Option<Self> {
        let (scheme, _) = split(uri)?;
        let known = scheme.eq_ignore_ascii_case("https")
            || scheme.eq_ignore_ascii_case("http")
            || scheme.contains('.');
        known.then_some(Self(uri))
    }
}

impl fmt::Display for ReturnLink<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// Where a person is sent back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// A host of the web, with its port when it is not the usual one; international names stay in their ASCII form.
    Host(&'a str),
    /// A loopback address or a private-use scheme: an app on this device.
    ThisDevice,
}

impl<'a> Destination<'a> {
    /// Where the registered `redirect_uri` leads.
    pub fn of(redirect_uri: &'a str) -> Self {
        match split(redirect_uri) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") && !is_loopback(authority(rest)) => {
                Self::Host(authority(rest))
            }
            _ => Self::ThisDevice,
        }
    }
}

/// Scheme and rest of `uri`; nothing when it is not an absolute URI of visible ASCII.
fn split(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let mut letters = scheme.bytes();
    let well_formed = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter));
    (well_formed && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'))
        .then_some((scheme, rest))
}

/// Host and port of what follows `scheme:`; userinfo is dropped, so that it never poses as the host.
fn authority(rest: &str) -> &str {
    let hierarchical = rest.strip_prefix("//").unwrap_or_default();
    let end = hierarchical.find(['/', '?', '#']).unwrap_or(hierarchical.len());
    let authority = hierarchical.get(..end).unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    // threats 8, 152
    #[test]
    fn a_script_or_data_scheme_never_becomes_a_link() {
        for uri in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "\u{1}javascript:alert(1)",
            "java\tscript:alert(1)",
            " https://a.example/",
            "https://a.example/\u{202e}",
            "https:\\\\a.example",
            "data:text/html,x",
            "vbscript:x",
            "blob:x",
            "file:///etc/passwd",
            "intent:x",
            "//a.example",
            "",
        ] {
            assert_eq!(WebLink::parse(uri), None, "{uri:?}");
            assert_eq!(ReturnLink::parse(uri), None, "{uri:?}");
        }
        assert_eq!(WebLink::parse("http://a.example/policy"), None);
        assert_eq!(WebLink::parse("com.example.app:/policy"), None);
        assert_eq!(WebLink::parse("https:///policy"), None);
    }

    #[test]
    fn the_web_and_private_use_schemes_are_ways_back() {
        assert!(WebLink::parse("https://a.example/policy?x=1").is_some());
        assert!(WebLink::parse("http://localhost:8080/policy").is_some());
        let host = WebLink::parse("https://a.example@b.example:444/x").map(WebLink::host);
        assert_eq!(host, Some("b.example:444"));
        assert!(ReturnLink::parse("com.example.app:/cb?code=1").is_some());
        assert!(ReturnLink::parse("http://127.0.0.1:5000/cb").is_some());
    }

    // threat 116, RFC 8252 §7
    #[test]
    fn the_destination_is_the_real_host_or_this_device() {
        assert_eq!(Destination::of("https://photos.example.com/cb"), Destination::Host("photos.example.com"));
        assert_eq!(
            Destination::of("https://a.example@evil.example:8443/cb"),
            Destination::Host("evil.example:8443")
        );
        for uri in
            ["http://127.0.0.1/cb", "http://[::1]:90/cb", "http://localhost:1/cb", "com.example.app:/cb"]
        {
            assert_eq!(Destination::of(uri), Destination::ThisDevice, "{uri}");
        }
    }
}
