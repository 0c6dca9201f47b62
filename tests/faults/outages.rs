//! A database that goes away, comes back, falls silent, is not there yet or takes no writes (F-03, F-08, F-09, F-10, F-28): what
//! needs it is 503 with a time to come back, in the words of the endpoint; what does not need it goes on; it heals by itself.

use super::over;
use crate::support::browser::Browser;
use crate::support::configuration::TestConfiguration;
use crate::support::database::TestDatabase;
use crate::support::process::{Process, eventually};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer};
use crate::support::slow_database::{Line, SlowDatabase};
use axum::http::StatusCode;
use std::time::Duration;

const OPEN: Line = Line::Open(Duration::ZERO);
/// How long an answer may take while the database is gone or silent.
const PATIENCE: Duration = Duration::from_secs(12);

/// A server whose line to the database is in the test's hand; the first is on the straight way, for people to be added.
async fn behind_a_line() -> (TestDatabase, SlowDatabase, TestServer) {
    let database = TestDatabase::postgres().await;
    let line = SlowDatabase::new(&database, Duration::ZERO).await;
    let straight = TestServer::start(&database).await;
    let server = over(&straight, database.url(), line.url(), 4).await;
    (database, line, server)
}

fn assert_unavailable(answer: &Answer, error: Option<&str>) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    if let Some(error) = error {
        assert_eq!(answer.error(), error);
    }
    for told in ["sqlx", "postgres", "pool", "connection", "127.0.0.1"] {
        assert!(!answer.body.to_lowercase().contains(told), "threat 169: {answer:?}");
    }
}

/// What every endpoint answers while the store does not.
async fn assert_out(server: &TestServer, browser: &Browser, tokens: &Tokens) {
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let (mut asking, mut signing_in) = (browser.clone(), Browser::new());
    let authorize = app.authorize(&[]);
    let (revoked, introspected) = ([("token", tokens.refresh())], [("token", tokens.access())]);
    let (refresh, revoke, introspect, userinfo, account, redeem, authorize, silent) = tokio::join!(
        app.refresh(server, tokens.refresh(), &[]),
        app.post(server, "/revoke", &revoked),
        app.post(server, "/introspect", &introspected),
        server.get_as("/userinfo", tokens.access()),
        async { browser.clone().get(server, "/account").await },
        app.redeem(server, "a-code-that-nobody-has-ever-seen-anywhere-0", &[]),
        async { asking.get(server, &authorize).await },
        async { browser.clone().get(server, &app.authorize(&[("prompt", "none")])).await },
    );
    for answer in [&refresh, &revoke, &introspect, &redeem] {
        assert_unavailable(answer, Some("temporarily_unavailable"));
    }
    assert_unavailable(&userinfo, None);
    assert_unavailable(&account, None);
    // RFC 6749 §4.1.2.1: once the redirect URI is known good, the client hears of it.
    for answer in [&authorize, &silent] {
        assert_eq!(answer.parameter("error").as_deref(), Some("temporarily_unavailable"), "{answer:?}");
        assert_eq!(answer.parameter("state").as_deref(), Some("the state"));
    }
    // The page itself needs no store; the password cannot be looked at.
    let page = signing_in.get(server, &app.authorize(&[])).await;
    let page = signing_in.follow(server, page).await;
    let refused = signing_in.submit_login(server, &page, "ada", crate::support::server::PASSWORD).await;
    assert_unavailable(&refused, None);
    assert_in(server).await;
}

/// What works without the store.
async fn assert_in(server: &TestServer) {
    assert!(!server.jwks().await["keys"].as_array().expect("keys").is_empty());
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        assert_eq!(server.get(path).await.status, StatusCode::OK);
    }
    let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(service.status, StatusCode::OK, "{service:?}");
}

/// Everything works again by itself, soon, and what was acknowledged before is still there.
async fn assert_healed(server: &TestServer, browser: &mut Browser, tokens: &Tokens) {
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    eventually("it heals", async || {
        server.get_as("/userinfo", tokens.access()).await.status == StatusCode::OK
    })
    .await;
    // Connections that died unseen each cost one answer at most; then there are none.
    for _ in 0..4 {
        app.refresh(server, tokens.refresh(), &[]).await;
    }
    for _ in 0..8 {
        assert_eq!(app.refresh(server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }
    assert_eq!(app.tokens(server, browser).await.0["token_type"], "Bearer");
}

/// F-03, RFC 6749 §4.1.2.1 and §5.2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_gone_it_is_said_so_and_then_all_is_as_before() {
    let (_database, line, server) = behind_a_line().await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    line.set(Line::Cut);
    let out = tokio::time::timeout(PATIENCE, assert_out(&server, &browser, &tokens)).await;
    assert!(out.is_ok(), "answers take too long");
    line.set(OPEN);
    assert_healed(&server, &mut browser, &tokens).await;
}

/// F-03: what a restart of the database does to its clients (57P01).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_database_costs_one_answer_for_each_connection_at_most() {
    let (database, line, server) = behind_a_line().await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    for _ in 0..3 {
        let end =
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE client_port IN ({ports})";
        assert!(database.number(&end.replace("{ports}", &line.ports())).await > 0);
        let mut refused = 0;
        for _ in 0..20 {
            let answer = app.refresh(&server, tokens.refresh(), &[]).await;
            if answer.status != StatusCode::OK {
                assert_unavailable(&answer, Some("temporarily_unavailable"));
                refused += 1;
            }
        }
        assert!(refused <= 4, "{refused} of 20 were refused");
        assert_healed(&server, &mut browser, &tokens).await;
    }
}

