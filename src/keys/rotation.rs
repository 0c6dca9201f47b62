//! Makes keys: the first of each algorithm, successors by schedule or by hand. A key is made outside the transaction and
//! offered under the next number of its algorithm; when another replica was first, its key is as good.

use crate::audit::{self, Circumstances, Trail};
use crate::jose::sign::SigningKey;
use crate::keys::key_ring::{ANNOUNCED_FOR, row_name};
use crate::keys::seal::SealingKeys;
use crate::model::audit_event::{About, EventName};
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
    /// Makes what is missing: a first key for each algorithm, which signs at once, and a successor, announced first, for
    /// each that is due. Yields the keys that this call made.
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

    /// Takes a key out at once. When nothing else signs with its algorithm, a new key does, unannounced: an emergency.
    pub async fn retire(
        &self,
        id: &KeyId,
        circumstances: &Circumstances,
    ) -> Result<Vec<KeyId>, RotationError> {
        let stored = self.store.read(|connection| Box::pin(signing_keys::list(connection))).await?;
        let Some(key) = stored.iter().find(|key| key.id == *id) else { return Err(RotationError::Unknown) };
        let algorithm = key.algorithm;
        let about = About::default();
        let reason = format!("the operator took {id} out");
        let event = self.trail.event(circumstances, EventName::KeyRemoved, about, reason, "RFC 7517 §5");
        let (id, now) = (id.clone(), circumstances.now);
        self.store
            .write(move |connection| {
                let (id, event) = (id.clone(), event.clone());
                Box::pin(async move {
                    if signing_keys::remove(connection, &id, now).await? {
                        audit::record(connection, &event).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.ensure(&[algorithm], Due::After(Duration::MAX), circumstances).await
    }

    async fn make(
        &self,
        algorithm: SigningAlgorithm,
        stored: &[StoredSigningKey],
        signs_from: Timestamp,
        circumstances: &Circumstances,
    ) -> Result<Option<KeyId>, RotationError> {
        let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let (key, pkcs8) =
            generated.map_err(|_| RotationError::Generation)?.map_err(|_| RotationError::Generation)?;
        let id = KeyId::parse(key.kid()).map_err(|_| RotationError::Generation)?;
        let of_algorithm = stored.iter().filter(|other| other.algorithm == algorithm);
        let row = StoredSigningKey {
            sealed_private_key: self.sealing.seal(&row_name(id.as_str()), &pkcs8, self.entropy.as_ref()),
            public_jwk: serde_json::to_string(key.public_jwk()).map_err(|_| RotationError::Generation)?,
            algorithm,
            generation: of_algorithm.map(|other| other.generation).max().unwrap_or(0).saturating_add(1),
            announced_at: circumstances.now,
            signs_from,
            token_life: self.token_life,
            removed_at: None,
            id: id.clone(),
        };
        let reason = format!("the {} key {id} signs from {}", algorithm.as_str(), signs_from.seconds());
        let event = self.trail.event(
            circumstances,
            EventName::KeyAnnounced,
            About::default(),
            reason,
            "OpenID Connect Core §10.1.1",
        );
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
    let Some((signing, _)) = of_algorithm().find(|(_, state)| **state == KeyState::Signing) else {
        return Some(now);
    };
    if of_algorithm().any(|(_, state)| *state == KeyState::Announced) {
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
}
