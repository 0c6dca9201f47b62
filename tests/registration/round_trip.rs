//! `PUT(GET(x)) == x` for whatever is lawful (threat 115, CVE-2026-107623): a client that reads its registration and writes it
//! back has lost nothing.

use super::{GENEROUS, Registration, post};
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::server::TestServer;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use portreeve::jose::sign::SigningKey;
use portreeve::protocol::client_authentication_method::ClientAuthenticationMethod;
use portreeve::protocol::client_metadata::ClientMetadata;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use proptest::prelude::{BoxedStrategy, Strategy};
use proptest::sample::{select, subsequence};
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Paths of URLs.
const PATH: &str = "[a-z0-9]{0,12}";

/// Tags as apps may write them, and as they come back (RFC 5646 §2.1.1).
const TAGS: [(&str, &str); 6] = [
    ("#de", "#de"),
    ("#ja", "#ja"),
    ("#pt-BR", "#pt-BR"),
    ("#PT-br", "#pt-BR"),
    ("#ja-Jpan-JP", "#ja-Jpan-JP"),
    ("#zh-hant-tw", "#zh-Hant-TW"),
];

/// The name that a member comes back under.
fn as_written(member: &str) -> String {
    let Some(at) = member.find('#') else { return member.to_owned() };
    let (_, written) = TAGS.into_iter().find(|(said, _)| *said == &member[at..]).expect("one of the tags");
    format!("{}{written}", &member[..at])
}

