//! Slows guessing, and never locks a person out.
//!
//! Failures are counted per person and per address (threats 140, 142). From the sixth failure on, the next attempt has to wait 1, 2, 4 …
//! seconds after the last one, 30 at most for a person and 60 for an address; fifteen minutes without a failure forget them. An
//! attempt that has to wait is refused before any password is looked at. A device that this person has signed in on before has
//! a small budget of its own, so that strangers' failures never delay it (threat 141, invariant 33). Client secrets are counted
//! per client and address together, so that a guesser delays nobody elsewhere (threat 52).
//!
//! **Waiting is fair.** If only one attempt in all were let through after each wait, whoever polls fastest would always be the
//! one, and the person never. So each neighbourhood (`neighbourhood`) that asks for a person, or with a device's cookie, waits in a
//! line of its own, from when it first asked or last tried: who comes back when told is let through, whatever others do. A
//! guesser gains no more than an attempt in each wait from each neighbourhood they hold.
//!
//! A person has one counter, whatever name of theirs is typed (threat 142). So a wait told for one name that is told for another as
//! well shows that both are one person's; two counters would give a guesser twice the attempts, which is worse.
//!
//! **An attempt counts from [`Throttle::check`] on as if it had failed**, so that any number of parallel guesses gets no
//! further than the same number in turn (invariant 32). It ends in [`Throttle::failed`], which keeps the count; in
//! [`Throttle::succeeded`], which forgets the failures; or it is dropped (the queue was full, the store was away, the peer hung up
//! before it could learn anything), which takes it back. Addresses and clients are the exception: many people sign in at once
//! behind one address and a client runs many requests at once, so there attempts under way count only after the sixth failure.
//!
//! Counts live in memory, per replica, and in bounded number: the longest untouched goes first. Who is behind a name or an address
//! is left to the caller: pass the person's id once it is known, else `SignInName::throttle_key`; /32 or /64 of the address.

use crate::model::clock::SharedClock;
use crate::model::throttle_ledger::{Key, Ledger, Subject, lock};
use crate::protocol::timestamp::Timestamp;
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The counters of one replica.
#[derive(Clone)]
pub struct Throttle {
    clock: SharedClock,
    ledger: Arc<Mutex<Ledger>>,
}

/// Where someone tries to sign in from, as far as the person is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device<'a> {
    /// One on which **this** person has signed in before, by the id in its authenticated cookie.
    Known(&'a str),
    /// Any other.
    Unknown,
}

/// How long to wait before the next attempt; for `Retry-After` (RFC 9110 §10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whole seconds, at least one.
    pub seconds: u64,
}

impl Wait {
    fn of(duration: Duration) -> Option<Self> {
        let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
        (seconds > 0).then_some(Self { seconds })
    }
}

/// Leave to look at one password; it counts as a failure until it is settled.
#[must_use = "settle it with failed or succeeded; dropping it takes it back"]
pub struct Attempt {
    ledger: Arc<Mutex<Ledger>>,
    keys: Vec<Key>,
    /// Its place in line, and since when that had waited.
    place: Option<(Key, Option<Timestamp>)>,
}

impl Throttle {
    /// Counters for 100,000 persons, as many addresses and as many devices.
    pub fn new(clock: SharedClock) -> Self {
        Self::with_capacity(clock, CAPACITY)
    }

    /// Counters for `capacity` persons, as many addresses and as many devices.
    pub fn with_capacity(clock: SharedClock, capacity: usize) -> Self {
        Self { clock, ledger: Arc::new(Mutex::new(Ledger::new(capacity.max(1)))) }
    }

    /// Asks for leave to check a person's password.
    ///
    /// # Errors
    /// [`Wait`] when person or address (or, on a known device, that device) has to wait; nothing is counted then.
    pub fn check(&self, person_key: &str, address_key: &str, device: Device<'_>) -> Result<Attempt, Wait> {
        let (line, address) = match device {
            Device::Known(id) => (Key::new(Subject::Device, &[person_key, id]), None),
            Device::Unknown => {
                (Key::new(Subject::Person, &[person_key]), Some(Key::new(Subject::Address, &[address_key])))
            }
        };
        let place = line.place_of(&neighbourhood(address_key));
        self.admit([line].into_iter().chain(address).collect(), Some(place))
    }

