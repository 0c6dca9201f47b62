//! Why a logout request is refused: one enum, and one `verdict` to read beside RP-Initiated Logout §4. Every refusal is a
//! page, never a redirect: where a wrong request wants people to go is nowhere to send them (threats 12, 176).

use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::ParameterError;
use crate::storage::error::StorageError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutError {
    /// The parameters cannot be read.
    Unreadable(ParameterError),
    /// The request does not fit into a URL.
    TooLong,
    /// `id_token_hint` is nothing that this server signed; why, for operators.
    HintInvalid(&'static str),
    /// `client_id` is not whom `id_token_hint` was issued to.
    ClientMismatch,
    /// No such client.
    UnknownClient,
    /// `post_logout_redirect_uri` without anything that says whose it is.
    RedirectUriOfNobody,
    /// `post_logout_redirect_uri` is not one of the client's.
    RedirectUriMismatch,
    /// The form is not one that this browser was shown.
    FormForeign,
    /// The store does not answer.
    Unavailable(String),
    /// A row holds what none may.
    Internal(String),
}

/// What the person reads, and which section says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutVerdict {
    /// The code.
    pub code: ErrorCode,
    /// The status of the page.
    pub status: u16,
    /// What is wrong, in words.
    pub description: String,
    /// The section, for operators.
    pub section: &'static str,
}

impl LogoutError {
    /// Code, status, words and section.
    pub fn verdict(&self) -> LogoutVerdict {
        use ErrorCode as Code;
        let (code, status, description, section): (Code, u16, String, &'static str) = match self {
            Self::Unreadable(why) => (Code::InvalidRequest, 400, why.to_string(), "RP-Initiated Logout §2"),
            Self::TooLong => (
                Code::InvalidRequest,
                414,
                "the logout request is too long for a URL".into(),
                "RFC 9110 §15.5.15",
            ),
            Self::HintInvalid(_) => (
                Code::InvalidRequest,
                400,
                "id_token_hint is not an ID token that this server issued".into(),
                "RP-Initiated Logout §4",
            ),
            Self::ClientMismatch => (
                Code::InvalidRequest,
                400,
                "client_id is not the client that id_token_hint was issued to".into(),
                "RP-Initiated Logout §2",
            ),
            Self::UnknownClient => (
                Code::InvalidRequest,
                400,
                "there is no client of this client_id".into(),
                "RP-Initiated Logout §4",
            ),
            Self::RedirectUriOfNobody => (
                Code::InvalidRequest,
                400,
                "post_logout_redirect_uri needs an id_token_hint or a client_id that says whose it is".into(),
                "RP-Initiated Logout §3",
            ),
            Self::RedirectUriMismatch => (
                Code::InvalidRequest,
                400,
                "post_logout_redirect_uri is not one that the client registered, byte for byte".into(),
                "RP-Initiated Logout §3",
            ),
            Self::FormForeign => (
                Code::InvalidRequest,
                403,
                "the form is not the one that this browser was shown".into(),
                "RP-Initiated Logout §6",
            ),
            Self::Unavailable(_) => (
                Code::TemporarilyUnavailable,
                503,
                "the server cannot answer now; try again in a moment".into(),
                "RFC 9110 §15.6.4",
            ),
            Self::Internal(_) => (
                Code::ServerError,
                500,
                "the server met a condition it did not expect".into(),
                "RFC 9110 §15.6.1",
            ),
        };
        LogoutVerdict { code, status, description, section }
    }

    /// Why, for operators: more than the person reads.
    pub fn reason(&self) -> String {
        match self {
            Self::HintInvalid(why) => (*why).to_owned(),
            Self::Unavailable(why) | Self::Internal(why) => why.clone(),
            other => other.verdict().description,
        }
    }
}

impl From<StorageError> for LogoutError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) | StorageError::Serialization | StorageError::OtherSchema => {
                Self::Unavailable(error.to_string())
            }
            StorageError::Conflict(_) | StorageError::Corrupt { .. } => Self::Internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_in_words_what_is_wrong_and_nothing_of_the_inside() {
        let inside = "relation grants does not exist";
        for error in [
            LogoutError::Unreadable(ParameterError::Nul),
            LogoutError::TooLong,
            LogoutError::HintInvalid(inside),
            LogoutError::ClientMismatch,
            LogoutError::UnknownClient,
            LogoutError::RedirectUriOfNobody,
            LogoutError::RedirectUriMismatch,
            LogoutError::FormForeign,
            LogoutError::Unavailable(inside.to_owned()),
            LogoutError::Internal(inside.to_owned()),
        ] {
            let verdict = error.verdict();
            assert!(
                verdict.description.split(' ').count() > 4 && !verdict.description.contains(inside),
                "{error:?}"
            );
            assert!((400..=503).contains(&verdict.status) && verdict.section.contains('§'), "{error:?}");
            assert!(error.reason() == inside || error.reason() == verdict.description);
        }
    }
}
