//! The four cookies (RFC 6265bis): the browser's, set at the first visit and kept, which markers and forms are bound to; the
//! session's, whose secret changes at every sign-in; the others', with the secrets of whoever is signed in here beside; and the
//! device's, which says that a person signed in here before. On https they have the `__Host-` prefix; on the loopback a plain name
//! with the port in it (threats 130–132).

use crate::model::secret::Secret;
use crate::protocol::issuer::Issuer;
use crate::sessions::accounts::{MOST_OTHERS, SessionSecrets};
use crate::users::device::DEVICE_COOKIE_LENGTH;
use std::time::Duration;

/// The names and attributes of this server's cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieJar {
    prefix: &'static str,
    suffix: String,
    secure: &'static str,
}

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// What markers and forms are bound to.
    Browser,
    /// The session's secret.
    Session,
    /// The secrets of the sessions of others in this browser, a dot between them.
    Others,
    /// That a person has signed in here before (`users::device`).
    Device,
}

/// How long a browser keeps its own cookie: the longest that browsers allow.
const BROWSER_LIFE: Duration = Duration::from_secs(400 * 86_400);

impl CookieJar {
    /// The cookies of an issuer.
    pub fn of(issuer: &Issuer) -> Self {
        if issuer.is_secure() {
            Self { prefix: "__Host-", suffix: String::new(), secure: "; Secure" }
        } else {
            Self { prefix: "", suffix: format!("-{}", issuer.port()), secure: "" }
        }
    }

    /// The cookie's name.
    pub fn name(&self, cookie: Cookie) -> String {
        let noun = match cookie {
            Cookie::Browser => "portreeve-browser",
            Cookie::Session => "portreeve-session",
            Cookie::Others => "portreeve-others",
            Cookie::Device => "portreeve-device",
        };
        format!("{}{noun}{}", self.prefix, self.suffix)
    }

    /// The cookie's value in the Cookie headers of a request; two of one name are as good as none (threat 132).
    pub fn read<'a>(&self, headers: impl Iterator<Item = &'a str>, cookie: Cookie) -> Option<&'a str> {
        let name = self.name(cookie);
        let mut values = headers
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(other, _)| *other == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if is_ours(cookie, value) => Some(value),
            _ => None,
        }
    }

    /// A Set-Cookie header that sets the cookie for `life`; the browser's own is kept as long as may be.
    pub fn set(&self, cookie: Cookie, value: &str, life: Duration) -> String {
        let age = match cookie {
            Cookie::Browser => BROWSER_LIFE.as_secs(),
            Cookie::Session | Cookie::Others | Cookie::Device => life.as_secs(),
        };
        let (name, secure) = (self.name(cookie), self.secure);
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The Set-Cookie headers after which a browser that held `before` holds `after`; what is empty and was is left alone.
    pub fn hold(&self, before: &SessionSecrets, after: &SessionSecrets, life: Duration) -> Vec<String> {
        let others = after.others.iter().map(Secret::expose).collect::<Vec<_>>().join(".");
        let mut headers = Vec::new();
        match &after.active {
            Some(secret) => headers.push(self.set(Cookie::Session, secret.expose(), life)),
            None if before.active.is_some() => headers.push(self.clear(Cookie::Session)),
            None => {}
        }
        match after.others.is_empty() {
            false => headers.push(self.set(Cookie::Others, &others, life)),
            true if !before.others.is_empty() => headers.push(self.clear(Cookie::Others)),
            true => {}
        }
        headers
    }

    /// A Set-Cookie header that takes the cookie away.
    pub fn clear(&self, cookie: Cookie) -> String {
        format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", self.name(cookie), self.secure)
    }
}

/// Our values are base64url: of 32 random bytes, some of those, or of what `users::device` makes.
fn is_ours(cookie: Cookie, value: &str) -> bool {
    let is_text = |value: &str, length: usize| {
        value.len() == length
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match cookie {
        Cookie::Browser | Cookie::Session => is_text(value, 43),
        Cookie::Others => {
            value.len() <= (43 + 1) * MOST_OTHERS && value.split('.').all(|secret| is_text(secret, 43))
        }
        Cookie::Device => is_text(value, DEVICE_COOKIE_LENGTH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(issuer: &str) -> CookieJar {
        CookieJar::of(&Issuer::parse(issuer).expect("valid"))
    }

    #[test]
    fn cookies_of_an_https_issuer_have_the_host_prefix_and_every_guard() {
        // threat 131
        let set = jar("https://auth.example.com").set(Cookie::Session, "v", Duration::from_secs(60));
        assert!(set.starts_with("__Host-portreeve-session=v; Path=/; "), "{set}");
        for guard in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=60"] {
            assert!(set.contains(guard), "{set}");
        }
        assert!(!set.contains("Domain"));
        let plain = jar("http://localhost:8080").set(Cookie::Browser, "v", Duration::ZERO);
        assert!(plain.starts_with("portreeve-browser-8080=v") && !plain.contains("Secure"), "{plain}");
    }

    #[test]
    fn two_cookies_of_one_name_are_as_good_as_none() {
        // threat 132
        let jar = jar("https://auth.example.com");
        let value = "a".repeat(43);
        let one = format!("x=1; __Host-portreeve-session={value}");
        assert_eq!(jar.read([one.as_str()].into_iter(), Cookie::Session), Some(value.as_str()));
        assert_eq!(jar.read([one.as_str(), one.as_str()].into_iter(), Cookie::Session), None);
        assert_eq!(jar.read([format!("{one}; {one}").as_str()].into_iter(), Cookie::Session), None);
        for wrong in ["__Host-portreeve-session=short", "portreeve-session=x", "", "__Host-portreeve-session"]
        {
            assert_eq!(jar.read([wrong].into_iter(), Cookie::Session), None, "{wrong}");
        }
    }

    #[test]
    fn the_cookie_of_the_others_is_small_and_holds_secrets_only() {
        // threats 131, 132
        let jar = jar("https://auth.example.com");
        let secret = |letter: &str| Secret::new(letter.repeat(43));
        let others = ["a", "b", "c", "d"].map(secret).to_vec();
        let after = SessionSecrets { active: Some(secret("e")), others };
        let headers = jar.hold(&SessionSecrets::default(), &after, Duration::from_secs(60));
        assert_eq!(headers.len(), 2);
        assert!(
            headers.iter().all(|header| header.starts_with("__Host-") && header.len() < 400),
            "{headers:?}"
        );
        let pair = headers[1].split(';').next().expect("a pair");
        let read = jar.read([pair].into_iter(), Cookie::Others).expect("ours");
        assert_eq!(read.split('.').count(), MOST_OTHERS);
        assert_eq!(jar.read([pair, pair].into_iter(), Cookie::Others), None);
        let five = format!("{pair}.{}", "f".repeat(43));
        for wrong in [
            five.as_str(),
            "__Host-portreeve-others=.",
            "__Host-portreeve-others=x",
            "__Host-portreeve-others=",
        ] {
            assert_eq!(jar.read([wrong].into_iter(), Cookie::Others), None, "{wrong}");
        }
        let gone = jar.hold(&after, &SessionSecrets::default(), Duration::ZERO);
        assert!(gone.len() == 2 && gone.iter().all(|header| header.contains("Max-Age=0")), "{gone:?}");
        assert!(jar.hold(&SessionSecrets::default(), &SessionSecrets::default(), Duration::ZERO).is_empty());
    }
}
