use super::*;
use serde_json::{Value, json};

fn segment(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
}

#[test]
fn the_protected_header_holds_alg_typ_and_kid_and_nothing_else() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        for typ in JwtType::ALL {
            let token = key.sign(typ, &json!({"sub": "ada"})).unwrap();
            let header: Value = serde_json::from_slice(&segment(&token, 0)).unwrap();
            assert_eq!(header, json!({"alg": algorithm.as_str(), "typ": typ.as_str(), "kid": key.kid()}));
            assert_eq!(segment(&token, 1), br#"{"sub":"ada"}"#);
        }
    }
}

/// RFC 7518 §3.4, RFC 8037 §3.1, RFC 7518 §3.3.
#[test]
fn signatures_have_the_fixed_lengths_of_their_algorithms() {
    for (algorithm, length) in
        [(SigningAlgorithm::Es256, 64), (SigningAlgorithm::Rs256, 256), (SigningAlgorithm::EdDsa, 64)]
    {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        for _ in 0..20 {
            assert_eq!(segment(&key.sign(JwtType::Jwt, &json!({})).unwrap(), 2).len(), length);
        }
    }
}

#[test]
fn a_key_read_from_pkcs8_is_the_one_that_was_generated() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, pkcs8) = SigningKey::generate(algorithm).unwrap();
        let read = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
        assert_eq!(read.public_jwk(), key.public_jwk());
        assert_eq!(read.kid(), key.kid());
        assert_eq!(read.algorithm(), algorithm);
        assert_eq!(crate::jose::thumbprint::thumbprint(key.public_jwk()), key.kid());
    }
}

#[test]
fn a_key_of_another_family_or_a_damaged_one_is_refused() {
    for algorithm in SigningAlgorithm::ALL {
        let (_, pkcs8) = SigningKey::generate(algorithm).unwrap();
        for other in SigningAlgorithm::ALL {
            assert_eq!(SigningKey::from_pkcs8(other, &pkcs8).is_ok(), other == algorithm);
        }
        assert_eq!(
            SigningKey::from_pkcs8(algorithm, &pkcs8[..pkcs8.len() - 1]).unwrap_err(),
            KeyError::NotAKey
        );
        assert_eq!(SigningKey::from_pkcs8(algorithm, b"").unwrap_err(), KeyError::NotAKey);
    }
}

#[test]
fn claims_that_are_no_object_are_not_signed() {
    let (key, _) = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    for claims in [json!(null), json!("a"), json!([{}]), json!(1)] {
        assert_eq!(key.sign(JwtType::Jwt, &claims), Err(SignError::Claims));
    }
    let unserialisable = std::collections::HashMap::from([((1, 2), 3)]);
    assert_eq!(key.sign(JwtType::Jwt, &unserialisable), Err(SignError::Claims));
}

// threat 177
#[test]
fn debug_shows_the_public_name_of_a_key_only() {
    let (key, pkcs8) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    assert_eq!(format!("{key:?}"), format!("SigningKey(ES256 {})", key.kid()));
    assert!(!pkcs8.is_empty());
}

/// RFC 7517 §4, RFC 7518 §6: and no private member.
#[test]
fn a_public_jwk_serialises_to_exactly_its_public_members() {
    for (algorithm, names) in [
        (SigningAlgorithm::Es256, "alg crv kid kty use x y"),
        (SigningAlgorithm::Rs256, "alg e kid kty n use"),
        (SigningAlgorithm::EdDsa, "alg crv kid kty use x"),
    ] {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members.join(" "), names);
        assert_eq!(jwk["alg"], algorithm.as_str());
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["kid"], key.kid());
        assert_eq!(&PublicJwk::parse(&jwk).unwrap(), key.public_jwk());
    }
}

#[test]
fn a_signing_key_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<SigningKey>();
    shared::<PublicJwk>();
}
