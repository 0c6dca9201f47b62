//! A browser in which a person is signed in.

use crate::protocol::identifiers::{SessionId, UserId};
use crate::protocol::timestamp::Timestamp;

/// A session. Its cookie's secret is kept as a digest only, and not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The `sid` of its ID tokens; stays while the same person signs in again.
    pub id: SessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// How they proved it, and when.
    pub authentication: Authentication,
    /// When they last chose this account on the selection page, or signed in.
    pub selected_at: Timestamp,
    /// When the browser was last seen, give or take [`STAMP_EVERY`].
    pub last_seen_at: Timestamp,
    /// When it ends by itself, used or not.
    pub absolute_until: Timestamp,
}

/// How often, in milliseconds, a visit is noted in the session's row.
pub const STAMP_EVERY: std::time::Duration = std::time::Duration::from_secs(300);

/// What a sign-in established (OpenID Connect Core §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// `auth_time`.
    pub at: Timestamp,
    /// `acr`.
    pub acr: String,
    /// `amr` (RFC 8176).
    pub amr: Vec<String>,
}

impl Authentication {
    /// A sign-in by password, at `at`.
    pub fn by_password(at: Timestamp) -> Self {
        Self { at, acr: ACR_PASSWORD.to_owned(), amr: vec!["pwd".to_owned()] }
    }
}

/// The authentication context class of a sign-in by password: a single factor.
pub const ACR_PASSWORD: &str = "urn:portreeve:acr:password";
