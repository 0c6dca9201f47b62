//! The `request_uri` of a pushed request (RFC 9126 §2.2): 256 random bits under the name that the standard gives them. The
//! store keeps a digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// The name under which pushed requests are found again.
#[derive(Clone, PartialEq, Eq)]
pub struct PushedRequestUri(String);

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

impl PushedRequestUri {
    /// Makes one from fresh random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `text` is the name of a pushed request, genuine or not, and no address.
    pub fn names_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Reads one; nothing for what this server cannot have made.
    pub fn parse(text: &str) -> Option<Self> {
        let secret = text.strip_prefix(PREFIX)?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).ok()?;
        (bytes.len() == 32).then(|| Self(secret.to_owned()))
    }

    /// The whole name.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }

    /// What the store knows it by.
    pub fn id(&self) -> PushedRequestId {
        let digest =
            Sha256::new().chain_update(b"portreeve pushed request ").chain_update(&self.0).finalize();
        PushedRequestId(URL_SAFE_NO_PAD.encode(digest))
    }
}

impl fmt::Debug for PushedRequestUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PushedRequestUri(…)")
    }
}

/// The digest of a pushed request's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequestId(String);

impl PushedRequestId {
    /// The text of the digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pushed_request_has_256_bits_and_one_spelling() {
        // threat 79
        let uri = PushedRequestUri::from_random([7; 32]);
        let text = uri.to_text();
        assert_eq!(PushedRequestUri::parse(&text), Some(uri));
        for wrong in [
            "".to_owned(),
            PREFIX.to_owned(),
            text.to_uppercase(),
            text[..text.len() - 1].to_owned(),
            format!("{text}A"),
            format!("{text}="),
            text.replace("urn:", "https://"),
        ] {
            assert_eq!(PushedRequestUri::parse(&wrong), None, "{wrong}");
        }
        let other = PushedRequestUri::from_random([8; 32]);
        assert_ne!(PushedRequestUri::from_random([7; 32]).id(), other.id());
        assert!(!text.contains(other.id().as_str()) && format!("{other:?}") == "PushedRequestUri(…)");
    }
}
