//! Replicas whose clocks differ by less than the warning (5 s) or by no more than leaves them ready (60 s): threat 189.

use crate::support::browser::Browser;
use crate::support::clock::{BEGINNING, ManualClock};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::http::app::Mode;
use portreeve::tasks::check_clock;
use std::time::Duration;

/// A replica on the same store whose clock is `seconds` behind.
async fn behind(server: &TestServer, seconds: u64) -> TestServer {
    let clock = ManualClock::new();
    clock.set(BEGINNING.minus(Duration::from_secs(seconds)));
    TestServer::compose(server.configuration.clone(), clock, Mode::Serve).await
}

/// A replica on the same store whose clock is `seconds` ahead.
async fn ahead(server: &TestServer, seconds: u64) -> TestServer {
    let clock = ManualClock::new();
    clock.set(BEGINNING.plus(Duration::from_secs(seconds)));
    TestServer::compose(server.configuration.clone(), clock, Mode::Serve).await
}

async fn of_service(server: &TestServer) -> Tokens {
    Tokens(server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await.json())
}

on_both_stores! {
    /// RFC 7519 §4.1.6 asks for no more than reason: a token is not refused because its issuer's clock is ahead.
    async fn a_fresh_token_counts_on_a_replica_whose_clock_is_behind(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for seconds in [1, 4, 60] {
            let other = behind(&server, seconds).await;
            let tokens = RelyingParty::new("web", "openid").tokens(&server, &mut Browser::new()).await;
            assert_eq!(other.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK, "{seconds}");
            assert_eq!(other.introspect_as("web", tokens.access()).await["active"], true, "{seconds}");
            assert_eq!(other.introspect_as("service", of_service(&server).await.access()).await["active"], true);
        }
        let other = behind(&server, 61).await;
        assert_eq!(other.introspect_as("service", of_service(&server).await.access()).await["active"], false);
    }

    /// The end of a token is by the clock of whoever is asked, to the second: leeway makes nothing last.
    async fn a_token_ends_to_the_second(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = of_service(&server).await;
        server.clock.advance(Duration::from_secs(599));
        assert_eq!(server.introspect_as("service", tokens.access()).await["active"], true);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(server.introspect_as("service", tokens.access()).await["active"], false);
    }

    /// RFC 7009 §2.1, threat 47: a revocation is never swallowed, whatever the clock of the replica that it reaches.
    async fn a_token_is_revoked_on_a_replica_whose_clock_is_far_off(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for seconds in [1, 3_600] {
            let other = behind(&server, seconds).await;
            let tokens = of_service(&server).await;
            assert_eq!(other.post_as("service", "/revoke", &[("token", tokens.access())]).await.status, StatusCode::OK);
            assert_eq!(server.introspect_as("service", tokens.access()).await["active"], false, "{seconds}");
        }
        // ahead: there the token has expired already
        let (other, tokens) = (server.replica().await, of_service(&behind(&server, 3_600).await).await);
        assert_eq!(other.post_as("service", "/revoke", &[("token", tokens.access())]).await.status, StatusCode::OK);
        let late = behind(&server, 3_600).await;
        assert_eq!(late.introspect_as("service", tokens.access()).await["active"], false);
        assert_eq!(database.number("SELECT COUNT(*) FROM revoked_tokens").await, 3);
        let again = other.post_as("service", "/revoke", &[("token", tokens.access())]).await;
        assert_eq!(again.status, StatusCode::OK);
        let events = "SELECT COUNT(*) FROM audit_events WHERE event = 'token.revoked'";
        assert_eq!(database.number(events).await, 3, "once each");
    }
}

/// A replica, and another whose clock is four seconds ahead; both have held theirs against the database's.
async fn differing(database: &TestDatabase) -> [TestServer; 2] {
    let late = TestServer::start(database).await;
    let early = ahead(&late, 4).await;
    for server in [&late, &early] {
        check_clock::run_once(&server.app).await.expect("the database's time");
    }
    [late, early]
}

fn advance(servers: &[TestServer; 2], milliseconds: u64) {
    for server in servers {
        server.clock.advance(Duration::from_millis(milliseconds));
    }
}

/// Decision 30: what is a double submit, and what is a replay, is the same on two replicas whose clocks differ as on one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_comes_again_elsewhere_is_judged_as_if_clocks_did_not_differ() {
    let database = TestDatabase::postgres().await;
    let servers = differing(&database).await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    for (first, second) in [(&servers[0], &servers[1]), (&servers[1], &servers[0])] {
        let code = app.code(first, &mut Browser::new()).await;
        let tokens = Tokens(app.redeem(first, &code, &[]).await.json());
        advance(&servers, 200);
        assert_eq!(app.redeem(second, &code, &[]).await.error(), "invalid_grant");
        assert_eq!(
            app.refresh(second, tokens.refresh(), &[]).await.status,
            StatusCode::OK,
            "a double submit"
        );
        advance(&servers, 800);
        assert_eq!(app.redeem(second, &code, &[]).await.error(), "invalid_grant");
        assert_eq!(app.refresh(first, tokens.refresh(), &[]).await.error(), "invalid_grant", "a replay");
    }
}

/// product.md, refresh tokens: a retry after a lost answer, within a minute from the first rotation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_elsewhere_gets_the_same_successor_for_a_minute_and_no_longer() {
    let database = TestDatabase::postgres().await;
    let servers = differing(&database).await;
    let app = RelyingParty::new("spa", "openid offline_access photos.read");
    for (first, second) in [(&servers[0], &servers[1]), (&servers[1], &servers[0])] {
        let tokens = app.tokens(first, &mut Browser::new()).await;
        let successor = Tokens(app.refresh(first, tokens.refresh(), &[]).await.json());
        advance(&servers, 59_000);
        let again = app.refresh(second, tokens.refresh(), &[]).await;
        assert_eq!(again.status, StatusCode::OK, "{again:?}");
        assert_eq!(again.json()["refresh_token"], successor.refresh());
        advance(&servers, 2_000);
        assert_eq!(app.refresh(second, tokens.refresh(), &[]).await.error(), "invalid_grant");
        assert_eq!(app.refresh(first, successor.refresh(), &[]).await.error(), "invalid_grant", "a replay");
    }
}
