//! Slows guessing, and never locks a person out.
//!
//! Failures are counted per person and per address (threats 140, 142). From the sixth failure on, the next attempt has to wait 1, 2, 4 …
//! seconds after the last one, 30 at most for a person and 60 for an address; fifteen minutes without a failure forget them. An
//! attempt that has to wait is refused before any password is looked at. A device that this person has signed in on before has
//! a small budget of its own, so that strangers' failures never delay it (threat 141, invariant 33). Client secrets are counted
//! per client and address together, so that a guesser delays nobody elsewhere (threat 52).
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
use crate::protocol::timestamp::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
        let person = Key::new(Subject::Person, &[person_key]);
        self.admit(match device {
            Device::Known(id) => vec![Key::new(Subject::Device, &[person_key, id])],
            Device::Unknown => vec![person, Key::new(Subject::Address, &[address_key])],
        })
    }

    /// Asks for leave to check a client's secret that is slow to check (argon2); only failures of this client from this address count
    /// (threat 52). For a generated secret, which is quick to check and beyond guessing, see [`Throttle::client_failed`].
    ///
    /// # Errors
    /// [`Wait`] when this client has to wait at this address; nothing is counted then.
    pub fn check_client(&self, client_id: &str, address_key: &str) -> Result<Attempt, Wait> {
        self.admit(vec![Key::new(Subject::Client, &[client_id, address_key])])
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
        Wait::of(ledger.longest_wait(&keys, now))
    }

    /// The password was right: the failures of the person (or of the device, or of the client at its address) are forgotten. Those of
    /// the address are too, but once per person: else a guesser could clear them with an account of their own between guesses (threat
    /// 140).
    pub fn succeeded(&self, mut attempt: Attempt) {
        let keys = std::mem::take(&mut attempt.keys);
        let mut ledger = lock(&self.ledger);
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

    fn admit(&self, keys: Vec<Key>) -> Result<Attempt, Wait> {
        let now = self.clock.now();
        let mut ledger = lock(&self.ledger);
        if let Some(wait) = Wait::of(ledger.longest_wait(&keys, now)) {
            return Err(wait);
        }
        for key in &keys {
            ledger.reserve(*key, now);
        }
        drop(ledger);
        Ok(Attempt { ledger: Arc::clone(&self.ledger), keys })
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
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Attempt(…)")
    }
}

/// Keys kept of each kind.
const CAPACITY: usize = 100_000;
/// The failure from which on an attempt has to wait.
const FIRST_DELAYED: u32 = 6;
/// Without a failure for this long, all are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// How many persons may clear one address's failures before they are forgotten anyway.
const CLEARINGS: usize = 64;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Person,
    Address,
    Device,
    Client,
}

impl Subject {
    const ALL: [Self; 4] = [Self::Person, Self::Address, Self::Device, Self::Client];

    const fn longest_delay(self) -> Duration {
        match self {
            Self::Address => Duration::from_secs(60),
            Self::Person | Self::Device | Self::Client => Duration::from_secs(30),
        }
    }

    const fn counts_pending(self, failures: u32) -> bool {
        matches!(self, Self::Person | Self::Device) || failures >= FIRST_DELAYED
    }

    /// How long to wait after the last of `failures`.
    fn delay(self, failures: u32) -> Duration {
        match failures.checked_sub(FIRST_DELAYED) {
            None => Duration::ZERO,
            Some(beyond) => Duration::from_secs(1 << beyond.min(6)).min(self.longest_delay()),
        }
    }
}

/// Names one counter; a digest, so that a long name takes no more room than a short one, and none is kept in clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    subject: Subject,
    digest: [u8; 16],
}

impl Key {
    fn new(subject: Subject, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self { subject, digest }
    }
}

#[derive(Default)]
struct Counter {
    /// Attempts that failed.
    failures: u32,
    last_failure: Timestamp,
    /// Attempts under way.
    pending: u32,
    last_pending: Timestamp,
    /// Of an address: the persons whose success has cleared it.
    cleared_by: Vec<[u8; 16]>,
    /// Its place in the shelf's order.
    touched: u64,
}

