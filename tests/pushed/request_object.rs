//! Signed requests by value (RFC 9101, OpenID Connect Core §6.1; threats 65–74, 80, 85): processed whole, or refused.

use super::{push, redeemed, visit_of, walk};
use crate::flows::steps::error_page;
use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::{Method, RelyingParty};
use crate::support::request_signer::{RequestSigner, request_uri};
use crate::support::server::{TestServer, claims, encode};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve::jose::jwt_type::JwtType;
use portreeve::model::clock::Clock as _;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A client that may sign its requests, and one that must.
async fn start(database: &TestDatabase, signer: &RequestSigner) -> TestServer {
    let client = |id: &str, more: &str| {
        format!(
            "[[client]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://{id}.example.com/callback\"]\n\
             client_secrets = [{{ sha256 = \"{{hash}}\" }}]\nscope = \"openid email photos.read\"\njwks = {}\n{more}\n",
            signer.jwks_in_toml()
        )
    };
    let clients = format!(
        "{}\n{}",
        client("signer", ""),
        client("strict", "require_signed_request_object = true\nrequest_object_signing_alg = \"ES256\"")
    );
    TestServer::start_with(database, "", &clients).await
}

fn app(client_id: &'static str) -> RelyingParty {
    RelyingParty {
        client_id,
        redirect_uri: format!("https://{client_id}.example.com/callback"),
        method: Method::Basic,
        ..RelyingParty::new("web", "openid photos.read")
    }
}

fn parameters(app: &RelyingParty) -> Vec<(&'static str, Value)> {
    vec![
        ("response_type", json!("code")),
        ("redirect_uri", json!(app.redirect_uri)),
        ("scope", json!("openid photos.read")),
        ("state", json!("signed state")),
        ("nonce", json!("signed nonce")),
        ("max_age", json!(600)),
        ("claims", json!({"userinfo": {"email": null}})),
        ("code_challenge", json!(app.challenge())),
        ("code_challenge_method", json!("S256")),
    ]
}

fn url(client_id: &str, object: &str, more: &[(&str, &str)]) -> String {
    let mut pairs = vec![("client_id", client_id), ("request", object)];
    pairs.extend_from_slice(more);
    format!("/authorize?{}", encode(&pairs))
}

