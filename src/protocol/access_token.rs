//! The claims of an access token (RFC 9068 §2.2). Its `jti` begins with the grant it stands on, so that the server finds
//! the grant by primary key; a service's token has no grant.

use crate::protocol::identifiers::{ClientId, GrantId};
use serde::Serialize;

/// What an access token says.
#[derive(Debug, Serialize)]
pub struct AccessTokenClaims<'a> {
    /// This server.
    pub iss: &'a str,
    /// The person, or the client itself.
    pub sub: &'a str,
    /// The resource server, one string.
    pub aud: &'a str,
    /// Until when, in seconds.
    pub exp: i64,
    /// Since when, in seconds.
    pub iat: i64,
    /// Its own name.
    pub jti: &'a str,
    /// Whom it was given to.
    pub client_id: &'a str,
    /// What it allows.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub scope: &'a str,
    /// When the person signed in, in seconds (RFC 9068 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
}

/// The name of an access token: of a grant's, or a service's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// Stands on this grant.
    OfGrant(GrantId),
    /// Stands on nothing but its signature.
    OfService,
}

/// Makes a `jti` from fresh random text.
pub fn token_name(grant: Option<&GrantId>, random: &str) -> String {
    match grant {
        Some(grant) => format!("{grant}.{random}"),
        None => random.to_owned(),
    }
}

impl TokenName {
    /// Reads a `jti` of this server's own.
    pub fn parse(jti: &str) -> Option<Self> {
        match jti.split_once('.') {
            None if jti.is_empty() => None,
            None => Some(Self::OfService),
            Some((grant, _)) => GrantId::parse(grant).ok().map(Self::OfGrant),
        }
    }
}

/// Who a verified access token was given to.
pub fn client_of(claim: Option<&str>) -> Option<ClientId> {
    claim.and_then(|id| ClientId::parse(id).ok())
}
