//! A service acts for itself: no person, no refreshing, no database.

use super::assert_refused;
use crate::support::database::on_both_stores;
use crate::support::relying_party::Tokens;
use crate::support::server::{TestServer, claims, header_of};
use axum::http::StatusCode;
use serde_json::json;

const MORE: &str = r#"
[[client]]
client_id = "both"
grant_types = ["client_credentials"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "photos.read mail.read"

[[client]]
client_id = "bare"
grant_types = ["client_credentials"]
client_secrets = [{ sha256 = "{hash}" }]

[[client]]
client_id = "app-and-service"
redirect_uris = ["https://app.example.com/callback"]
grant_types = ["authorization_code", "client_credentials"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile photos.read"
"#;

on_both_stores! {
    /// RFC 6749 §4.4, RFC 9068 §2.2; product.md: verify, sign, answer.
    async fn a_service_token_is_about_the_service_and_costs_no_database(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", MORE).await;
        let before = server.app.store.accesses();
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials"), ("scope", "photos.read")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let members: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
        assert_eq!((answer.header("cache-control"), answer.header("content-type")), (Some("no-store"), Some("application/json")));
        let tokens = Tokens(answer.json());
        let access = claims(tokens.access());
        assert_eq!(header_of(tokens.access())["typ"], "at+jwt");
        assert_eq!((&access["sub"], &access["client_id"]), (&json!("service"), &json!("service")));
        assert_eq!((&access["aud"], &access["scope"]), (&json!("https://api.example.com/photos"), &json!("photos.read")));
        assert_eq!((access.get("auth_time"), access.get("acr")), (None, None));
        for scope in ["openid", "mail.read", "unknown"] {
            let refused = server.post_as("service", "/token", &[("grant_type", "client_credentials"), ("scope", scope)]).await;
            assert_refused(&refused, "invalid_scope");
        }
        assert_eq!(server.app.store.accesses(), before, "no statement, neither for a token nor for a refusal");
    }

    /// Threat 113, RFC 6749 §4.4.3.
    async fn a_service_gets_no_scope_about_people_and_none_that_is_not_its_own(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", MORE).await;
        for client in ["service", "app-and-service", "bare"] {
            for scope in ["openid", "profile", "email", "offline_access", "photos.read openid", "mail.read", "unknown", "photos.read é", "\""] {
                let asked = [("grant_type", "client_credentials"), ("scope", scope)];
                assert_refused(&server.post_as(client, "/token", &asked).await, "invalid_scope");
            }
        }
        let bare = Tokens(server.post_as("bare", "/token", &[("grant_type", "client_credentials")]).await.json());
        assert_eq!(claims(bare.access()).get("scope"), None);
        assert_eq!(claims(bare.access())["aud"], server.issuer());
        let own = Tokens(server.post_as("app-and-service", "/token", &[("grant_type", "client_credentials")]).await.json());
        assert_eq!(claims(own.access())["scope"], "photos.read", "no openid although the app may have it");
        assert_eq!(own.0.get("id_token"), None);
        assert_eq!(own.0.get("refresh_token"), None);
        assert_eq!(server.get_as("/userinfo", own.access()).await.status, StatusCode::FORBIDDEN);
    }

    /// RFC 8707 §2; product.md, access tokens: `aud` is what was asked, else what serves the scopes; two need a word.
    async fn a_service_token_has_one_audience(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", MORE).await;
        let (photos, mail) = ("https://api.example.com/photos", "https://api.example.com/mail");
        let ask = async |more: &[(&str, &str)]| {
            let asked = [&[("grant_type", "client_credentials")], more].concat();
            server.post_as("both", "/token", &asked).await
        };
        assert_refused(&ask(&[]).await, "invalid_target");
        assert_refused(&ask(&[("scope", "photos.read mail.read")]).await, "invalid_target");
        assert_refused(&ask(&[("resource", photos), ("resource", mail)]).await, "invalid_target");
        for unknown in ["https://unknown.example", "https://api.example.com/photos/", "x", "https://a.example/#b"] {
            assert_refused(&ask(&[("resource", unknown)]).await, "invalid_target");
        }
        let narrowed = claims(Tokens(ask(&[("resource", mail)]).await.json()).access());
        assert_eq!((&narrowed["aud"], &narrowed["scope"]), (&json!(mail), &json!("mail.read")));
        let implied = claims(Tokens(ask(&[("scope", "photos.read")]).await.json()).access());
        assert_eq!(implied["aud"], photos);
    }

    /// RFC 6749 §4.4: for confidential clients, and for those that are registered for it.
    async fn who_is_not_registered_for_it_or_public_gets_no_service_token(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", MORE).await;
        for client in ["web", "ours", "legacy", "staff"] {
            let answer = server.post_as(client, "/token", &[("grant_type", "client_credentials")]).await;
            assert_refused(&answer, "unauthorized_client");
        }
        let public = [("grant_type", "client_credentials"), ("client_id", "spa")];
        assert_refused(&server.post("/token", None, &public).await, "unauthorized_client");
        let unproven = [("grant_type", "client_credentials"), ("client_id", "service")];
        assert_refused(&server.post("/token", None, &unproven).await, "invalid_client");
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}