on_both_stores! {
    async fn a_signed_request_is_processed_and_nothing_beside_it(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let server = start(&database, &signer).await;
        let app = app("signer");
        let object = signer.request_object("signer", server.clock.now().seconds(), &parameters(&app));
        let beside = [("response_type", "code"), ("scope", "openid email"), ("state", "evil"), ("nonce", "evil"), ("prompt", "none"),
                      ("redirect_uri", "https://evil.example/")];
        let mut browser = Browser::new();
        let answer = walk(&server, &mut browser, &url("signer", &object, &beside)).await;
        assert_eq!(answer.parameter("state").as_deref(), Some("signed state"));
        let tokens = redeemed(&server, &app, &answer).await;
        assert_eq!(claims(tokens.id())["nonce"], "signed nonce");
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.json()["email"], "ada@example.com");
        // pushed, it is judged at once (RFC 9126 §3)
        let answer = app.post(&server, "/par", &[("client_id", "signer"), ("request", &object)]).await;
        let answer = walk(&server, &mut browser, &visit_of("signer", &request_uri(&answer), &[])).await;
        assert_eq!(answer.parameter("state").as_deref(), Some("signed state"));
        redeemed(&server, &app, &answer).await;
    }

    /// product.md: what expires while a person types is judged at the marker's begin.
    async fn a_request_object_may_expire_while_the_person_types(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let server = start(&database, &signer).await;
        let app = app("strict");
        let object = signer.request_object("strict", server.clock.now().seconds(), &parameters(&app));
        let mut browser = Browser::new();
        let page = browser.get(&server, &url("strict", &object, &[])).await;
        let page = browser.follow(&server, page).await;
        server.clock.advance(Duration::from_secs(900));
        let late = Browser::new().get(&server, &url("strict", &object, &[])).await;
        error_page(&late, 400, "invalid_request_object");
        let page = browser.sign_in(&server, &page, "ada").await;
        redeemed(&server, &app, &browser.decide(&server, &page, "allow").await).await;
    }

    /// Threats 65–71, 74, 85; FAPI 2.0 Message Signing §5.3.1.
    async fn a_request_object_that_is_not_quite_right_is_refused(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let server = start(&database, &signer).await;
        let now = server.clock.now().seconds();
        let absent = json!("(absent)");
        let wrong: [(&str, &str, Value); 20] = [
            ("signer", "iss", json!("strict")),
            ("signer", "iss", json!(7)),
            ("signer", "aud", json!("https://other.example")),
            ("signer", "aud", json!(["https://other.example"])),
            ("signer", "exp", json!(now - 40)),
            ("signer", "exp", json!("soon")),
            ("signer", "nbf", json!(now + 61)),
            ("signer", "sub", json!("signer")),
            ("signer", "client_id", json!("strict")),
            ("signer", "request", json!("x")),
            ("signer", "request_uri", json!("urn:ietf:params:oauth:request_uri:x")),
            ("signer", "scope", json!(["openid"])),
            ("strict", "iss", absent.clone()),
            ("strict", "aud", absent.clone()),
            ("strict", "exp", absent.clone()),
            ("strict", "nbf", absent.clone()),
            ("strict", "exp", json!(now + 70 * 60)),
            ("strict", "nbf", json!(now - 70 * 60)),
            ("strict", "exp", json!(now - 300)),
            ("strict", "aud", json!("https://auth.example.com/")),
        ];
        for (client_id, name, value) in wrong {
            let app = app(client_id);
            let mut claims = parameters(&app);
            claims.push((name, value.clone()));
            let object = signer.request_object(client_id, now, &claims);
            error_page(&server.get(&url(client_id, &object, &[])).await, 400, "invalid_request_object");
            // where the URL names a redirect URI that is registered, the app hears of it
            let told = server.get(&url(client_id, &object, &[("redirect_uri", &app.redirect_uri), ("state", "s")])).await;
            assert_eq!(told.parameter("error").as_deref(), Some("invalid_request_object"), "{name}");
            assert_eq!(told.parameter("state").as_deref(), Some("s"));
            let answer = app.post(&server, "/par", &[("request", &object)]).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request_object"), "{name}: {value}");
        }
        // accepted: eight seconds ahead, several audiences, and for the lenient one no dates at all
        for (client_id, name, value) in [
            ("strict", "nbf", json!(now + 8)),
            ("strict", "aud", json!(["https://auth.example.com", "https://other.example"])),
            ("signer", "exp", absent.clone()),
        ] {
            let app = app(client_id);
            let mut claims = parameters(&app);
            claims.push((name, value));
            let object = signer.request_object(client_id, now, &claims);
            request_uri(&app.post(&server, "/par", &[("request", &object)]).await);
        }
    }

    /// OpenID Connect Core §10.1.1, threat 183: the keys may be at an address, and others from one day to the next.
    async fn a_request_object_verifies_with_keys_that_are_fetched(database: TestDatabase) {
        let (old, new) = (RequestSigner::new(SigningAlgorithm::Es256), RequestSigner::new(SigningAlgorithm::Es256));
        let shown = Arc::new(Mutex::new(old.jwks()));
        let showing = shown.clone();
        let keys = get(move || async move { axum::Json(showing.lock().expect("whole").clone()) });
        let host = HttpsServer::start(Router::new().route("/jwks", keys)).await;
        let client = format!(
            "[[client]]\nclient_id = \"fetched\"\nredirect_uris = [\"https://fetched.example.com/callback\"]\n\
             client_secrets = [{{ sha256 = \"{{hash}}\" }}]\nscope = \"openid email photos.read\"\njwks_uri = \"{}\"\n",
            host.url("/jwks"),
        );
        let server = TestServer::start_with(&database, &host.settings(), &client).await;
        let app = app("fetched");
        let object = |signer: &RequestSigner| {
            signer.request_object("fetched", server.clock.now().seconds(), &parameters(&app))
        };
        error_page(&server.get(&url("fetched", &object(&new), &[])).await, 400, "invalid_request_object");
        let answer = walk(&server, &mut Browser::new(), &url("fetched", &object(&old), &[])).await;
        redeemed(&server, &app, &answer).await;
        *shown.lock().expect("whole") = new.jwks();
        server.clock.advance(Duration::from_secs(10));
        let answer = app.post(&server, "/par", &[("request", &object(&new))]).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let answer = app.post(&server, "/par", &[("request", &object(&old))]).await;
        assert_eq!(answer.error(), "invalid_request_object", "it was taken away");
        assert_eq!(host.connections.accepted(), 2);
    }

    /// Threats 65, 66, 61, 68, 72.
    async fn a_request_object_that_the_client_did_not_sign_is_refused(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let server = start(&database, &signer).await;
        let (app, now) = (app("strict"), server.clock.now().seconds());
        let good = signer.request_object("strict", now, &parameters(&app));
        let payload = good.split('.').nth(1).expect("a payload");
        let header = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let others = RequestSigner::new(SigningAlgorithm::Es256).request_object("strict", now, &parameters(&app));
        let rs256 = RequestSigner::new(SigningAlgorithm::EdDsa).request_object("strict", now, &parameters(&app));
        let as_access_token = signer.sign(JwtType::AccessToken, &json!({"iss": "strict"}));
        let objects = [
            others,
            rs256,
            as_access_token,
            format!("{}.{payload}.", header(r#"{"alg":"none"}"#)),
            format!("{}.{payload}.x", header(r#"{"alg":"HS256"}"#)),
            format!("{}.{payload}.{}", header(r#"{"alg":"ES256","jku":"https://evil.example/jwks"}"#), "A".repeat(86)),
            format!("{good}.x.y"),
            format!("{good}A"),
            "x".to_owned(),
        ];
        for object in objects {
            error_page(&server.get(&url("strict", &object, &[])).await, 400, "invalid_request_object");
            let answer = app.post(&server, "/par", &[("request", &object)]).await;
            assert_eq!(answer.error(), "invalid_request_object");
        }
        // a client without keys cannot have signed anything
        let answer = server.get(&url("web", &good, &[("redirect_uri", "https://web.example.com/callback")])).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("request_not_supported"));
        // both at once
        error_page(&server.get(&url("strict", &good, &[("request_uri", "urn:x")])).await, 400, "invalid_request");
    }

    /// RFC 9101 §10.5, threat 81.
    async fn a_client_that_must_sign_is_not_served_otherwise(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let server = start(&database, &signer).await;
        let app = app("strict");
        assert_eq!(server.get(&app.authorize(&[])).await.parameter("error").as_deref(), Some("invalid_request"));
        let answer = push(&server, &app, &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
        let object = signer.request_object("strict", server.clock.now().seconds(), &parameters(&app));
        let answer = app.post(&server, "/par", &[("request", &object)]).await;
        let uri = request_uri(&answer);
        assert!(walk(&server, &mut Browser::new(), &visit_of("strict", &uri, &[])).await.parameter("code").is_some());
    }
}
