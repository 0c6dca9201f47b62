//! The keys of this server: who signs now, what the JWKS shows, rotation, sealing at rest, and the keys that authenticate
//! what travels through browsers and clients. Which claims a token carries is decided in `tokens`.

pub mod derive;
pub mod key_ring;
pub mod rotation;
pub mod seal;

use crate::config::SecretKeys;
use crate::keys::derive::{DerivedKey, KeyedMac};
use crate::keys::key_ring::{KeyRing, KeyRingError};
use crate::keys::seal::SealingKeys;
use crate::model::entropy::SharedEntropy;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, salts, signing_keys};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;

/// What `secret_key` is used for; each use has a key of its own.
pub struct SecretPurposes {
    /// Seals signing keys.
    pub sealing: Arc<SealingKeys>,
    /// Authenticates refresh tokens.
    pub refresh_tokens: KeyedMac,
    /// Authenticates the marker that travels with a request.
    pub markers: KeyedMac,
    /// Authenticates forms.
    pub forms: KeyedMac,
    /// Authenticates that a person signed in on a device before.
    pub devices: KeyedMac,
    /// Leads from a session's secret to its next.
    pub sessions: KeyedMac,
    /// Makes the tokens of links that are sent by mail.
    pub recovery: KeyedMac,
}

impl SecretPurposes {
    /// Derives every key.
    pub fn derive(keys: &SecretKeys) -> Self {
        let previous: Vec<[u8; 32]> = keys.previous.iter().map(|key| key.0).collect();
        let mac = |purpose| KeyedMac::new(&keys.current.0, &previous, purpose);
        Self {
            sealing: Arc::new(SealingKeys::new(&keys.current.0, &previous)),
            refresh_tokens: mac("refresh token"),
            markers: mac("marker"),
            forms: mac("form"),
            devices: mac("device"),
            sessions: mac("session"),
            recovery: mac("recovery"),
        }
    }
}

/// The ring that every request signs and verifies with, replaced as time and rows go on.
pub struct Keys {
    ring: ArcSwap<KeyRing>,
    sealing: Arc<SealingKeys>,
    pairwise: DerivedKey,
}

/// The name of the salt of pairwise subjects.
const PAIRWISE: &str = "pairwise subjects";

/// Why the keys could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The keys themselves.
    #[error(transparent)]
    Ring(#[from] KeyRingError),
}

impl Keys {
    /// Opens the keys; fails when the secret key is not the one that sealed them.
    pub async fn open(
        store: &Store,
        sealing: Arc<SealingKeys>,
        entropy: &SharedEntropy,
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        let stored = store.read(|connection| Box::pin(signing_keys::list(connection))).await?;
        let ring = KeyRing::assemble(stored, &sealing, None, now)?;
        let fresh = entropy.bytes();
        let salt = store
            .write(move |connection| Box::pin(salts::find_or_insert(connection, PAIRWISE, fresh)))
            .await?;
        Ok(Self {
            ring: ArcSwap::from_pointee(ring),
            sealing,
            pairwise: DerivedKey::new(&salt, "pairwise subject"),
        })
    }

    /// The key of pairwise subjects. It follows from a salt of the store and not from the secret key, which is replaced
    /// from time to time: a subject never changes (OpenID Connect Core §8.1).
    pub fn pairwise(&self) -> &DerivedKey {
        &self.pairwise
    }

    /// The keys at this moment.
    pub fn ring(&self) -> arc_swap::Guard<Arc<KeyRing>> {
        self.ring.load()
    }

    /// Reads the keys again; when the store does not answer, time still goes on for those that are known.
    pub async fn reload(&self, store: &Store, now: Timestamp) -> Result<(), KeysError> {
        let before = self.ring.load_full();
        let read = store.read(|connection| Box::pin(signing_keys::list(connection))).await;
        let stored = read.as_ref().map_or_else(|_| before.stored().to_vec(), Clone::clone);
        let ring = KeyRing::assemble(stored, &self.sealing, Some(&before), now)?;
        self.ring.store(Arc::new(ring));
        read.map(drop).map_err(KeysError::from)
    }

    /// Notes in the rows that what the keys sign may live for `life`, so that a key that a longer life was promised by is
    /// shown as long, also after a restart with a shorter one (threat 181).
    pub async fn lengthen(&self, store: &Store, life: Duration, now: Timestamp) -> Result<(), KeysError> {
        store
            .write_one(move |connection| {
                Box::pin(async move { signing_keys::lengthen(connection, life).await })
            })
            .await?;
        self.reload(store, now).await
    }
}
