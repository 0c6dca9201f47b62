//! Generations of one grant: who rotates, what a lost answer gets, and what an old or a future token means.

use super::assert_refused;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::TestServer;
use axum::http::StatusCode;
use std::time::Duration;

const SCOPE: &str = "openid offline_access photos.read";

async fn refreshed(server: &TestServer, app: &RelyingParty, refresh_token: &str) -> Tokens {
    let answer = app.refresh(server, refresh_token, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    Tokens(answer.json())
}

on_both_stores! {
    /// RFC 9700 §2.2.2, §4.14.2; FAPI 2.0 forbids rotation where clients authenticate.
    async fn public_clients_and_those_who_say_so_rotate_and_others_do_not(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (name, rotates) in [("spa", true), ("post", true), ("web", false)] {
            let app = RelyingParty::new(name, SCOPE);
            let first = app.tokens(&server, &mut Browser::new()).await;
            let second = refreshed(&server, &app, first.refresh()).await;
            let third = refreshed(&server, &app, second.refresh()).await;
            assert_eq!(first.refresh() != second.refresh(), rotates, "{name}");
            assert_eq!(second.refresh() != third.refresh(), rotates, "{name}");
            assert_ne!(first.access(), second.access());
            for access in [first.access(), second.access(), third.access()] {
                assert_eq!(server.introspect_as("photos-api", access).await["active"], true, "{name}");
            }
        }
    }

    /// RFC 9700 §4.14, threats 40, 41: a client that lost the answer gets the same successor, for a minute.
    async fn a_lost_answer_is_given_again_for_a_minute(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", SCOPE);
        let first = app.tokens(&server, &mut Browser::new()).await;
        let second = refreshed(&server, &app, first.refresh()).await;
        for seconds in [0, 30, 30] {
            server.clock.advance(Duration::from_secs(seconds));
            let again = refreshed(&server, &app, first.refresh()).await;
            assert_eq!(again.refresh(), second.refresh(), "no second branch");
        }
        let third = refreshed(&server, &app, second.refresh()).await;
        assert_ne!(third.refresh(), second.refresh());
        assert_eq!(refreshed(&server, &app, second.refresh()).await.refresh(), third.refresh());
    }

    /// Threats 39, 41: the window counts from the first rotation; a retry does not prolong it.
    async fn after_the_minute_the_predecessor_ends_the_grant(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", SCOPE);
        let first = app.tokens(&server, &mut Browser::new()).await;
        let second = refreshed(&server, &app, first.refresh()).await;
        server.clock.advance(Duration::from_secs(59));
        refreshed(&server, &app, first.refresh()).await;
        server.clock.advance(Duration::from_millis(1_001));
        assert_refused(&app.refresh(&server, first.refresh(), &[]).await, "invalid_grant");
        assert_refused(&app.refresh(&server, second.refresh(), &[]).await, "invalid_grant");
        server.assert_dead("photos-api", second.access()).await;
        let events = "SELECT COUNT(*) FROM audit_events WHERE event = 'grant.refresh_token_replayed'";
        assert_eq!(database.number(events).await, 1);
        app.tokens(&server, &mut Browser::new()).await;
    }

    /// Threat 40 (ii): once the successor was presented, its predecessor is theft, inside the window too.
    async fn a_predecessor_whose_successor_was_used_ends_the_grant(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["spa", "post"] {
            let app = RelyingParty::new(name, SCOPE);
            let first = app.tokens(&server, &mut Browser::new()).await;
            let second = refreshed(&server, &app, first.refresh()).await;
            let third = refreshed(&server, &app, second.refresh()).await;
            assert_refused(&app.refresh(&server, first.refresh(), &[]).await, "invalid_grant");
            for dead in [second.refresh(), third.refresh()] {
                assert_refused(&app.refresh(&server, dead, &[]).await, "invalid_grant");
            }
            for access in [first.access(), second.access(), third.access()] {
                server.assert_dead("photos-api", access).await;
            }
        }
    }

    /// Threat 39; F-05: a token that the row has not reached tells of a lost commit; it is no theft.
    async fn a_generation_that_the_store_lost_is_refused_and_ends_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (alarms, name) in [(3, "spa"), (6, "post")] {
            let app = RelyingParty::new(name, SCOPE);
            let first = app.tokens(&server, &mut Browser::new()).await;
            let ahead = refreshed(&server, &app, first.refresh()).await;
            database.execute("UPDATE grants SET generation = generation - 1 WHERE state = 'active'").await;
            for _ in 0..3 {
                assert_refused(&app.refresh(&server, ahead.refresh(), &[]).await, "invalid_grant");
            }
            assert_eq!(server.introspect_as("photos-api", first.access()).await["active"], true);
            let introspected = app.post(&server, "/introspect", &[("token", ahead.refresh())]).await;
            assert_ne!(introspected.json()["active"], true);
            let events = "SELECT COUNT(*) FROM audit_events WHERE event = 'grant.refresh_token_from_the_future'";
            assert_eq!(database.number(events).await, alarms);
            let again = refreshed(&server, &app, first.refresh()).await;
            assert_eq!(again.refresh(), ahead.refresh());
            database.execute("UPDATE grants SET state = 'revoked' WHERE state = 'active'").await;
        }
    }

    /// Threats 38, 193: one row for a grant, whatever the number of rotations, and none for an ordinary refresh.
    async fn a_thousand_refreshes_leave_one_row(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", SCOPE);
        let mut tokens = app.tokens(&server, &mut Browser::new()).await;
        let events = database.number("SELECT COUNT(*) FROM audit_events").await;
        for _ in 0..1_000 {
            tokens = refreshed(&server, &app, tokens.refresh()).await;
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM grants").await, 1);
        assert_eq!(database.number("SELECT generation FROM grants").await, 1_000);
        assert_eq!(database.number("SELECT COUNT(*) FROM audit_events").await, events);
        assert_eq!(database.number("SELECT COUNT(*) FROM revoked_tokens").await, 0);
    }

    /// product.md, refresh tokens: without rotation the row is written at most once an hour.
    async fn a_refresh_that_rotates_nothing_is_noted_once_an_hour(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", SCOPE);
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let stamp = "SELECT used_at FROM grants";
        let at_first = database.number(stamp).await;
        server.clock.advance(Duration::from_secs(3_599));
        refreshed(&server, &app, tokens.refresh()).await;
        assert_eq!(database.number(stamp).await, at_first);
        server.clock.advance(Duration::from_secs(1));
        refreshed(&server, &app, tokens.refresh()).await;
        assert_eq!(database.number(stamp).await, at_first + 3_600_000);
        server.clock.advance(Duration::from_secs(1));
        refreshed(&server, &app, tokens.refresh()).await;
        assert_eq!(database.number(stamp).await, at_first + 3_600_000);
        assert_eq!(database.number("SELECT generation FROM grants").await, 0);
    }
}
