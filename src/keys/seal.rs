//! Sealing at rest: what must be readable again (private keys, second factors) lies in the database only encrypted, with a key that the
//! database does not have, and bound to its row (threats 177, 178).
//!
//! AES-256-GCM (NIST SP 800-38D) with a random nonce. A sealed value is: version (1 byte), name of the key (4), nonce (12), ciphertext and tag.
//! Which columns are sealed is decided where they are written.

use crate::keys::derive::{Family, derive};
use crate::model::entropy::Entropy;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use zeroize::Zeroizing;

/// The keys that seal and open; the current one seals, the one that the value names opens.
pub struct SealingKeys {
    current: SealingKey,
    previous: Vec<SealingKey>,
}

struct SealingKey {
    name: [u8; NAME_LENGTH],
    key: LessSafeKey,
}

/// The place where a sealed value lies; elsewhere it does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowName<'a> {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// The row's primary key.
    pub id: &'a str,
}

impl SealingKeys {
    /// The keys that follow from the current secret and from those before it.
    pub fn new(current: &[u8; 32], previous: &[[u8; 32]]) -> Self {
        Self { current: SealingKey::new(current), previous: previous.iter().map(SealingKey::new).collect() }
    }

    /// Seals `plaintext` for this row with the current key and 12 random bytes from `entropy`.
    #[allow(clippy::expect_used)] // GCM refuses only more than 64 GiB
    pub fn seal(&self, row: &RowName<'_>, plaintext: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce = entropy.bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(PREFIX_LENGTH + plaintext.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.current.name);
        sealed.extend_from_slice(&nonce);
        let aad = row.additional_data(&sealed[..PREFIX_LENGTH - NONCE_LENGTH]);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .current
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut sealed[PREFIX_LENGTH..],
            )
            .expect("a value of a row is shorter than 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what was sealed for this row, with whichever of the keys it names.
    pub fn open(&self, row: &RowName<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (prefix, ciphertext) = sealed.split_at_checked(PREFIX_LENGTH).ok_or(SealError::Malformed)?;
        let (head, nonce) = prefix.split_at(PREFIX_LENGTH - NONCE_LENGTH);
        if head[0] != VERSION || ciphertext.len() < AES_256_GCM.tag_len() {
            return Err(SealError::Malformed);
        }
        // Four bytes may name two keys by chance; then the tag decides.
        let mut error = SealError::AnotherKey;
        for key in std::iter::once(&self.current).chain(&self.previous).filter(|key| key.name == head[1..]) {
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Malformed)?;
            let mut plaintext = Zeroizing::new(ciphertext.to_vec());
            let opened = key
                .key
                .open_in_place(nonce, Aad::from(row.additional_data(head)), &mut plaintext)
                .map(|opened| opened.len());
            match opened {
                Ok(length) => {
                    plaintext.truncate(length);
                    return Ok(plaintext);
                }
                Err(_) => error = SealError::MovedOrEdited,
            }
        }
        Err(error)
    }
}

impl SealingKey {
    #[allow(clippy::expect_used)] // the length of the key is right by its type
    fn new(secret: &[u8; 32]) -> Self {
        let key = derive(secret, Family::Seal, "AES-256-GCM");
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("AES-256 takes 32 bytes");
        let mut name = [0; NAME_LENGTH];
        name.copy_from_slice(&derive(secret, Family::SealName, "")[..NAME_LENGTH]);
        Self { name, key: LessSafeKey::new(key) }
    }
}

impl RowName<'_> {
    /// `table:column:id` behind version and key's name; only the id may hold a colon, so no two rows have the same.
    fn additional_data(&self, head: &[u8]) -> Vec<u8> {
        [head, self.table.as_bytes(), b":", self.column.as_bytes(), b":", self.id.as_bytes()].concat()
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKeys(…)")
    }
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It is too short or of an unknown version: nothing that was ever sealed.
    Malformed,
    /// It was sealed with a secret key that is neither the current nor a previous one.
    AnotherKey,
    /// The key is right, but the value was sealed for another row or changed since.
    MovedOrEdited,
}

