//! The claims of an ID token (OpenID Connect Core §2): who signed in, when and how. What a person's claims say stays at
//! the userinfo endpoint (Core §5.4), unless the request asked for them here (§5.5).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What an ID token says.
#[derive(Debug, Serialize)]
pub struct IdTokenClaims<'a> {
    /// This server.
    pub iss: &'a str,
    /// The person.
    pub sub: &'a str,
    /// The client, one string.
    pub aud: &'a str,
    /// Until when, in seconds.
    pub exp: i64,
    /// Since when, in seconds.
    pub iat: i64,
    /// When the person signed in, in seconds.
    pub auth_time: i64,
    /// What the request sent, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// The authentication context class.
    pub acr: &'a str,
    /// The authentication methods (RFC 8176).
    pub amr: &'a [String],
    /// The session (Back-Channel Logout §2.1).
    pub sid: &'a str,
    /// Binds the access token beside it.
    pub at_hash: &'a str,
    /// What the request asked to be told of the person here (Core §5.5); none of the names above.
    #[serde(flatten)]
    pub claims: &'a Map<String, Value>,
}

/// `at_hash`: the left half of the token's digest (Core §3.1.3.6). SHA-256 belongs to ES256 and RS256; Ed25519 names no
/// digest, and SHA-512 is its own.
pub fn at_hash(access_token: &str, digest: HashLength) -> String {
    match digest {
        HashLength::Sha256 => URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16]),
        HashLength::Sha512 => URL_SAFE_NO_PAD.encode(&sha2::Sha512::digest(access_token.as_bytes())[..32]),
    }
}

/// The digest that belongs to a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashLength {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_hash_is_the_left_half_of_the_digest() {
        // OpenID Connect Core §A.3
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(token, HashLength::Sha256), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
