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
    /// Whether its time has come. A key that was never announced signs from the moment there is one, also where the clock is
    /// a little behind the one of the replica that made it.
    fn has_begun(&self, now: Timestamp) -> bool {
        self.signs_from <= now || self.signs_from <= self.announced_at
    }
}

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

/// The state of each of `keys` at `now`, in their order. The signer of an algorithm is its latest key whose time has come.
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
                        && other.removed_at.is_none_or(|at| at > now)
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
