//! `PUT(GET(x)) == x` for whatever is lawful (threat 115, CVE-2026-107623): a client that reads its registration and writes it
//! back has lost nothing.

use super::{GENEROUS, Registration, post};
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::jose::sign::SigningKey;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Some metadata that a client may have, members left out at random.
fn lawful() -> BoxedStrategy<Map<String, Value>> {
    let path = "[a-z0-9]{0,12}";
    let urls = |count| subsequence((0..5).collect::<Vec<u8>>(), count);
    let uris = |sub: Vec<u8>, path: String| -> Value {
        sub.iter().map(|one| json!(format!("https://app.example.com/{path}{one}"))).collect()
    };
    let redirects = (urls(1..5), path).prop_map(move |(sub, path)| ("redirect_uris", uris(sub, path)));
    let after =
        (urls(0..5), path).prop_map(move |(sub, path)| ("post_logout_redirect_uris", uris(sub, path)));
    let names = ["client_name", "client_name#de", "client_name#pt-BR", "software_id", "software_version"];
    let name = (select(names.to_vec()), "[A-Za-zäöü日本 '<>&]{1,40}")
        .prop_filter("not blank", |(_, text)| !text.trim().is_empty())
        .prop_map(|(name, text)| (name, json!(text)));
    let links = [
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "tos_uri#ja",
        "initiate_login_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
    ];
    let link = (select(links.to_vec()), path)
        .prop_map(|(name, path)| (name, json!(format!("https://app.example.com/{path}"))));
    let grants = select(vec![
        json!(["authorization_code"]),
        json!(["refresh_token", "authorization_code"]),
        json!(["authorization_code", "client_credentials", "refresh_token"]),
    ])
    .prop_map(|grants| ("grant_types", grants));
    let method = select(vec!["client_secret_basic", "client_secret_post", "private_key_jwt"])
        .prop_map(|method| ("token_endpoint_auth_method", json!(method)));
    let scope = subsequence(vec!["openid", "profile", "email", "offline_access", "photos.read"], 1..5)
        .prop_map(|scopes| ("scope", json!(scopes.join(" "))));
    let algorithms =
        ["id_token_signed_response_alg", "userinfo_signed_response_alg", "introspection_signed_response_alg"];
    let algorithm = (select(algorithms.to_vec()), select(vec!["ES256", "RS256", "EdDSA"]))
        .prop_map(|(member, algorithm)| (member, json!(algorithm)));
    let flags = [
        "require_auth_time",
        "require_pushed_authorization_requests",
        "backchannel_logout_session_required",
        "frontchannel_logout_session_required",
    ];
    let flag = (select(flags.to_vec()), any::<bool>()).prop_map(|(member, flag)| (member, json!(flag)));
    let (key, _) = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    let mut jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
    jwk["x5c"] = json!(["unknown members of a key stay \u{0} as they are", {"a": [1.5, null]}]);
    let keys = select(vec![
        ("jwks", json!({"keys": [jwk], "of": "the client's own"})),
        ("jwks_uri", json!("https://app.example.com/jwks")),
    ]);
    let rest = select(vec![
        ("subject_type", json!("pairwise")),
        ("subject_type", json!("public")),
        ("default_max_age", json!(0)),
        ("default_max_age", json!(86_400)),
        ("default_acr_values", json!(["urn:a", "urn:b"])),
        ("contacts", json!(["ada@app.example.com", "https://app.example.com/"])),
        ("application_type", json!("web")),
        ("response_types", json!(["code"])),
        ("unknown_member", json!({"a": "b"})),
        ("policy_uri", Value::Null),
    ]);
    let optional = proptest::strategy::Union::new([
        after.boxed(),
        name.boxed(),
        link.boxed(),
        grants.boxed(),
        method.boxed(),
        scope.boxed(),
        algorithm.boxed(),
        flag.boxed(),
        keys.boxed(),
        rest.boxed(),
    ]);
    (redirects, proptest::collection::vec(optional, 0..14), Just(()))
        .prop_map(|(redirects, others, ())| {
            let mut members: Map<String, Value> =
                others.into_iter().chain([redirects]).map(|(name, value)| (name.to_owned(), value)).collect();
            if members.contains_key("jwks_uri") {
                members.remove("jwks");
            }
            let signs =
                members.get("token_endpoint_auth_method").is_some_and(|method| method == "private_key_jwt");
            if signs && !members.contains_key("jwks") {
                members.insert("jwks_uri".into(), json!("https://app.example.com/jwks"));
            }
            members
        })
        .boxed()
}

on_both_stores! {
    async fn what_is_read_and_written_back_is_the_same(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let mut runner = TestRunner::deterministic();
        let strategy = lawful();
        for case in 0..60 {
            let members = strategy.new_tree(&mut runner).expect("a case").current();
            server.clock.advance(Duration::from_secs(10));
            let answer = post(&server, &Value::Object(members.clone())).await;
            assert_eq!(answer.status, StatusCode::CREATED, "case {case}: {members:?}: {answer:?}");
            let Value::Object(mut registered) = answer.json() else { panic!("an object") };
            for (name, value) in &members {
                let kept = registered.get(name);
                let nothing = matches!(value, Value::Null | Value::Bool(false)) || value == &json!([]) || name == "unknown_member";
                assert!(nothing || kept == Some(value), "{name} of {members:?} became {kept:?}");
            }
            let client = Registration(registered.clone());
            let read = client.get(&server).await.json();
            registered.remove("client_secret");
            registered.remove("client_secret_expires_at");
            assert_eq!(read, Value::Object(registered), "what is read is what was answered");
            let written = client.put(&server, &read).await;
            assert_eq!(written.status, StatusCode::OK, "{read}: {written:?}");
            assert_eq!(written.json(), read);
            assert_eq!(client.get(&server).await.json(), read);
        }
    }
}
