//! The keys that clients' signatures verify with: those that their metadata brings are at hand, those at a `jwks_uri` are fetched
//! and kept for a while (OpenID Connect Core §10.1.1, RFC 7517 §5; threats 90, 91, 183).
//!
//! What was fetched is used for as long as its server says, between a minute and an hour, so that a key that was taken away is
//! refused within that time. A token that names a key which is not there is a reason to ask again, at most every ten seconds
//! for one address, whatever strangers send; many who ask at once are answered by one request. When the address does not
//! answer, what it said last counts until an hour after it was said. Which signatures are wanted is left to those who verify.

use crate::jose::expectation::Expectation;
use crate::jose::jwk::JwkSet;
use crate::jose::verification_keys::{KeySought, VerificationKeys};
use crate::jose::verify::{VerifiedToken, VerifyError, verify};
use crate::model::client::{Client, SignatureKeys};
use crate::model::clock::SharedClock;
use crate::outbound::{Expected, Outbound, OutboundUrl, Purpose};
use crate::protocol::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// What was fetched, of every address; one for a running server, whatever its configuration.
pub struct RemoteKeys {
    clock: SharedClock,
    shelf: Mutex<Shelf>,
}

/// Why a client's signature cannot be verified; its text is the operator's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// Its metadata has neither `jwks` nor `jwks_uri`.
    #[error("the client has no keys")]
    NotRegistered,
    /// The document could not be fetched or read, and what there was is too old.
    #[error("the keys at jwks_uri could not be had: {0}")]
    NotFetched(Arc<str>),
}

/// Why a client's signature does not count, for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// There is nothing to verify it with.
    #[error(transparent)]
    Keys(#[from] NoKeys),
    /// What is wrong with it.
    #[error("{0}")]
    Token(VerifyError),
}

impl From<VerifyError> for Unverified {
    fn from(why: VerifyError) -> Self {
        Self::Token(why)
    }
}

/// How long an answer is kept that does not say for how long.
const USUAL_LIFE: Duration = Duration::from_secs(300);
/// How long an answer is kept at least, and at most.
const LIFE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3600));
/// How long the last good answer counts when no newer one can be had.
const LAST_RESORT: Duration = Duration::from_secs(3600);
/// How long an address is left alone after it was asked.
const COOL_DOWN: Duration = Duration::from_secs(10);
/// How many addresses are remembered.
const ADDRESSES: usize = 1000;

const JWK_SET: Expected = Expected {
    purpose: Purpose::Keys,
    media_types: &["application/jwk-set+json", "application/json"],
    largest: 64 * 1024,
};

impl RemoteKeys {
    /// Nothing fetched yet.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, shelf: Mutex::default() }
    }

    /// Verifies what a client signed with a key that the token says so of. A signature that the key without a name did not make may
    /// be its successor's, which has none either: then the address is asked again, no sooner than for a new name.
    ///
    /// # Errors
    /// That there are no keys, or what is wrong with the token.
    pub async fn verify(
        &self,
        client: &Client,
        (token, sought): (&str, KeySought<'_>),
        expectation: &Expectation<'_>,
        outbound: &Outbound,
    ) -> Result<VerifiedToken, Unverified> {
        let keys = self.keys_of(client, sought, outbound).await?;
        match (verify(token, &keys, expectation), &client.keys) {
            (Err(VerifyError::Signature), SignatureKeys::At(url)) if keys.is_unnamed(sought) => {
                let newer =
                    self.keys_at(url, client, outbound, |place, now| place.newer_than(&keys, now)).await?;
                match Arc::ptr_eq(&newer, &keys) {
                    true => Err(VerifyError::Signature.into()),
                    false => Ok(verify(token, &newer, expectation)?),
                }
            }
            (outcome, _) => Ok(outcome?),
        }
    }

    /// The keys of a client, to verify a token with that says so of its key.
    async fn keys_of(
        &self,
        client: &Client,
        sought: KeySought<'_>,
        outbound: &Outbound,
    ) -> Result<Arc<VerificationKeys>, NoKeys> {
        match &client.keys {
            SignatureKeys::None => Err(NoKeys::NotRegistered),
            SignatureKeys::AtHand(keys) => Ok(keys.clone()),
            SignatureKeys::At(url) => {
                self.keys_at(url, client, outbound, |place, now| place.answer(sought, now)).await
            }
        }
    }

    /// The keys at an address: what is known there when `known` says that it will do, else what is said now.
    async fn keys_at(
        &self,
        url: &OutboundUrl,
        client: &Client,
        outbound: &Outbound,
        known: impl Fn(&Place, Timestamp) -> Option<Result<Arc<VerificationKeys>, NoKeys>>,
    ) -> Result<Arc<VerificationKeys>, NoKeys> {
        let place = lock(&self.shelf).place(url);
        if let Some(answer) = known(&place, self.clock.now()) {
            return answer;
        }
        let turn = place.turn.clone().lock_owned().await;
        // Who waited finds what the one before was told.
        if let Some(answer) = known(&place, self.clock.now()) {
            return answer;
        }
        let request =
            Request { url: url.clone(), outbound: outbound.on_behalf_of(client), clock: self.clock.clone() };
        // Those who wait would wait in vain if it ended with the one who hangs up.
        let fetching = tokio::spawn(request.fill(place.clone(), turn));
        if fetching.await.is_err() {
            tracing::error!(outbound.url = url.without_query(), "the keys were not fetched to the end");
        }
        lock(&place.known).at_hand(self.clock.now())
    }
}

