use super::*;
use crate::jose::sign::SigningKey;
use serde_json::json;

fn jwk_of(algorithm: SigningAlgorithm) -> Value {
    serde_json::to_value(SigningKey::generate(algorithm).unwrap().0.public_jwk()).unwrap()
}

/// `jwk` with `member` replaced.
fn with(jwk: &Value, member: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[member] = value;
    jwk
}

fn refusal(jwk: &Value) -> JwkError {
    PublicJwk::parse(jwk).unwrap_err()
}

/// A number of `bits` bits, odd, that is hardly an RSA modulus but as long as one.
fn modulus(bits: usize) -> String {
    let mut bytes = vec![0xa5; bits.div_ceil(8)];
    bytes[0] = if bits.is_multiple_of(8) { 0x80 } else { 1 << (bits % 8 - 1) };
    *bytes.last_mut().unwrap() |= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_key_without_kid_alg_and_use_is_read() {
    for algorithm in SigningAlgorithm::ALL {
        let mut jwk = jwk_of(algorithm);
        for member in ["kid", "alg", "use"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        let read = PublicJwk::parse(&jwk).unwrap();
        assert_eq!((read.kid(), read.algorithm()), (None, algorithm));
    }
}

// threat 73
#[test]
fn rsa_outside_2048_to_8192_bits_is_refused() {
    let rsa = |bits| json!({"kty": "RSA", "n": modulus(bits), "e": "AQAB"});
    for bits in [8, 512, 1024, 2047, 8193, 16384] {
        assert_eq!(refusal(&rsa(bits)), JwkError::WeakRsa, "{bits}");
    }
    for bits in [2048, 3072, 4096, 8192] {
        assert!(PublicJwk::parse(&rsa(bits)).is_ok(), "{bits}");
    }
}

// threat 73
#[test]
fn rsa_with_a_degenerate_exponent_or_an_even_modulus_is_refused() {
    let jwk = jwk_of(SigningAlgorithm::Rs256);
    // 1; 2; 65536; 2^32 + 1; the modulus itself
    for exponent in [json!("AQ"), json!("Ag"), json!("AQAA"), json!("AQAAAAE"), jwk["n"].clone()] {
        assert_eq!(refusal(&with(&jwk, "e", exponent.clone())), JwkError::WeakRsa, "{exponent}");
    }
    assert!(PublicJwk::parse(&with(&jwk, "e", json!("Aw"))).is_ok());
    let mut even = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(refusal(&with(&jwk, "n", json!(URL_SAFE_NO_PAD.encode(even)))), JwkError::WeakRsa);
}

/// RFC 7518 §2, Base64urlUInt.
#[test]
fn rsa_numbers_that_are_empty_padded_or_led_by_zero_are_refused() {
    let jwk = jwk_of(SigningAlgorithm::Rs256);
    for exponent in ["", "AA", "AAEAAQ", "AQAB=", "AQ AB", "AQAB\n", "A+/B"] {
        assert_eq!(refusal(&with(&jwk, "e", json!(exponent))), JwkError::Malformed("e"), "{exponent}");
    }
    assert_eq!(refusal(&with(&jwk, "n", json!(7))), JwkError::Malformed("n"));
}

// threat 73
#[test]
fn a_point_off_the_curve_is_refused() {
    let jwk = jwk_of(SigningAlgorithm::Es256);
    let mut y: [u8; 32] = coordinate(jwk.as_object().unwrap(), "y").unwrap();
    y[31] ^= 1;
    assert_eq!(refusal(&with(&jwk, "y", json!(URL_SAFE_NO_PAD.encode(y)))), JwkError::NotOnTheCurve);
    let zero = json!(URL_SAFE_NO_PAD.encode([0; 32]));
    assert_eq!(refusal(&with(&with(&jwk, "x", zero.clone()), "y", zero)), JwkError::NotOnTheCurve);
    let beyond = json!(URL_SAFE_NO_PAD.encode([0xff; 32]));
    assert_eq!(refusal(&with(&jwk, "x", beyond)), JwkError::NotOnTheCurve);
}

#[test]
fn a_coordinate_of_another_length_is_refused() {
    for (algorithm, member) in
        [(SigningAlgorithm::Es256, "x"), (SigningAlgorithm::Es256, "y"), (SigningAlgorithm::EdDsa, "x")]
    {
        let jwk = jwk_of(algorithm);
        for length in [0, 31, 33, 64] {
            let value = json!(URL_SAFE_NO_PAD.encode(vec![1; length]));
            assert_eq!(refusal(&with(&jwk, member, value)), JwkError::Malformed(member));
        }
    }
}

// threat 73
#[test]
fn private_and_symmetric_keys_are_refused() {
    for algorithm in SigningAlgorithm::ALL {
        let jwk = jwk_of(algorithm);
        for member in PRIVATE_MEMBERS {
            assert_eq!(refusal(&with(&jwk, member, json!("AQAB"))), JwkError::PrivateMember);
            assert_eq!(refusal(&with(&jwk, member, json!(null))), JwkError::PrivateMember);
        }
    }
    assert_eq!(refusal(&json!({"kty": "oct", "k": "c2VjcmV0"})), JwkError::PrivateMember);
    assert_eq!(refusal(&json!({"kty": "oct"})), JwkError::Symmetric);
}

/// RFC 7517 §4.2 to §4.5.
#[test]
fn a_key_for_another_purpose_or_algorithm_is_refused() {
    let jwk = jwk_of(SigningAlgorithm::Rs256);
    for (member, value, expected) in [
        ("use", json!("enc"), JwkError::NotForVerifying),
        ("use", json!("SIG"), JwkError::NotForVerifying),
        ("use", json!(["sig"]), JwkError::Malformed("use")),
        ("key_ops", json!(["sign"]), JwkError::NotForVerifying),
        ("key_ops", json!([]), JwkError::NotForVerifying),
        ("key_ops", json!("verify"), JwkError::Malformed("key_ops")),
        ("alg", json!("ES256"), JwkError::AlgorithmOfAnotherFamily),
        ("alg", json!("HS256"), JwkError::Unsupported("alg")),
        ("alg", json!("none"), JwkError::Unsupported("alg")),
        ("alg", json!("rs256"), JwkError::Unsupported("alg")),
        ("alg", json!(256), JwkError::Malformed("alg")),
        ("kid", json!(1), JwkError::Malformed("kid")),
        ("kid", json!("k".repeat(257)), JwkError::Malformed("kid")),
        ("kty", json!("rsa"), JwkError::Unsupported("kty")),
        ("kty", json!("EC"), JwkError::Missing("crv")),
        ("kty", json!(null), JwkError::Malformed("kty")),
    ] {
        assert_eq!(refusal(&with(&jwk, member, value.clone())), expected, "{member} {value}");
    }
    assert!(PublicJwk::parse(&with(&jwk, "key_ops", json!(["verify"]))).is_ok());
    for value in [json!(null), json!([]), json!("RSA"), json!(1)] {
        assert_eq!(refusal(&value), JwkError::NotAnObject);
    }
    assert_eq!(refusal(&json!({})), JwkError::Missing("kty"));
    assert_eq!(refusal(&json!({"kty": "EC", "crv": "P-521"})), JwkError::Unsupported("crv"));
    assert_eq!(refusal(&json!({"kty": "OKP", "crv": "X25519"})), JwkError::Unsupported("crv"));
}

/// RFC 7517 §5.
#[test]
fn a_set_leaves_out_what_it_does_not_know_and_refuses_what_is_weak() {
    let good = jwk_of(SigningAlgorithm::Es256);
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44"});
    let encryption = with(&jwk_of(SigningAlgorithm::Rs256), "use", json!("enc"));
    let set = JwkSet::parse(&json!({"keys": [unknown, good, encryption]})).unwrap();
    assert_eq!(serde_json::to_value(&set).unwrap(), json!({"keys": [good]}));

    let weak = json!({"kty": "RSA", "n": modulus(1024), "e": "AQAB"});
    assert_eq!(JwkSet::parse(&json!({"keys": [good, weak]})), Err(JwkError::WeakRsa));
    assert_eq!(
        JwkSet::parse(&json!({"keys": [good, with(&good, "d", json!("AQ"))]})),
        Err(JwkError::PrivateMember)
    );
    assert_eq!(JwkSet::parse(&json!({"keys": vec![good; 65]})), Err(JwkError::TooManyKeys));
    for malformed in [json!({}), json!([]), json!({"keys": {}}), json!({"keys": null}), json!("keys")] {
        assert_eq!(JwkSet::parse(&malformed), Err(JwkError::Malformed("keys")));
    }
    assert_eq!(JwkSet::parse(&json!({"keys": ["x"]})), Err(JwkError::NotAnObject));
}

// threat 71
#[test]
fn a_document_that_is_no_strict_json_is_no_key_set() {
    let good = jwk_of(SigningAlgorithm::Es256).to_string();
    let set = JwkSet::read(format!("{{\"keys\":[{good}]}}").as_bytes()).unwrap();
    assert_eq!(set.keys.len(), 1);
    for document in [
        String::new(),
        format!("[{good}]"),
        format!("{{\"keys\":[],\"keys\":[{good}]}}"),
        format!("{{\"keys\":[{{\"kty\":\"oct\",{}]}}", &good[1..]),
        format!("{{\"keys\":[{good}]}} x"),
        format!("\u{feff}{{\"keys\":[{good}]}}"),
    ] {
        assert_eq!(JwkSet::read(document.as_bytes()), Err(JwkError::NotStrictJson), "{document}");
    }
    assert_eq!(JwkSet::read(b"{}"), Err(JwkError::Malformed("keys")));
}

/// RFC 7517 §5: `keys` must be present.
#[test]
fn an_empty_set_serialises_to_an_empty_list() {
    assert_eq!(serde_json::to_string(&JwkSet::default()).unwrap(), r#"{"keys":[]}"#);
}
