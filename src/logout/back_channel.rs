//! Back-Channel Logout: makes the logout token of a message of the outbox, at the moment it is sent, and hands it to the app
//! (§2.4, §2.5). The message names facts; the `jti` is its name, so that an app that was told twice can tell (§2.6). When to
//! try, and when to stop, is decided by the task that delivers.

use crate::clients::registry::Registry;
use crate::jose::jwt_type::JwtType;
use crate::model::client::Client;
use crate::model::outbox::Message;
use crate::outbound::{Outbound, OutboundUrl, Purpose};
use crate::protocol::identifiers::{ClientId, SessionId, UserId};
use crate::protocol::logout_token::{Events, LOGOUT_TOKEN_LIFE, LogoutTokenClaims};
use crate::tokens::issue::Issuer;
use serde_json::Value;
use std::sync::Arc;

/// To whom a message goes, and where.
#[derive(Clone, Debug)]
pub struct Addressee {
    /// The client.
    pub client: Arc<Client>,
    /// Its `backchannel_logout_uri`.
    pub url: OutboundUrl,
}

/// Why a message cannot be addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaddressed {
    /// The client wants no logout tokens: nobody waits for this one.
    #[error("the client has no backchannel_logout_uri")]
    NotWanted,
    /// The client is not there (any more, or yet): a configuration may bring it back.
    #[error("there is no client of this name")]
    NoClient,
    /// Its URI is none that may be asked.
    #[error("the backchannel_logout_uri cannot be asked")]
    NoAddress,
}

/// Finds whom a message is for.
pub fn addressee(message: &Message, registry: &Registry) -> Result<Addressee, Unaddressed> {
    let id = ClientId::parse(&message.recipient).map_err(|_| Unaddressed::NoClient)?;
    let client = registry.find(&id).ok_or(Unaddressed::NoClient)?.clone();
    let uri = client.metadata.backchannel_logout_uri.as_deref().ok_or(Unaddressed::NotWanted)?;
    let url = OutboundUrl::parse(uri).map_err(|_| Unaddressed::NoAddress)?;
    Ok(Addressee { client, url })
}

/// Why a token was not taken, for operators; holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// No token could be made.
    #[error("no key signs with the client's id_token_signed_response_alg")]
    NoSigner,
    /// The message lacks a fact.
    #[error("the message says not whose session it was")]
    NoFacts,
    /// The app did not answer.
    #[error("{0}")]
    Unreached(String),
    /// The app answered, and not with 2xx (§2.8).
    #[error("the app answered with status {0}")]
    Refused(u16),
}

/// The logout token of a message (§2.4), as it is sent now.
pub fn logout_token(message: &Message, client: &Client, issuer: &Issuer<'_>) -> Result<String, Undelivered> {
    let Issuer { config, ring, subjects, now, .. } = *issuer;
    let fact = |name: &str| message.facts.get(name).and_then(Value::as_str).ok_or(Undelivered::NoFacts);
    let signer = ring.signer(client.metadata.id_token_signed_response_alg).ok_or(Undelivered::NoSigner)?;
    let user = UserId::parse(fact("sub")?).map_err(|_| Undelivered::NoFacts)?;
    let session = SessionId::parse(fact("sid")?).map_err(|_| Undelivered::NoFacts)?;
    let claims = LogoutTokenClaims {
        iss: config.issuer.as_str(),
        sub: &subjects.subject(client, &user),
        aud: client.id.as_str(),
        iat: now.seconds(),
        exp: now.plus(LOGOUT_TOKEN_LIFE).seconds(),
        jti: message.id.as_str(),
        sid: &subjects.session(client, &session),
        events: Events::default(),
    };
    signer.sign(JwtType::LogoutToken, &claims).map_err(|_| Undelivered::NoSigner)
}

/// Hands a token over: one POST with nothing else in it (§2.5).
pub async fn deliver(outbound: &Outbound, url: &OutboundUrl, token: &str) -> Result<(), Undelivered> {
    let status = outbound.post_form(Purpose::BackChannelLogout, url, &[("logout_token", token)]).await;
    let status = status.map_err(|why| Undelivered::Unreached(why.to_string()))?;
    if status.is_success() { Ok(()) } else { Err(Undelivered::Refused(status.as_u16())) }
}
