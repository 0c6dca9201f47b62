//! The main road: sign in, agree, redeem, refresh, read, revoke; a service's token; what resource servers see.

use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;
use serde_json::json;

on_both_stores! {
    /// RFC 6749 §4.1, RFC 7636, OpenID Connect Core §3.1.
    async fn a_person_signs_in_and_agrees_and_the_app_gets_its_tokens(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid profile email offline_access photos.read");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let access = claims(tokens.access());
        assert_eq!(access["aud"], "https://api.example.com/photos");
        assert_eq!(access["scope"], "openid profile email offline_access photos.read");
        let id = claims(tokens.id());
        assert_eq!((&id["aud"], &id["nonce"], &id["sub"]), (&json!("web"), &json!("the nonce"), &access["sub"]));
        let userinfo = server.get_as("/userinfo", tokens.access()).await;
        assert_eq!(userinfo.json()["email"], "ada@example.com");
        assert_eq!(userinfo.json()["sub"], access["sub"]);
        let refreshed = app.refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
        let refreshed = Tokens(refreshed.json());
        assert_eq!(server.introspect_as("photos-api", refreshed.access()).await["active"], true);
        let revoked = app.post(&server, "/revoke", &[("token", refreshed.refresh())]).await;
        assert_eq!(revoked.status, StatusCode::OK);
        for token in [tokens.access(), refreshed.access()] {
            assert_eq!(server.introspect_as("photos-api", token).await, json!({"active": false}));
            assert_eq!(server.get_as("/userinfo", token).await.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(app.refresh(&server, refreshed.refresh(), &[]).await.error(), "invalid_grant");
    }

    /// RFC 6749 §4.4, RFC 7662 §2.
    async fn a_service_gets_a_token_without_the_database(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let before = server.app.store.accesses();
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(server.app.store.accesses(), before, "no statement on the client_credentials road");
        let tokens = Tokens(answer.json());
        assert_eq!(claims(tokens.access())["sub"], "service");
        assert_eq!(server.introspect_as("service", tokens.access()).await["active"], true);
        assert!(answer.json().get("refresh_token").is_none());
    }
}
