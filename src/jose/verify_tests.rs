use super::*;
use crate::jose::expectation::{Audience, ExpectedType, Expiry};
use crate::jose::jwk::PublicJwk;
use crate::jose::jwt_type::JwtType;
use crate::jose::sign::SigningKey;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PSS_SHA256, RsaKeyPair};
use aws_lc_rs::{encoding::AsDer as _, hmac};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://auth.example.com";

static EXPECTATION: Expectation<'static> = Expectation {
    typ: ExpectedType::Only(JwtType::AccessToken),
    issuer: Some(ISSUER),
    audience: Audience::Contains("api"),
    algorithms: &VerificationAlgorithm::OWN,
    now_seconds: NOW,
    leeway_seconds: 5,
    expiry: Expiry::Required,
    maximum_age_seconds: None,
};

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "ada", "aud": ["api"], "exp": NOW + 60, "iat": NOW, "jti": "1"})
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs any bytes whatever, as an attacker with a good key of their own would.
struct Forge {
    pair: EcdsaKeyPair,
    key: SigningKey,
}

static FORGE: LazyLock<Forge> = LazyLock::new(|| {
    let (key, pkcs8) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    Forge { pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap(), key }
});

impl Forge {
    fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.sign_encoded(&encode(header), &encode(payload))
    }

    fn sign_encoded(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid()})
    }

    /// The good token with one header parameter changed, and rightly signed.
    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.sign(header.to_string(), claims().to_string())
    }

    fn with_payload(&self, payload: impl AsRef<[u8]>) -> String {
        self.sign(self.header().to_string(), payload)
    }

    fn judge(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        verify(token, &VerificationKeys::named([self.key.public_jwk().clone()]), &EXPECTATION)
    }

    fn refusal(&self, token: &str) -> VerifyError {
        // The next good request works.
        assert!(self.judge(&self.with_payload(claims().to_string())).is_ok());
        self.judge(token).unwrap_err()
    }
}

#[test]
fn what_is_signed_verifies_with_every_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let keys = VerificationKeys::named([FORGE.key.public_jwk().clone(), key.public_jwk().clone()]);
        let token = key.sign(JwtType::AccessToken, &claims()).unwrap();
        let verified = verify(&token, &keys, &EXPECTATION).unwrap();
        assert_eq!((verified.kid(), verified.algorithm()), (Some(key.kid()), algorithm.into()));
        assert_eq!((verified.text("sub"), verified.seconds("exp")), (Some("ada"), Some(NOW + 60)));
        assert_eq!(Value::Object(verified.into_claims()), claims());

        let narrow: Vec<_> =
            VerificationAlgorithm::OWN.into_iter().filter(|other| *other != algorithm.into()).collect();
        let narrow = Expectation { algorithms: &narrow, ..EXPECTATION };
        assert_eq!(verify(&token, &keys, &narrow), Err(VerifyError::Algorithm));
    }
}

/// An implementation that shares nothing with this one but the primitives.
#[test]
#[allow(clippy::disallowed_methods)] // the ban keeps lenient verifying out of the server; here it is the independent opinion
fn what_is_signed_verifies_with_another_implementation_too() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let token = key.sign(JwtType::AccessToken, &claims()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(json!(key.public_jwk())).unwrap();
        let library_key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let mut validation = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
        validation.set_audience(&["api"]);
        validation.validate_exp = false; // its clock is the system's
        let decoded = jsonwebtoken::decode::<Value>(&token, &library_key, &validation).unwrap();
        assert_eq!(decoded.claims, claims());
        assert_eq!(decoded.header.kid.as_deref(), Some(key.kid()));
        assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key.kid());
    }
}

