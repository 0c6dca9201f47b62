//! When refreshing ends: by time, with the session, with the person's standing, with the client's.

use super::{ada, assert_refused, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{PASSWORD, TestServer, claims};
use axum::http::StatusCode;
use portreeve::model::secret::Secret;
use portreeve::tasks::reload_configuration::Report;
use portreeve::users::lifecycle::Change;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const MILLISECOND: Duration = Duration::from_millis(1);
const SCOPE: &str = "openid offline_access photos.read";
const LIFETIMES: &str = "[lifetimes]\nrefresh_token_idle = \"10d\"\nrefresh_token_absolute = \"25d\"";

async fn refreshed(server: &TestServer, app: &RelyingParty, refresh_token: &str) -> Tokens {
    let answer = app.refresh(server, refresh_token, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    Tokens(answer.json())
}

on_both_stores! {
    /// RFC 9700 §4.14.2; threat 46.
    async fn a_grant_that_nobody_refreshes_ends(database: TestDatabase) {
        let server = TestServer::start_with(&database, LIFETIMES, "").await;
        for name in ["web", "spa"] {
            let app = RelyingParty::new(name, SCOPE);
            let idle = app.tokens(&server, &mut Browser::new()).await;
            let used = app.tokens(&server, &mut Browser::new()).await;
            server.clock.advance(DAY * 10 - MILLISECOND);
            let used = refreshed(&server, &app, used.refresh()).await;
            server.clock.advance(MILLISECOND);
            assert_refused(&app.refresh(&server, idle.refresh(), &[]).await, "invalid_grant");
            assert_eq!(server.introspect_as("ours", idle.refresh()).await, json!({"active": false}));
            refreshed(&server, &app, used.refresh()).await;
        }
    }

    /// Threat 46: neither rotation nor use puts the absolute end off, and no access token reaches beyond it.
    async fn a_grant_ends_however_often_it_is_refreshed(database: TestDatabase) {
        let server = TestServer::start_with(&database, LIFETIMES, "").await;
        for name in ["web", "spa"] {
            let app = RelyingParty::new(name, SCOPE);
            let mut tokens = app.tokens(&server, &mut Browser::new()).await;
            let end = claims(tokens.access())["iat"].as_i64().unwrap() + 25 * 86_400;
            for _ in 0..3 {
                server.clock.advance(DAY * 8);
                tokens = refreshed(&server, &app, tokens.refresh()).await;
            }
            server.clock.advance(DAY - Duration::from_secs(60));
            tokens = refreshed(&server, &app, tokens.refresh()).await;
            assert_eq!(tokens.0["expires_in"], 60);
            assert_eq!(claims(tokens.access())["exp"], end);
            server.clock.advance(Duration::from_secs(60));
            assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
            server.assert_dead("photos-api", tokens.access()).await;
        }
        RelyingParty::new("web", SCOPE).tokens(&server, &mut Browser::new()).await;
    }

    /// OpenID Connect Core §11; threats 45, 173.
    async fn without_offline_access_a_grant_ends_with_its_session(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["web", "spa"] {
            let (bound, free) = (RelyingParty::new(name, "openid photos.read"), RelyingParty::new(name, SCOPE));
            let mut browser = Browser::new();
            let (ends, stays) = (bound.tokens(&server, &mut browser).await, free.tokens(&server, &mut browser).await);
            let ends = refreshed(&server, &bound, ends.refresh()).await;
            sign_out(&server, &mut browser).await;
            assert_refused(&bound.refresh(&server, ends.refresh(), &[]).await, "invalid_grant");
            server.assert_dead("photos-api", ends.access()).await;
            refreshed(&server, &free, stays.refresh()).await;
            // A session that ends by itself ends it too: here by twelve idle hours.
            let mut browser = Browser::new();
            let (ends, stays) = (bound.tokens(&server, &mut browser).await, free.tokens(&server, &mut browser).await);
            server.clock.advance(Duration::from_secs(12 * 3_600) - MILLISECOND);
            let ends = refreshed(&server, &bound, ends.refresh()).await;
            server.clock.advance(MILLISECOND);
            assert_refused(&bound.refresh(&server, ends.refresh(), &[]).await, "invalid_grant");
            refreshed(&server, &free, stays.refresh()).await;
        }
    }

    /// RFC 9700 §4.14.2; threat 45, invariant 20: enabling revives nothing.
    async fn a_grant_ends_when_its_person_is_disabled_gets_a_password_or_is_deleted(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let app = RelyingParty::new("web", SCOPE);
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        people.disable(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        server.assert_dead("photos-api", tokens.access()).await;
        people.enable(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        server.assert_dead("photos-api", tokens.access()).await;

        let tokens = app.tokens(&server, &mut Browser::new()).await;
        people.set_password(&ada(), Secret::new(PASSWORD), &circumstances).await.unwrap();
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        server.assert_dead("photos-api", tokens.access()).await;

        let tokens = app.tokens(&server, &mut Browser::new()).await;
        people.delete(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        server.assert_dead("photos-api", tokens.access()).await;
        server.add_person("ada", json!({})).await;
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        app.tokens(&server, &mut Browser::new()).await;
    }

    /// Threat 138.
    async fn who_left_the_clients_group_refreshes_no_more_until_they_are_back(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let app = RelyingParty::new("staff", "openid groups offline_access");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let leave = Change { unset: vec!["groups".to_owned()], ..Change::default() };
        people.change(&ada(), leave, &circumstances).await.unwrap();
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_grant");
        assert_refused(&app.refresh(&server, tokens.refresh(), &[("scope", "openid")]).await, "invalid_grant");
        let back = Change { set: vec![("groups".to_owned(), json!(["staff"]))], ..Change::default() };
        people.change(&ada(), back, &circumstances).await.unwrap();
        refreshed(&server, &app, tokens.refresh()).await;
    }

    /// Threats 8, 138: what was given out already opens nothing either, on every replica, until they are back.
    async fn the_tokens_of_who_left_the_clients_group_count_no_more(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let app = RelyingParty::new("staff", "openid groups offline_access");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let leave = Change { set: vec![("groups".to_owned(), json!(["maths"]))], ..Change::default() };
        people.change(&ada(), leave, &circumstances).await.unwrap();
        server.assert_dead("staff", tokens.access()).await;
        assert_eq!(server.introspect_as("staff", tokens.refresh()).await, json!({"active": false}));
        let back = Change { set: vec![("groups".to_owned(), json!(["staff"]))], ..Change::default() };
        people.change(&ada(), back, &circumstances).await.unwrap();
        for token in [tokens.access(), tokens.refresh()] {
            assert_eq!(server.introspect_as("staff", token).await["active"], true);
        }
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
    }

    /// Threats 45, 192: what the client's registration lost, its old grants lost too, with the next request.
    async fn a_grant_gives_no_more_than_the_client_may_have_now(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", "openid offline_access photos.read photos.write");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let (settings, clients) = (server.configuration.settings.clone(), server.configuration.clients.clone());
        let scope = "scope = \"openid profile email offline_access photos.read photos.write\"";
        let narrowed = clients.replacen(scope, "scope = \"openid offline_access photos.read\"", 1);
        assert_ne!(narrowed, clients);
        assert!(matches!(server.reload(&settings, &narrowed), Report::Reloaded { .. }));
        let fewer = refreshed(&server, &app, tokens.refresh()).await;
        assert_eq!(fewer.0["scope"], "openid offline_access photos.read");
        let asked = app.refresh(&server, fewer.refresh(), &[("scope", "photos.write")]).await;
        assert_ne!(asked.json()["scope"], "photos.write", "{asked:?}");
        assert!(matches!(server.reload(&settings, &clients), Report::Reloaded { .. }));
        let again = app.tokens(&server, &mut Browser::new()).await;
        assert_eq!(again.0["scope"], "openid offline_access photos.read photos.write");
    }

    /// product.md, clients: one whose entry is gone is refused, nothing of it is deleted, and a reverted commit brings it back.
    async fn a_client_that_is_gone_is_refused_and_its_grants_come_back_with_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", SCOPE);
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let code = app.code(&server, &mut Browser::new()).await;
        let (settings, clients) = (server.configuration.settings.clone(), server.configuration.clients.clone());
        let without = clients.replacen("client_id = \"web\"", "client_id = \"another\"", 1);
        assert!(matches!(server.reload(&settings, &without), Report::Reloaded { .. }));
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_client");
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_client");
        server.assert_dead("photos-api", tokens.access()).await;
        let page = server.get(&app.authorize(&[])).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(matches!(server.reload(&settings, &clients), Report::Reloaded { .. }));
        assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true);
        refreshed(&server, &app, tokens.refresh()).await;
        let not_refreshing = clients.replacen("grant_types = [\"authorization_code\", \"refresh_token\"]", "grant_types = [\"authorization_code\"]", 1);
        let not_refreshing = not_refreshing.replacen("phone offline_access groups", "phone groups", 1);
        assert!(matches!(server.reload(&settings, &not_refreshing), Report::Reloaded { .. }));
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "unauthorized_client");
        assert!(matches!(server.reload(&settings, &clients), Report::Reloaded { .. }));
        refreshed(&server, &app, tokens.refresh()).await;
    }
}
