//! Transactions that met others (40001, 40P01): the store runs them again, whole, three times at most, and nothing happens
//! twice (threat 198, F-15).

use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::TestServer;
use axum::http::StatusCode;

/// Makes every so-manyeth change of `table` fail with `code`: `NOW` at its statement, `LATER` at the commit. A sequence counts, as
/// what it counted is not rolled back.
async fn let_fail(database: &TestDatabase, table: &str, code: &str, one_in: u32, when: &str) {
    let trigger = match when {
        "NOW" => "CREATE TRIGGER meets BEFORE INSERT OR UPDATE",
        _ => "CREATE CONSTRAINT TRIGGER meets AFTER INSERT OR UPDATE",
    };
    let deferred = if when == "NOW" { "" } else { "DEFERRABLE INITIALLY DEFERRED" };
    let statements = "CREATE SEQUENCE IF NOT EXISTS changes;
        CREATE OR REPLACE FUNCTION meet() RETURNS trigger AS $$ BEGIN
            IF nextval('changes') % {one_in} <> 0 THEN RAISE EXCEPTION 'met another' USING ERRCODE = '{code}'; END IF;
            RETURN NEW;
        END $$ LANGUAGE plpgsql;
        DROP TRIGGER IF EXISTS meets ON {table};
        {trigger} ON {table} {deferred} FOR EACH ROW EXECUTE FUNCTION meet();";
    let statements = statements
        .replace("{one_in}", &one_in.to_string())
        .replace("{code}", code)
        .replace("{table}", table)
        .replace("{trigger}", trigger)
        .replace("{deferred}", deferred);
    database.execute(&statements).await;
}

async fn let_be(database: &TestDatabase, table: &str) {
    database.execute(&format!("DROP TRIGGER meets ON {table}")).await;
}

async fn events(database: &TestDatabase, event: &str) -> i64 {
    database
        .number(&"SELECT COUNT(*) FROM audit_events WHERE event = '{event}'".replace("{event}", event))
        .await
}

/// Sign-in, consent, redemption, rotation, revocation: each meets two others at every step and then goes through, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_meets_another_transaction_twice_happens_once() {
    for (code, when) in [("40001", "NOW"), ("40P01", "NOW"), ("40001", "LATER")] {
        let database = TestDatabase::postgres().await;
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let_fail(&database, "sessions", code, 3, when).await;
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        assert_eq!(events(&database, "session.signed_in").await, 1);
        assert_eq!(database.number("SELECT COUNT(*) FROM sessions").await, 1);
        let_be(&database, "sessions").await;

        let_fail(&database, "grants", code, 3, when).await;
        let answer = browser.decide(&server, &page, "allow").await;
        let code_of_grant = answer.parameter("code").unwrap_or_else(|| panic!("{code} {when}: {answer:?}"));
        assert_eq!(events(&database, "consent.given").await, 1);
        assert_eq!(database.number("SELECT COUNT(*) FROM grants").await, 1);
        let redeemed = app.redeem(&server, &code_of_grant, &[]).await;
        assert_eq!(redeemed.status, StatusCode::OK, "{code} {when}: {redeemed:?}");
        let first = Tokens(redeemed.json());
        let rotated = app.refresh(&server, first.refresh(), &[]).await;
        assert_eq!(rotated.status, StatusCode::OK, "{code} {when}: {rotated:?}");
        assert_eq!(database.number("SELECT generation FROM grants").await, 1, "one step, not three");
        let revoked = app.post(&server, "/revoke", &[("token", Tokens(rotated.json()).refresh())]).await;
        assert_eq!(revoked.status, StatusCode::OK, "{code} {when}: {revoked:?}");
        assert_eq!(events(&database, "grant.revoked").await, 1);
        assert_eq!(server.get_as("/userinfo", first.access()).await.status, StatusCode::UNAUTHORIZED);
    }
}

/// What meets others again and again is 503, and leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_meets_others_for_ever_is_to_come_back_later_and_has_changed_nothing() {
    let database = TestDatabase::postgres().await;
    let server = TestServer::start(&database).await;
    let app = RelyingParty::new("spa", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    let code = app.code(&server, &mut browser).await;
    let rows = "SELECT COUNT(*) FROM audit_events";
    let before = database.number(rows).await;
    for when in ["NOW", "LATER"] {
        let_fail(&database, "grants", "40001", 1_000_000, when).await;
        let token = [("token", tokens.refresh())];
        let (redeemed, refreshed, revoked) = (
            app.redeem(&server, &code, &[]).await,
            app.refresh(&server, tokens.refresh(), &[]).await,
            app.post(&server, "/revoke", &token).await,
        );
        for answer in [&redeemed, &refreshed, &revoked] {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        let attempts = database.number("SELECT last_value FROM changes").await;
        assert_eq!(attempts, 9, "three requests were tried three times each");
        let asked = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(asked.parameter("error").as_deref(), Some("temporarily_unavailable"));
        database.execute("DROP TRIGGER meets ON grants; DROP SEQUENCE changes").await;
        assert_eq!(database.number(rows).await, before);
        assert_eq!(
            database.number("SELECT COUNT(*) FROM grants WHERE generation > 0 OR state = 'revoked'").await,
            0
        );
    }
    assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
    assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
}
