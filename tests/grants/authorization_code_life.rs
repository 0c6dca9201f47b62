//! A code lives a minute, once, and no longer than the session, the person and the client's groups allow.

use super::{ada, assert_refused, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::users::lifecycle::Change;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

on_both_stores! {
    /// RFC 6749 §4.1.2; threats 27, 32.
    async fn a_code_is_good_until_the_last_millisecond_of_its_life_and_not_after(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        let mut browser = Browser::new();
        let (late, in_time) = (app.code(&server, &mut browser).await, app.code(&server, &mut browser).await);
        server.clock.advance(Duration::from_secs(60) - MILLISECOND);
        assert_eq!(app.redeem(&server, &in_time, &[]).await.status, StatusCode::OK);
        server.clock.advance(MILLISECOND);
        assert_refused(&app.redeem(&server, &late, &[]).await, "invalid_grant");
        server.clock.advance(Duration::from_secs(86_400));
        assert_refused(&app.redeem(&server, &late, &[]).await, "invalid_grant");
        let code = app.code(&server, &mut Browser::new()).await;
        assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
    }

    /// RFC 6749 §4.1.2, RFC 9700 §4.5; threat 30.
    async fn a_code_that_comes_again_ends_everything_it_gave(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["web", "spa"] {
            let app = RelyingParty::new(name, "openid offline_access photos.read");
            let code = app.code(&server, &mut Browser::new()).await;
            let tokens = Tokens(app.redeem(&server, &code, &[]).await.json());
            let later = Tokens(app.refresh(&server, tokens.refresh(), &[]).await.json());
            server.clock.advance(Duration::from_millis(501));
            assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
            for access in [tokens.access(), later.access()] {
                server.assert_dead("photos-api", access).await;
            }
            for refresh in [tokens.refresh(), later.refresh()] {
                assert_refused(&app.refresh(&server, refresh, &[]).await, "invalid_grant");
            }
            assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        }
        let events = "SELECT COUNT(*) FROM audit_events WHERE event = 'grant.code_replayed'";
        assert_eq!(database.number(events).await, 2, "one for each grant");
        let app = RelyingParty::new("web", "openid");
        app.tokens(&server, &mut Browser::new()).await;
    }

    /// Decision 30: browsers submit twice; within 500 ms nothing ends.
    async fn a_double_submit_is_refused_and_ends_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let code = app.code(&server, &mut Browser::new()).await;
        let tokens = Tokens(app.redeem(&server, &code, &[]).await.json());
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        server.clock.advance(Duration::from_millis(500));
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }

    /// RFC 9700 §4.5: who cannot redeem the code cannot end its grant with it either.
    async fn a_spent_code_in_wrong_hands_ends_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", "openid offline_access photos.read");
        let code = app.code(&server, &mut Browser::new()).await;
        let tokens = Tokens(app.redeem(&server, &code, &[]).await.json());
        server.clock.advance(Duration::from_secs(5));
        let thief = RelyingParty { redirect_uri: app.redirect_uri.clone(), ..RelyingParty::new("native", "openid") };
        for (who, changes) in [
            (&app, ("code_verifier", "another-verifier-of-the-tests-that-is-long-enough-0123")),
            (&app, ("code_verifier", "")),
            (&app, ("redirect_uri", "")),
            (&app, ("redirect_uri", "https://evil.example/")),
            (&app, ("resource", "https://api.example.com/mail")),
            (&thief, ("state", "x")),
        ] {
            assert_refused(&who.redeem(&server, &code, &[changes]).await, "invalid_grant");
        }
        assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }

    /// Threat 173.
    async fn a_code_does_not_outlive_its_session(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[lifetimes]\nsession_idle = \"40s\"", "").await;
        let app = RelyingParty::new("web", "openid offline_access");
        let mut browser = Browser::new();
        let code = app.code(&server, &mut browser).await;
        sign_out(&server, &mut browser).await;
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        let code = app.code(&server, &mut browser).await;
        server.clock.advance(Duration::from_secs(40));
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        app.tokens(&server, &mut browser).await;
    }

    /// Threats 8, 45: and letting the person in again revives nothing (invariant 20).
    async fn a_code_of_somebody_who_was_disabled_or_deleted_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access");
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let code = app.code(&server, &mut Browser::new()).await;
        people.disable(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        people.enable(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        let code = app.code(&server, &mut Browser::new()).await;
        people.delete(&ada(), &circumstances).await.unwrap();
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        server.add_person("ada", serde_json::json!({})).await;
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        app.tokens(&server, &mut Browser::new()).await;
    }

    /// Threat 138: who left the group between code and token gets nothing, and the code is not spent.
    async fn a_code_of_somebody_who_left_the_clients_group_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("staff", "openid groups");
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let code = app.code(&server, &mut Browser::new()).await;
        let groups = |groups: &[&str]| Change {
            set: vec![("groups".to_owned(), serde_json::json!(groups))],
            ..Change::default()
        };
        for outside in [&["maths"][..], &[], &["STAFF"], &["staff "]] {
            people.change(&ada(), groups(outside), &circumstances).await.unwrap();
            assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        }
        people.change(&ada(), groups(&["staff"]), &circumstances).await.unwrap();
        assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
    }
}
