//! Clients that nobody uses go, with all that they had (threats 114, 119).

use super::{open, register, spa};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::tasks::sweep_expired;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// One number that a query yields.
pub(super) async fn count(server: &TestServer, sql: &str) -> i64 {
    let config = server.app.snapshot.load().config.clone();
    let url = config.database.url.expose();
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite:") {
        let mut open = SqliteConnection::connect(url).await.expect("the file");
        sqlx::query_scalar(sql).fetch_one(&mut open).await.expect("a number")
    } else {
        let mut open = PgConnection::connect(url).await.expect("the schema");
        sqlx::query_scalar(sql).fetch_one(&mut open).await.expect("a number")
    }
}

async fn consents(server: &TestServer, id: &str) -> i64 {
    count(server, &format!("SELECT COUNT(*) FROM consents WHERE client_id = '{id}'")).await
}

on_both_stores! {
    async fn a_client_that_was_not_used_for_ninety_days_goes_and_one_in_use_stays(database: TestDatabase) {
        let server = open(&database).await;
        let (idle, busy) = (register(&server, &spa()).await, register(&server, &spa()).await);
        for client in [&idle, &busy] {
            client.app("openid").tokens(&server, &mut Browser::new()).await;
            assert_eq!(consents(&server, client.id()).await, 1);
        }
        server.clock.advance(DAY * 60);
        let refused = busy.app("openid").redeem(&server, "no code", &[]).await;
        assert_eq!(refused.error(), "invalid_grant");
        server.clock.advance(DAY * 31);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(idle.get(&server).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(consents(&server, idle.id()).await, 0);
        assert_eq!(busy.get(&server).await.status, StatusCode::OK);
        assert_eq!(consents(&server, busy.id()).await, 1);
        assert_eq!(server.get(&idle.app("openid").authorize(&[])).await.status, StatusCode::BAD_REQUEST);
        server.clock.advance(DAY * 59);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(busy.get(&server).await.status, StatusCode::OK, "91 days since it registered, 59 since its last use");
    }

    async fn the_use_of_a_client_is_noted_once_a_day_at_most(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let app = client.app("openid");
        let used_at = async || count(&server, &format!("SELECT used_at FROM registered_clients WHERE id = '{}'", client.id())).await;
        let poke = async || assert_eq!(app.redeem(&server, "no code", &[]).await.error(), "invalid_grant");
        poke().await;
        let first = used_at().await;
        let created_at = count(&server, "SELECT created_at FROM registered_clients").await;
        assert!(first > created_at, "the first use is told from the registration");
        server.clock.advance(Duration::from_secs(3600));
        poke().await;
        assert_eq!(used_at().await, first);
        server.clock.advance(DAY);
        poke().await;
        let noted = used_at().await;
        assert_eq!(noted, server.app.clock.now().millis());
        server.clock.advance(Duration::from_secs(3600));
        poke().await;
        assert_eq!(used_at().await, noted);
    }

    /// Threat 114: the places are not filled for long by what nobody ever used.
    async fn a_client_that_was_never_used_goes_after_a_week(database: TestDatabase) {
        let server = open(&database).await;
        let (never, once) = (register(&server, &spa()).await, register(&server, &spa()).await);
        once.app("openid").tokens(&server, &mut Browser::new()).await;
        server.clock.advance(DAY * 6);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(never.get(&server).await.status, StatusCode::OK);
        server.clock.advance(DAY * 2);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(never.get(&server).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(once.get(&server).await.status, StatusCode::OK);
    }

    /// Product: clients in files beat registered ones of the same id, and nothing of them is deleted.
    async fn what_an_operator_took_over_or_switched_off_stays(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let (id, app) = (client.id().to_owned(), client.app("openid offline_access"));
        app.tokens(&server, &mut Browser::new()).await;
        let (settings, clients) = (server.configuration.settings.clone(), server.configuration.clients.clone());
        let taken_over = format!(
            "{clients}\n[[client]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://notes.example.com/callback\"]\n\
             token_endpoint_auth_method = \"none\"\nscope = \"openid offline_access\"\n"
        );
        server.reload(&settings, &taken_over);
        server.clock.advance(DAY * 100);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(consents(&server, &id).await, 1, "it is in the files");
        server.reload(&settings, &clients);
        sweep_expired::run_once(&server.app).await.expect("a round");
        assert_eq!(client.get(&server).await.status, StatusCode::OK, "a commit that is taken back brings it back");
        server.reload(&settings.replace("[registration]", ""), &clients);
        server.clock.advance(DAY * 100);
        sweep_expired::run_once(&server.app).await.expect("a round");
        server.reload(&settings, &clients);
        assert_eq!(consents(&server, &id).await, 1, "where nobody may register, nobody's use is noted");
    }
}
