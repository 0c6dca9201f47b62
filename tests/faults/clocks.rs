//! The server's clock jumps (F-24, threats 189, 190, 196): nobody panics, what is spent or ended stays so at any time, what has
//! expired is refused, and a replica whose clock is far from its database's says that it is not to be asked.

use crate::support::browser::Browser;
use crate::support::clock::BEGINNING;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::model::clock::{Clock as _, SystemClock};
use portreeve::protocol::timestamp::Timestamp;
use portreeve::tasks::{check_clock, rotate_keys, sweep_expired};
use std::sync::atomic::Ordering;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Where the clock may land: near, at the epoch and before it, around the 31st bit, in a hundred years, at either end of time.
fn jumps() -> Vec<Timestamp> {
    vec![
        BEGINNING.plus(DAY),
        BEGINNING.minus(DAY),
        Timestamp::from_seconds(0),
        Timestamp::from_seconds(-1),
        Timestamp::from_seconds(i64::from(i32::MAX)),
        Timestamp::from_seconds(i64::from(i32::MAX) + 1),
        BEGINNING.plus(DAY * 36_525),
        Timestamp::from_millis(i64::MAX),
        Timestamp::from_millis(i64::MIN),
        BEGINNING,
    ]
}

on_both_stores! {
    /// Threat 190: a spent code, a rotated, a revoked and a replayed grant, an ended session, whatever the clock says.
    async fn what_is_spent_or_ended_stays_so_wherever_the_clock_lands(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (web, spa, ours) = (
            RelyingParty::new("web", "openid offline_access photos.read"),
            RelyingParty::new("spa", "openid offline_access"),
            RelyingParty::new("ours", "openid"),
        );
        let mut browser = Browser::new();
        let code = web.code(&server, &mut browser).await;
        assert_eq!(web.redeem(&server, &code, &[]).await.status, StatusCode::OK);
        let revoked = web.tokens(&server, &mut browser).await;
        web.post(&server, "/revoke", &[("token", revoked.refresh())]).await;
        let single = web.tokens(&server, &mut browser).await;
        web.post(&server, "/revoke", &[("token", single.access())]).await;
        let replayed = spa.tokens(&server, &mut browser).await;
        let second = crate::support::relying_party::Tokens(spa.refresh(&server, replayed.refresh(), &[]).await.json());
        assert_eq!(spa.refresh(&server, second.refresh(), &[]).await.status, StatusCode::OK);
        assert_eq!(spa.refresh(&server, replayed.refresh(), &[]).await.error(), "invalid_grant");
        let mut gone = Browser::new();
        let of_session = ours.tokens(&server, &mut gone).await;
        let cookies = gone.clone();
        let form = crate::support::browser::form(&gone.get(&server, "/logout").await);
        let fields: Vec<(&str, &str)> = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(gone.post(&server, &form.action, &fields).await.status, StatusCode::OK);
        for now in jumps() {
            server.clock.set(now);
            assert_eq!(web.redeem(&server, &code, &[]).await.error(), "invalid_grant", "{now:?}");
            for (app, token) in [(&web, revoked.refresh()), (&spa, second.refresh()), (&spa, replayed.refresh()), (&ours, of_session.refresh())] {
                assert_eq!(app.refresh(&server, token, &[]).await.error(), "invalid_grant", "{now:?}");
            }
            for (client, token) in [("web", revoked.access()), ("web", single.access())] {
                server.assert_dead(client, token).await;
            }
            let answer = cookies.clone().get(&server, &ours.authorize(&[("prompt", "none")])).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("login_required"), "{now:?}");
        }
    }

    /// Threat 190: forwards, what was alive is over; every door answers in the RFCs' words, wherever the clock lands.
    async fn wherever_the_clock_lands_the_doors_answer_and_what_has_expired_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let code = app.code(&server, &mut browser).await;
        for now in jumps() {
            server.clock.set(now);
            rotate_keys::run_once(&server.app).await.expect("a round");
            assert!(!server.jwks().await["keys"].as_array().expect("keys").is_empty(), "{now:?}: invariant 34");
            let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
            assert!(matches!(service.status.as_u16(), 200 | 503), "{now:?}: {service:?}");
            let visited = app.visit(&server, &mut Browser::new(), &[]).await;
            assert!(visited.status.as_u16() < 500 || visited.status == StatusCode::SERVICE_UNAVAILABLE, "{now:?}: {visited:?}");
            let (refreshed, userinfo) = (
                app.refresh(&server, tokens.refresh(), &[]).await,
                server.get_as("/userinfo", tokens.access()).await,
            );
            if now > BEGINNING {
                assert_eq!(server.introspect_as("web", tokens.access()).await["active"], false, "{now:?}");
                assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED, "{now:?}");
                assert_ne!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK, "{now:?}");
            }
            if now > BEGINNING.plus(DAY * 181) {
                assert_ne!(refreshed.status, StatusCode::OK, "{now:?}");
            }
        }
        assert_eq!(server.jwks().await["keys"].as_array().map(Vec::is_empty), Some(false));
        let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(service.status, StatusCode::OK, "the clock is right again, and so is all: {service:?}");
    }

    /// Threat 193: what is swept at a moment was refused at it already, so that a sweep at the wrong one revives nothing.
    async fn a_sweep_at_the_wrong_time_revives_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let code = app.code(&server, &mut browser).await;
        assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
        let revoked = app.tokens(&server, &mut browser).await;
        app.post(&server, "/revoke", &[("token", revoked.refresh())]).await;
        for now in jumps() {
            server.clock.set(now);
            sweep_expired::run_once(&server.app).await.expect("a round");
            assert_eq!(app.redeem(&server, &code, &[]).await.error(), "invalid_grant", "{now:?}");
            server.assert_dead("web", revoked.access()).await;
            assert_eq!(app.refresh(&server, revoked.refresh(), &[]).await.error(), "invalid_grant", "{now:?}");
        }
    }
}

/// Decision 189: beyond a minute the replica is not ready, and becomes it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_whose_clock_is_far_off_says_so() {
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    for (offset, is_off) in
        [(0, false), (59, false), (-59, false), (70, true), (-70, true), (86_400, true), (0, false)]
    {
        let now = SystemClock.now();
        let shifted = Timestamp::from_millis(now.millis() + offset * 1000);
        server.clock.set(shifted);
        check_clock::run_once(&server.app).await.expect("a round");
        assert_eq!(server.app.clock_is_off.load(Ordering::Relaxed), is_off, "{offset} s");
    }
    server.clock.set(Timestamp::from_millis(i64::MIN));
    check_clock::run_once(&server.app).await.expect("a round");
    assert!(server.app.clock_is_off.load(Ordering::Relaxed));
}
