//! Why an authorization request is refused: one enum, and one `verdict` to read beside RFC 6749 §4.1.2.1 and OpenID Connect
//! Core §3.1.2.6. A page until a redirect target exists, then a redirect.

use crate::protocol::authorization_request::MalformedRequest;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::ParameterError;
use crate::storage::error::StorageError;
use crate::tokens::audience::TargetError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationError {
    /// The parameters cannot be read.
    Unreadable(ParameterError),
    /// `client_id` is missing.
    ClientMissing,
    /// No such client.
    UnknownClient,
    /// `redirect_uri` is missing and cannot be guessed.
    RedirectUriMissing,
    /// `redirect_uri` is not one of the client's.
    RedirectUriMismatch,
    /// A parameter means nothing.
    Malformed(MalformedRequest),
    /// A request object that is not the client's, not for this server, or not one at all; the text is for operators.
    InvalidRequestObject(String),
    /// A `request_uri` that means nothing here.
    InvalidRequestUri(String),
    /// `request` and `request_uri` at once.
    RequestTwice,
    /// `request_uri` in a request that is being pushed.
    RequestUriPushed,
    /// `client_id` is another than the client that authenticated.
    ClientMismatch,
    /// The client is registered to push its requests.
    PushRequired,
    /// The client is registered to sign its requests.
    SignatureRequired,
    /// The pushed request is longer than any is kept.
    PushedTooLarge,
    /// Too many pushed requests of the client wait.
    TooManyPushed,
    /// One address pushes in the name of public clients again and again (threat 83).
    PushedTooOften,
    /// The client may not use the code flow.
    GrantTypeNotAllowed,
    /// PKCE is missing.
    ChallengeMissing,
    /// A scope that is undeclared, or not the client's.
    ScopeNotAllowed(String),
    /// There is no such resource, or no telling which.
    Target(TargetError),
    /// `prompt=none`, and nobody is signed in, or not recently enough.
    LoginRequired,
    /// `prompt=none`, and the person has to choose another password first.
    PasswordChangeRequired,
    /// `prompt=none`, and the person has to agree first.
    ConsentRequired,
    /// The authentication that the request calls essential is none that this server does.
    UnmetAuthenticationRequirements,
    /// `id_token_hint` is no ID token of this server for this client.
    MalformedHint(&'static str),
    /// The person is in none of the client's groups.
    NotInGroup,
    /// The person said no.
    Denied,
    /// The store does not answer.
    Unavailable(String),
    /// A row holds what none may, or no key signs.
    Internal(String),
}

/// What the client and the person read, and which section says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationVerdict {
    /// The code.
    pub code: ErrorCode,
    /// Plain ASCII without `"` and `\` (RFC 6749 §4.1.2.1).
    pub description: String,
    /// The section, for operators.
    pub section: &'static str,
    /// The status of the page, when there is no target.
    pub status: u16,
}