    /// Asks for leave to check a client's secret that is slow to check (argon2); only failures of this client from this address count
    /// (threat 52). For a generated secret, which is quick to check and beyond guessing, see [`Throttle::client_failed`].
    ///
    /// # Errors
    /// [`Wait`] when this client has to wait at this address; nothing is counted then.
    pub fn check_client(&self, client_id: &str, address_key: &str) -> Result<Attempt, Wait> {
        self.admit(vec![Key::new(Subject::Client, &[client_id, address_key])], None)
    }

    /// Counts a wrong secret after the fact, and tells what `Retry-After` to answer with. Right ones need not ask: so the client that
    /// shares its address with a guesser is never refused, and its requests touch no lock (threat 52: throttle failures, not successes).
    pub fn client_failed(&self, client_id: &str, address_key: &str) -> Option<Wait> {
        let key = Key::new(Subject::Client, &[client_id, address_key]);
        let now = self.clock.now();
        let mut ledger = lock(&self.ledger);
        ledger.touch(key, now).fail(now);
        Wait::of(ledger.wait(key, now))
    }

    /// The password was wrong: the attempt stays counted. Tells how long the next one has to wait.
    pub fn failed(&self, mut attempt: Attempt) -> Option<Wait> {
        let keys = std::mem::take(&mut attempt.keys);
        let now = self.clock.now();
        let mut ledger = lock(&self.ledger);
        for key in &keys {
            let counter = ledger.touch(*key, now);
            counter.fail(now);
            counter.pending = counter.pending.saturating_sub(1);
        }
        let place = attempt.place.take().map(|(place, _)| place);
        if let Some(place) = place {
            ledger.stand_if_slowed(place, &keys, now);
        }
        Wait::of(ledger.longest_wait(&keys, place, now))
    }

    /// The password was right: the failures of the person (or of the device, or of the client at its address) are forgotten. Those of
    /// the address are too, but once per person: else a guesser could clear them with an account of their own between guesses (threat
    /// 140).
    pub fn succeeded(&self, mut attempt: Attempt) {
        let keys = std::mem::take(&mut attempt.keys);
        let mut ledger = lock(&self.ledger);
        if let Some((place, _)) = attempt.place.take() {
            ledger.leave(place, None);
        }
        let person = keys.first().copied();
        for key in &keys {
            ledger.take_back(*key, |counter| match (key.subject, person) {
                (Subject::Address, Some(person)) => counter.clear_for(person),
                _ => counter.failures = 0,
            });
        }
    }

    /// How many counters are kept, for the metrics.
    pub fn counters(&self) -> usize {
        lock(&self.ledger).shelves.iter().map(|shelf| shelf.counters.len()).sum()
    }

    fn admit(&self, keys: Vec<Key>, place: Option<Key>) -> Result<Attempt, Wait> {
        let now = self.clock.now();
        let mut ledger = lock(&self.ledger);
        if let Some(wait) = Wait::of(ledger.longest_wait(&keys, place, now)) {
            return Err(wait);
        }
        for key in &keys {
            ledger.reserve(*key, now);
        }
        let place = place.map(|place| (place, ledger.waiting_since(place, now)));
        if let Some((place, _)) = place {
            ledger.stand_if_slowed(place, &keys, now);
        }
        drop(ledger);
        Ok(Attempt { ledger: Arc::clone(&self.ledger), keys, place })
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut ledger = lock(&self.ledger);
        for key in &self.keys {
            ledger.take_back(*key, |_| ());
        }
        if let Some((place, since)) = self.place {
            ledger.leave(place, since);
        }
    }
}

/// Whom one line is for: an IPv4 address, or the /48 of an IPv6 network, of which one site holds all of the 65,536 /64.
fn neighbourhood(address_key: &str) -> Cow<'_, str> {
    let network = address_key.strip_suffix("/64").and_then(|address| address.parse::<Ipv6Addr>().ok());
    network.map_or(address_key.into(), |address| {
        let [a, b, c, ..] = address.segments();
        format!("{a:x}:{b:x}:{c:x}/48").into()
    })
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Attempt(…)")
    }
}

/// Keys kept of each kind.
const CAPACITY: usize = 100_000;

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
