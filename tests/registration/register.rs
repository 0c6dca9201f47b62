//! Registering: who may, what a client reads of itself, and that it can then do what every client does.

use super::{GENEROUS, OPEN, guarded, open, post, register, send, spa, web};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, basic, claims};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use portreeve::http::client_address::ClientAddress;
use portreeve::storage::registered_clients;
use serde_json::json;

on_both_stores! {
    /// RFC 7591 §3.2.1; threats 116, 118.
    async fn a_public_client_registers_and_signs_a_person_in(database: TestDatabase) {
        let server = open(&database).await;
        let answer = post(&server, &spa()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let information = answer.json();
        assert!(information.get("client_secret").is_none() && information.get("client_secret_expires_at").is_none());
        assert_eq!(information["scope"], "openid profile email offline_access", "all that the policy allows");
        assert_eq!(information["response_types"], json!(["code"]));
        assert_eq!(information["client_id_issued_at"], server.app.clock.now().seconds());
        let uri = format!("{}/register/{}", server.issuer(), information["client_id"].as_str().expect("an id"));
        assert_eq!(information["registration_client_uri"], uri);

        let client = register(&server, &spa()).await;
        assert_ne!(client.id(), information["client_id"], "every registration is another client");
        let app = client.app("openid profile offline_access");
        let mut browser = Browser::new();
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        assert!(page.body.contains("id=\"consent-unverified\""), "{}", page.body);
        assert!(page.body.contains("notes.example.com"), "{}", page.body);
        let back = browser.decide(&server, &page, "allow").await;
        let code = back.parameter("code").unwrap_or_else(|| panic!("no code: {back:?}"));
        let answer = app.redeem(&server, &code, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let tokens = answer.json();
        let access = tokens["access_token"].as_str().expect("an access token");
        assert_eq!(claims(access)["client_id"], client.id());
        assert_eq!(server.get_as("/userinfo", access).await.json()["name"], "Ada Lovelace");
        let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
        let refreshed = app.refresh(&server, refresh, &[]).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
        assert_ne!(refreshed.json()["refresh_token"], refresh, "a public client's token is replaced");
        let revoked = app.post(&server, "/revoke", &[("token", access)]).await;
        assert_eq!(revoked.status, StatusCode::OK);
        assert_eq!(server.get_as("/userinfo", access).await.status, StatusCode::UNAUTHORIZED);
    }

    /// RFC 7591 §3.2.1, threats 118, 177: the secret is shown once, and neither it nor the token is kept in clear.
    async fn a_confidential_client_gets_a_secret_once(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let mut said = web();
        said["grant_types"] = json!(["authorization_code", "client_credentials"]);
        let client = register(&server, &said).await;
        let secret = client.text("client_secret");
        assert_eq!(client.0["client_secret_expires_at"], 0);
        assert_eq!(client.0["token_endpoint_auth_method"], "client_secret_basic");
        let ask = [("grant_type", "client_credentials"), ("scope", "photos.read")];
        let answer = server.post("/token", Some(&basic(client.id(), secret)), &ask).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(server.introspect_as("photos-api", &token).await["client_id"], client.id());
        let wrong = server.post("/token", Some(&basic(client.id(), "wrong")), &ask).await;
        assert_eq!((wrong.status, wrong.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
        let nothing = server.post("/token", None, &[("grant_type", "client_credentials"), ("client_id", client.id())]).await;
        assert_eq!(nothing.status, StatusCode::UNAUTHORIZED, "{nothing:?}");
        let read = client.get(&server).await;
        assert_eq!(read.status, StatusCode::OK, "{read:?}");
        assert!(!read.body.contains("client_secret\""), "{}", read.body);

        let id = portreeve::protocol::identifiers::ClientId::parse(client.id()).expect("an id");
        let stored = server.app.store.read(move |connection| {
            let id = id.clone();
            Box::pin(async move { registered_clients::find(connection, &id).await })
        }).await.expect("a read").expect("a row");
        let kept = format!("{:?} {:?} {:?}", stored.members, stored.secret_hash, stored.token_hash);
        assert!(!kept.contains(secret) && !kept.contains(client.token()));
        assert_eq!(secret.len(), 43, "256 random bits");
    }

    /// RFC 7591 §3, threat 114: an initial access token where the operator wants one.
    async fn only_who_has_an_initial_access_token_registers_where_one_is_wanted(database: TestDatabase) {
        let (settings, token) = guarded();
        let server = TestServer::start_with(&database, &settings, "").await;
        let nobody = post(&server, &spa()).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer realm=\"portreeve\""));
        for wrong in ["wrong", &token[1..], &format!("{token}x")] {
            let answer = send(&server, Method::POST, "/register", Some(wrong), Some(&spa())).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
            assert!(answer.header("www-authenticate").is_some_and(|value| value.contains("invalid_token")));
        }
        let answer = send(&server, Method::POST, "/register", Some(&token), Some(&spa())).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let client = answer.json();
        let uri = client["registration_client_uri"].as_str().expect("a URI");
        let other = send(&server, Method::GET, uri, Some(&token), None).await;
        assert_eq!(other.status, StatusCode::UNAUTHORIZED, "it opens no registration");
    }

    /// Threats 114, 170: nothing is there, and nothing advertised, unless the section is.
    async fn registration_is_off_unless_it_is_configured(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        assert_eq!(post(&server, &spa()).await.status, StatusCode::NOT_FOUND);
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = send(&server, method, "/register/reg_BwcHBwcHBwcHBwcHBwcHBw", Some("x"), Some(&spa())).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
        let path = "/.well-known/openid-configuration";
        assert!(server.get(path).await.json().get("registration_endpoint").is_none());

        let (before, clients) = (&server.configuration.settings, &server.configuration.clients);
        server.reload(&format!("{before}\n{OPEN}"), clients);
        assert_eq!(server.get(path).await.json()["registration_endpoint"], format!("{}/register", server.issuer()));
        let client = register(&server, &spa()).await;
        let app = client.app("openid");
        assert!(server.get(&app.authorize(&[])).await.location().starts_with("/login"));
        // Turned off again, its clients are refused; nothing of them is deleted.
        server.reload(before, clients);
        assert_eq!(server.get(&app.authorize(&[])).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(client.get(&server).await.status, StatusCode::NOT_FOUND);
        server.reload(&format!("{before}\n{OPEN}"), clients);
        assert!(server.get(&app.authorize(&[])).await.location().starts_with("/login"));
    }

    /// RFC 7591 §3.1, threats 71, 156, 158.
    async fn what_is_not_one_json_object_registers_nothing(database: TestDatabase) {
        let server = open(&database).await;
        let large = format!("{{\"client_name\": \"{}\"}}", "x".repeat(65 * 1024));
        let text = spa().to_string();
        let cases: [(&str, &str, StatusCode); 9] = [
            ("application/json", "", StatusCode::BAD_REQUEST),
            ("application/json", "[]", StatusCode::BAD_REQUEST),
            ("application/json", "{\"redirect_uris\": []", StatusCode::BAD_REQUEST),
            ("application/json", "{\"client_name\": \"a\", \"client_name\": \"b\"}", StatusCode::BAD_REQUEST),
            ("application/json", "{} {}", StatusCode::BAD_REQUEST),
            ("application/x-www-form-urlencoded", &text, StatusCode::BAD_REQUEST),
            ("application/json; charset=utf-16", &text, StatusCode::BAD_REQUEST),
            ("text/plain", &text, StatusCode::BAD_REQUEST),
            ("application/json", &large, StatusCode::PAYLOAD_TOO_LARGE),
        ];
        for (media_type, body, status) in cases {
            let request = Request::post("/register").header(header::CONTENT_TYPE, media_type);
            let answer = server.send(request.body(Body::from(body.to_owned())).expect("a request")).await;
            assert_eq!((answer.status, answer.error().as_str()), (status, "invalid_client_metadata"), "{media_type}");
        }
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = send(&server, method, "/register", None, None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        }
        let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json; charset=UTF-8");
        let answer = server.send(request.body(Body::from(text)).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }

    /// RFC 7591 §2: what nobody knows is ignored, and what is null is as nothing.
    async fn members_that_nobody_knows_are_ignored(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        for (name, value) in json!({
            "client_id": "mine", "client_secret": "mine", "registration_access_token": "mine", "fancy": {"a": [1]},
            "policy_uri": null, "software_statement": null, "dpop_bound_access_tokens": false, "client_name#": "x",
        }).as_object().expect("an object") {
            if name != "client_name#" {
                said[name] = value.clone();
            }
        }
        let client = register(&server, &said).await;
        assert_ne!(client.id(), "mine");
        assert_ne!(client.token(), "mine");
        for name in ["fancy", "client_secret", "policy_uri", "dpop_bound_access_tokens"] {
            assert!(!client.0.contains_key(name), "{name}: {client:?}");
        }
    }

    /// OpenID Connect Dynamic, oidcc-idtoken-signature and third-party-initiated login: RS256 by default,
    /// `initiate_login_uri` echoed in both answers.
    async fn defaults_and_echoes_are_those_of_openid_connect(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = web();
        said["initiate_login_uri"] = json!("https://web.notes.example.com/login");
        said["contacts"] = json!(["ops@notes.example.com"]);
        let client = register(&server, &said).await;
        assert_eq!(client.0["id_token_signed_response_alg"], "RS256");
        let read = client.get(&server).await;
        for information in [&serde_json::Value::Object(client.0.clone()), &read.json()] {
            assert_eq!(information["initiate_login_uri"], "https://web.notes.example.com/login");
            assert_eq!(information["contacts"], json!(["ops@notes.example.com"]));
            assert_eq!(information["registration_access_token"], client.token());
            assert_eq!(information["registration_client_uri"], client.uri());
        }
        said["initiate_login_uri"] = json!("http://web.notes.example.com/login");
        let refused = post(&server, &said).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
    }

    /// Threat 114: one address does not fill the store.
    async fn one_address_registers_sixty_at_once_and_no_more(database: TestDatabase) {
        let server = open(&database).await;
        let from = async |address: &str| {
            let mut request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
            request = request.extension(ClientAddress(address.parse().expect("an address")));
            server.send(request.body(Body::from(spa().to_string())).expect("a request")).await
        };
        for _ in 0..60 {
            assert_eq!(from("192.0.2.7").await.status, StatusCode::CREATED);
        }
        let refused = from("192.0.2.7").await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.header("retry-after"), Some("10"));
        assert_eq!(from("192.0.2.8").await.status, StatusCode::CREATED);
        server.clock.advance(std::time::Duration::from_secs(10));
        assert_eq!(from("192.0.2.7").await.status, StatusCode::CREATED);
        assert_eq!(from("192.0.2.7").await.status, StatusCode::TOO_MANY_REQUESTS);
    }

    /// Threat 164: nobody reads registrations across origins; the pages of a registered public client read its tokens.
    async fn the_pages_of_a_registered_client_read_what_is_theirs(database: TestDatabase) {
        let server = open(&database).await;
        let preflight = async |path: &str| {
            let request = Request::builder().method(Method::OPTIONS).uri(path)
                .header(header::ORIGIN, "https://notes.example.com")
                .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
            let answer = server.send(request.body(Body::empty()).expect("a request")).await;
            answer.header("access-control-allow-origin").map(str::to_owned)
        };
        assert_eq!(preflight("/token").await, None);
        let client = register(&server, &spa()).await;
        assert_eq!(preflight("/token").await.as_deref(), Some("https://notes.example.com"));
        assert_eq!(preflight("/register").await, None);
        assert_eq!(preflight("/introspect").await, None);
        let confidential = client.with(&json!({"token_endpoint_auth_method": "client_secret_basic"}));
        assert_eq!(client.put(&server, &confidential).await.status, StatusCode::OK);
        assert_eq!(preflight("/token").await, None, "a client with a secret has no pages that redeem");
    }
}

on_both_stores! {
    /// Product: client credentials touch no database on the way, for clients of the files and, once known, for others.
    async fn client_credentials_touch_no_database(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let said = json!({"grant_types": ["client_credentials"], "scope": "photos.read"});
        let client = register(&server, &said).await;
        let ask = [("grant_type", "client_credentials")];
        let credentials = basic(client.id(), client.text("client_secret"));
        let first = server.post("/token", Some(&credentials), &ask).await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        let before = server.app.store.accesses();
        assert_eq!(server.post_as("service", "/token", &ask).await.status, StatusCode::OK);
        assert_eq!(server.post("/token", Some(&credentials), &ask).await.status, StatusCode::OK);
        let stranger = server.post("/token", Some(&basic("nobody", "x")), &ask).await;
        assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.app.store.accesses(), before, "no name of the files' form is looked for in the store");
    }
}
