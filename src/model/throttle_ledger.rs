//! The counters behind [`throttle`](super::throttle): what is counted, since when, and for how long. Bounded in number, kept in
//! the order in which they were last touched, and mended after a clock that was set back (threats 190, 193).

use crate::protocol::timestamp::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The failure from which on an attempt has to wait.
pub(super) const FIRST_DELAYED: u32 = 6;
/// Without a failure for this long, all are forgotten.
pub(super) const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);
/// How many persons may clear one address's failures before they are forgotten anyway.
pub(super) const CLEARINGS: usize = 64;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Person,
    Address,
    Device,
    Client,
    /// A neighbourhood's place in the line for a person or device; it counts nothing but since when.
    Place,
}

impl Subject {
    const ALL: [Self; 5] = [Self::Person, Self::Address, Self::Device, Self::Client, Self::Place];

    const fn longest_delay(self) -> Duration {
        match self {
            Self::Address => Duration::from_secs(60),
            Self::Person | Self::Device | Self::Client | Self::Place => Duration::from_secs(30),
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
pub(super) struct Key {
    pub(super) subject: Subject,
    digest: [u8; 16],
}

impl Key {
    pub(super) fn new(subject: Subject, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self { subject, digest }
    }

    /// The place of `neighbourhood` in the line for what this names.
    pub(super) fn place_of(self, neighbourhood: &str) -> Self {
        let mut hash = Sha256::new_with_prefix([self.subject as u8]);
        hash.update(self.digest);
        hash.update(neighbourhood.as_bytes());
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self { subject: Subject::Place, digest }
    }
}

#[derive(Default)]
pub(super) struct Counter {
    /// Attempts that failed.
    pub(super) failures: u32,
    last_failure: Timestamp,
    /// Attempts under way.
    pub(super) pending: u32,
    last_pending: Timestamp,
    /// Of an address: the persons whose success has cleared it.
    cleared_by: Vec<[u8; 16]>,
    /// Of a place in line: since when.
    since: Option<Timestamp>,
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
        self.since =
            self.since.map(|since| since.min(now)).filter(|since| now.since(*since) < FORGOTTEN_AFTER);
    }

    fn wait(&self, subject: Subject, now: Timestamp) -> Duration {
        let failed = self.last_failure.plus(subject.delay(self.failures));
        let counted = self.failures.saturating_add(self.pending);
        if self.pending == 0 || !subject.counts_pending(self.failures) {
            return failed.since(now);
        }
        failed.max(self.last_pending.plus(subject.delay(counted))).since(now)
    }

    pub(super) fn fail(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = now;
    }

    pub(super) fn clear_for(&mut self, person: Key) {
        if self.failures > 0 && self.cleared_by.len() < CLEARINGS && !self.cleared_by.contains(&person.digest)
        {
            self.failures = 0;
            self.cleared_by.push(person.digest);
        }
    }

    fn is_idle(&self) -> bool {
        self.failures == 0 && self.pending == 0 && self.cleared_by.is_empty() && self.since.is_none()
    }
}

/// The counters of one subject, in the order in which they were last touched.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) counters: HashMap<Key, Counter>,
    pub(super) order: BTreeMap<u64, Key>,
}

pub(super) struct Ledger {
    pub(super) shelves: [Shelf; Subject::ALL.len()],
    capacity: usize,
    touches: u64,
}

impl Ledger {
    pub(super) fn new(capacity: usize) -> Self {
        Self { shelves: Subject::ALL.map(|_| Shelf::default()), capacity, touches: 0 }
    }

    fn shelf(&mut self, key: Key) -> &mut Shelf {
        &mut self.shelves[key.subject as usize]
    }

    pub(super) fn wait(&mut self, key: Key, now: Timestamp) -> Duration {
        match self.shelf(key).counters.get_mut(&key) {
            None => Duration::ZERO,
            Some(counter) => {
                counter.age(now);
                counter.wait(key.subject, now)
            }
        }
    }

    /// The longest wait of `keys`; for the first of them, who stands in line waits no longer than from their place on.
    pub(super) fn longest_wait(&mut self, keys: &[Key], place: Option<Key>, now: Timestamp) -> Duration {
        let mut longest = Duration::ZERO;
        for (index, key) in keys.iter().enumerate() {
            let mut wait = self.wait(*key, now);
            if let Some(place) = place.filter(|_| index == 0 && !wait.is_zero()) {
                let since = self.waiting_since(place, now).unwrap_or_else(|| {
                    self.stand(place, now);
                    now
                });
                wait = wait.min(since.plus(self.delay(*key)).since(now));
            }
            longest = longest.max(wait);
        }
        longest
    }

    /// How long whoever stands in line for `key` has to, as things are.
    fn delay(&mut self, key: Key) -> Duration {
        let counter = self.shelf(key).counters.get(&key);
        let counted = counter.map_or(0, |counter| counter.failures.saturating_add(counter.pending));
        key.subject.delay(counted)
    }

    /// Notes an attempt of whoever stands in line already, or has to from now on.
    pub(super) fn stand_if_slowed(&mut self, place: Key, keys: &[Key], now: Timestamp) {
        let slowed = keys.iter().any(|key| key.subject != Subject::Address && !self.delay(*key).is_zero());
        if slowed || self.waiting_since(place, now).is_some() {
            self.stand(place, now);
        }
    }

    pub(super) fn waiting_since(&mut self, place: Key, now: Timestamp) -> Option<Timestamp> {
        let counter = self.shelf(place).counters.get_mut(&place)?;
        counter.age(now);
        counter.since
    }

    /// Takes a place in line, anew if it was held before.
    fn stand(&mut self, place: Key, now: Timestamp) {
        self.touch(place, now).since = Some(now);
    }

    /// Leaves the line, or stands there again as before an attempt that did not count.
    pub(super) fn leave(&mut self, place: Key, since: Option<Timestamp>) {
        self.take_back(place, |counter| counter.since = since);
    }

    pub(super) fn reserve(&mut self, key: Key, now: Timestamp) {
        let counter = self.touch(key, now);
        counter.pending = counter.pending.saturating_add(1);
        counter.last_pending = now;
    }

    /// Ends a pending attempt that did not fail; a counter that is gone is not brought back for it.
    pub(super) fn take_back(&mut self, key: Key, success: impl FnOnce(&mut Counter)) {
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
    pub(super) fn touch(&mut self, key: Key, now: Timestamp) -> &mut Counter {
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
pub(super) fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
