//! Names of things: each kind is a type of its own, so that none is taken for another. Identifiers that this server makes
//! are random; a person's begin with `usr_`, which no client's may, so that `sub` never names both (RFC 9700 §4.15).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing, or more than 200 characters.
    #[error("has {0} characters, wants 1 to 200")]
    Length(usize),
    /// A character outside %x21-7E (RFC 6749 Appendix A.1, less the space).
    #[error("holds a character that is not visible ASCII")]
    Character,
    /// A client's that looks like a person's.
    #[error("begins with `usr_`, which is kept for people")]
    Reserved,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

macro_rules! random_identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $bytes:literal) => {
        identifier!($(#[$doc])* $name);

        impl $name {
            /// Makes an identifier from fresh random bytes.
            pub fn from_random(bytes: [u8; $bytes]) -> Self {
                Self(format!(concat!($prefix, "{}"), URL_SAFE_NO_PAD.encode(bytes)))
            }

            /// Reads an identifier that this server made.
            pub fn parse(text: &str) -> Result<Self, IdentifierError> {
                let body = text.strip_prefix($prefix).ok_or(IdentifierError::Character)?;
                match URL_SAFE_NO_PAD.decode(body) {
                    Ok(bytes) if bytes.len() == $bytes => Ok(Self(text.to_owned())),
                    Ok(bytes) => Err(IdentifierError::Length(bytes.len())),
                    Err(_) => Err(IdentifierError::Character),
                }
            }
        }
    };
}

identifier!(
    /// A client identifier (RFC 6749 §2.2).
    ClientId
);

impl ClientId {
    /// Reads a client identifier.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check_visible(text)?;
        if text.starts_with("usr_") {
            return Err(IdentifierError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier of a client that registers itself, from fresh random bytes; never given twice.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("{REGISTERED}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Whether this is the form of those identifiers: no other is looked for among the clients that registered themselves.
    pub fn may_be_registered(&self) -> bool {
        let decoded = self.0.strip_prefix(REGISTERED).map(|rest| URL_SAFE_NO_PAD.decode(rest));
        matches!(decoded, Some(Ok(bytes)) if bytes.len() == 16)
    }
}

/// What the identifiers of clients that registered themselves begin with.
const REGISTERED: &str = "reg_";

random_identifier!(
    /// A person: the `sub` of their tokens (OpenID Connect Core §5.1). Never reused.
    UserId, "usr_", 16
);
random_identifier!(
    /// A session: the `sid` of its ID tokens (Back-Channel Logout §2.1). Not the cookie's secret.
    SessionId, "", 16
);
random_identifier!(
    /// A request, as the log, the audit trail and the error page name it.
    RequestId, "", 12
);
random_identifier!(
    /// A grant: what a code opens and a refresh token names. It is a digest of the code, so the code itself is never kept.
    GrantId, "", 24
);
random_identifier!(
    /// An audit event.
    EventId, "", 16
);
random_identifier!(
    /// A message of the outbox: the `jti` of a logout token (Back-Channel Logout §2.4), the same at every attempt.
    MessageId, "", 16
);

impl GrantId {
    /// The bytes, as a refresh token carries them.
    pub fn to_bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        if let Ok(decoded) = URL_SAFE_NO_PAD.decode(&self.0)
            && decoded.len() == bytes.len()
        {
            bytes.copy_from_slice(&decoded);
        }
        bytes
    }
}

identifier!(
    /// The name of a signing key (`kid`, RFC 7515 §4.1.4): its thumbprint (RFC 7638).
    KeyId
);

impl KeyId {
    /// Reads the name of a key.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check_visible(text)?;
        Ok(Self(text.to_owned()))
    }
}

fn check_visible(text: &str) -> Result<(), IdentifierError> {
    if text.is_empty() || text.len() > 200 {
        return Err(IdentifierError::Length(text.chars().count()));
    }
    if !text.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
        return Err(IdentifierError::Character);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_not_be_named_like_a_person() {
        // threat 113
        assert_eq!(ClientId::parse("usr_x"), Err(IdentifierError::Reserved));
        assert!(ClientId::parse(UserId::from_random([7; 16]).as_str()).is_err());
    }

    #[test]
    fn a_client_identifier_is_visible_ascii() {
        for wrong in ["", "a b", "a\u{7f}", "å", "a\nb", "a\0"] {
            assert!(ClientId::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(ClientId::parse(&"a".repeat(201)).is_err());
        assert!(ClientId::parse("https://app.example/client").is_ok());
    }

    #[test]
    fn a_registered_client_is_known_by_the_form_of_its_identifier() {
        let id = ClientId::from_random([7; 16]);
        assert!(id.may_be_registered());
        assert_eq!(ClientId::parse(id.as_str()), Ok(id));
        for other in ["web", "reg_", "reg_short", "Reg_BwcHBwcHBwcHBwcHBwcHBw", "reg_BwcHBwcHBwcHBwcHBwcHBw="]
        {
            assert!(!ClientId::parse(other).expect("valid").may_be_registered(), "{other}");
        }
    }

    #[test]
    fn a_grant_identifier_survives_its_bytes() {
        let id = GrantId::from_random([9; 24]);
        assert_eq!(id.to_bytes(), [9; 24]);
        assert_eq!(GrantId::parse(id.as_str()), Ok(id));
        assert!(GrantId::parse("short").is_err());
    }
}
