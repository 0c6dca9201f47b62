//! Who learns what about a token, and whose word ends it (RFC 7662, RFC 7009; threats 47–49).

use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer, basic};
use axum::http::StatusCode;
use serde_json::json;
use std::time::Duration;

const PHOTOS: &str = "https://api.example.com/photos";

/// Everything about an answer that a caller can see.
fn seen(answer: &Answer) -> (StatusCode, String, Vec<(String, String)>) {
    let headers =
        answer.headers.iter().map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    (answer.status, answer.body.clone(), headers)
}

on_both_stores! {
    /// RFC 7662 §2.1, §2.2; threat 49: the token's client and those named for its audience; nobody else, and nobody unnamed.
    async fn only_whose_token_it_is_and_whom_it_is_for_learn_about_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let web = RelyingParty::new("web", "openid profile offline_access photos.read");
        let tokens = web.tokens(&server, &mut Browser::new()).await;
        let mail = RelyingParty::new("web", "openid mail.read");
        let for_mail = mail.tokens(&server, &mut Browser::new()).await;
        let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        let service = Tokens(service.json());
        for (who, token, active) in [
            ("web", tokens.access(), true),
            ("photos-api", tokens.access(), true),
            ("service", tokens.access(), false),
            ("staff", tokens.access(), false),
            ("web", for_mail.access(), true),
            ("photos-api", for_mail.access(), false),
            ("service", service.access(), true),
            ("photos-api", service.access(), true),
            ("web", service.access(), false),
            ("web", tokens.refresh(), true),
            ("photos-api", tokens.refresh(), false),
            ("service", tokens.refresh(), false),
            ("web", tokens.id(), false),
        ] {
            let told = server.introspect_as(who, token).await;
            assert_eq!(told["active"], active, "{who}: {told}");
            if !active {
                assert_eq!(told, json!({"active": false}), "{who}");
            }
        }
        let told = server.introspect_as("photos-api", tokens.access()).await;
        assert_eq!((&told["aud"], &told["client_id"], &told["username"]), (&json!(PHOTOS), &json!("web"), &json!("ada")));
        // a person's name rides on `profile`
        let told = server.introspect_as("web", for_mail.access()).await;
        assert!(told["active"] == true && told.get("username").is_none(), "{told}");
        // the type hint is a hint (RFC 7009 §2.1, RFC 7662 §2.1)
        for hint in ["access_token", "refresh_token", "nonsense"] {
            for token in [tokens.access(), tokens.refresh()] {
                let asked = [("token", token), ("token_type_hint", hint)];
                assert_eq!(server.post_as("web", "/introspect", &asked).await.json()["active"], true, "{hint}");
            }
        }
        let unnamed = [
            server.post("/introspect", None, &[("token", tokens.access())]).await,
            server.post("/introspect", None, &[("token", tokens.access()), ("client_id", "spa")]).await,
            server.post("/introspect", Some(&basic("web", "wrong")), &[("token", tokens.access())]).await,
            server.post("/introspect", Some(&format!("Bearer {}", tokens.access())), &[("token", tokens.access())]).await,
        ];
        for answer in unnamed {
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"), "{answer:?}");
        }
        assert_eq!(server.post_as("web", "/introspect", &[]).await.error(), "invalid_request");
    }

    /// RFC 7662 §2.2, §4; threat 49: unknown, expired, revoked and foreign are one answer.
    async fn every_reason_not_to_count_looks_alike(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let web = RelyingParty::new("web", "openid profile offline_access photos.read");
        let expired = web.tokens(&server, &mut Browser::new()).await;
        server.clock.advance(Duration::from_secs(601));
        let revoked = web.tokens(&server, &mut Browser::new()).await;
        web.post(&server, "/revoke", &[("token", revoked.refresh())]).await;
        let alone = web.tokens(&server, &mut Browser::new()).await;
        web.post(&server, "/revoke", &[("token", alone.access())]).await;
        let foreign = RelyingParty::new("post", "openid offline_access").tokens(&server, &mut Browser::new()).await;
        let code = web.code(&server, &mut Browser::new()).await;
        let unknown = server.post_as("web", "/introspect", &[("token", "x")]).await;
        assert_eq!(unknown.body, "{\"active\":false}");
        for (what, token) in [
            ("expired", expired.access()),
            ("revoked", revoked.access()),
            ("revoked", revoked.refresh()),
            ("revoked alone", alone.access()),
            ("foreign", foreign.access()),
            ("foreign", foreign.refresh()),
            ("an ID token", foreign.id()),
            ("a code", &code),
            ("a changed one", &format!("{}A", alone.refresh())),
        ] {
            let answer = server.post_as("web", "/introspect", &[("token", token)]).await;
            assert_eq!(seen(&answer), seen(&unknown), "{what}");
        }
        assert_eq!(server.introspect_as("web", alone.refresh()).await["active"], true, "its grant lives on");
    }

    /// RFC 7009 §2.1, §2.2; threats 47, 48: 200 for everything, and an end only for the client's own.
    async fn revoking_ends_ones_own_tokens_and_nobody_elses(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["web", "spa", "post"] {
            let app = RelyingParty::new(name, "openid offline_access photos.read");
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            let thief = RelyingParty::new(if name == "web" { "post" } else { "web" }, "openid");
            let changed = format!("{}x", tokens.refresh());
            for (who, token) in [
                (&thief, tokens.access()),
                (&thief, tokens.refresh()),
                (&app, tokens.id()),
                (&app, changed.as_str()),
                (&app, "x"),
            ] {
                let answer = who.post(&server, "/revoke", &[("token", token)]).await;
                assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""), "{name}: {answer:?}");
            }
            let unproven = server.post("/revoke", None, &[("token", tokens.refresh())]).await;
            assert_eq!(unproven.status, StatusCode::UNAUTHORIZED);
            assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true, "{name}");
            let again = Tokens(app.refresh(&server, tokens.refresh(), &[]).await.json());
            // an access token by itself takes nothing else with it
            app.post(&server, "/revoke", &[("token", again.access()), ("token_type_hint", "refresh_token")]).await;
            server.assert_dead("photos-api", again.access()).await;
            assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true, "{name}");
            // any generation of the refresh token takes the whole grant
            app.post(&server, "/revoke", &[("token", tokens.refresh())]).await;
            server.assert_dead("photos-api", tokens.access()).await;
            for dead in [tokens.refresh(), again.refresh()] {
                assert_eq!(app.refresh(&server, dead, &[]).await.error(), "invalid_grant", "{name}");
                let answer = app.post(&server, "/revoke", &[("token", dead)]).await;
                assert_eq!(answer.status, StatusCode::OK, "again is as once");
            }
        }
        let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        let service = Tokens(service.json());
        server.post_as("photos-api", "/revoke", &[("token", service.access())]).await;
        assert_eq!(server.introspect_as("service", service.access()).await["active"], true);
        server.post_as("service", "/revoke", &[("token", service.access())]).await;
        assert_eq!(server.introspect_as("service", service.access()).await, json!({"active": false}));
    }
}
