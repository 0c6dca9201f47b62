//! Why a token request is refused: one enum, and one `verdict` to read beside RFC 6749 §5.2. It serves revocation and
//! introspection too. What the caller reads never tells unknown, expired, foreign and malformed apart.

use crate::clients::authentication::ClientAuthenticationError;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::ParameterError;
use crate::storage::error::StorageError;
use crate::tokens::audience::TargetError;
use crate::tokens::issue::NoSigner;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The parameters cannot be read.
    Unreadable(ParameterError),
    /// The body is too large, too slow or of another type; the status says which.
    Body(u16, &'static str),
    /// A parameter is missing.
    Missing(&'static str),
    /// The client did not prove who it is.
    Client(ClientAuthenticationError),
    /// No such grant type.
    UnsupportedGrantType,
    /// The client is not registered for it.
    GrantTypeNotAllowed,
    /// The client may not do this at all.
    ClientNotAllowed(&'static str),
    /// The code or refresh token does not count; the text is for operators.
    InvalidGrant(&'static str),
    /// A scope that is undeclared, not the client's, or beyond the grant.
    InvalidScope(&'static str),
    /// There is no such resource, or no telling which.
    Target(TargetError),
    /// A resource beyond the grant.
    TargetNotGranted,
    /// The store does not answer.
    Unavailable(String),
    /// A row holds what none may, or no key signs.
    Internal(String),
}

/// What the client reads, and which section says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenVerdict {
    /// The code.
    pub code: ErrorCode,
    /// The status.
    pub status: u16,
    /// In plain words.
    pub description: String,
    /// The section, for operators.
    pub section: &'static str,
    /// Seconds until it is worth trying again.
    pub retry_after: Option<u64>,
}

impl TokenError {
    /// Code, status, description and section.
    pub fn verdict(&self) -> TokenVerdict {
        use ErrorCode as Code;
        let (code, status, description, section): (Code, u16, String, &'static str) = match self {
            Self::Unreadable(why) => (Code::InvalidRequest, 400, why.to_string(), "RFC 6749 §3.2"),
            Self::Body(status, why) => (Code::InvalidRequest, *status, (*why).to_owned(), "RFC 6749 §4.1.3"),
            Self::Missing(name) => (Code::InvalidRequest, 400, format!("{name} is missing"), "RFC 6749 §5.2"),
            Self::Client(ClientAuthenticationError::TwoMethods) => (
                Code::InvalidRequest,
                400,
                "the request uses two methods of client authentication".into(),
                "RFC 6749 §2.3",
            ),
            Self::Client(ClientAuthenticationError::Busy(_)) => (
                Code::TemporarilyUnavailable,
                503,
                "the server cannot answer now; try again in a moment".into(),
                "RFC 6749 §4.1.2.1",
            ),
            Self::Client(ClientAuthenticationError::Unchecked) => (
                Code::ServerError,
                500,
                "the server met a condition it did not expect".into(),
                "RFC 6749 §4.1.2.1",
            ),
            Self::Client(_) => {
                (Code::InvalidClient, 401, "the client could not be authenticated".into(), "RFC 6749 §5.2")
            }
            Self::UnsupportedGrantType => {
                (Code::UnsupportedGrantType, 400, "this grant type is not supported".into(), "RFC 6749 §5.2")
            }
            Self::GrantTypeNotAllowed => (
                Code::UnauthorizedClient,
                400,
                "the client is not registered for this grant type".into(),
                "RFC 6749 §5.2",
            ),
            Self::ClientNotAllowed(why) => {
                (Code::UnauthorizedClient, 400, (*why).to_owned(), "RFC 7662 §2.1")
            }
            Self::InvalidGrant(_) => (
                Code::InvalidGrant,
                400,
                "the code or refresh token is not valid for this client and request".into(),
                "RFC 6749 §5.2",
            ),
            Self::InvalidScope(why) => (Code::InvalidScope, 400, (*why).to_owned(), "RFC 6749 §3.3"),
            Self::Target(why) => (Code::InvalidTarget, 400, why.to_string(), "RFC 8707 §2"),
            Self::TargetNotGranted => (
                Code::InvalidTarget,
                400,
                "resource is not one of those granted, or one has to be chosen".into(),
                "RFC 8707 §2.2",
            ),
            Self::Unavailable(_) => (
                Code::TemporarilyUnavailable,
                503,
                "the server cannot answer now; try again in a moment".into(),
                "RFC 6749 §4.1.2.1",
            ),
            Self::Internal(_) => (
                Code::ServerError,
                500,
                "the server met a condition it did not expect".into(),
                "RFC 6749 §4.1.2.1",
            ),
        };
        let retry_after = match self {
            Self::Unavailable(_) => Some(2),
            Self::Client(
                ClientAuthenticationError::Wait(seconds) | ClientAuthenticationError::Busy(seconds),
            ) => Some(*seconds),
            _ => None,
        };
        TokenVerdict { code, status, description, section, retry_after }
    }

    /// Why, for operators: more than the client may know.
    pub fn reason(&self) -> String {
        match self {
            Self::Client(why) => why.to_string(),
            Self::InvalidGrant(why) => (*why).to_owned(),
            Self::Unavailable(why) | Self::Internal(why) => why.clone(),
            other => other.verdict().description,
        }
    }
}

impl From<ClientAuthenticationError> for TokenError {
    fn from(why: ClientAuthenticationError) -> Self {
        match why {
            ClientAuthenticationError::Store(error) => error.into(),
            why => Self::Client(why),
        }
    }
}

impl From<StorageError> for TokenError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) | StorageError::Serialization | StorageError::OtherSchema => {
                Self::Unavailable(error.to_string())
            }
            StorageError::Conflict(_) | StorageError::Corrupt { .. } => Self::Internal(error.to_string()),
        }
    }
}

impl From<NoSigner> for TokenError {
    fn from(why: NoSigner) -> Self {
        Self::Unavailable(why.to_string())
    }
}
