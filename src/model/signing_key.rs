//! The life of a signing key: `Announced → Signing → Retired → Removed`, told by its row's moments alone, so that every
//! replica tells the same at the same time.

use crate::protocol::identifiers::KeyId;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use std::time::Duration;

/// A signing key, as the store keeps it; the private half is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSigningKey {
    /// Its thumbprint (RFC 7638).
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// The how-manyeth key of its algorithm; one key for each number.
    pub generation: i64,
    /// The public half, as a JSON Web Key.
    pub public_jwk: String,
    /// The private half, sealed and bound to this row.
    pub sealed_private_key: Vec<u8>,
    /// Since when the JWKS shows it.
    pub announced_at: Timestamp,
    /// Since when it signs, until the next of its algorithm does.
    pub signs_from: Timestamp,
    /// How long what it signed lives at most, whatever the configuration has said since it was made.
    pub token_life: Duration,
    /// Since when it is gone, taken out by an operator or for age.
    pub removed_at: Option<Timestamp>,
}

impl StoredSigningKey {
    /// Whether its time has come, or had come before it was taken out. A key that was never announced signs from the moment
    /// there is one, also where the clock is a little behind the one of the replica that made it.
    fn has_begun(&self, now: Timestamp) -> bool {
        let never_announced = self.signs_from <= self.announced_at;
        let out_before = self.removed_at.is_some_and(|at| at < self.signs_from);
        never_announced || (self.signs_from <= now && !out_before)
    }

    /// Until when it is shown, if it has signed nothing since `since`: what it signed last has expired by then, also where
    /// clocks are behind.
    pub fn shown_until(&self, since: Timestamp) -> Timestamp {
        since.plus(self.token_life).plus(CLOCK_LEEWAY)
    }
}

/// How far clocks of verifiers may be behind.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Shown, not yet used.
    Announced,
    /// Signs now.
    Signing,
    /// Signs no more; shown until the last token it signed has expired.
    Retired {
        /// Since when.
        since: Timestamp,
    },
    /// Gone.
    Removed,
}

impl KeyState {
    /// The word that `key list` shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Signing => "signing",
            Self::Retired { .. } => "retired",
            Self::Removed => "removed",
        }
    }
}

impl StoredSigningKey {
    /// Whether it was taken out for age, when everything that it signed had expired, and not by an operator who no longer
    /// trusted it.
    pub fn was_outlived(&self, keys: &[Self]) -> bool {
        let later = |other: &&Self| other.algorithm == self.algorithm && other.generation > self.generation;
        let since = keys.iter().filter(later).map(|other| other.signs_from).min();
        self.removed_at.zip(since).is_some_and(|(removed_at, since)| removed_at >= self.shown_until(since))
    }
}

/// The state of each of `keys` at `now`, in their order. The signer of an algorithm is its latest key whose time has come; once a
/// later one has begun, a key never signs again, even when that one is taken out (threat 181).
pub fn states(keys: &[StoredSigningKey], now: Timestamp) -> Vec<KeyState> {
    keys.iter()
        .map(|key| {
            if key.removed_at.is_some_and(|at| at <= now) {
                return KeyState::Removed;
            }
            if !key.has_begun(now) {
                return KeyState::Announced;
            }
            let successor = keys
                .iter()
                .filter(|other| {
                    other.algorithm == key.algorithm
                        && other.generation > key.generation
                        && other.has_begun(now)
                })
                .map(|other| other.signs_from)
                .min();
            match successor {
                Some(since) => KeyState::Retired { since },
                None => KeyState::Signing,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(generation: i64, signs_from: i64, removed_at: Option<i64>) -> StoredSigningKey {
        StoredSigningKey {
            id: KeyId::parse(&format!("k{generation}")).expect("valid"),
            algorithm: SigningAlgorithm::Es256,
            generation,
            public_jwk: String::new(),
            sealed_private_key: Vec::new(),
            announced_at: Timestamp::from_seconds(0),
            signs_from: Timestamp::from_seconds(signs_from),
            token_life: Duration::from_secs(600),
            removed_at: removed_at.map(Timestamp::from_seconds),
        }
    }

    fn told(keys: &[StoredSigningKey], now: i64) -> Vec<&'static str> {
        states(keys, Timestamp::from_seconds(now)).into_iter().map(KeyState::as_str).collect()
    }

    #[test]
    fn a_key_whose_successor_began_never_signs_again() {
        // threat 181
        let keys = |second, third| [key(1, 10, None), key(2, 100, second), key(3, 200, third)];
        assert_eq!(told(&keys(None, None), 50), ["signing", "announced", "announced"]);
        assert_eq!(told(&keys(Some(150), None), 160), ["retired", "removed", "announced"]);
        assert_eq!(told(&keys(Some(150), None), 200), ["retired", "removed", "signing"]);
        assert_eq!(told(&keys(Some(150), Some(300)), 400), ["retired", "removed", "removed"]);
        let since = states(&keys(Some(150), Some(300)), Timestamp::from_seconds(400))[0];
        assert_eq!(since, KeyState::Retired { since: Timestamp::from_seconds(100) });
    }

    #[test]
    fn a_successor_that_is_taken_out_before_it_began_ends_nobody() {
        assert_eq!(told(&[key(1, 10, None), key(2, 100, Some(50))], 150), ["signing", "removed"]);
    }

    #[test]
    fn a_successor_that_was_never_announced_has_begun_whatever_the_clock_says() {
        let mut second = key(2, 100, Some(99));
        second.announced_at = second.signs_from;
        assert_eq!(told(&[key(1, 10, None), second], 99), ["retired", "removed"]);
    }
}
