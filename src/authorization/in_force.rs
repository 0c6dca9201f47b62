//! Which parameters are the request: those of the URL, those of a request object, or those that were pushed. With the last
//! two nothing beside them counts but the client's name (RFC 9101 §6.3, RFC 9126 §4, threat 80).

use crate::authorization::begin::{Grounds, Refusal};
use crate::authorization::error::AuthorizationError;
use crate::authorization::marker::MARKER;
use crate::authorization::request_object;
use crate::authorization::target::RedirectTarget;
use crate::clients::registry::Registry;
use crate::clients::remote_keys::RemoteKeys;
use crate::model::client::Client;
use crate::outbound::Outbound;
use crate::protocol::parameters::Parameters;
use crate::protocol::request_uri::{PushedRequestId, PushedRequestUri};
use crate::protocol::timestamp::Timestamp;
use crate::storage::{Store, pushed_requests};
use std::sync::Arc;

/// Where requests are found that do not stand in the URL.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Where pushed requests are kept.
    pub store: &'a Store,
    /// What fetches request objects.
    pub outbound: &'a Outbound,
    /// What they verify with.
    pub remote_keys: &'a RemoteKeys,
}

/// How a request came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the URL, as anybody can write it.
    Plain,
    /// Signed by its client.
    Signed,
    /// It is being pushed, unsigned.
    BeingPushed,
    /// It is being pushed, signed.
    PushedAndSigned,
    /// It was pushed: judged then, and a code spends it.
    Pushed(PushedRequestId),
}

/// A request and the form in which it travels.
#[derive(Clone, Debug)]
pub struct InForce {
    /// What it says.
    pub parameters: Parameters,
    /// What stands for it in URLs, the marker included.
    pub travelling: Parameters,
    /// How it came here.
    pub origin: Origin,
}

/// Finds the request that `presented` stands for, as of `moment`: when the visit began, so that nothing expires while a
/// person types.
pub async fn in_force(
    presented: &Parameters,
    sources: &Sources<'_>,
    grounds: &Grounds<'_>,
    moment: Timestamp,
) -> Result<InForce, Refusal> {
    match (presented.get("request"), presented.get("request_uri")) {
        (None, None) => Ok(InForce {
            parameters: presented.without(MARKER),
            travelling: presented.clone(),
            origin: Origin::Plain,
        }),
        (Some(_), Some(_)) => Err(Refusal::on_a_page(AuthorizationError::RequestTwice)),
        (Some(object), None) => signed(presented, object.to_owned(), sources, grounds, moment).await,
        (None, Some(uri)) if PushedRequestUri::names_one(uri) => {
            pushed(presented, uri, sources, grounds.registry, moment).await
        }
        (None, Some(uri)) => {
            let client = client(presented, grounds.registry)?;
            let object = request_object::fetch(uri, &client, sources.outbound).await;
            let object = object.map_err(|error| told(presented, &client, error))?;
            signed(presented, object, sources, grounds, moment).await
        }
    }
}

async fn signed(
    presented: &Parameters,
    object: String,
    sources: &Sources<'_>,
    grounds: &Grounds<'_>,
    moment: Timestamp,
) -> Result<InForce, Refusal> {
    let client = client(presented, grounds.registry)?;
    let read = request_object::read(&object, &client, sources, grounds.config, moment).await;
    let parameters = read.map_err(|error| told(presented, &client, error))?;
    let travelling = short(&client).with("request", object);
    Ok(InForce { parameters, travelling: marked_last(presented, travelling), origin: Origin::Signed })
}

async fn pushed(
    presented: &Parameters,
    uri: &str,
    sources: &Sources<'_>,
    registry: &Registry,
    moment: Timestamp,
) -> Result<InForce, Refusal> {
    let client = client(presented, registry)?;
    let refuse = |error| Refusal { error, target: None, client: Some(client.clone()) };
    // unknown, expired, foreign and spent are one and the same to whoever asks
    let unknown =
        || AuthorizationError::InvalidRequestUri("request_uri is unknown, expired or spent".to_owned());
    let id = PushedRequestUri::parse(uri).ok_or_else(|| refuse(unknown()))?.id();
    let wanted = id.clone();
    let found = sources
        .store
        .read(move |connection| {
            let wanted = wanted.clone();
            Box::pin(async move { pushed_requests::find(connection, &wanted).await })
        })
        .await
        .map_err(|error| refuse(error.into()))?;
    match found {
        Some(request) if request.client_id == client.id && moment < request.expires_at => {
            let travelling = short(&client).with("request_uri", uri);
            Ok(InForce {
                parameters: request.parameters,
                travelling: marked_last(presented, travelling),
                origin: Origin::Pushed(id),
            })
        }
        _ => Err(refuse(unknown())),
    }
}

fn client(presented: &Parameters, registry: &Registry) -> Result<Arc<Client>, Refusal> {
    let id = presented.get("client_id");
    let id = id.ok_or_else(|| Refusal::on_a_page(AuthorizationError::ClientMissing))?;
    let client = registry.find_named(id).cloned();
    client.ok_or_else(|| Refusal::on_a_page(AuthorizationError::UnknownClient))
}

/// Nothing but the client's name.
fn short(client: &Client) -> Parameters {
    Parameters::default().with("client_id", client.id.as_str())
}

/// The parameters that travel, with the marker that came with them.
fn marked_last(presented: &Parameters, travelling: Parameters) -> Parameters {
    match presented.get(MARKER) {
        Some(marker) => travelling.with(MARKER, marker),
        None => travelling,
    }
}

/// A refusal of an object that nobody could read: told to the client where the URL beside it names a redirect URI that is
/// registered, on a page otherwise.
fn told(presented: &Parameters, client: &Arc<Client>, error: AuthorizationError) -> Refusal {
    let named = presented.get("redirect_uri").is_some();
    let target = named.then(|| RedirectTarget::of(client, presented).ok()).flatten();
    Refusal { error, target, client: Some(client.clone()) }
}
