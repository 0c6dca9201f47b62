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
/// How far clocks of verifiers may be behind.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// The keys at one moment.
pub struct KeyRing {
    stored: Vec<StoredSigningKey>,
    opened: Vec<(String, Arc<SigningKey>)>,
    signers: Vec<(SigningAlgorithm, Arc<SigningKey>)>,
    verification: VerificationKeys,
    hints: VerificationKeys,
    jwks: String,
    etag: String,
}

/// Why the keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// The secret key is not the one that sealed it, or the row was changed.
    #[error("the signing key {0} cannot be opened: {1}")]
    Sealed(String, String),
    /// The row does not hold a key.
    #[error("the signing key {0} is not a key")]
    NotAKey(String),
}

impl KeyRing {
    /// Puts the ring together from the rows; keys that `before` has open are not opened again. Retired keys are shown for
    /// as long as what they signed may live.
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
                KeyState::Retired { since } => now < since.plus(key.token_life).plus(CLOCK_LEEWAY),
                KeyState::Announced | KeyState::Signing => true,
            };
            if !visible {
                if state != KeyState::Removed {
                    // a row that holds none is a hint of nobody, and no reason to sign nothing
                    hidden.extend(public_half(key));
                }
                continue;
            }
            let name = key.id.as_str();
            let open = before
                .and_then(|ring| ring.opened.iter().find(|(id, _)| id == name))
                .map(|(_, key)| key.clone());
            let open = match open {
                Some(open) => open,
                None => Arc::new(open_key(key, sealing)?),
            };
            shown.push(open.public_jwk().clone());
            if state == KeyState::Signing {
                ring.signers.push((key.algorithm, open.clone()));
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

    /// The key that signs with `algorithm` now.
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&SigningKey> {
        self.signers.iter().find(|(other, _)| *other == algorithm).map(|(_, key)| key.as_ref())
    }

    /// What this server's own tokens verify with.
    pub fn verification(&self) -> &VerificationKeys {
        &self.verification
    }

    /// What hints verify with, which may be long expired (RP-Initiated Logout §2): every key that was not taken out.
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
    let sealed = |why: SealError| KeyRingError::Sealed(id.to_owned(), why.to_string());
    let pkcs8 = sealing.open(&row_name(id), &key.sealed_private_key).map_err(sealed)?;
    let open =
        SigningKey::from_pkcs8(key.algorithm, &pkcs8).map_err(|_| KeyRingError::NotAKey(id.to_owned()))?;
    if open.kid() != id {
        return Err(KeyRingError::NotAKey(id.to_owned()));
    }
    Ok(open)
}