/// RFC 7518 §3.5: one RSA key, two schemes; a signature of one is none of the other.
#[test]
fn an_rsa_key_of_a_client_verifies_pss_too_when_it_does_not_say_otherwise() {
    let (key, pkcs8) = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
    let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg");
    let keys = VerificationKeys::perhaps_unnamed([PublicJwk::parse(&jwk).unwrap()]);
    let expectation = Expectation { algorithms: &VerificationAlgorithm::ALL, ..EXPECTATION };
    let sign = |alg: &str| {
        let header = json!({"alg": alg, "typ": "at+jwt"}).to_string();
        let signed = format!("{}.{}", encode(header), encode(claims().to_string()));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(signature))
    };
    let verified = verify(&sign("PS256"), &keys, &expectation).unwrap();
    assert_eq!(verified.algorithm(), VerificationAlgorithm::Ps256);
    assert_eq!(verify(&sign("RS256"), &keys, &expectation), Err(VerifyError::Signature));
    assert!(
        verify(
            &key.sign(JwtType::AccessToken, &claims()).unwrap(),
            &VerificationKeys::perhaps_unnamed([key.public_jwk().clone()]),
            &expectation
        )
        .is_ok()
    );
    let named = VerificationKeys::perhaps_unnamed([key.public_jwk().clone()]);
    assert_eq!(
        verify(&sign("PS256"), &named, &expectation),
        Err(VerifyError::UnknownKey),
        "its alg is RS256"
    );
    assert_eq!(verify(&sign("PS256"), &keys, &EXPECTATION), Err(VerifyError::Algorithm));
}

// threat 65
#[test]
fn the_algorithm_none_in_any_spelling_is_refused() {
    for alg in ["none", "None", "NONE", "nOnE", "", " none", "es256", "ES256 ", "ES384", "PS256", "RS256\0"] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": FORGE.key.kid()}).to_string();
        for token in [
            format!("{}.{}.", encode(&header), encode(claims().to_string())),
            FORGE.sign(&header, claims().to_string()),
        ] {
            assert_eq!(FORGE.refusal(&token), VerifyError::Algorithm, "{alg}");
        }
    }
    for alg in [json!(null), json!(["ES256"]), json!({"alg": "ES256"}), json!(256)] {
        assert_eq!(FORGE.refusal(&FORGE.with_header("alg", alg)), VerifyError::Algorithm);
    }
    let without = json!({"typ": "at+jwt", "kid": FORGE.key.kid()}).to_string();
    assert_eq!(FORGE.refusal(&FORGE.sign(without, claims().to_string())), VerifyError::Algorithm);
}

// threat 65
#[test]
fn a_good_header_without_a_signature_is_refused() {
    let token = FORGE.with_payload(claims().to_string());
    let (signed, _) = token.rsplit_once('.').unwrap();
    for signature in [String::new(), encode([0; 64]), encode([0; 63]), encode([0xff; 64]), encode("")] {
        assert_eq!(FORGE.refusal(&format!("{signed}.{signature}")), VerifyError::Signature);
    }
    assert_eq!(FORGE.refusal(signed), VerifyError::Segments);
}

// threat 66
#[test]
fn a_public_key_used_as_a_shared_secret_is_refused() {
    for algorithm in SigningAlgorithm::ALL {
        let (key, _) = SigningKey::generate(algorithm).unwrap();
        let keys = VerificationKeys::perhaps_unnamed([key.public_jwk().clone()]);
        let jwk = serde_json::to_string(key.public_jwk()).unwrap();
        let der = key.public_jwk().verifier(algorithm.into()).unwrap().as_der().unwrap().as_ref().to_vec();
        let base64 = base64::engine::general_purpose::STANDARD.encode(&der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
        for secret in
            [jwk.as_bytes(), pem.as_bytes(), pem.trim_end().as_bytes(), &der, b"", key.kid().as_bytes()]
        {
            for (alg, expected) in
                [("HS256", VerifyError::Algorithm), (algorithm.as_str(), VerifyError::Signature)]
            {
                let header = json!({"alg": alg, "typ": "at+jwt", "kid": key.kid()}).to_string();
                let signed = format!("{}.{}", encode(header), encode(claims().to_string()));
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
                let token = format!("{signed}.{}", encode(tag));
                assert_eq!(verify(&token, &keys, &EXPECTATION), Err(expected));
            }
        }
    }
}

// threat 66
#[test]
fn an_algorithm_of_another_family_than_the_named_key_is_refused() {
    for alg in ["RS256", "EdDSA"] {
        assert_eq!(
            FORGE.refusal(&FORGE.with_header("alg", json!(alg))),
            VerifyError::AlgorithmOfAnotherFamily
        );
    }
}

// threat 67
#[test]
fn a_hostile_kid_selects_nothing() {
    for kid in ["../../dev/null", "' OR 1=1--", "", "*", "\0", "https://evil.example/jwks", "|sleep 9"] {
        assert_eq!(FORGE.refusal(&FORGE.with_header("kid", json!(kid))), VerifyError::UnknownKey, "{kid:?}");
    }
    let kid = FORGE.key.kid();
    for kid in [
        json!([kid]),
        json!({"kid": kid}),
        json!(1),
        json!(null),
        json!("k".repeat(257)),
        json!("k".repeat(8_000)),
    ] {
        assert_eq!(FORGE.refusal(&FORGE.with_header("kid", kid)), VerifyError::KeyIdentifier);
    }
    assert_eq!(FORGE.refusal(&FORGE.with_header("kid", json!("k".repeat(1 << 20)))), VerifyError::TooLarge);
    let twice = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"a","kid":"{kid}"}}"#);
    assert_eq!(FORGE.refusal(&FORGE.sign(twice, claims().to_string())), VerifyError::Json(Part::Header));
    let without = json!({"alg": "ES256", "typ": "at+jwt"}).to_string();
    assert_eq!(FORGE.refusal(&FORGE.sign(without, claims().to_string())), VerifyError::KeyNotNamed);
}