impl AuthorizationError {
    /// Code, description and section.
    pub fn verdict(&self) -> AuthorizationVerdict {
        use ErrorCode as Code;
        let (code, description, section): (Code, String, &'static str) = match self {
            Self::Unreadable(why) => (Code::InvalidRequest, why.to_string(), "RFC 6749 §3.1"),
            Self::ClientMissing => (Code::InvalidRequest, "client_id is missing".into(), "RFC 6749 §4.1.1"),
            Self::UnknownClient => {
                (Code::InvalidRequest, "there is no client of this client_id".into(), "RFC 6749 §4.1.2.1")
            }
            Self::RedirectUriMissing => (
                Code::InvalidRequest,
                "redirect_uri is missing; OpenID Connect and clients with several need it".into(),
                "OpenID Connect Core §3.1.2.1, RFC 6749 §3.1.2.3",
            ),
            Self::RedirectUriMismatch => (
                Code::InvalidRequest,
                "redirect_uri is not one that the client registered, byte for byte".into(),
                "RFC 9700 §4.1.3",
            ),
            Self::Malformed(why) => (why.code, why.description.clone(), why.section),
            Self::InvalidRequestObject(_) => (
                Code::InvalidRequestObject,
                "the request object is not a valid one of this client".into(),
                "RFC 9101 §6",
            ),
            Self::InvalidRequestUri(why) => {
                (Code::InvalidRequestUri, why.clone(), "RFC 9101 §6, RFC 9126 §4")
            }
            Self::RequestTwice => {
                (Code::InvalidRequest, "request and request_uri exclude each other".into(), "RFC 9101 §5")
            }
            Self::RequestUriPushed => {
                (Code::InvalidRequest, "a pushed request names no request_uri".into(), "RFC 9126 §2.1")
            }
            Self::ClientMismatch => (
                Code::InvalidRequest,
                "client_id is not the client that authenticated".into(),
                "RFC 9126 §2.1",
            ),
            Self::PushRequired => {
                (Code::InvalidRequest, "the client is registered to push its requests".into(), "RFC 9126 §6")
            }
            Self::SignatureRequired => (
                Code::InvalidRequest,
                "the client is registered to sign its requests".into(),
                "RFC 9101 §10.5",
            ),
            Self::PushedTooLarge => {
                (Code::InvalidRequest, "the pushed request is larger than 16 KiB".into(), "RFC 9126 §2.3")
            }
            Self::TooManyPushed => (
                Code::TemporarilyUnavailable,
                "too many pushed requests of the client wait; use them or let them expire".into(),
                "RFC 9126 §2.3",
            ),
            Self::PushedTooOften => (
                Code::TemporarilyUnavailable,
                "too many requests of public clients are pushed from this address; try again shortly".into(),
                "RFC 9126 §2.3",
            ),
            Self::GrantTypeNotAllowed => (
                Code::UnauthorizedClient,
                "the client is not registered for grant type authorization_code".into(),
                "RFC 6749 §4.1.2.1",
            ),
            Self::ChallengeMissing => (
                Code::InvalidRequest,
                "code_challenge is missing; PKCE with S256 is required".into(),
                "RFC 7636 §4.4.1, RFC 9700 §2.1.1",
            ),
            Self::ScopeNotAllowed(scope) => (
                Code::InvalidScope,
                format!("the scope {scope} is not declared, or the client is not registered for it"),
                "RFC 6749 §3.3",
            ),
            Self::Target(why) => (Code::InvalidTarget, why.to_string(), "RFC 8707 §2"),
            Self::LoginRequired => {
                (Code::LoginRequired, "the person has to sign in".into(), "OpenID Connect Core §3.1.2.6")
            }
            Self::PasswordChangeRequired => (
                Code::InteractionRequired,
                "the person has to choose another password first".into(),
                "OpenID Connect Core §3.1.2.6",
            ),
            Self::ConsentRequired => {
                (Code::ConsentRequired, "the person has to agree".into(), "OpenID Connect Core §3.1.2.6")
            }
            Self::UnmetAuthenticationRequirements => (
                Code::UnmetAuthenticationRequirements,
                "none of the essential acr values can be reached".into(),
                "OpenID Connect Core §5.5.1.1",
            ),
            Self::MalformedHint(why) => (Code::InvalidRequest, (*why).into(), "OpenID Connect Core §3.1.2.1"),
            Self::NotInGroup => {
                (Code::AccessDenied, "the person may not use this client".into(), "RFC 6749 §4.1.2.1")
            }
            Self::Denied => (Code::AccessDenied, "the person said no".into(), "RFC 6749 §4.1.2.1"),
            Self::Unavailable(_) => (
                Code::TemporarilyUnavailable,
                "the server cannot answer now; try again in a moment".into(),
                "RFC 6749 §4.1.2.1",
            ),
            Self::Internal(_) => (
                Code::ServerError,
                "the server met a condition it did not expect".into(),
                "RFC 6749 §4.1.2.1",
            ),
        };
        let status = match self {
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
            Self::TooManyPushed | Self::PushedTooOften => 429,
            Self::PushedTooLarge => 413,
            _ => 400,
        };
        AuthorizationVerdict { code, description: ascii(&description), section, status }
    }

    /// Why, for operators: more than the client may know.
    pub fn reason(&self) -> String {
        match self {
            Self::Unavailable(why) | Self::Internal(why) | Self::InvalidRequestObject(why) => why.clone(),
            other => other.verdict().description,
        }
    }
}

/// A description as RFC 6749 §4.1.2.1 lets it be: %x20-21 / %x23-5B / %x5D-7E.
fn ascii(text: &str) -> String {
    text.replace('§', "section ")
        .chars()
        .filter(|c| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e'))
        .collect()
}

impl From<MalformedRequest> for AuthorizationError {
    fn from(why: MalformedRequest) -> Self {
        Self::Malformed(why)
    }
}

impl From<StorageError> for AuthorizationError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) | StorageError::Serialization | StorageError::OtherSchema => {
                Self::Unavailable(error.to_string())
            }
            StorageError::Conflict(_) | StorageError::Corrupt { .. } => Self::Internal(error.to_string()),
        }
    }
}
