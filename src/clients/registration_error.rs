//! Why a registration, or its management, is refused: one enum, and one `verdict` to read beside RFC 7591 §3.2.2, RFC 7592
//! §2 and RFC 6750 §3.1. Of registration access tokens, a wrong one and one of an unknown client are alike.

use crate::protocol::error_code::ErrorCode;
use crate::storage::error::StorageError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationError {
    /// The body is too large, too slow, of another type or no JSON object; the status says which.
    Body(u16, &'static str),
    /// The Authorization header holds something else than one Bearer token.
    MalformedToken,
    /// Nobody says who they are.
    TokenMissing,
    /// The initial access token, or the registration access token, does not count.
    InvalidToken,
    /// An operator has taken the client over into the configuration.
    Shadowed,
    /// A redirect URI that no client may have.
    RedirectUri(String),
    /// Metadata that means nothing, or that the policy does not allow.
    Metadata(String),
    /// A software statement that is none.
    SoftwareStatementMalformed,
    /// A software statement of somebody whom this server does not know.
    SoftwareStatementUnapproved,
    /// Too many registrations from one address; seconds until it is worth trying again.
    TooMany(u64),
    /// As many clients as there may be.
    Full,
    /// Somebody else changed the registration at the same time.
    Changed,
    /// The store does not answer.
    Unavailable(String),
    /// A row holds what none may.
    Internal(String),
}

/// What the caller reads, and which section says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationVerdict {
    /// The status.
    pub status: u16,
    /// The code; none where RFC 6750 §3.1 wants none.
    pub code: Option<ErrorCode>,
    /// In plain words.
    pub description: String,
    /// The section, for operators.
    pub section: &'static str,
    /// Seconds until it is worth trying again.
    pub retry_after: Option<u64>,
}

impl RegistrationError {
    /// Status, code, description and section.
    pub fn verdict(&self) -> RegistrationVerdict {
        use ErrorCode as Code;
        let (status, code, description, section): (u16, Option<Code>, String, &'static str) = match self {
            Self::Body(status, why) => {
                (*status, Some(Code::InvalidClientMetadata), (*why).into(), "RFC 7591 §3.1")
            }
            Self::MalformedToken => (
                400,
                Some(Code::InvalidRequest),
                "the Authorization header does not hold one Bearer token".into(),
                "RFC 6750 §2.1",
            ),
            Self::TokenMissing => (401, None, "a token is needed".into(), "RFC 6750 §3"),
            Self::InvalidToken => {
                (401, Some(Code::InvalidToken), "the token is not valid".into(), "RFC 7592 §2")
            }
            Self::Shadowed => (
                403,
                Some(Code::AccessDenied),
                "an operator of this server looks after the client now".into(),
                "RFC 7592 §2",
            ),
            Self::RedirectUri(why) => {
                (400, Some(Code::InvalidRedirectUri), why.clone(), "RFC 7591 §3.2.2, RFC 9700 §4.1.3")
            }
            Self::Metadata(why) => (400, Some(Code::InvalidClientMetadata), why.clone(), "RFC 7591 §3.2.2"),
            Self::SoftwareStatementMalformed => (
                400,
                Some(Code::InvalidSoftwareStatement),
                "software_statement is not a JSON Web Token".into(),
                "RFC 7591 §2.3",
            ),
            Self::SoftwareStatementUnapproved => (
                400,
                Some(Code::UnapprovedSoftwareStatement),
                "this server takes no software statements; leave it out".into(),
                "RFC 7591 §2.3",
            ),
            Self::TooMany(_) => (
                429,
                Some(Code::TemporarilyUnavailable),
                "too many registrations came from this address; try again later".into(),
                "RFC 7591 §5",
            ),
            Self::Full => (
                503,
                Some(Code::TemporarilyUnavailable),
                "there is no room for more registered clients".into(),
                "RFC 7591 §5",
            ),
            Self::Changed => (
                503,
                Some(Code::TemporarilyUnavailable),
                "the registration was changed at the same time; try again".into(),
                "RFC 7592 §2.2",
            ),
            Self::Unavailable(_) => (
                503,
                Some(Code::TemporarilyUnavailable),
                "the server cannot answer now; try again in a moment".into(),
                "RFC 9110 §15.6.4",
            ),
            Self::Internal(_) => (
                500,
                Some(Code::ServerError),
                "the server met a condition it did not expect".into(),
                "RFC 9110 §15.6.1",
            ),
        };
        let retry_after = match self {
            Self::TooMany(seconds) => Some(*seconds),
            Self::Full => Some(3600),
            Self::Changed | Self::Unavailable(_) => Some(2),
            _ => None,
        };
        RegistrationVerdict { status, code, description, section, retry_after }
    }

    /// Why, for operators: more than the caller may know.
    pub fn reason(&self) -> String {
        match self {
            Self::Unavailable(why) | Self::Internal(why) => why.clone(),
            other => other.verdict().description,
        }
    }
}

impl From<StorageError> for RegistrationError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(_) | StorageError::Corrupt { .. } => Self::Internal(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