// threat 68
#[test]
fn a_key_or_an_address_in_the_header_is_not_used() {
    let (attacker, _) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let (_, pkcs8) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let attackers = Forge {
        pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap(),
        key: attacker,
    };
    for (name, value) in [
        ("jwk", json!(SigningKey::from_pkcs8(SigningAlgorithm::Es256, &pkcs8).unwrap().public_jwk())),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = FORGE.header();
        header[name] = value.clone();
        let forged = attackers.sign(header.to_string(), claims().to_string());
        assert_eq!(FORGE.refusal(&forged), VerifyError::Signature, "{name}");
        header.as_object_mut().unwrap().remove("kid");
        let forged = attackers.sign(header.to_string(), claims().to_string());
        assert_eq!(FORGE.refusal(&forged), VerifyError::KeyNotNamed, "{name}");
        assert!(
            FORGE.judge(&FORGE.with_header(name, value)).is_ok(),
            "{name} does not keep a good token from being good"
        );
    }
}

// threat 69
#[test]
fn a_critical_or_unencoded_header_is_refused() {
    for crit in
        [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("exp"), json!(["alg"]), json!(false)]
    {
        assert_eq!(FORGE.refusal(&FORGE.with_header("crit", crit)), VerifyError::Critical);
    }
    for b64 in [json!(false), json!(true), json!("false")] {
        assert_eq!(FORGE.refusal(&FORGE.with_header("b64", b64)), VerifyError::UnencodedPayload);
    }
    let mut header = FORGE.header();
    (header["crit"], header["b64"]) = (json!(["b64"]), json!(false));
    assert_eq!(FORGE.refusal(&FORGE.sign(header.to_string(), claims().to_string())), VerifyError::Critical);
    let unencoded = FORGE.sign_encoded(&encode(FORGE.header().to_string()), r#"{"sub":"ada"}"#);
    assert_eq!(FORGE.refusal(&unencoded), VerifyError::Encoding(Part::Payload));
}

// threat 70; the whole table is in `expectation_tests`
#[test]
fn claims_of_a_wrong_type_are_refused_under_a_good_signature() {
    for (name, value, expected) in [
        ("exp", "\"1800000060\"", VerifyError::ClaimType("exp")),
        ("exp", "1800000060.5", VerifyError::ClaimType("exp")),
        ("exp", "-1", VerifyError::Expired),
        ("exp", "9007199254740992", VerifyError::ClaimRange("exp")),
        ("exp", "9223372036854775808", VerifyError::ClaimRange("exp")),
        ("exp", "99999999999999999999999", VerifyError::ClaimRange("exp")),
        ("exp", "1e400", VerifyError::Json(Part::Payload)),
        ("aud", "1", VerifyError::ClaimType("aud")),
        ("aud", "{\"api\":1}", VerifyError::ClaimType("aud")),
        ("aud", "[\"api\",1]", VerifyError::ClaimType("aud")),
        ("iss", "[\"https://auth.example.com\"]", VerifyError::ClaimType("iss")),
        ("sub", "1", VerifyError::ClaimType("sub")),
        ("sub", "{\"sub\":\"ada\"}", VerifyError::ClaimType("sub")),
        ("jti", "7", VerifyError::ClaimType("jti")),
    ] {
        let mut rest = claims();
        rest.as_object_mut().unwrap().remove(name);
        let payload = format!("{{\"{name}\":{value},{}", &rest.to_string()[1..]);
        assert_eq!(FORGE.refusal(&FORGE.with_payload(payload)), expected, "{name} {value}");
    }
}

// threat 71
#[test]
fn repeated_members_are_refused_under_a_good_signature() {
    let good = claims().to_string();
    for repeated in
        [r#""aud":"evil","#, r#""\u0061ud":"evil","#, r#""x":{"a":1,"a":1},"#, r#""x":[[{"a":1,"a":1}]],"#]
    {
        for payload in [
            format!("{{{repeated}{}", &good[1..]),
            format!("{},{}}}", &good[..good.len() - 1], repeated.trim_end_matches(',')),
        ] {
            assert_eq!(
                FORGE.refusal(&FORGE.with_payload(&payload)),
                VerifyError::Json(Part::Payload),
                "{payload}"
            );
        }
    }
    let header = FORGE.header().to_string();
    let twice = format!(r#"{{"alg":"none",{}"#, &header[1..]);
    assert_eq!(FORGE.refusal(&FORGE.sign(twice, &good)), VerifyError::Json(Part::Header));
}

// threat 71
#[test]
fn anything_around_or_deep_inside_the_json_is_refused() {
    let (header, payload) = (FORGE.header().to_string(), claims().to_string());
    for damage in [
        (|text| format!("{text}{{}}")) as fn(&str) -> String,
        |text| format!("{text} x"),
        |text| format!("{text}\0"),
        |text| format!("\u{feff}{text}"),
        |text| format!("[{text}]"),
        |text| format!("/**/{text}"),
        |text| format!("{{\"deep\":{}{},{}", "[".repeat(40), "]".repeat(40), &text[1..]),
        |_| String::new(),
        |_| "null".into(),
        |_| "\"\"".into(),
    ] {
        assert_eq!(FORGE.refusal(&FORGE.sign(damage(&header), &payload)), VerifyError::Json(Part::Header));
        assert_eq!(FORGE.refusal(&FORGE.sign(&header, damage(&payload))), VerifyError::Json(Part::Payload));
    }
    // threat 72: a token inside a token is no object.
    assert_eq!(
        FORGE.refusal(&FORGE.with_payload(FORGE.with_payload(&payload))),
        VerifyError::Json(Part::Payload)
    );
}

/// RFC 7515 §2: base64url without padding, line breaks, blanks; and only one spelling of each.
#[test]
fn a_segment_in_another_encoding_is_refused() {
    let (header, payload) = (encode(FORGE.header().to_string()), encode(claims().to_string()));
    for damage in ["=", "==", " ", "\n", "+", "/", "é", "\0", "%3D"] {
        let token = FORGE.sign_encoded(&format!("{header}{damage}"), &payload);
        assert_eq!(FORGE.refusal(&token), VerifyError::Encoding(Part::Header), "{damage:?}");
        let token = FORGE.sign_encoded(&header, &format!("{payload}{damage}"));
        assert_eq!(FORGE.refusal(&token), VerifyError::Encoding(Part::Payload), "{damage:?}");
        let token = FORGE.sign_encoded(&header, &payload) + damage;
        assert_eq!(FORGE.refusal(&token), VerifyError::Encoding(Part::Signature), "{damage:?}");
    }
}

// threat 72
#[test]
fn a_token_with_other_than_three_segments_or_too_long_is_refused() {
    let token = FORGE.with_payload(claims().to_string());
    for wrong in [
        "",
        ".",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        &format!("{token}."),
        &format!(".{token}"),
        &format!("{token}.."),
    ] {
        assert_eq!(FORGE.refusal(wrong), VerifyError::Segments, "{wrong}");
    }
    for empty in ["..", "..."] {
        assert!(FORGE.judge(empty).is_err());
    }
    assert_eq!(FORGE.refusal(&"a".repeat(16 * 1024 + 1)), VerifyError::TooLarge);
    let mut large = claims();
    large["x"] = json!("x".repeat(11_500));
    assert!(FORGE.judge(&FORGE.with_payload(large.to_string())).is_ok());
}

// threat 74
#[test]
fn a_token_of_another_type_is_refused() {
    for found in JwtType::ALL {
        let token = FORGE.key.sign(found, &claims()).unwrap();
        for expected in JwtType::ALL {
            let expectation = Expectation { typ: ExpectedType::Only(expected), ..EXPECTATION };
            let keys = VerificationKeys::named([FORGE.key.public_jwk().clone()]);
            let verdict = verify(&token, &keys, &expectation);
            assert_eq!(verdict.is_ok(), found == expected, "{found:?} as {expected:?}");
        }
    }
    for typ in [json!(null), json!(1), json!(["at+jwt"]), json!({}), json!(""), json!("at"), json!("JWT")] {
        assert_eq!(FORGE.refusal(&FORGE.with_header("typ", typ)), VerifyError::Type);
    }
    for typ in ["AT+JWT", "application/at+jwt"] {
        assert!(FORGE.judge(&FORGE.with_header("typ", json!(typ))).is_ok());
    }
}

#[test]
fn a_refusal_shows_nothing_of_the_token() {
    let token = FORGE.with_header("kid", json!("canary"));
    let refusal = FORGE.refusal(&token);
    assert!(!format!("{refusal} {refusal:?}").contains("canary"));
}

/// RFC 7523 §3, RFC 9449 §4.3: to find the key, and no more.
#[test]
fn what_is_not_verified_can_be_asked_for_its_key_only_in_the_same_strict_form() {
    let token = FORGE.with_header("jwk", json!(FORGE.key.public_jwk()));
    let unverified = UnverifiedToken::read(&token).unwrap();
    assert_eq!(unverified.claimed_text("sub"), Some("ada"));
    assert_eq!(unverified.claimed_text("exp"), None);
    let embedded = PublicJwk::parse(unverified.embedded_jwk().unwrap()).unwrap();
    assert_eq!(&embedded, FORGE.key.public_jwk());
    for wrong in
        ["a.b", "..", &FORGE.with_header("crit", json!([])), &FORGE.with_payload("{\"sub\":1,\"sub\":2}")]
    {
        assert!(UnverifiedToken::read(wrong).is_err());
    }
}

/// One good token of each algorithm, and the keys to verify them.
static TOKENS: LazyLock<(Vec<String>, VerificationKeys)> = LazyLock::new(|| {
    let keys: Vec<_> =
        SigningAlgorithm::ALL.map(|algorithm| SigningKey::generate(algorithm).unwrap().0).into();
    let tokens = keys.iter().map(|key| key.sign(JwtType::AccessToken, &claims()).unwrap()).collect();
    (tokens, VerificationKeys::perhaps_unnamed(keys.iter().map(|key| key.public_jwk().clone())))
});

proptest! {
    #[test]
    fn any_token_with_one_character_changed_added_or_taken_away_is_refused(
        which in 0..3_usize, place in any::<prop::sample::Index>(), character in "[A-Za-z0-9_.=-]", kind in 0..4,
    ) {
        let (tokens, keys) = &*TOKENS;
        let token = &tokens[which];
        let at = place.index(token.len());
        let mutated = match kind {
            0 => format!("{}{}{}", &token[..at], character, &token[at + 1..]),
            1 => format!("{}{}{}", &token[..at], character, &token[at..]),
            2 => format!("{}{}", &token[..at], &token[at + 1..]),
            _ => token[..at].to_owned(),
        };
        prop_assume!(mutated != *token);
        prop_assert!(verify(&mutated, keys, &EXPECTATION).is_err());
    }

    #[test]
    fn any_bit_flipped_inside_a_segment_is_refused(which in 0..3_usize, part in 0..3_usize, bit in any::<prop::sample::Index>()) {
        let (tokens, keys) = &*TOKENS;
        let mut parts: Vec<_> = tokens[which].split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let bit = bit.index(parts[part].len() * 8);
        parts[part][bit / 8] ^= 1 << (bit % 8);
        let mutated = parts.iter().map(encode).collect::<Vec<_>>().join(".");
        prop_assert!(verify(&mutated, keys, &EXPECTATION).is_err());
    }

    #[test]
    fn no_text_makes_the_verifier_panic(text in "\\PC*", header in "\\PC{0,60}", payload in any::<Vec<u8>>()) {
        prop_assert!(verify(&text, &TOKENS.1, &EXPECTATION).is_err());
        let token = FORGE.sign(header, payload);
        prop_assert!(FORGE.judge(&token).is_err());
    }
}
