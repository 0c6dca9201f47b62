//! What the server does on its own.

mod not_before;
mod reloading;

use crate::grants::assert_refused;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::TestServer;
use portreeve::tasks::sweep_expired;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

on_both_stores! {
    /// Threat 193, invariant 19: what is over goes, what counts stays, and no answer changes but from "no" to "no".
    async fn sweeping_deletes_what_is_over_and_nothing_else(database: TestDatabase) {
        let lifetimes = "[lifetimes]\nrefresh_token_idle = \"2d\"\nrefresh_token_absolute = \"4d\"";
        let server = TestServer::start_with(&database, lifetimes, "").await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let old = app.tokens(&server, &mut browser).await;
        let unspent = app.code(&server, &mut browser).await;
        let revoked = app.tokens(&server, &mut browser).await;
        app.post(&server, "/revoke", &[("token", revoked.access())]).await;
        let rows = async |table: &str| database.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!((rows("grants").await, rows("sessions").await, rows("revoked_tokens").await), (3, 1, 1));
        server.clock.advance(DAY);
        let young = app.tokens(&server, &mut Browser::new()).await;
        let kept = Tokens(app.refresh(&server, revoked.refresh(), &[]).await.json());
        let report = sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(report.rows, 2, "the unspent code and the revocation of an expired token");
        assert_eq!((rows("grants").await, rows("revoked_tokens").await), (3, 0));
        assert_refused(&app.redeem(&server, &unspent, &[]).await, "invalid_grant");
        assert_eq!(server.introspect_as("web", revoked.access()).await, json!({"active": false}));
        assert_eq!(server.introspect_as("web", young.access()).await["active"], true);
        server.clock.advance(DAY * 3 + Duration::from_secs(3_601));
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(rows("grants").await, 0, "the youngest was to be used within two days, and is kept a day more");
        for dead in [old.refresh(), kept.refresh(), young.refresh()] {
            assert_refused(&app.refresh(&server, dead, &[]).await, "invalid_grant");
        }
        server.clock.advance(DAY * 100);
        sweep_expired::run_once(&server.app).await.expect("a round");
        for table in ["grants", "sessions", "revoked_tokens", "audit_events"] {
            assert_eq!(rows(table).await, 0, "{table}");
        }
        app.tokens(&server, &mut browser).await;
    }

    /// Threat 193: more than a batch, and what is new meanwhile is left alone.
    async fn a_thousand_unspent_codes_are_gone_after_one_round(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = Browser::new();
        for _ in 0..1_100 {
            app.code(&server, &mut browser).await;
        }
        server.clock.advance(Duration::from_secs(60 + 600 + 3_600 + 1));
        let fresh = app.code(&server, &mut browser).await;
        assert_eq!(sweep_expired::run_once(&server.app).await.expect("a round").rows, 1_100);
        assert_eq!(database.number("SELECT COUNT(*) FROM grants").await, 1);
        assert_eq!(app.redeem(&server, &fresh, &[]).await.status.as_u16(), 200);
    }
}