/// A member whose value is one of these.
fn one_of(values: Vec<(&'static str, Value)>) -> BoxedStrategy<(String, Value)> {
    select(values).prop_map(|(name, value)| (name.to_owned(), value)).boxed()
}

/// One of these members, as it stands or with a tag.
fn tagged(members: &[&'static str]) -> BoxedStrategy<String> {
    let tags: Vec<&str> = ["", ""].into_iter().chain(TAGS.map(|(said, _)| said)).collect();
    (select(members.to_vec()), select(tags)).prop_map(|(member, tag)| format!("{member}{tag}")).boxed()
}

/// What text members may hold.
fn texts() -> BoxedStrategy<(String, Value)> {
    let texts = "[A-Za-zäöü日本 '<>&]{1,40}".prop_filter("not blank", |text| !text.trim().is_empty());
    let plain = select(vec!["software_id".to_owned(), "software_version".to_owned()]);
    (Union::new([tagged(&["client_name"]), tagged(&["client_name"]), plain.boxed()]), texts)
        .prop_map(|(name, text)| (name, json!(text)))
        .boxed()
}

/// What members may hold that are one URL.
fn links() -> BoxedStrategy<(String, Value)> {
    let plain = ["initiate_login_uri", "backchannel_logout_uri", "frontchannel_logout_uri"];
    let plain = select(plain.map(str::to_owned).to_vec()).boxed();
    let pages = tagged(&["client_uri", "logo_uri", "policy_uri", "tos_uri"]);
    (Union::new([pages.clone(), pages, plain]), PATH)
        .prop_map(|(name, path)| (name, json!(format!("https://app.example.com/{path}"))))
        .boxed()
}

/// What members may hold that are a list of URLs.
fn lists(member: &'static str, least: usize, fragment: &'static str) -> BoxedStrategy<(String, Value)> {
    let numbers = subsequence((0..5).collect::<Vec<u8>>(), least..5);
    let lists = move |(numbers, path): (Vec<u8>, String)| {
        let urls =
            numbers.iter().map(|number| json!(format!("https://app.example.com/{path}{number}{fragment}")));
        (member.to_owned(), urls.collect())
    };
    (numbers, PATH).prop_map(lists).boxed()
}

/// What members may hold that name an algorithm.
fn algorithms() -> BoxedStrategy<(String, Value)> {
    let of_the_server =
        ["id_token_signed_response_alg", "userinfo_signed_response_alg", "introspection_signed_response_alg"];
    let of_the_client = ["token_endpoint_auth_signing_alg", "request_object_signing_alg"];
    let mut all = Vec::new();
    for member in of_the_server {
        all.extend(SigningAlgorithm::ALL.map(|one| (member, json!(one.as_str()))));
    }
    for member in of_the_client {
        all.extend(VerificationAlgorithm::ALL.map(|one| (member, json!(one.as_str()))));
    }
    one_of(all)
}

/// The key set of a client's own, or where it is.
fn keys() -> BoxedStrategy<(String, Value)> {
    let (key, _) = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
    let mut jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
    jwk["x5c"] = json!(["unknown members of a key stay \u{0} as they are", {"a": [1.5, null]}]);
    one_of(vec![
        ("jwks", json!({"keys": [jwk], "of": "the client's own"})),
        ("jwks_uri", json!("https://app.example.com/jwks")),
    ])
}

/// Some metadata that a client may have, members left out at random; `sector` is where a document lists its redirect URIs.
fn lawful(sector: &str) -> BoxedStrategy<Map<String, Value>> {
    let grants = [
        json!(["authorization_code"]),
        json!(["refresh_token", "authorization_code"]),
        json!(["authorization_code", "client_credentials", "refresh_token"]),
    ];
    let methods = ClientAuthenticationMethod::ALL;
    let scope = subsequence(vec!["openid", "profile", "email", "offline_access", "photos.read"], 1..5)
        .prop_map(|scopes| ("scope".to_owned(), json!(scopes.join(" "))));
    let flags = [
        "require_auth_time",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "backchannel_logout_session_required",
        "frontchannel_logout_session_required",
    ];
    let flags = flags.into_iter().flat_map(|flag| [(flag, json!(true)), (flag, json!(false))]);
    let rest = one_of(vec![
        ("default_max_age", json!(0)),
        ("default_max_age", json!(86_400)),
        ("default_acr_values", json!(["urn:a", "urn:b"])),
        ("contacts", json!(["ada@app.example.com", "https://app.example.com/"])),
        ("application_type", json!("web")),
        ("application_type", json!("native")),
        ("response_types", json!(["code"])),
        ("unknown_member", json!({"a": "b"})),
        ("policy_uri", Value::Null),
    ]);
    let subjects = one_of(vec![
        ("subject_type", json!("pairwise")),
        ("subject_type", json!("public")),
        ("sector_identifier_uri", json!(sector)),
    ]);
    let optional = Union::new([
        lists("post_logout_redirect_uris", 0, ""),
        lists("request_uris", 0, "#digest"),
        texts(),
        links(),
        links(),
        one_of(grants.map(|grants| ("grant_types", grants)).to_vec()),
        one_of(methods.map(|one| ("token_endpoint_auth_method", json!(one.as_str()))).to_vec()),
        scope.boxed(),
        algorithms(),
        one_of(flags.collect()),
        keys(),
        subjects,
        rest,
    ]);
    (lists("redirect_uris", 1, ""), proptest::collection::vec(optional, 0..20))
        .prop_map(|(redirects, others)| agreeing(others.into_iter().chain([redirects]).collect()))
        .boxed()
}

/// The same, where members that exclude or need one another agree.
fn agreeing(mut members: Map<String, Value>) -> Map<String, Value> {
    let is = |members: &Map<String, Value>, name: &str, value: &str| {
        members.get(name).is_some_and(|found| found == value)
    };
    // each language once, whatever its case
    let mut languages = BTreeSet::new();
    members.retain(|name, _| languages.insert(name.to_ascii_lowercase()));
    if is(&members, "token_endpoint_auth_method", "none") {
        members.remove("grant_types");
    }
    // several hosts make no sector without a document
    let one_host = is(&members, "subject_type", "pairwise") && !members.contains_key("sector_identifier_uri");
    if is(&members, "application_type", "native") && !one_host {
        let redirects = members["redirect_uris"].as_array_mut().expect("an array");
        redirects.extend([json!("http://127.0.0.1/callback"), json!("com.example.app:/callback")]);
    }
    if members.contains_key("jwks_uri") {
        members.remove("jwks");
    }
    let signs = ["request_object_signing_alg", "require_signed_request_object", "request_uris"];
    let signs = is(&members, "token_endpoint_auth_method", "private_key_jwt")
        || signs.iter().any(|member| members.contains_key(*member));
    if signs && !members.contains_key("jwks") {
        members.insert("jwks_uri".into(), json!("https://app.example.com/jwks"));
    }
    members
}

on_both_stores! {
    async fn what_is_read_and_written_back_is_the_same(database: TestDatabase) {
        let document = Arc::new(Mutex::new(Value::Null));
        let shown = document.clone();
        let sector = get(move || async move { axum::Json(shown.lock().expect("whole").clone()) });
        let host = HttpsServer::start(Router::new().route("/sector.json", sector)).await;
        let server = TestServer::start_with(&database, &format!("{GENEROUS}{}", host.settings()), "").await;
        let mut runner = TestRunner::deterministic();
        let strategy = lawful(&host.url("/sector.json"));
        let mut drawn = BTreeSet::new();
        for case in 0..80 {
            let members = strategy.new_tree(&mut runner).expect("a case").current();
            *document.lock().expect("whole") = members["redirect_uris"].clone();
            server.clock.advance(Duration::from_secs(10));
            let answer = post(&server, &Value::Object(members.clone())).await;
            assert_eq!(answer.status, StatusCode::CREATED, "case {case}: {members:?}: {answer:?}");
            let Value::Object(mut registered) = answer.json() else { panic!("an object") };
            for (name, value) in &members {
                let kept = registered.get(&as_written(name));
                let nothing = matches!(value, Value::Null | Value::Bool(false)) || value == &json!([]) || name == "unknown_member";
                assert!(nothing || kept == Some(value), "{name} of {members:?} became {kept:?}");
                if !nothing {
                    let (member, tag) = name.split_at(name.find('#').unwrap_or(name.len()));
                    let tag = if tag.is_empty() { "" } else { "#" };
                    drawn.extend([member.to_owned(), format!("{member}{tag}"), format!("{member}={value}")]);
                }
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
        let members = ClientMetadata::MEMBERS.map(str::to_owned).into_iter();
        let tagged = ClientMetadata::LOCALIZED.map(|member| format!("{member}#"));
        let values = ["application_type=\"native\"", "token_endpoint_auth_method=\"none\"", "subject_type=\"pairwise\""];
        let wanted = members.chain(tagged).chain(values.map(str::to_owned));
        let never: Vec<String> = wanted.filter(|one| !drawn.contains(one)).collect();
        assert!(never.is_empty(), "no case has {never:?}");
    }
}
