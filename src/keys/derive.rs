//! One secret key, many uses: a key of its own for each purpose (HKDF with SHA-256, RFC 5869), and HMAC with it (RFC 2104).
//!
//! Two purposes never share a key, so what is authenticated for one says nothing for another. What a tag means, and how long
//! it counts, is left to whoever asks for it.

use crate::model::secret::constant_time_eq;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// A key for HMAC-SHA256, good for one purpose.
#[derive(Clone)]
pub struct DerivedKey(hmac::Key);

impl DerivedKey {
    /// The key that follows from `secret` for `purpose`, such as `"refresh token"`.
    pub fn new(secret: &[u8; 32], purpose: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, derive(secret, Family::Mac, purpose).as_ref()))
    }

    /// The tag of this list of parts; no two lists have the same, as each part counts with its length.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the tag of this list of parts; tells by its duration only how long they are.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        constant_time_eq(&self.mac(parts), tag)
    }
}

/// The keys of one purpose while the secret key is being replaced: the current one makes, any one verifies.
#[derive(Clone)]
pub struct KeyedMac {
    current: DerivedKey,
    previous: Vec<DerivedKey>,
}

impl KeyedMac {
    /// The keys that follow from the current secret and from those before it.
    pub fn new(current: &[u8; 32], previous: &[[u8; 32]], purpose: &str) -> Self {
        Self {
            current: DerivedKey::new(current, purpose),
            previous: previous.iter().map(|secret| DerivedKey::new(secret, purpose)).collect(),
        }
    }

    /// The tag by the current key.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.current.mac(parts)
    }

    /// Whether `tag` is the tag by the current key or a previous one.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.current.verify(parts, tag) || self.previous.iter().any(|key| key.verify(parts, tag))
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DerivedKey(…)")
    }
}

impl fmt::Debug for KeyedMac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyedMac(…)")
    }
}

/// What a derived key is used with; keeps an HMAC key from ever being an AES key too.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    Mac,
    Seal,
    SealName,
}

/// 32 bytes that follow from `secret` for this family and purpose (RFC 5869).
#[allow(clippy::expect_used)] // HKDF refuses only outputs longer than 255 hashes, and this one is as long as one
pub(crate) fn derive(secret: &[u8; 32], family: Family, purpose: &str) -> Zeroizing<[u8; 32]> {
    let family: &[u8] = match family {
        Family::Mac => b"mac:",
        Family::Seal => b"seal:",
        Family::SealName => b"seal name:",
    };
    let mut key = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, b"portreeve")
        .extract(secret)
        .expand(&[family, purpose.as_bytes()], HKDF_SHA256)
        .and_then(|output| output.fill(key.as_mut()))
        .expect("one hash of output is allowed");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_verifies_for_its_parts_key_and_purpose_only() {
        let key = DerivedKey::new(&[1; 32], "marker");
        let tag = key.mac(&[b"a", b"b"]);
        assert!(key.verify(&[b"a", b"b"], &tag));
        assert!(!key.verify(&[b"a", b"c"], &tag));
        assert!(!DerivedKey::new(&[1; 32], "form").verify(&[b"a", b"b"], &tag));
        assert!(!DerivedKey::new(&[2; 32], "marker").verify(&[b"a", b"b"], &tag));
        let mut flipped = tag;
        flipped[31] ^= 1;
        for wrong in [&flipped[..], &tag[..31], &[&tag[..], &[0]].concat(), b""] {
            assert!(!key.verify(&[b"a", b"b"], wrong));
        }
    }

    #[test]
    fn no_two_lists_of_parts_share_a_tag() {
        let key = DerivedKey::new(&[1; 32], "marker");
        let lists: [&[&[u8]]; 9] = [
            &[],
            &[b""],
            &[b"", b""],
            &[b"ab"],
            &[b"a", b"b"],
            &[b"ab", b""],
            &[b"", b"ab"],
            &[b"b", b"a"],
            &[b"\0\0\0\0\0\0\0\x01a"],
        ];
        let tags: std::collections::HashSet<_> = lists.iter().map(|parts| key.mac(parts)).collect();
        assert_eq!(tags.len(), lists.len());
    }

    #[test]
    fn a_replaced_secret_still_verifies_until_it_is_forgotten_but_makes_nothing() {
        let old = KeyedMac::new(&[1; 32], &[], "form");
        let both = KeyedMac::new(&[2; 32], &[[1; 32]], "form");
        let new = KeyedMac::new(&[2; 32], &[], "form");
        let tag = old.mac(&[b"a"]);
        assert!(both.verify(&[b"a"], &tag));
        assert!(!both.verify(&[b"b"], &tag));
        assert!(!new.verify(&[b"a"], &tag));
        assert_eq!(both.mac(&[b"a"]), new.mac(&[b"a"]));
        assert!(!old.verify(&[b"a"], &both.mac(&[b"a"])));
    }

    #[test]
    fn families_and_purposes_have_keys_of_their_own() {
        let secret = [7; 32];
        let mac = derive(&secret, Family::Mac, "x");
        for other in [
            derive(&secret, Family::Seal, "x"),
            derive(&secret, Family::SealName, "x"),
            derive(&secret, Family::Mac, "y"),
        ] {
            assert_ne!(*mac, *other);
        }
        assert_eq!(mac, derive(&secret, Family::Mac, "x"));
        assert_eq!(format!("{:?}", DerivedKey::new(&secret, "x")), "DerivedKey(…)");
    }
}
