//! Proof Key for Code Exchange (RFC 7636), with S256 only: `plain` does not exist here (RFC 9700 §2.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A `code_challenge` made by S256: 43 characters of base64url (RFC 7636 §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// Why a text is not a challenge or a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The challenge is not the base64url of a SHA-256.
    #[error("code_challenge is not 43 characters of base64url (RFC 7636 §4.2)")]
    Challenge,
    /// The method is another than S256; left out it would mean `plain`.
    #[error("code_challenge_method must be S256 (RFC 7636 §4.3; plain is not supported)")]
    Method,
    /// The verifier is not 43 to 128 unreserved characters.
    #[error("code_verifier is not 43 to 128 unreserved characters (RFC 7636 §4.1)")]
    Verifier,
}

impl CodeChallenge {
    /// Reads the challenge of an authorization request.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        if method != Some("S256") {
            return Err(PkceError::Method);
        }
        match URL_SAFE_NO_PAD.decode(challenge) {
            Ok(bytes) if bytes.len() == 32 && challenge.len() == 43 => Ok(Self(challenge.to_owned())),
            _ => Err(PkceError::Challenge),
        }
    }

    /// The challenge that belongs to a verifier (RFC 7636 §4.6).
    pub fn of_verifier(verifier: &str) -> Result<Self, PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(PkceError::Verifier);
        }
        Ok(Self(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))))
    }

    /// The challenge's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        let challenge =
            CodeChallenge::of_verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").expect("valid");
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_s256_is_a_method() {
        // threat 34
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for method in [None, Some("plain"), Some("s256"), Some("S512"), Some("")] {
            assert_eq!(CodeChallenge::parse(challenge, method), Err(PkceError::Method));
        }
    }

    #[test]
    fn a_challenge_is_43_characters_of_base64url() {
        // threat 35
        let long = "a".repeat(44);
        for wrong in [&long, &long[..42], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=", "", "é"] {
            assert!(CodeChallenge::parse(wrong, Some("S256")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        // threat 35
        let plus = "+".repeat(43);
        for wrong in ["a".repeat(42), "a".repeat(129), plus, "é".repeat(30), String::new()] {
            assert_eq!(CodeChallenge::of_verifier(&wrong), Err(PkceError::Verifier));
        }
        assert!(CodeChallenge::of_verifier(&"a".repeat(128)).is_ok());
    }
}
