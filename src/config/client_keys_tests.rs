use super::super::mutation_tests::{Mutation, assert_refused};
use super::super::testing::Folder;
use crate::jose::sign::SigningKey;
use crate::model::client::SignatureKeys;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::Value;

/// What the service proves itself with in the valid configuration.
const SECRETS: &str = "client_secrets = [{ file = \"../service.secret\" }]";

fn new_key(algorithm: SigningAlgorithm) -> Value {
    let (key, _) = SigningKey::generate(algorithm).expect("a key");
    serde_json::to_value(key.public_jwk()).expect("JSON")
}

fn with(jwk: &Value, member: &str, value: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk[member] = value.into();
    jwk
}

/// A key as TOML.
fn toml(jwk: &Value) -> String {
    let members = jwk.as_object().expect("an object").iter();
    let members: Vec<String> = members.map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", members.join(", "))
}

fn signing(rest: &str) -> &'static str {
    Box::leak(format!("token_endpoint_auth_method = \"private_key_jwt\"\n{rest}").into_boxed_str())
}

#[test]
fn a_client_may_prove_itself_with_keys_of_its_own() {
    let [ec, rsa, ed] = SigningAlgorithm::ALL.map(new_key);
    let all =
        format!("jwks = {{ keys = [{}, {}, {}] }}", toml(&ec), toml(&with(&rsa, "alg", "PS256")), toml(&ed));
    for rest in [all.as_str(), "jwks_uri = \"https://service.example.com/jwks\""] {
        let loaded = Folder::valid().change(SECRETS, signing(rest)).load().expect("valid");
        let service = loaded.config.clients.iter().find(|client| client.id.as_str() == "service");
        let keys = &service.expect("the service").keys;
        match rest.starts_with("jwks_uri") {
            true => assert!(
                matches!(keys, SignatureKeys::At(url) if url.as_str() == "https://service.example.com/jwks")
            ),
            false => assert!(matches!(keys, SignatureKeys::AtHand(_)), "{keys:?}"),
        }
    }
}

// threat 73
#[test]
fn a_key_that_is_not_good_enough_is_refused_at_its_place() {
    let [ec, rsa, ed] = SigningAlgorithm::ALL.map(new_key);
    let weak = with(&rsa, "n", rsa["n"].as_str().expect("a modulus").get(..171).expect("long enough"));
    let wrong = [
        with(&rsa, "e", "AQ"),
        weak,
        with(&ec, "y", ec["x"].as_str().expect("a coordinate")),
        with(&ec, "alg", "RS256"),
        with(&ed, "d", "AAAA"),
        with(&ed, "x", "AAAA"),
        serde_json::json!({"kty": "oct", "k": "c2VjcmV0"}),
    ];
    let mutations: Vec<Mutation> = wrong
        .iter()
        .map(|key| {
            let rest = signing(&format!("jwks = {{ keys = [{}, §{}] }}", toml(&ec), toml(key)));
            (SECRETS, rest, "client.service.jwks.keys[1]", "unusable-key")
        })
        .collect();
    assert_refused(&mutations);
    let unknown = serde_json::json!({"kty": "EC", "crv": "P-521"});
    let encrypts = with(&rsa, "use", "enc");
    let rest = signing(&format!("jwks = §{{ keys = [{}, {}] }}", toml(&unknown), toml(&encrypts)));
    assert_refused(&[(SECRETS, rest, "client.service.jwks", "unusable-key")]);
}

// OpenID Connect Core §9; threat 56
#[test]
fn a_client_with_keys_has_no_secret_and_one_without_secret_has_keys() {
    let with_secret = signing(
        "jwks_uri = \"https://service.example.com/jwks\"\nclient_secrets = §[{ file = \"../service.secret\" }]",
    );
    let by_http = signing("jwks_uri = §\"http://service.example.com/jwks\"");
    let in_disguise = signing("jwks_uri = §\"https://0x7f.1/jwks\"");
    assert_refused(&[
        (SECRETS, with_secret, "client.service.client_secrets", "secret-without-use"),
        (SECRETS, by_http, "client.service.jwks_uri", "invalid-metadata"),
        (SECRETS, in_disguise, "client.service.jwks_uri", "invalid-metadata"),
    ]);
    let problems = Folder::valid().change(SECRETS, signing("")).problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].rule, problems[0].key.as_str()), ("missing-key", "client.service.jwks"));
    let both = signing(
        "jwks_uri = \"https://service.example.com/jwks\"\ntoken_endpoint_auth_signing_alg = \"HS256\"",
    );
    let problems = Folder::valid().change(SECRETS, both).problems();
    assert_eq!(problems[0].key, "client.service.token_endpoint_auth_signing_alg");
}

// threat 58
#[test]
fn an_audience_that_other_servers_can_name_is_warned_of() {
    let rest =
        "jwks_uri = \"https://service.example.com/jwks\"\nclient_assertion_audience = \"token_endpoint\"";
    assert!(Folder::valid().change(SECRETS, signing(rest)).advice().contains(&"assertion-audience"));
    let rest = "jwks_uri = \"https://service.example.com/jwks\"\nclient_assertion_audience = \"issuer\"";
    assert!(!Folder::valid().change(SECRETS, signing(rest)).advice().contains(&"assertion-audience"));
}
