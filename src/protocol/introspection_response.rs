//! The introspection endpoint's answer (RFC 7662 §2.2): everything, or that the token is not active and no more.

use serde::Serialize;

/// What a caller learns about a token.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum IntrospectionResponse {
    /// It counts.
    Active(Box<ActiveToken>),
    /// It does not, or is none of the caller's business: nothing tells which.
    Inactive {
        /// Always false.
        active: bool,
    },
}

impl IntrospectionResponse {
    /// The answer that says nothing.
    pub const INACTIVE: Self = Self::Inactive { active: false };
}

/// A token that counts.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct ActiveToken {
    /// Always true.
    pub active: bool,
    /// What it allows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Whom it was given to.
    pub client_id: String,
    /// The person's name, when there is a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer`; absent for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// Until when, in seconds.
    pub exp: i64,
    /// Since when, in seconds.
    pub iat: i64,
    /// The person, or the client itself.
    pub sub: String,
    /// The resource server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// This server.
    pub iss: String,
    /// The token's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// When the person signed in, in seconds (RFC 9470 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}
