//! The keys that may have signed a token, parsed once, and the choice of the one that did (RFC 7515 §4.1.4, §6).
//!
//! `kid` only selects within a set that the caller chose; it is never a path, a query or an address (RFC 8725 §3.10, threat 67).

use crate::jose::jwk::PublicJwk;
use crate::jose::verify::VerifyError;
use crate::protocol::verification_algorithm::VerificationAlgorithm;

/// Public keys to verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationKeys {
    keys: Vec<PublicJwk>,
    naming: Naming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    Required,
    Optional,
}

/// What a token says of the key that it was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySought<'a> {
    /// Its `kid`, if it has one.
    pub kid: Option<&'a str>,
    /// Its `alg`.
    pub algorithm: VerificationAlgorithm,
}

impl VerificationKeys {
    /// Keys that a token must name by `kid`: this server's own.
    pub fn named(keys: impl IntoIterator<Item = PublicJwk>) -> Self {
        Self { keys: keys.into_iter().collect(), naming: Naming::Required }
    }

    /// Keys of which a token need not name one when only one suits its algorithm (OpenID Connect Core §10.1): a client's. Keys without
    /// a `kid` are considered when the token names none, or one that no key has.
    pub fn perhaps_unnamed(keys: impl IntoIterator<Item = PublicJwk>) -> Self {
        Self { keys: keys.into_iter().collect(), naming: Naming::Optional }
    }

    /// The key that `kid` names, when it is exactly one.
    pub fn find(&self, kid: &str) -> Option<&PublicJwk> {
        exactly_one(self.keys.iter().filter(|key| key.kid() == Some(kid)))
    }

    /// Whether one of them may have signed a token that says so; if not, newer keys are worth asking for.
    pub fn may_hold(&self, sought: KeySought<'_>) -> bool {
        let found = self.select(sought.kid, sought.algorithm);
        !matches!(found, Err(VerifyError::UnknownKey | VerifyError::AlgorithmOfAnotherFamily))
    }

    /// Whether the one key that may have signed such a token has no name. A successor of it would have none either, so that nothing
    /// in the token tells which of them signed.
    pub fn is_unnamed(&self, sought: KeySought<'_>) -> bool {
        self.select(sought.kid, sought.algorithm).is_ok_and(|key| key.kid().is_none())
    }

    /// The one key that a token with this `kid` and algorithm can have been signed with; nothing is tried out.
    pub(crate) fn select(
        &self,
        kid: Option<&str>,
        algorithm: VerificationAlgorithm,
    ) -> Result<&PublicJwk, VerifyError> {
        let suits = |key: &&PublicJwk| key.verifies(algorithm);
        let candidates: Vec<_> = match (kid, self.naming) {
            (None, Naming::Required) => return Err(VerifyError::KeyNotNamed),
            (None, Naming::Optional) => self.keys.iter().filter(suits).collect(),
            (Some(kid), naming) => {
                let named: Vec<_> = self.keys.iter().filter(|key| key.kid() == Some(kid)).collect();
                match naming {
                    _ if !named.is_empty() => {
                        let suitable: Vec<_> = named.into_iter().filter(suits).collect();
                        if suitable.is_empty() {
                            return Err(VerifyError::AlgorithmOfAnotherFamily);
                        }
                        suitable
                    }
                    Naming::Required => return Err(VerifyError::UnknownKey),
                    Naming::Optional => {
                        self.keys.iter().filter(|key| key.kid().is_none()).filter(suits).collect()
                    }
                }
            }
        };
        match candidates[..] {
            [] => Err(VerifyError::UnknownKey),
            [key] => Ok(key),
            _ => Err(VerifyError::AmbiguousKey),
        }
    }
}

