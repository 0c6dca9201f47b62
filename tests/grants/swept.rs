//! A store that does not grow with use: rows of grants go when nothing of them counts any more, and no sooner (threat 193).

use super::{ada, assert_refused, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::tasks::sweep_expired;
use std::time::Duration;

const SCOPE: &str = "openid offline_access photos.read";
const HOUR: Duration = Duration::from_secs(3_600);
const GRANTS: &str = "SELECT COUNT(*) FROM grants";

on_both_stores! {
    /// A grant that was revoked, in whatever way, goes after a day in which its tokens are still recognised.
    async fn a_revoked_grant_is_gone_after_a_day(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", SCOPE);
        let circumstances = server.app.circumstances("");
        let by_client = app.tokens(&server, &mut Browser::new()).await;
        assert_eq!(app.post(&server, "/revoke", &[("token", by_client.refresh())]).await.status, StatusCode::OK);
        let code = app.code(&server, &mut Browser::new()).await;
        app.redeem(&server, &code, &[]).await;
        server.clock.advance(Duration::from_secs(1));
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        let mut browser = Browser::new();
        RelyingParty::new("web", "openid").tokens(&server, &mut browser).await;
        sign_out(&server, &mut browser).await;
        app.tokens(&server, &mut Browser::new()).await;
        server.people().disable(&ada(), &circumstances).await.expect("somebody");
        server.people().enable(&ada(), &circumstances).await.expect("somebody");
        let living = app.tokens(&server, &mut Browser::new()).await;
        server.clock.advance(HOUR * 24 - Duration::from_secs(60));
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(database.number(GRANTS).await, 5);
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        server.clock.advance(HOUR + Duration::from_secs(120));
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(database.number(GRANTS).await, 1);
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        assert_refused(&app.refresh(&server, by_client.refresh(), &[]).await, "invalid_grant");
        assert_eq!(app.refresh(&server, living.refresh(), &[]).await.status, StatusCode::OK);
    }

    /// A grant that nobody refreshes goes a day after it could have been for the last time, however many there are.
    async fn an_idle_grant_is_gone_a_day_after_its_idle_end(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[lifetimes]\nrefresh_token_idle = \"10d\"", "").await;
        let app = RelyingParty::new("web", SCOPE);
        let mut browser = Browser::new();
        let mut idle = Vec::new();
        for _ in 0..5 {
            idle.push(app.tokens(&server, &mut browser).await);
        }
        server.clock.advance(HOUR * 24 * 9);
        assert_eq!(app.refresh(&server, idle[0].refresh(), &[]).await.status, StatusCode::OK);
        server.clock.advance(HOUR * 24 * 2);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(database.number(GRANTS).await, 5);
        server.clock.advance(HOUR * 2);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(database.number(GRANTS).await, 1);
        assert_eq!(app.refresh(&server, idle[0].refresh(), &[]).await.status, StatusCode::OK);
        assert_refused(&app.refresh(&server, idle[1].refresh(), &[]).await, "invalid_grant");
    }
}