/// F-28: a database that is silent, as behind a dead switch, holds up nobody for ever, and no connection to it is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_silent_nobody_waits_for_ever() {
    let (_database, line, server) = behind_a_line().await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    let rotating = RelyingParty::new("spa", "openid offline_access");
    let rotated = rotating.tokens(&server, &mut browser).await;
    line.set(Line::Silent);
    // These have connections already, and wait for an answer on them.
    let (read, written) = tokio::join!(
        tokio::time::timeout(PATIENCE, server.get_as("/userinfo", tokens.access())),
        tokio::time::timeout(PATIENCE, rotating.refresh(&server, rotated.refresh(), &[])),
    );
    assert_unavailable(&read.expect("an answer"), None);
    assert_unavailable(&written.expect("an answer"), Some("temporarily_unavailable"));
    // Clients that give up in the middle of a read must not leave their connections waiting for ever either.
    for _ in 0..8 {
        let asked = server.get_as("/userinfo", tokens.access());
        assert!(tokio::time::timeout(Duration::from_millis(50), asked).await.is_err());
    }
    let answers = tokio::join!(
        tokio::time::timeout(PATIENCE, server.get_as("/userinfo", tokens.access())),
        tokio::time::timeout(PATIENCE, app.refresh(&server, tokens.refresh(), &[])),
        tokio::time::timeout(PATIENCE, app.post(&server, "/revoke", &[("token", "no token")])),
        assert_in(&server),
    );
    assert_unavailable(&answers.0.expect("an answer"), None);
    assert_unavailable(&answers.1.expect("an answer"), Some("temporarily_unavailable"));
    assert_eq!(answers.2.expect("an answer").status, StatusCode::OK, "what is no token needs no store");
    // As after a failover: the old connections stay dead, and there are new ones.
    line.set(Line::Cut);
    line.set(OPEN);
    assert_healed(&server, &mut browser, &tokens).await;
}

/// F-10: a standby, or a full disk. Nothing is half done, and what only reads goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_read_and_refuses_the_rest_whole() {
    let (database, line, server) = behind_a_line().await;
    let app = RelyingParty::new("spa", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    let code = app.code(&server, &mut browser).await;
    // The server cannot be told apart from its peers but by its connections: these alone are made to read only.
    let rows = "SELECT COUNT(*) FROM audit_events";
    let before = database.number(rows).await;
    let refusing = "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
                    RAISE EXCEPTION 'cannot execute % in a read-only transaction', TG_OP USING ERRCODE = '25006';
                    END $$ LANGUAGE plpgsql;";
    let tables = ["grants", "sessions", "audit_events", "consents", "users"];
    let triggers: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION refuse();"
            )
        })
        .collect();
    database.execute(&format!("{refusing}{}", triggers.concat())).await;
    assert_unavailable(&app.refresh(&server, tokens.refresh(), &[]).await, Some("temporarily_unavailable"));
    assert_unavailable(&app.redeem(&server, &code, &[]).await, Some("temporarily_unavailable"));
    let revoked = app.post(&server, "/revoke", &[("token", tokens.refresh())]).await;
    assert_unavailable(&revoked, Some("temporarily_unavailable"));
    let page = browser.get(&server, "/logout").await;
    let form = crate::support::browser::form(&page);
    let fields: Vec<(&str, &str)> =
        form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_unavailable(&browser.post(&server, &form.action, &fields).await, None);
    assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
    assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true);
    assert_in(&server).await;
    assert_eq!(database.number(rows).await, before);
    let writable: Vec<String> =
        tables.iter().map(|table| format!("DROP TRIGGER refuse ON {table};")).collect();
    database.execute(&writable.concat()).await;
    assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK, "the code was not spent");
    assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    drop(line);
}

/// F-09: it waits, says what for, and serves as soon as it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_before_its_database_waits_for_it() {
    let database = TestDatabase::postgres().await;
    let line = SlowDatabase::new(&database, Duration::ZERO).await;
    line.set(Line::Cut);
    let mut configuration = TestConfiguration::new(&database);
    configuration.settings = configuration.settings.replace(database.url(), line.url());
    configuration.write();
    let mut process = Process::start(&configuration);
    process.until_logged("the store is not there yet").await;
    assert_ne!(process.readiness().await, Some(StatusCode::OK));
    line.set(OPEN);
    process.until_ready().await;
    let log = process.log();
    assert!(!log.contains("panic") && !log.contains("fault of the program"), "{log}");
    // The URL holds the password of the database.
    let password =
        url::Url::parse(database.url()).expect("a URL").password().unwrap_or("no password").to_owned();
    assert!(!log.contains(&password), "threat 179");
}
