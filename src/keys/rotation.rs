//! Makes keys: the first of each algorithm, successors by schedule or by hand. A key is made outside the transaction and
//! offered under the next number of its algorithm; when another replica was first, its key is as good.

use crate::audit::{self, Circumstances, Trail};
use crate::jose::sign::SigningKey;
use crate::keys::key_ring::{ANNOUNCED_FOR, row_name};
use crate::keys::seal::SealingKeys;
use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::entropy::SharedEntropy;
use crate::model::signing_key::{KeyState, StoredSigningKey, states};
use crate::protocol::identifiers::KeyId;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, signing_keys};
use std::sync::Arc;
use std::time::Duration;

/// What rotation needs.
#[derive(Clone)]
pub struct Rotation {
    /// Where keys are kept.
    pub store: Store,
    /// What seals them.
    pub sealing: Arc<SealingKeys>,
    /// Where chance comes from.
    pub entropy: SharedEntropy,
    /// Where events go.
    pub trail: Trail,
    /// How long what the keys sign may live at most.
    pub token_life: Duration,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The cryptographic library.
    #[error("a signing key could not be made")]
    Generation,
    /// No key has this name.
    #[error("there is no signing key of this name")]
    Unknown,
}

/// Whether a successor is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// When the signing key is as old as this.
    After(Duration),
    /// Now, unless one is announced already.
    Now,
}

impl Rotation {
    /// Makes what is missing: a first key for each algorithm, which signs at once where nothing signs yet, and a successor,
    /// announced first, for each that is due. Yields the keys that this call made.
    pub async fn ensure(
        &self,
        algorithms: &[SigningAlgorithm],
        due: Due,
        circumstances: &Circumstances,
    ) -> Result<Vec<KeyId>, RotationError> {
        let stored = self.store.read(|connection| Box::pin(signing_keys::list(connection))).await?;
        let mut made = Vec::new();
        for algorithm in algorithms {
            if let Some(signs_from) = next_start(&stored, *algorithm, due, circumstances.now) {
                made.extend(self.make(*algorithm, &stored, signs_from, circumstances).await?);
            }
        }
        Ok(made)
    }

    /// Takes a key out at once. When nothing else signs with its algorithm, a new key does, unannounced: an emergency. Both are one
    /// transaction, so that no older key and no gap comes between.
    pub async fn retire(
        &self,
        id: &KeyId,
        circumstances: &Circumstances,
    ) -> Result<Vec<KeyId>, RotationError> {
        let stored = self.store.read(|connection| Box::pin(signing_keys::list(connection))).await?;
        let Some(key) = stored.iter().find(|key| key.id == *id) else { return Err(RotationError::Unknown) };
        let reason = format!("the operator took {id} out");
        let removed = self.removed(circumstances, reason);
        let (successor, made) = self.generate(key.algorithm, circumstances.now, circumstances).await?;
        let (id, now) = (id.clone(), circumstances.now);
        let won = self.store.write(move |connection| {
            let (id, removed) = (id.clone(), removed.clone());
            let (mut successor, made) = (successor.clone(), made.clone());
            Box::pin(async move {
                if signing_keys::remove(connection, &id, now).await? {
                    audit::record(connection, &removed).await?;
                }
                for _ in 0..OTHERS_FIRST {
                    let stored = signing_keys::list(connection).await?;
                    if signs(&stored, successor.algorithm, now) {
                        return Ok(None);
                    }
                    successor.generation = next_generation(&stored, successor.algorithm);
                    if signing_keys::insert(connection, &successor).await? {
                        audit::record(connection, &made).await?;
                        return Ok(Some(successor.id));
                    }
                }
                Err(StorageError::Serialization)
            })
        });
        Ok(won.await?.into_iter().collect())
    }

    /// Takes out the keys that nobody needs any more: what they signed last has expired long ago, and is no hint any more. Yields
    /// their names.
    pub async fn remove_outlived(
        &self,
        stored: &[StoredSigningKey],
        circumstances: &Circumstances,
    ) -> Result<Vec<KeyId>, RotationError> {
        let now = circumstances.now;
        let outlived = stored.iter().zip(states(stored, now)).filter(|(key, state)| match state {
            KeyState::Retired { since } => key.shown_until(*since).plus(OUTLIVED_BY) < now,
            KeyState::Announced | KeyState::Signing | KeyState::Removed => false,
        });
        let mut removed = Vec::new();
        for (key, _) in outlived {
            let event =
                self.removed(circumstances, format!("what the key {} signed last has expired", key.id));
            let id = key.id.clone();
            let done = self.store.write(move |connection| {
                let (id, event) = (id.clone(), event.clone());
                Box::pin(async move {
                    let removed = signing_keys::remove(connection, &id, now).await?;
                    if removed {
                        audit::record(connection, &event).await?;
                    }
                    Ok(removed)
                })
            });
            if done.await? {
                removed.push(key.id.clone());
            }
        }
        Ok(removed)
    }

    fn removed(&self, circumstances: &Circumstances, reason: String) -> AuditEvent {
        self.trail.event(circumstances, EventName::KeyRemoved, About::default(), reason, "RFC 7517 §5")
    }

    async fn make(
        &self,
        algorithm: SigningAlgorithm,
        stored: &[StoredSigningKey],
        signs_from: Timestamp,
        circumstances: &Circumstances,
    ) -> Result<Option<KeyId>, RotationError> {
        let (mut row, event) = self.generate(algorithm, signs_from, circumstances).await?;
        row.generation = next_generation(stored, algorithm);
        let id = row.id.clone();
        let won = self
            .store
            .write(move |connection| {
                let (row, event) = (row.clone(), event.clone());
                Box::pin(async move {
                    let won = signing_keys::insert(connection, &row).await?;
                    if won {
                        audit::record(connection, &event).await?;
                    }
                    Ok(won)
                })
            })
            .await?;
        Ok(won.then_some(id))
    }

