//! A registered client is a client like any other: with keys of its own, pushed requests, logout tokens and frames
//! (OpenID Connect Dynamic: oidcc-server, oidcc-registration-jwks-uri, oidcc-refresh-token-rp-key-rotation; Back-Channel Logout §2.5).

use super::{register, spa, web};
use crate::support::assertion::{Signer, presenting};
use crate::support::browser::{Browser, form};
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::{Method, RelyingParty, Tokens};
use crate::support::server::{TestServer, claims, header_of};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use portreeve::tasks::deliver_outbox;
use portreeve::tasks::delivery_pace::Pace;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The settings of the Dynamic plan: its suite sends no PKCE, and names the token endpoint in its assertions.
const CERTIFIED: &str =
    "[registration]\nrequire_pkce = false\nclient_assertion_audience = \"token_endpoint\"\n";

/// What the suite's client says of itself.
fn signing(keys: (&str, Value)) -> Value {
    let mut said = web();
    said["token_endpoint_auth_method"] = json!("private_key_jwt");
    said["response_types"] = json!(["code"]);
    said[keys.0] = keys.1;
    said
}

on_both_stores! {
    /// RFC 7523 §2.2: a key at hand without a name, and the token endpoint as the audience.
    async fn a_client_with_keys_of_its_own_signs_its_way_through_a_flow(database: TestDatabase) {
        let server = TestServer::start_with(&database, CERTIFIED, "").await;
        let signer = Signer::of(VerificationAlgorithm::Rs256, None);
        let client = register(&server, &signing(("jwks", json!({"keys": [signer.jwk()]})))).await;
        assert!(!client.0.contains_key("client_secret"), "{client:?}");
        let app = client.app("openid offline_access");
        let assertion = || {
            let mut claims = signer.claims(&server, client.id());
            claims["aud"] = json!(format!("{}/token", server.issuer()));
            signer.sign(&signer.header(), &claims)
        };
        let visit = [("code_challenge", ""), ("code_challenge_method", "")];
        let back = app.visit(&server, &mut Browser::new(), &visit).await;
        let code = back.parameter("code").unwrap_or_else(|| panic!("no code: {back:?}"));
        let (presented, again) = (assertion(), assertion());
        let mut redeem = presenting(&presented).to_vec();
        redeem.extend([("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", app.redirect_uri.as_str())]);
        let answer = server.post("/token", None, &redeem).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let tokens = answer.json();
        let id_token = tokens["id_token"].as_str().expect("an ID token");
        assert_eq!(claims(id_token)["aud"], client.id());
        let header = header_of(id_token);
        assert_eq!(header["alg"], "RS256", "the default of OpenID Connect Registration §2");
        assert!(header["kid"].is_string());
        let mut refresh = presenting(&again).to_vec();
        refresh.extend([("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().expect("a token"))]);
        assert_eq!(server.post("/token", None, &refresh).await.status, StatusCode::OK);
        let nobody = server.post("/token", None, &[("client_id", client.id()), ("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
        assert_eq!(nobody.error(), "invalid_client");
    }

    /// RFC 7517 §5: keys at a `jwks_uri`; and a change of the registration is a change of the keys.
    async fn a_client_with_keys_at_an_address_is_verified_with_them(database: TestDatabase) {
        let signer = Signer::new("first");
        let document = json!({"keys": [signer.jwk()]}).to_string();
        let router = Router::new().route("/jwks", get(move || {
            let document = document.clone();
            async move { ([("content-type", "application/json")], document) }
        }));
        let host = HttpsServer::start(router).await;
        let server = TestServer::start_with(&database, &format!("{CERTIFIED}{}", host.settings()), "").await;
        let client = register(&server, &signing(("jwks_uri", json!(host.url("/jwks"))))).await;
        assert_eq!(host.connections.accepted(), 0, "keys are fetched when they are needed");
        let ask = async |signer: &Signer| {
            let assertion = signer.assertion(&server, client.id());
            let mut parameters = presenting(&assertion).to_vec();
            parameters.extend([("grant_type", "refresh_token"), ("refresh_token", "x")]);
            server.post("/token", None, &parameters).await.error()
        };
        assert_eq!(ask(&signer).await, "invalid_grant");
        let other = Signer::new("second");
        assert_eq!(ask(&other).await, "invalid_client");
        let changes = json!({"jwks_uri": null, "jwks": {"keys": [other.jwk()]}});
        assert_eq!(client.put(&server, &client.with(&changes)).await.status, StatusCode::OK);
        assert_eq!(ask(&other).await, "invalid_grant");
        assert_eq!(ask(&signer).await, "invalid_client");
    }

    /// oidcc-registration-jwks-uri and oidcc-refresh-token-rp-key-rotation: the suite sends no PKCE, and waits a minute.
    async fn a_client_with_keys_at_an_address_walks_a_flow_and_changes_its_key(database: TestDatabase) {
        let (old, new) = (Arc::new(Signer::new("old")), Arc::new(Signer::new("new")));
        let shelf = Arc::new(Mutex::new(json!({"keys": [old.jwk()]})));
        let shown = shelf.clone();
        let router = Router::new().route("/jwks", get(move || {
            let document = shown.lock().expect("whole").to_string();
            async move { ([("content-type", "application/json")], document) }
        }));
        let host = HttpsServer::start(router).await;
        let server = TestServer::start_with(&database, &format!("{CERTIFIED}{}", host.settings()), "").await;
        let client = register(&server, &signing(("jwks_uri", json!(host.url("/jwks"))))).await;
        let by = |signer: &Arc<Signer>| RelyingParty { method: Method::PrivateKeyJwt(signer.clone()), ..client.app("openid offline_access") };
        let app = by(&old);
        let visit = [("code_challenge", ""), ("code_challenge_method", "")];
        let back = app.visit(&server, &mut Browser::new(), &visit).await;
        let code = back.parameter("code").unwrap_or_else(|| panic!("no code: {back:?}"));
        let bare = [("code_verifier", "")];
        // a key that is nowhere is refused and spends nothing
        assert_eq!(by(&new).redeem(&server, &code, &bare).await.error(), "invalid_client");
        let answer = app.redeem(&server, &code, &bare).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let tokens = Tokens(answer.json());
        assert_eq!(claims(tokens.id())["aud"], client.id());
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        *shelf.lock().expect("whole") = json!({"keys": [new.jwk()]});
        server.clock.advance(Duration::from_secs(61));
        let answer = by(&new).refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let refreshed = Tokens(answer.json());
        assert_eq!(server.get_as("/userinfo", refreshed.access()).await.status, StatusCode::OK);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.error(), "invalid_client", "the old key is gone");
    }

    /// Back-Channel Logout §2.5, Front-Channel Logout §3: the end of a session is told to registered clients too.
    async fn a_registered_client_hears_of_the_end_of_a_session(database: TestDatabase) {
        let got = Arc::new(Mutex::new(Vec::<String>::new()));
        let heard = got.clone();
        let router = Router::new().route("/backchannel", post(move |body: String| async move {
            heard.lock().expect("whole").push(body);
            StatusCode::OK
        }));
        let host = HttpsServer::start(router).await;
        let settings = format!("[registration]\n[front_channel_logout]\n{}", host.settings());
        let server = TestServer::start_with(&database, &settings, "").await;
        let there = server.replica().await;
        let mut said = spa();
        said["backchannel_logout_uri"] = json!(host.url("/backchannel"));
        said["frontchannel_logout_uri"] = json!("https://notes.example.com/frontchannel");
        let client = register(&server, &said).await;
        let mut browser = Browser::new();
        client.app("openid").tokens(&server, &mut browser).await;
        let page = browser.get(&there, "/logout").await;
        let fields = form(&page).hidden;
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let ended = browser.post(&there, &form(&page).action, &fields).await;
        assert!(ended.body.contains("https://notes.example.com/frontchannel"), "{ended:?}");
        deliver_outbox::run_once(&there.app, &Pace::default()).await.expect("a round");
        let bodies = got.lock().expect("whole").clone();
        let [body] = bodies.as_slice() else { panic!("one logout token: {bodies:?}") };
        assert_eq!(claims(body.strip_prefix("logout_token=").expect("a token"))["aud"], client.id());
    }

    /// RFC 9126 §2, Logout §2: a pushed request, and a hint that names the client, on a replica that has not seen it.
    async fn a_registered_client_pushes_requests_and_ends_sessions(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[registration]\n", "").await;
        let there = server.replica().await;
        let mut said = spa();
        said["require_pushed_authorization_requests"] = json!(true);
        said["post_logout_redirect_uris"] = json!(["https://notes.example.com/after"]);
        let client = register(&server, &said).await;
        let app = client.app("openid");
        let request = app.request(&[]);
        let pushed = there.post_raw("/par", None, request).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
        let uri = pushed.json()["request_uri"].as_str().expect("a name").to_owned();
        let mut browser = Browser::new();
        let query = crate::support::server::encode(&[("client_id", client.id()), ("request_uri", &uri)]);
        let page = browser.get(&server, &format!("/authorize?{query}")).await;
        let page = browser.follow(&server, page).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        let back = browser.decide(&server, &page, "allow").await;
        let code = back.parameter("code").unwrap_or_else(|| panic!("no code: {back:?}"));
        let tokens = app.redeem(&there, &code, &[]).await.json();
        let hint = tokens["id_token"].as_str().expect("an ID token");
        let query = crate::support::server::encode(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://notes.example.com/after")]);
        let ended = browser.get(&there, &format!("/logout?{query}")).await;
        assert!(ended.location().starts_with("https://notes.example.com/after"), "{ended:?}");
    }
}
