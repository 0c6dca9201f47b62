//! Why a protected resource is refused: one enum, and one `verdict` to read beside RFC 6750 §3.1.

use crate::protocol::error_code::ErrorCode;
use crate::storage::error::StorageError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BearerError {
    /// No token at all.
    Missing,
    /// More than one, or one where none belongs.
    Malformed(&'static str),
    /// A body that was not read, with its status.
    Body(u16, &'static str),
    /// Unknown, expired, revoked: nothing tells which.
    InvalidToken,
    /// The token does not reach this far.
    InsufficientScope(&'static str),
    /// The store does not answer.
    Unavailable,
}

impl BearerError {
    /// Status, code (none when there was no token, RFC 6750 §3.1) and description.
    pub const fn verdict(&self) -> (u16, Option<ErrorCode>, &'static str) {
        match self {
            Self::Missing => (401, None, "an access token is needed"),
            Self::Malformed(why) => (400, Some(ErrorCode::InvalidRequest), why),
            Self::Body(status, why) => (*status, Some(ErrorCode::InvalidRequest), why),
            Self::InvalidToken => (401, Some(ErrorCode::InvalidToken), "the access token is not valid"),
            Self::InsufficientScope(why) => (403, Some(ErrorCode::InsufficientScope), why),
            Self::Unavailable => {
                (503, Some(ErrorCode::TemporarilyUnavailable), "the server cannot answer now")
            }
        }
    }
}

impl From<StorageError> for BearerError {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = %error, "a token could not be held against its grant");
        Self::Unavailable
    }
}
