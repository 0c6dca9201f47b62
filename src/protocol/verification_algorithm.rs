//! The signature algorithms that this server verifies: those of its own tokens, and more that clients sign with (RFC 7518 §3.1,
//! RFC 8037 §3.1, RFC 9864 §2.2). Asymmetric ones only, and one list of them. What it signs with is `signing_algorithm`'s.

use crate::protocol::signing_algorithm::SigningAlgorithm;

/// How somebody signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256: what FAPI 2.0 asks of RSA keys (Security Profile §5.4.1).
    Ps256,
    /// Ed25519 by its older name.
    EdDsa,
    /// Ed25519 by the name that says which curve (RFC 9864 §2.2).
    Ed25519,
}

impl VerificationAlgorithm {
    /// Every algorithm that a client may sign with; metadata, registration and tests follow from this list.
    pub const ALL: [Self; 5] = [Self::Es256, Self::Rs256, Self::Ps256, Self::EdDsa, Self::Ed25519];

    /// Those of this server's own tokens: [`SigningAlgorithm::ALL`].
    pub const OWN: [Self; 3] = [Self::Es256, Self::Rs256, Self::EdDsa];

    /// The name in IANA's registry, as in the `alg` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm that `name` is; exact, as names of algorithms are case-sensitive (RFC 7515 §4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

impl From<SigningAlgorithm> for VerificationAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Es256 => Self::Es256,
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_server_signs_with_it_verifies_by_the_same_name() {
        assert_eq!(SigningAlgorithm::ALL.map(VerificationAlgorithm::from), VerificationAlgorithm::OWN);
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(VerificationAlgorithm::parse(algorithm.as_str()), Some(algorithm.into()));
        }
    }

    // threats 65, 66
    #[test]
    fn nothing_symmetric_and_nothing_misspelt_is_an_algorithm() {
        for name in ["none", "", "HS256", "HS512", "es256", "PS256 ", "ED25519", "eddsa", "RS1", "ES384"] {
            assert_eq!(VerificationAlgorithm::parse(name), None, "{name}");
        }
    }
}
