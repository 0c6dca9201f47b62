//! An ID token that comes back as a hint of whom a request means (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): one of
//! this server's own, expired or not.

use crate::config::Config;
use crate::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use crate::jose::jwt_type::JwtType;
use crate::jose::verify::{VerifyError, verify};
use crate::keys::key_ring::KeyRing;
use crate::protocol::timestamp::Timestamp;
use crate::protocol::verification_algorithm::VerificationAlgorithm;

/// What a hint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The person, as the client knows them.
    pub sub: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The session.
    pub sid: Option<String>,
}

/// Reads a hint. One that was signed by a key that is no longer known is a hint of nobody; anything else that is not an ID
/// token of this server's own is a mistake, and the text says which (threats 65–71, 74, 172).
pub fn read(
    hint: &str,
    config: &Config,
    ring: &KeyRing,
    now: Timestamp,
) -> Result<Option<IdTokenHint>, &'static str> {
    let expectation = Expectation {
        typ: ExpectedType::Only(JwtType::Jwt),
        issuer: Some(config.issuer.as_str()),
        audience: Audience::Any,
        algorithms: &VerificationAlgorithm::OWN,
        now_seconds: now.seconds(),
        leeway_seconds: 60,
        expiry: Expiry::Ignored,
        maximum_age_seconds: None,
    };
    let verified = match verify(hint, ring.hints(), &expectation) {
        Ok(verified) => verified,
        Err(VerifyError::UnknownKey) => return Ok(None),
        Err(_) => return Err("id_token_hint is not an ID token of this server"),
    };
    let text = |name| verified.text(name).map(str::to_owned);
    // an ID token has one client as its audience, and says when the person signed in; what else is signed here does not
    match (text("sub"), text("aud"), verified.seconds("auth_time")) {
        (Some(sub), Some(client_id), Some(_)) => Ok(Some(IdTokenHint { sub, client_id, sid: text("sid") })),
        _ => Err("id_token_hint is not an ID token of this server"),
    }
}