impl Counter {
    /// Forgets what is old, and mends times that a clock set back has left in the future (threat 190).
    fn age(&mut self, now: Timestamp) {
        self.last_failure = self.last_failure.min(now);
        self.last_pending = self.last_pending.min(now);
        if now.since(self.last_failure) >= FORGOTTEN_AFTER {
            self.failures = 0;
            self.cleared_by.clear();
        }
    }

    fn wait(&self, subject: Subject, now: Timestamp) -> Duration {
        let failed = self.last_failure.plus(subject.delay(self.failures));
        let counted = self.failures.saturating_add(self.pending);
        if self.pending == 0 || !subject.counts_pending(self.failures) {
            return failed.since(now);
        }
        failed.max(self.last_pending.plus(subject.delay(counted))).since(now)
    }

    fn fail(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = now;
    }

    fn clear_for(&mut self, person: Key) {
        if self.failures > 0 && self.cleared_by.len() < CLEARINGS && !self.cleared_by.contains(&person.digest)
        {
            self.failures = 0;
            self.cleared_by.push(person.digest);
        }
    }

    fn is_idle(&self) -> bool {
        self.failures == 0 && self.pending == 0 && self.cleared_by.is_empty()
    }
}

/// The counters of one subject, in the order in which they were last touched.
#[derive(Default)]
struct Shelf {
    counters: HashMap<Key, Counter>,
    order: BTreeMap<u64, Key>,
}

struct Ledger {
    shelves: [Shelf; Subject::ALL.len()],
    capacity: usize,
    touches: u64,
}

impl Ledger {
    fn new(capacity: usize) -> Self {
        Self { shelves: Subject::ALL.map(|_| Shelf::default()), capacity, touches: 0 }
    }

    fn shelf(&mut self, key: Key) -> &mut Shelf {
        &mut self.shelves[key.subject as usize]
    }

    fn wait(&mut self, key: Key, now: Timestamp) -> Duration {
        match self.shelf(key).counters.get_mut(&key) {
            None => Duration::ZERO,
            Some(counter) => {
                counter.age(now);
                counter.wait(key.subject, now)
            }
        }
    }

    fn longest_wait(&mut self, keys: &[Key], now: Timestamp) -> Duration {
        keys.iter().map(|key| self.wait(*key, now)).max().unwrap_or_default()
    }

    fn reserve(&mut self, key: Key, now: Timestamp) {
        let counter = self.touch(key, now);
        counter.pending = counter.pending.saturating_add(1);
        counter.last_pending = now;
    }

    /// Ends a pending attempt that did not fail; a counter that is gone is not brought back for it.
    fn take_back(&mut self, key: Key, success: impl FnOnce(&mut Counter)) {
        let shelf = self.shelf(key);
        if let Some(counter) = shelf.counters.get_mut(&key) {
            counter.pending = counter.pending.saturating_sub(1);
            success(counter);
            if counter.is_idle() {
                shelf.order.remove(&counter.touched);
                shelf.counters.remove(&key);
            }
        }
    }

    /// The counter of `key`, as the latest one touched; makes room when it is new.
    fn touch(&mut self, key: Key, now: Timestamp) -> &mut Counter {
        self.touches += 1;
        let (touched, capacity) = (self.touches, self.capacity);
        let shelf = self.shelf(key);
        if !shelf.counters.contains_key(&key) {
            shelf.make_room(capacity, now);
        }
        let counter = shelf.counters.entry(key).or_default();
        shelf.order.remove(&counter.touched);
        shelf.order.insert(touched, key);
        counter.touched = touched;
        counter.age(now);
        counter
    }
}

impl Shelf {
    /// Removes the oldest counter when there are as many as may be, and up to two that would be forgotten anyway.
    fn make_room(&mut self, capacity: usize, now: Timestamp) {
        for _ in 0..2 {
            let Some((&touched, &key)) = self.order.first_key_value() else {
                return;
            };
            let forgotten = self.counters.get_mut(&key).is_none_or(|counter| {
                counter.age(now);
                counter.is_idle()
            });
            if !forgotten && self.counters.len() < capacity {
                return;
            }
            self.order.remove(&touched);
            self.counters.remove(&key);
        }
    }
}

/// A thread that died with the lock held has left counts behind, which are still worth having (threat 195).
fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