fn exactly_one<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::sign::SigningKey;
    use crate::protocol::signing_algorithm::SigningAlgorithm;
    use VerificationAlgorithm::{Ed25519, EdDsa, Es256, Ps256, Rs256};
    use serde_json::json;

    fn key(algorithm: SigningAlgorithm, kid: Option<&str>) -> PublicJwk {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        if let Some(kid) = kid {
            jwk["kid"] = json!(kid);
        }
        PublicJwk::parse(&jwk).unwrap()
    }

    // threat 67
    #[test]
    fn a_named_key_is_chosen_by_its_name_alone() {
        let (a, b) = (key(SigningAlgorithm::Es256, Some("a")), key(SigningAlgorithm::Es256, Some("b")));
        let keys = VerificationKeys::named([a.clone(), b.clone()]);
        assert_eq!(keys.select(Some("b"), Es256), Ok(&b));
        assert_eq!(keys.select(Some("c"), Es256), Err(VerifyError::UnknownKey));
        assert_eq!(keys.select(Some("A"), Es256), Err(VerifyError::UnknownKey));
        assert_eq!(keys.select(Some(""), Es256), Err(VerifyError::UnknownKey));
        assert_eq!(keys.select(None, Es256), Err(VerifyError::KeyNotNamed));
        assert_eq!(keys.select(Some("a"), EdDsa), Err(VerifyError::AlgorithmOfAnotherFamily));
        assert_eq!((keys.find("a"), keys.find("c")), (Some(&a), None));
    }

    // threat 67
    #[test]
    fn a_name_that_two_keys_share_chooses_neither_unless_the_algorithm_decides() {
        let keys = [
            key(SigningAlgorithm::Es256, Some("a")),
            key(SigningAlgorithm::Es256, Some("a")),
            key(SigningAlgorithm::EdDsa, Some("a")),
        ];
        let set = VerificationKeys::perhaps_unnamed(keys.clone());
        assert_eq!(set.select(Some("a"), Es256), Err(VerifyError::AmbiguousKey));
        assert_eq!(set.select(None, Es256), Err(VerifyError::AmbiguousKey));
        assert_eq!(set.select(Some("a"), EdDsa), Ok(&keys[2])); // RFC 7517 §4.5
        assert_eq!(set.find("a"), None);
    }

    #[test]
    fn a_key_without_a_name_is_chosen_by_algorithm_only_where_the_set_allows_it() {
        let keys = [key(SigningAlgorithm::Es256, None), key(SigningAlgorithm::EdDsa, Some("b"))];
        let lenient = VerificationKeys::perhaps_unnamed(keys.clone());
        assert_eq!(lenient.select(None, Es256), Ok(&keys[0]));
        assert_eq!(lenient.select(Some("unknown"), Es256), Ok(&keys[0]));
        assert_eq!(lenient.select(None, EdDsa), Ok(&keys[1]));
        assert_eq!(lenient.select(Some("unknown"), EdDsa), Err(VerifyError::UnknownKey));
        let strict = VerificationKeys::named(keys);
        assert_eq!(strict.select(None, Es256), Err(VerifyError::KeyNotNamed));
        assert_eq!(strict.select(Some("unknown"), Es256), Err(VerifyError::UnknownKey));
        assert_eq!(VerificationKeys::perhaps_unnamed([]).select(None, Es256), Err(VerifyError::UnknownKey));
    }
    /// RFC 7517 §4.4: `alg` says what a key is for; without it a key is for whatever suits its kind.
    #[test]
    fn a_key_verifies_the_algorithm_that_it_names_else_all_of_its_kind() {
        let (rsa, _) = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let mut jwk = serde_json::to_value(rsa.public_jwk()).unwrap();
        for (alg, verified) in
            [(None, vec![Rs256, Ps256]), (Some("RS256"), vec![Rs256]), (Some("PS256"), vec![Ps256])]
        {
            jwk.as_object_mut().unwrap().remove("alg");
            if let Some(alg) = alg {
                jwk["alg"] = json!(alg);
            }
            let keys = VerificationKeys::perhaps_unnamed([PublicJwk::parse(&jwk).unwrap()]);
            for algorithm in VerificationAlgorithm::ALL {
                let sought = KeySought { kid: Some(rsa.kid()), algorithm };
                assert_eq!(keys.may_hold(sought), verified.contains(&algorithm), "{alg:?} {algorithm:?}");
            }
        }
        let keys = VerificationKeys::perhaps_unnamed([key(SigningAlgorithm::EdDsa, None)]);
        assert!(keys.may_hold(KeySought { kid: None, algorithm: EdDsa }));
        assert!(!keys.may_hold(KeySought { kid: None, algorithm: Ed25519 }), "it says `EdDSA`");
        assert!(!keys.may_hold(KeySought { kid: None, algorithm: Es256 }));
    }
}
