//! Metadata and keys: one issuer whatever the address, nothing advertised that is not enforced, nothing kept too long.

use super::send;
use crate::support::browser::Browser;
use crate::support::configuration::TestConfiguration;
use crate::support::database::TestDatabase;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, claims, header_of};
use axum::http::StatusCode;
use portreeve::keys::key_ring::{ANNOUNCED_FOR, JWKS_MAX_AGE, RELOAD_EVERY};
use portreeve::tasks::rotate_keys;
use serde_json::{Value, json};
use std::time::Duration;

const DISCOVERY: &str = "/.well-known/openid-configuration";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const JWKS: &str = "/.well-known/jwks.json";

/// RFC 8414 §3.3, RFC 9207 §4; threats 15, 16: one issuer, the same letters wherever it is named.
#[tokio::test]
async fn the_issuer_is_one_whatever_a_request_calls_this_server() {
    for issuer in ["https://auth.example.com", "https://auth.example.com/realms/one"] {
        let database = TestDatabase::sqlite();
        let server = TestServer::with(&database, TestConfiguration::with(&database, issuer, "", "")).await;
        let base = server.app.snapshot.load().config.issuer.path().to_owned();
        let discovery = format!("{base}{DISCOVERY}");
        for headers in [
            &[][..],
            &[("host", "evil.example")],
            &[("host", "AUTH.example.com:443"), ("x-forwarded-proto", "http")],
            &[("forwarded", "host=evil.example;proto=http"), ("x-forwarded-host", "evil.example")],
        ] {
            for path in [discovery.clone(), format!("{METADATA}{base}")] {
                let answer = send(&server, "GET", &path, headers).await;
                assert_eq!(answer.json()["issuer"], issuer, "{path} {headers:?}");
                assert!(!answer.body.contains("evil"), "{path} {headers:?}");
            }
        }
        for alias in [
            format!("{discovery}/"),
            format!("/{discovery}"),
            format!("{base}/{DISCOVERY}"),
            format!("{METADATA}{base}/"),
            format!("{base}/.WELL-KNOWN/openid-configuration"),
            format!("/other{DISCOVERY}"),
            format!("{discovery}%2f"),
        ] {
            assert_eq!(server.get(&alias).await.status, StatusCode::NOT_FOUND, "{alias}");
        }
        if base.is_empty() {
            let app = RelyingParty::new("web", "openid");
            let answer = app.visit(&server, &mut Browser::new(), &[]).await;
            assert_eq!(answer.parameter("iss").as_deref(), Some(issuer));
            let code = answer.parameter("code").expect("a code");
            let tokens = Tokens(app.redeem(&server, &code, &[]).await.json());
            assert!([tokens.access(), tokens.id()].iter().all(|token| claims(token)["iss"] == issuer));
        }
    }
}

