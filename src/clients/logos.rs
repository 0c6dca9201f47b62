//! Clients' logos (`logo_uri`): fetched by this server, made anew, kept for a while and shown from here, so that no page loads
//! anything from a client (threats 21, 87, 90, 116, 152). Each is asked for once at a time, and one that cannot be had is not
//! asked for again at once.

use crate::clients::picture::{MEDIA_TYPES, as_png};
use crate::model::client::Client;
use crate::outbound::{Expected, Outbound, OutboundUrl, Purpose};
use crate::protocol::timestamp::Timestamp;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as TurnMutex, Semaphore};

/// The logos that this replica has.
pub struct Logos {
    shelf: Mutex<Shelf>,
    decoders: Arc<Semaphore>,
}

/// What is known of a client's logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoKnown {
    /// The client has none, or it cannot be had.
    Absent,
    /// It is here, or may be.
    Likely,
}

#[derive(Default)]
struct Shelf {
    places: HashMap<String, Arc<Place>>,
    order: VecDeque<String>,
}

/// One logo's place; whoever fetches it holds it.
#[derive(Default)]
struct Place(TurnMutex<Option<Kept>>);

struct Kept {
    png: Option<Bytes>,
    until: Timestamp,
}

const EXPECTED: Expected = Expected { purpose: Purpose::Logo, media_types: MEDIA_TYPES, largest: 256 * 1024 };
/// How many are kept.
const PLACES: usize = 128;
/// How many are decoded at once.
const DECODERS: usize = 2;
/// For how long one is kept that does not say.
const USUAL_LIFE: Duration = Duration::from_secs(86_400);
/// For how long one is kept at least.
const SHORTEST_LIFE: Duration = Duration::from_secs(3600);
/// After how long one that could not be had is asked for again.
const ASKED_AGAIN: Duration = Duration::from_secs(300);

impl Default for Logos {
    fn default() -> Self {
        Self { shelf: Mutex::default(), decoders: Arc::new(Semaphore::new(DECODERS)) }
    }
}

impl Logos {
    /// What is known of the client's logo; asks nobody.
    pub fn known(&self, client: &Client, now: Timestamp) -> LogoKnown {
        let Some(uri) = uri(client) else { return LogoKnown::Absent };
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = shelf.places.get(uri) else { return LogoKnown::Likely };
        let Ok(kept) = place.0.try_lock() else { return LogoKnown::Likely };
        match &*kept {
            Some(Kept { png: None, until }) if now < *until => LogoKnown::Absent,
            _ => LogoKnown::Likely,
        }
    }

    /// The client's logo as a PNG; fetched when it is not here. Nothing when it cannot be had.
    pub async fn png(&self, client: &Client, outbound: &Outbound, now: Timestamp) -> Option<Bytes> {
        let uri = uri(client)?;
        let place = self.place(uri);
        let mut kept = place.0.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            return kept.png.clone();
        }
        let (png, life) = match self.fetch(uri, &outbound.on_behalf_of(client)).await {
            Some((png, life)) => (Some(png), life),
            None => (None, ASKED_AGAIN),
        };
        *kept = Some(Kept { png: png.clone(), until: now.plus(life) });
        png
    }

    fn place(&self, uri: &str) -> Arc<Place> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = shelf.places.get(uri) {
            return place.clone();
        }
        if shelf.places.len() >= PLACES
            && let Some(oldest) = shelf.order.pop_front()
        {
            shelf.places.remove(&oldest);
        }
        let place = Arc::new(Place::default());
        shelf.places.insert(uri.to_owned(), place.clone());
        shelf.order.push_back(uri.to_owned());
        place
    }

    async fn fetch(&self, uri: &str, outbound: &Outbound) -> Option<(Bytes, Duration)> {
        let url = OutboundUrl::parse(uri).ok()?;
        let document = outbound.get(&url, EXPECTED).await.ok()?;
        let life = document.max_age.unwrap_or(USUAL_LIFE).clamp(SHORTEST_LIFE, USUAL_LIFE);
        let turn = self.decoders.clone().acquire_owned().await.ok()?;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            as_png(&document.bytes, document.media_type)
        });
        match made.await {
            Ok(Some(png)) => Some((Bytes::from(png), life)),
            _ => {
                tracing::warn!(
                    outbound.url = url.without_query(),
                    "a client's logo is no picture that can be shown"
                );
                None
            }
        }
    }
}

/// Where the logo is, without regard to language.
fn uri(client: &Client) -> Option<&str> {
    client.metadata.logo_uri.best(&[])
}