    /// A key that has no number yet, and the event of its being offered.
    async fn generate(
        &self,
        algorithm: SigningAlgorithm,
        signs_from: Timestamp,
        circumstances: &Circumstances,
    ) -> Result<(StoredSigningKey, AuditEvent), RotationError> {
        let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let (key, pkcs8) =
            generated.map_err(|_| RotationError::Generation)?.map_err(|_| RotationError::Generation)?;
        let id = KeyId::parse(key.kid()).map_err(|_| RotationError::Generation)?;
        let reason = format!("the {} key {id} signs from {}", algorithm.as_str(), signs_from.seconds());
        let row = StoredSigningKey {
            sealed_private_key: self.sealing.seal(&row_name(id.as_str()), &pkcs8, self.entropy.as_ref()),
            public_jwk: serde_json::to_string(key.public_jwk()).map_err(|_| RotationError::Generation)?,
            algorithm,
            generation: 0,
            announced_at: circumstances.now,
            signs_from,
            token_life: self.token_life,
            removed_at: None,
            id,
        };
        let (event, section) = (EventName::KeyAnnounced, "OpenID Connect Core §10.1.1");
        Ok((row, self.trail.event(circumstances, event, About::default(), reason, section)))
    }
}

/// How often another replica may be first with the number that a successor was to have.
const OTHERS_FIRST: usize = 5;
/// How long a key stays after it is shown no more, before it is taken out: ID tokens that have expired still vouch for a session as
/// hints (RP-Initiated Logout §2).
const OUTLIVED_BY: Duration = Duration::from_secs(90 * 86_400);
/// For how long after its first keys a server is so young that nobody can know any of them yet.
const YOUNG: Duration = Duration::from_secs(60);

fn signs(stored: &[StoredSigningKey], algorithm: SigningAlgorithm, now: Timestamp) -> bool {
    let mut with_states = stored.iter().zip(states(stored, now));
    with_states.any(|(key, state)| key.algorithm == algorithm && state == KeyState::Signing)
}

fn next_generation(stored: &[StoredSigningKey], algorithm: SigningAlgorithm) -> i64 {
    let of_algorithm = stored.iter().filter(|key| key.algorithm == algorithm);
    of_algorithm.map(|key| key.generation).max().unwrap_or(0).saturating_add(1)
}

/// When the next key of `algorithm` should begin to sign, if one is wanted now.
fn next_start(
    stored: &[StoredSigningKey],
    algorithm: SigningAlgorithm,
    due: Due,
    now: Timestamp,
) -> Option<Timestamp> {
    let states = states(stored, now);
    let of_algorithm = || stored.iter().zip(&states).filter(|(key, _)| key.algorithm == algorithm);
    let announced = of_algorithm().any(|(_, state)| *state == KeyState::Announced);
    let Some((signing, _)) = of_algorithm().find(|(_, state)| **state == KeyState::Signing) else {
        // A new algorithm of a server that others know already is announced like any key; what a young one has signs at once.
        let others_sign = states.contains(&KeyState::Signing)
            && stored.iter().any(|key| key.announced_at.plus(YOUNG) < now);
        return match (announced, others_sign) {
            (true, _) => None,
            (false, true) => Some(now.plus(ANNOUNCED_FOR)),
            (false, false) => Some(now),
        };
    };
    if announced {
        return None;
    }
    let successor_wanted = match due {
        Due::Now => true,
        Due::After(age) => now.since(signing.signs_from).saturating_add(ANNOUNCED_FOR) >= age,
    };
    successor_wanted.then(|| now.plus(ANNOUNCED_FOR))
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
            announced_at: Timestamp::default(),
            signs_from: Timestamp::from_seconds(signs_from),
            token_life: Duration::ZERO,
            removed_at: removed_at.map(Timestamp::from_seconds),
        }
    }

    #[test]
    fn a_key_is_announced_before_it_signs_and_the_first_signs_at_once() {
        // threat 181
        let at = Timestamp::from_seconds;
        let month = Due::After(Duration::from_secs(30 * 86_400));
        let start =
            |keys: &[StoredSigningKey], due, now| next_start(keys, SigningAlgorithm::Es256, due, at(now));
        assert_eq!(start(&[], month, 100), Some(at(100)));
        assert_eq!(start(&[key(1, 100, Some(150))], month, 200), Some(at(200)));
        assert_eq!(start(&[key(1, 100, None)], month, 200), None);
        assert_eq!(start(&[key(1, 100, None)], Due::Now, 200), Some(at(800)));
        assert_eq!(start(&[key(1, 100, None), key(2, 800, None)], Due::Now, 200), None);
        assert_eq!(start(&[key(1, 0, None)], month, 30 * 86_400 - 600), Some(at(30 * 86_400)));
    }

    #[test]
    fn a_new_algorithm_of_a_server_that_others_know_is_announced_too() {
        // threat 181
        let (at, month) = (Timestamp::from_seconds, Due::After(Duration::from_secs(30 * 86_400)));
        let start =
            |keys: &[StoredSigningKey], now| next_start(keys, SigningAlgorithm::EdDsa, month, at(now));
        let mut other = key(1, 800, None);
        other.algorithm = SigningAlgorithm::EdDsa;
        assert_eq!(start(&[key(1, 0, None)], 200), Some(at(800)));
        assert_eq!(start(&[key(1, 0, None), other], 200), None);
        assert_eq!(
            start(&[key(1, 0, None)], 60),
            Some(at(60)),
            "its first keys are made one after the other"
        );
    }
}