/// Threat 170: what is advertised works, and what is not is refused by name.
#[tokio::test]
async fn what_is_advertised_is_what_is_enforced() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let metadata = server.get(DISCOVERY).await.json();
    let list = |name: &str| -> Vec<String> {
        let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name}"));
        list.iter().map(|one| one.as_str().expect("text").to_owned()).collect()
    };
    let advertised = list("grant_types_supported");
    for (grant_type, client) in [
        ("authorization_code", "web"),
        ("refresh_token", "web"),
        ("client_credentials", "service"),
        ("password", "service"),
        ("implicit", "service"),
        ("urn:ietf:params:oauth:grant-type:device_code", "service"),
        ("urn:ietf:params:oauth:grant-type:token-exchange", "service"),
        ("urn:ietf:params:oauth:grant-type:jwt-bearer", "service"),
        ("urn:openid:params:grant-type:ciba", "service"),
        ("CLIENT_CREDENTIALS", "service"),
    ] {
        let asked = [("grant_type", grant_type), ("username", "ada"), ("password", "x")];
        let answer = server.post_as(client, "/token", &asked).await;
        let unsupported =
            answer.status == StatusCode::BAD_REQUEST && answer.error() == "unsupported_grant_type";
        assert_eq!(!unsupported, advertised.iter().any(|one| one == grant_type), "{grant_type}: {answer:?}");
    }
    let app = RelyingParty::new("web", "openid");
    let refused = async |name: &str, value: &str| {
        let answer = Browser::new().get(&server, &app.authorize(&[(name, value), ("prompt", "none")])).await;
        let fields =
            answer.body.split("name=\"error\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let told = fields.map(str::to_owned).or_else(|| answer.parameter("error")).expect("an error");
        told != "login_required"
    };
    for mode in ["query", "form_post", "fragment", "web_message", "jwt", "query.jwt"] {
        let advertised = list("response_modes_supported").iter().any(|one| one == mode);
        assert_eq!(!refused("response_mode", mode).await, advertised, "{mode}");
    }
    for kind in ["code", "token", "id_token", "code id_token", "none"] {
        let advertised = list("response_types_supported").iter().any(|one| one == kind);
        assert_eq!(!refused("response_type", kind).await, advertised, "{kind}");
    }
    for method in ["S256", "plain"] {
        let advertised = list("code_challenge_methods_supported").iter().any(|one| one == method);
        assert_eq!(!refused("code_challenge_method", method).await, advertised, "{method}");
    }
    for scope in list("scopes_supported") {
        assert!(!refused("scope", &scope).await, "{scope}");
    }
    assert!(refused("scope", "undeclared").await);
    for (name, value) in [("request", "e30.e30."), ("request_uri", "https://web.example.com/r")] {
        assert_eq!(metadata[format!("{name}_parameter_supported")], true);
        assert!(refused(name, value).await, "{name} of a client that registered no keys for it");
    }
    let endpoints = metadata.as_object().expect("an object").iter();
    for (name, url) in endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri") {
        let path = url.as_str().and_then(|url| url.strip_prefix("https://auth.example.com")).expect("ours");
        assert_ne!(server.get(path).await.status, StatusCode::NOT_FOUND, "{name}");
    }
    for path in ["/register", "/device_authorization"] {
        assert_eq!(server.post(path, None, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// Threats 181, 182: a key is in every cache's copy before it signs, and stays until what it signed has expired.
#[tokio::test]
async fn a_resource_server_that_keeps_the_keys_as_long_as_it_may_verifies_every_token() {
    assert!(ANNOUNCED_FOR > JWKS_MAX_AGE + RELOAD_EVERY);
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let mut kept: Option<(Value, u64)> = None;
    let (mut seconds, mut kids, mut etags) = (0, Vec::new(), Vec::new());
    let mut signed: Vec<(String, u64)> = Vec::new();
    // the last hour before the rotation is due, then on, every two minutes, until the old key is gone
    server.clock.advance(Duration::from_secs(30 * 86_400 - 3_600));
    while seconds < 3 * 86_400 {
        let step = if seconds < 3 * 3_600 { 120 } else { 3_600 };
        rotate_keys::run_once(&server.app).await.expect("a round");
        if kept.as_ref().is_none_or(|(_, until)| seconds >= *until) {
            let answer = server.get(JWKS).await;
            let age = answer.header("cache-control").and_then(|value| value.strip_prefix("public, max-age="));
            let age: u64 = age.expect("a public document").parse().expect("seconds");
            let etag = answer.header("etag").expect("an entity tag").to_owned();
            let again = send(&server, "GET", JWKS, &[("if-none-match", &etag)]).await;
            assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
            etags.push(etag);
            kept = Some((answer.json(), seconds + age));
        }
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        signed.push((Tokens(answer.json()).access().to_owned(), seconds));
        signed.retain(|(_, at)| seconds - at < 600);
        let (jwks, _) = kept.as_ref().expect("kept");
        let known = jwks["keys"].as_array().expect("keys");
        assert!(!known.is_empty());
        for (token, at) in &signed {
            let kid = header_of(token)["kid"].clone();
            assert!(known.iter().any(|key| key["kid"] == kid), "{kid} of {at} s is not known at {seconds} s");
            assert_ne!(server.introspect_as("service", token).await, json!({"active": false}));
            if !kids.contains(&kid) {
                kids.push(kid);
            }
        }
        server.clock.advance(Duration::from_secs(step));
        seconds += step;
    }
    etags.dedup();
    assert_eq!(kids.len(), 2, "one rotation");
    assert!(etags.len() >= 3, "announced, and gone: {etags:?}");
}
