//! Pushed authorization requests (RFC 9126): the client hands its request in before it sends the person, and gets a name for
//! it. The name may be used until it expires to begin a visit, by that client only, and becomes one code at most; a no spends nothing
//! (threats 77–84).

use crate::authorization::begin::{Grounds, begin};
use crate::authorization::error::AuthorizationError;
use crate::authorization::in_force::{Origin, Sources, in_force};
use crate::model::client::Client;
use crate::protocol::parameters::Parameters;
use crate::protocol::request_uri::PushedRequestUri;
use crate::protocol::timestamp::Timestamp;
use crate::storage::pushed_requests::{self, PushedRequest};
use std::sync::Arc;
use std::time::Duration;

/// For how long a visit with a pushed request may begin.
pub const LIFE: Duration = Duration::from_secs(90);

/// How long the parameters may be, in bytes as they are kept.
const LARGEST: usize = 16 * 1024;

/// What a request may be made of. Nothing else is kept, however lawful it is to send more (RFC 6749 §3.1): credentials are no
/// part of the request, and a store is no place for what nobody will read (threat 83).
const PARAMETERS: [&str; 22] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "resource",
    "prompt",
    "display",
    "max_age",
    "ui_locales",
    "claims_locales",
    "id_token_hint",
    "login_hint",
    "acr_values",
    "claims",
    "registration",
    "request",
    "dpop_jkt",
];

/// Judges a request as `/authorize` would, and keeps it.
pub async fn push(
    sources: &Sources<'_>,
    grounds: &Grounds<'_>,
    client: &Client,
    presented: &Parameters,
    fresh: [u8; 32],
) -> Result<PushedRequestUri, AuthorizationError> {
    if presented.get("request_uri").is_some() {
        return Err(AuthorizationError::RequestUriPushed);
    }
    if presented.get("client_id").is_some_and(|named| named != client.id.as_str()) {
        return Err(AuthorizationError::ClientMismatch);
    }
    let request = presented.only(&PARAMETERS).with("client_id", client.id.as_str());
    let request = in_force(&request, sources, grounds, grounds.now).await.map_err(|refusal| refusal.error)?;
    let origin = match request.origin {
        Origin::Signed => Origin::PushedAndSigned,
        _ => Origin::BeingPushed,
    };
    begin(&request.parameters, origin, grounds).map_err(|refusal| refusal.error)?;
    let parameters = request.parameters.only(&PARAMETERS);
    if parameters.encode().len() > LARGEST {
        return Err(AuthorizationError::PushedTooLarge);
    }
    let most = match client.is_anybodys() {
        true => pushed_requests::MOST_OF_A_PUBLIC_CLIENT,
        false => pushed_requests::MOST_OF_A_CONFIDENTIAL_CLIENT,
    };
    let uri = PushedRequestUri::from_random(fresh);
    let pushed = Arc::new(PushedRequest {
        id: uri.id(),
        client_id: client.id.clone(),
        parameters,
        created_at: grounds.now,
        expires_at: expiry(grounds.now),
    });
    let kept = sources
        .store
        .write_one(move |connection| {
            let pushed = pushed.clone();
            Box::pin(async move { pushed_requests::insert(connection, &pushed, most).await })
        })
        .await?;
    if kept { Ok(uri) } else { Err(AuthorizationError::TooManyPushed) }
}

fn expiry(now: Timestamp) -> Timestamp {
    now.plus(LIFE)
}