/// The addresses, the longest unused of which makes room for a new one.
#[derive(Default)]
struct Shelf {
    places: HashMap<OutboundUrl, (u64, Arc<Place>)>,
    uses: u64,
}

impl Shelf {
    fn place(&mut self, url: &OutboundUrl) -> Arc<Place> {
        self.uses = self.uses.wrapping_add(1);
        if let Some((used, place)) = self.places.get_mut(url) {
            *used = self.uses;
            return place.clone();
        }
        if self.places.len() >= ADDRESSES {
            let longest_unused = self.places.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(url) = longest_unused.map(|(url, _)| url.clone()) {
                self.places.remove(&url);
            }
        }
        let place = Arc::new(Place::default());
        self.places.insert(url.clone(), (self.uses, place.clone()));
        place
    }
}

/// What is known of one address.
#[derive(Default)]
struct Place {
    known: Mutex<Known>,
    /// Held by the one request that is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Known {
    fetched: Option<Fetched>,
    /// When it was asked last, whatever it said.
    asked_at: Option<Timestamp>,
    /// Why it said nothing of use.
    failure: Option<Arc<str>>,
}

struct Fetched {
    keys: Arc<VerificationKeys>,
    at: Timestamp,
    life: Duration,
}

impl Place {
    /// What can be said without asking; `None` when it is time to ask.
    fn answer(&self, sought: KeySought<'_>, now: Timestamp) -> Option<Result<Arc<VerificationKeys>, NoKeys>> {
        let known = lock(&self.known);
        if let Some(fetched) = &known.fetched
            && between(fetched.at, now) < fetched.life
            && fetched.keys.may_hold(sought)
        {
            return Some(Ok(fetched.keys.clone()));
        }
        let may_ask = known.asked_at.is_none_or(|asked| between(asked, now) >= COOL_DOWN);
        if may_ask { None } else { Some(known.at_hand(now)) }
    }
}

impl Place {
    /// Keys that were said after `tried`, or `tried` while the address is left alone; `None` when it is time to ask.
    fn newer_than(
        &self,
        tried: &Arc<VerificationKeys>,
        now: Timestamp,
    ) -> Option<Result<Arc<VerificationKeys>, NoKeys>> {
        let known = lock(&self.known);
        let is_another = known.fetched.as_ref().is_some_and(|fetched| !Arc::ptr_eq(&fetched.keys, tried));
        let may_ask = known.asked_at.is_none_or(|asked| between(asked, now) >= COOL_DOWN);
        if may_ask && !is_another { None } else { Some(known.at_hand(now)) }
    }
}

impl Known {
    fn at_hand(&self, now: Timestamp) -> Result<Arc<VerificationKeys>, NoKeys> {
        match &self.fetched {
            Some(fetched) if between(fetched.at, now) < LAST_RESORT => Ok(fetched.keys.clone()),
            _ => Err(NoKeys::NotFetched(
                self.failure.clone().unwrap_or_else(|| "they were not asked for".into()),
            )),
        }
    }
}

/// One request, on its way.
struct Request {
    url: OutboundUrl,
    outbound: Outbound,
    clock: SharedClock,
}

impl Request {
    /// Asks, and notes what was said before the next one may ask.
    async fn fill(self, place: Arc<Place>, turn: OwnedMutexGuard<()>) {
        let fetched = self.fetch().await;
        let mut known = lock(&place.known);
        known.asked_at = Some(self.clock.now());
        match fetched {
            Ok(fetched) => (known.fetched, known.failure) = (Some(fetched), None),
            Err(why) => {
                tracing::warn!(
                    outbound.url = self.url.without_query(),
                    reason = why,
                    "a client's keys could not be had"
                );
                known.failure = Some(why.into());
            }
        }
        drop(known);
        drop(turn);
    }

    async fn fetch(&self) -> Result<Fetched, String> {
        let document = self.outbound.get(&self.url, JWK_SET).await.map_err(|why| why.to_string())?;
        let set = JwkSet::read(&document.bytes).map_err(|why| why.to_string())?;
        Ok(Fetched {
            keys: Arc::new(VerificationKeys::perhaps_unnamed(set.keys)),
            at: self.clock.now(),
            life: document.max_age.unwrap_or(USUAL_LIFE).clamp(LIFE.0, LIFE.1),
        })
    }
}

/// How far two moments lie apart: after a clock was set back nothing lives longer for it (threat 190).
fn between(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat 183: a number of addresses, whatever registers itself
    #[test]
    fn the_longest_unused_address_makes_room() {
        let url =
            |number: usize| OutboundUrl::parse(&format!("https://app{number}.example/jwks")).expect("valid");
        let mut shelf = Shelf::default();
        let first = shelf.place(&url(0));
        for number in 1..ADDRESSES {
            shelf.place(&url(number));
        }
        assert!(Arc::ptr_eq(&first, &shelf.place(&url(0))), "used again");
        shelf.place(&url(ADDRESSES));
        assert_eq!(shelf.places.len(), ADDRESSES);
        assert!(shelf.places.contains_key(&url(0)) && !shelf.places.contains_key(&url(1)));
    }
}