impl fmt::Display for SealError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the value was never sealed, or by a newer version",
            Self::AnotherKey => {
                "sealed with another secret key: add the one used before to previous_secret_keys"
            }
            Self::MovedOrEdited => "the row was moved or edited since it was sealed",
        })
    }
}

impl std::error::Error for SealError {}

const VERSION: u8 = 1;
const NAME_LENGTH: usize = 4;
const NONCE_LENGTH: usize = NONCE_LEN;
const PREFIX_LENGTH: usize = 1 + NAME_LENGTH + NONCE_LENGTH;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entropy::SystemEntropy;

    const ROW: RowName<'static> = RowName { table: "signing_keys", column: "private_key", id: "k1" };

    fn sealed(keys: &SealingKeys) -> Vec<u8> {
        keys.seal(&ROW, b"private", &SystemEntropy)
    }

    #[test]
    fn what_was_sealed_opens_for_its_row() {
        let keys = SealingKeys::new(&[1; 32], &[]);
        for plaintext in [&b""[..], b"private", &[0xa5; 5_000]] {
            let sealed = keys.seal(&ROW, plaintext, &SystemEntropy);
            assert_eq!(sealed.len(), 1 + 4 + 12 + plaintext.len() + 16);
            assert_eq!(keys.open(&ROW, &sealed).unwrap().as_slice(), plaintext);
        }
    }

    // threat 177
    #[test]
    fn a_sealed_value_shows_nothing_and_looks_different_each_time() {
        let keys = SealingKeys::new(&[1; 32], &[]);
        let (first, second) = (sealed(&keys), sealed(&keys));
        assert!(!first.windows(7).any(|window| window == b"private"));
        assert_ne!(first, second);
        assert_eq!(format!("{keys:?}"), "SealingKeys(…)");
    }

    // threats 177, 178
    #[test]
    fn a_value_moved_to_another_row_column_or_table_does_not_open() {
        let keys = SealingKeys::new(&[1; 32], &[]);
        let value = sealed(&keys);
        for row in [
            RowName { id: "k2", ..ROW },
            RowName { id: "", ..ROW },
            RowName { column: "public_key", ..ROW },
            RowName { table: "credentials", ..ROW },
            RowName { table: "signing_keys", column: "private", id: "_key:k1" },
        ] {
            assert_eq!(keys.open(&row, &value), Err(SealError::MovedOrEdited), "{row:?}");
        }
    }

    // threat 178
    #[test]
    fn a_value_with_any_bit_flipped_or_byte_cut_does_not_open() {
        let keys = SealingKeys::new(&[1; 32], &[]);
        let value = sealed(&keys);
        for bit in 0..value.len() * 8 {
            let mut edited = value.clone();
            edited[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0 => SealError::Malformed,
                1..=4 => SealError::AnotherKey,
                _ => SealError::MovedOrEdited,
            };
            assert_eq!(keys.open(&ROW, &edited), Err(expected));
        }
        for length in 0..value.len() {
            assert!(keys.open(&ROW, &value[..length]).is_err());
        }
        assert_eq!(keys.open(&ROW, &[value, vec![0]].concat()), Err(SealError::MovedOrEdited));
    }

    #[test]
    fn a_replaced_secret_key_still_opens_and_a_forgotten_one_is_named_as_the_reason() {
        let old = sealed(&SealingKeys::new(&[1; 32], &[]));
        let both = SealingKeys::new(&[2; 32], &[[3; 32], [1; 32]]);
        assert_eq!(both.open(&ROW, &old).unwrap().as_slice(), b"private");
        assert_eq!(SealingKeys::new(&[2; 32], &[[3; 32]]).open(&ROW, &old), Err(SealError::AnotherKey));
        assert_eq!(SealingKeys::new(&[1; 32], &[]).open(&ROW, &sealed(&both)), Err(SealError::AnotherKey));
        assert_eq!(both.open(&RowName { id: "k2", ..ROW }, &old), Err(SealError::MovedOrEdited));
    }
}
