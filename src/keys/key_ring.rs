//! Which key signs now, and what the JWKS shows: told from the rows and the time, so every replica tells the same
//! (RFC 7517, OpenID Connect Core §10.1).

use crate::jose::jwk::{JwkSet, PublicJwk};
use crate::jose::sign::SigningKey;
use crate::jose::verification_keys::VerificationKeys;
use crate::keys::seal::{RowName, SealError, SealingKeys};
use crate::model::signing_key::{KeyState, StoredSigningKey, states};
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// For how long clients may keep the JWKS.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// How often a replica reads the keys again.
pub const RELOAD_EVERY: Duration = Duration::from_secs(10);
/// How long a key is shown before it signs: longer than both together.
pub const ANNOUNCED_FOR: Duration = Duration::from_secs(600);

/// The keys at one moment.
pub struct KeyRing {
    stored: Vec<StoredSigningKey>,
    opened: Vec<(String, Arc<SigningKey>)>,
    signers: Vec<(SigningAlgorithm, Arc<SigningKey>)>,
    announced: Vec<(SigningAlgorithm, Arc<SigningKey>)>,
    verification: VerificationKeys,
    hints: VerificationKeys,
    jwks: String,
    etag: String,
}

/// Why the keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// The secret key is not the one that sealed it.
    #[error("the signing key {0} cannot be opened: {1}")]
    AnotherKey(String, String),
    /// The row was changed since it was sealed.
    #[error("the signing key {0} cannot be opened: {1}")]
    Sealed(String, String),
    /// The row does not hold a key.
    #[error("the signing key {0} is not a key")]
    NotAKey(String),
}

impl KeyRing {
    /// Puts the ring together from the rows; keys that `before` has open are not opened again. Retired keys are shown for
    /// as long as what they signed may live. One that cannot be opened is left out and told, so that it keeps no other from
    /// being taken out; but without `before`, none that signs or will sign may have been sealed with another key: a server with
    /// the wrong secret key does not start (F-23).
    pub fn assemble(
        stored: Vec<StoredSigningKey>,
        sealing: &SealingKeys,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, KeyRingError> {
        let mut ring = Self {
            stored: Vec::new(),
            opened: Vec::new(),
            signers: Vec::new(),
            announced: Vec::new(),
            verification: VerificationKeys::named(Vec::new()),
            hints: VerificationKeys::named(Vec::new()),
            jwks: String::new(),
            etag: String::new(),
        };
        let mut shown: Vec<PublicJwk> = Vec::new();
        let mut hidden: Vec<PublicJwk> = Vec::new();
        for (key, state) in stored.iter().zip(states(&stored, now)) {
            let visible = match state {
                KeyState::Removed => false,
                KeyState::Retired { since } => now < key.shown_until(since),
                KeyState::Announced | KeyState::Signing => true,
            };
            if !visible {
                if state != KeyState::Removed || key.was_outlived(&stored) {
                    // a row that holds none is a hint of nobody, and no reason to sign nothing
                    hidden.extend(public_half(key));
                }
                continue;
            }
            let name = key.id.as_str();
            let open = before
                .and_then(|ring| ring.opened.iter().find(|(id, _)| id == name))
                .map(|(_, key)| key.clone());
            let open = match open.map_or_else(|| open_key(key, sealing).map(Arc::new), Ok) {
                Ok(open) => open,
                Err(why @ KeyRingError::AnotherKey(..))
                    if before.is_none() && !matches!(state, KeyState::Retired { .. }) =>
                {
                    return Err(why);
                }
                // One row is one key less, not a server less (F-39).
                Err(error) => {
                    tracing::error!(table = "signing_keys", column = "sealed_private_key", row.id = name, error = %error);
                    continue;
                }
            };
            shown.push(open.public_jwk().clone());
            match state {
                KeyState::Signing => ring.signers.push((key.algorithm, open.clone())),
                KeyState::Announced => ring.announced.push((key.algorithm, open.clone())),
                KeyState::Retired { .. } | KeyState::Removed => {}
            }
            ring.opened.push((name.to_owned(), open));
        }
        ring.verification = VerificationKeys::named(shown.clone());
        ring.hints = VerificationKeys::named(shown.iter().cloned().chain(hidden));
        ring.jwks = serde_json::to_string(&JwkSet { keys: shown }).unwrap_or_default();
        ring.etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(ring.jwks.as_bytes())[..12]));
        ring.stored = stored;
        Ok(ring)
    }

    /// The key that signs with `algorithm` now: where no other algorithm will do, one that is only announced is better
    /// than none.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        let mut keys = self.signers.iter().chain(&self.announced);
        keys.find(|(other, _)| *other == algorithm).map(|(_, key)| key.as_ref())
    }

    /// The key that signs access tokens: the first of `algorithms` whose key everybody can know. One that a reload has just
    /// put in front waits until its key is announced long enough (threat 181).
    pub fn access_token_signer(&self, algorithms: &[SigningAlgorithm]) -> Option<&SigningKey> {
        let known = |algorithm: &SigningAlgorithm| self.signers.iter().find(|(other, _)| other == algorithm);
        match algorithms.iter().find_map(known) {
            Some((_, key)) => Some(key.as_ref()),
            None => algorithms.iter().find_map(|algorithm| self.signer(*algorithm)),
        }
    }

    /// What this server's own tokens verify with.
    pub fn verification(&self) -> &VerificationKeys {
        &self.verification
    }

    /// What hints verify with, which may be long expired (RP-Initiated Logout §2): every key that was not taken out
    /// by an operator.
    pub fn hints(&self) -> &VerificationKeys {
        &self.hints
    }

    /// The JWKS document (RFC 7517 §5).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The JWKS document's entity tag (RFC 9110 §8.8.3).
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The shortest life that a row promises for what its key signs, of those that are not taken out.
    pub fn shortest_token_life(&self) -> Option<Duration> {
        self.stored.iter().filter(|key| key.removed_at.is_none()).map(|key| key.token_life).min()
    }

    /// The longest life that a row promises for what its key signed, of those that are not taken out.
    pub fn longest_token_life(&self) -> Duration {
        let kept = self.stored.iter().filter(|key| key.removed_at.is_none());
        kept.map(|key| key.token_life).max().unwrap_or_default()
    }

    /// The rows it was put together from.
    pub fn stored(&self) -> &[StoredSigningKey] {
        &self.stored
    }
}

/// Where a key's private half lies, for the seal.
pub(super) fn row_name(id: &str) -> RowName<'_> {
    RowName { table: "signing_keys", column: "sealed_private_key", id }
}

/// The public half of a key that is shown no more.
fn public_half(key: &StoredSigningKey) -> Option<PublicJwk> {
    PublicJwk::parse(&serde_json::from_str(&key.public_jwk).ok()?).ok()
}

fn open_key(key: &StoredSigningKey, sealing: &SealingKeys) -> Result<SigningKey, KeyRingError> {
    let id = key.id.as_str();
    let sealed = |why: SealError| match why {
        SealError::AnotherKey => KeyRingError::AnotherKey(id.to_owned(), why.to_string()),
        SealError::Malformed | SealError::MovedOrEdited => {
            KeyRingError::Sealed(id.to_owned(), why.to_string())
        }
    };
    let pkcs8 = sealing.open(&row_name(id), &key.sealed_private_key).map_err(sealed)?;
    let open =
        SigningKey::from_pkcs8(key.algorithm, &pkcs8).map_err(|_| KeyRingError::NotAKey(id.to_owned()))?;
    if open.kid() != id {
        return Err(KeyRingError::NotAKey(id.to_owned()));
    }
    Ok(open)
}
