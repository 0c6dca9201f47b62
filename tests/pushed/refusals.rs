//! Pushes that are refused (RFC 9126 §2.1, §2.3; threats 81–83).

use super::{push, pushed, visit_of, walk};
use crate::flows::steps::{open, refused};
use crate::support::browser::Browser;
use crate::support::clock::BEGINNING;
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::{Method, RelyingParty};
use crate::support::request_signer::{RequestSigner, request_uri};
use crate::support::server::{TestServer, basic, encode};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use portreeve::model::clock::Clock as _;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::storage::pushed_requests::MOST_OF_A_PUBLIC_CLIENT;
use portreeve::tasks::sweep_expired;
use serde_json::json;
use std::time::Duration;

const MUST_PUSH: &str = r#"
[[client]]
client_id = "pusher"
redirect_uris = ["https://pusher.example.com/callback"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid"
require_pushed_authorization_requests = true
"#;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

on_both_stores! {
    /// Whatever `/authorize` would refuse is refused here, in JSON and at once.
    async fn a_push_is_judged_as_the_visit_would_be(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (changes, error) in [
            (&[("response_type", "token")][..], "unsupported_response_type"),
            (&[("response_type", "")], "invalid_request"),
            (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("redirect_uri", "https://evil.example/cb")], "invalid_request"),
            (&[("redirect_uri", "")], "invalid_request"),
            (&[("scope", "openid admin")], "invalid_scope"),
            (&[("resource", "https://nobody.example/")], "invalid_target"),
            (&[("prompt", "none login")], "invalid_request"),
            (&[("max_age", "-1")], "invalid_request"),
            (&[("claims", "[]")], "invalid_request"),
            (&[("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
            (&[("request_uri", "https://web.example.com/object")], "invalid_request"),
            (&[("request", "e30.e30.")], "request_not_supported"),
            (&[("client_id", "spa")], "invalid_request"),
        ] {
            let answer = push(&server, &web(), changes).await;
            assert!(answer.status == StatusCode::BAD_REQUEST || changes[0].0 == "client_id", "{changes:?}: {answer:?}");
            if answer.status == StatusCode::BAD_REQUEST {
                assert_eq!(answer.error(), error, "{changes:?}");
            }
            assert!(answer.status.is_client_error() && answer.header("location").is_none());
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM pushed_requests").await, 0);
        pushed(&server, &web(), &[]).await;
    }

    /// Threat 82, RFC 9126 §2: who pushes proves who they are, by the registered method, with POST.
    async fn a_push_without_proof_of_the_client_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let request = web().request(&[]);
        for authorization in [None, Some(basic("web", "wrong")), Some(basic("nobody", "x"))] {
            let answer = server.post_raw("/par", authorization.as_deref(), request.clone()).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        }
        for method in ["GET", "PUT", "DELETE"] {
            let request = axum::http::Request::builder().method(method).uri("/par").body(axum::body::Body::empty());
            assert_eq!(server.send(request.expect("a request")).await.status, StatusCode::METHOD_NOT_ALLOWED);
        }
        let in_the_url = server.post_raw(&format!("/par?{request}"), Some(&basic("web", server.secret())), String::new()).await;
        assert_eq!((in_the_url.status, in_the_url.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
    }

    /// Threat 81, RFC 9126 §6: on every way in.
    async fn a_client_that_must_push_is_not_served_otherwise(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", MUST_PUSH).await;
        let app = RelyingParty {
            client_id: "pusher",
            redirect_uri: "https://pusher.example.com/callback".to_owned(),
            method: Method::Basic,
            ..RelyingParty::new("web", "openid")
        };
        for changes in [&[][..], &[("prompt", "none")]] {
            let answer = server.get(&app.authorize(changes)).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"));
            let answer = server.post_raw("/authorize", None, app.request(changes)).await;
            let answer = server.get(answer.location()).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"));
        }
        let uri = pushed(&server, &app, &[]).await;
        assert!(walk(&server, &mut Browser::new(), &visit_of("pusher", &uri, &[])).await.parameter("code").is_some());
    }

    /// Threat 81: a signed request, by value or at an address of the client's own, is no way round the push.
    async fn a_client_that_must_push_is_not_served_a_signed_request_that_was_not_pushed(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Es256);
        let apps = ["signer", "strict"].map(|client_id| RelyingParty {
            client_id,
            redirect_uri: format!("https://{client_id}.example.com/callback"),
            method: Method::Basic,
            ..RelyingParty::new("web", "openid")
        });
        let objects = apps.clone().map(|app| signer.request_object(app.client_id, BEGINNING.seconds(), &[
            ("response_type", json!("code")),
            ("redirect_uri", json!(app.redirect_uri)),
            ("scope", json!("openid")),
            ("state", json!("signed state")),
            ("code_challenge", json!(app.challenge())),
            ("code_challenge_method", json!("S256")),
        ]));
        let mut router = Router::new();
        for (app, object) in apps.iter().zip(objects.clone()) {
            let answer = get(move || async move { ([(header::CONTENT_TYPE, "application/jwt")], object) });
            router = router.route(&format!("/{}", app.client_id), answer);
        }
        let host = HttpsServer::start(router).await;
        let client = |app: &RelyingParty, more: &str| format!(
            "[[client]]\nclient_id = \"{}\"\nredirect_uris = [\"{}\"]\nclient_secrets = [{{ sha256 = \"{{hash}}\" }}]\n\
             scope = \"openid\"\njwks = {}\nrequest_uris = [\"{}\"]\nrequire_pushed_authorization_requests = true\n{more}\n",
            app.client_id, app.redirect_uri, signer.jwks_in_toml(), host.url(&format!("/{}", app.client_id)),
        );
        let clients = client(&apps[0], "") + &client(&apps[1], "require_signed_request_object = true");
        let server = TestServer::start_with(&database, &host.settings(), &clients).await;
        for (app, object) in apps.iter().zip(&objects) {
            let address = host.url(&format!("/{}", app.client_id));
            for (name, value) in [("request", object), ("request_uri", &address)] {
                let mut pairs = vec![("client_id", app.client_id), (name, value.as_str())];
                // what stands beside it changes nothing
                for beside in [("redirect_uri", app.redirect_uri.as_str()), ("response_type", "code"), ("prompt", "none")] {
                    let query = encode(&pairs);
                    let answer = server.get(&format!("/authorize?{query}")).await;
                    assert_eq!(refused(&server, &answer, app, "invalid_request")["state"], "signed state", "{name}");
                    let posted = server.post("/authorize", None, &pairs).await;
                    refused(&server, &server.get(posted.location()).await, app, "invalid_request");
                    // nor do the pages help
                    for page in ["/login", "/consent"] {
                        let answer = open(&server, &mut Browser::new(), &format!("{page}?{query}")).await;
                        refused(&server, &answer, app, "invalid_request");
                    }
                    pairs.push(beside);
                }
            }
            // an address cannot be pushed either (RFC 9126 §2.1); the object itself can
            let answer = app.post(&server, "/par", &[("request_uri", &address)]).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
            let uri = request_uri(&app.post(&server, "/par", &[("request", object)]).await);
            let answer = walk(&server, &mut Browser::new(), &visit_of(app.client_id, &uri, &[])).await;
            assert!(answer.parameter("code").is_some(), "{answer:?}");
        }
    }

    /// Threat 83: anybody can push in the name of a public client, and one address alone cannot take all its places.
    async fn one_address_pushes_for_public_clients_at_a_pace(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let pairs = |app: &RelyingParty| -> Vec<(String, String)> {
            url::form_urlencoded::parse(app.request(&[]).as_bytes()).into_owned().collect()
        };
        let (spa, web) = (pairs(&RelyingParty::new("spa", "openid")), pairs(&web()));
        let form: Vec<(&str, &str)> = spa.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let of_web: Vec<(&str, &str)> = web.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut kept = 0;
        let refused = loop {
            let answer = server.post_from("192.0.2.1", "/par", None, &form).await;
            match answer.status {
                StatusCode::CREATED => kept += 1,
                _ => break answer,
            }
        };
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"));
        assert!(refused.header("retry-after").is_some());
        assert!((30..MOST_OF_A_PUBLIC_CLIENT / 2).contains(&kept), "{kept}");
        // others are in nobody's way, nor is who proves who they are
        assert_eq!(server.post_from("192.0.2.2", "/par", None, &form).await.status, StatusCode::CREATED);
        let basic = crate::support::server::basic("web", server.secret());
        assert_eq!(server.post_from("192.0.2.1", "/par", Some(&basic), &of_web).await.status, StatusCode::CREATED);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(server.post_from("192.0.2.1", "/par", None, &form).await.status, StatusCode::CREATED);
    }

    /// Threats 83, 193: one client's requests that wait are bounded, swept, and no other client's business.
    async fn requests_that_wait_are_bounded_and_swept(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (spa, until) = (RelyingParty::new("spa", "openid"), server.clock.now().plus(Duration::from_secs(90)).millis());
        let values: Vec<String> =
            (0..MOST_OF_A_PUBLIC_CLIENT).map(|n| format!("('f{n}', 'spa', '', 0, {until})")).collect();
        database.execute(&format!("INSERT INTO pushed_requests (id, client_id, parameters, created_at, expires_at) VALUES {}", values.join(","))).await;
        let answer = push(&server, &spa, &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"));
        assert!(answer.header("retry-after").is_some());
        pushed(&server, &web(), &[]).await;
        // what has expired stands in nobody's way, swept or not
        server.clock.advance(Duration::from_secs(91));
        pushed(&server, &spa, &[]).await;
        // only what a request is made of is kept, and no more of it than any request needs
        let before = database.number("SELECT SUM(LENGTH(parameters)) FROM pushed_requests").await;
        let junk = "\u{fc}".repeat(10_000);
        pushed(&server, &web(), &[("junk", &junk)]).await;
        assert!(database.number("SELECT SUM(LENGTH(parameters)) FROM pushed_requests").await < before + 2_000);
        let answer = push(&server, &web(), &[("state", &junk)]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"));
        sweep_expired::run_once(&server.app).await.expect("a round");
        server.clock.advance(Duration::from_secs(3 * 3600));
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(database.number("SELECT COUNT(*) FROM pushed_requests").await, 0);
    }
}
