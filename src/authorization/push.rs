//! Pushed authorization requests (RFC 9126): the client hands its request in before it sends the person, and gets a name for
//! it. The name may be used until it expires to begin a visit, by that client only, and becomes one code at most
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

/// What proves who the client is, and is no part of the request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

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
    let request = CREDENTIALS.iter().fold(presented.clone(), |request, name| request.without(name));
    let request = request.with("client_id", client.id.as_str());
    let request = in_force(&request, sources, grounds, grounds.now).await.map_err(|refusal| refusal.error)?;
    let origin = match request.origin {
        Origin::Signed => Origin::PushedAndSigned,
        _ => Origin::BeingPushed,
    };
    begin(&request.parameters, origin, grounds).map_err(|refusal| refusal.error)?;
    let uri = PushedRequestUri::from_random(fresh);
    let pushed = Arc::new(PushedRequest {
        id: uri.id(),
        client_id: client.id.clone(),
        parameters: request.parameters,
        created_at: grounds.now,
        expires_at: expiry(grounds.now),
    });
    let kept = sources
        .store
        .write_one(move |connection| {
            let pushed = pushed.clone();
            Box::pin(async move { pushed_requests::insert(connection, &pushed).await })
        })
        .await?;
    if kept { Ok(uri) } else { Err(AuthorizationError::TooManyPushed) }
}

fn expiry(now: Timestamp) -> Timestamp {
    now.plus(LIFE)
}
