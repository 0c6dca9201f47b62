//! The token endpoint's success (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

use serde::Serialize;

/// A successful answer; it holds tokens, so it has no `Debug`.
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `Bearer` (RFC 6750).
    pub token_type: &'static str,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// What it allows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The refresh token, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token, when `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}
