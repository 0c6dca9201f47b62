//! The connections to the database: none that is in a transaction is lent again (security.md §0.2), and while all are lent the
//! answer is 503 and no more than that (F-08).

use super::over;
use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::process::eventually;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use crate::support::slow_database::SlowDatabase;
use axum::http::StatusCode;
use portreeve::storage::Store;
use portreeve::storage::driver::Connection;
use portreeve::storage::error::StorageError;
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Runs a statement on a lent connection, whichever store it leads to.
async fn run(connection: &mut Connection, sql: &'static str) -> Result<(), StorageError> {
    let sql = AssertSqlSafe(sql);
    match connection {
        Connection::Postgres(held) => sqlx::raw_sql(sql).execute(&mut **held).await.map(drop)?,
        Connection::Sqlite(held) => sqlx::raw_sql(sql).execute(&mut **held).await.map(drop)?,
    }
    Ok(())
}

/// Writes a row and has it acknowledged.
async fn write(store: &Store) {
    let written =
        store.write_one(|connection| Box::pin(run(connection, "INSERT INTO facts VALUES (1)"))).await;
    written.expect("the next write works");
}

/// How many rows another connection sees.
async fn written(database: &TestDatabase) -> i64 {
    database.number("SELECT COUNT(*) FROM facts").await
}

async fn open(database: &TestDatabase) -> Store {
    let store = Store::open(database.url(), 1).await.expect("a store");
    let made = store
        .write(|connection| Box::pin(run(connection, "CREATE TABLE facts (value BIGINT NOT NULL)")))
        .await;
    made.expect("a table");
    store
}

on_both_stores! {
    /// Threat 197: the closure is in the middle of its transaction when it panics; the one connection is lent again after it.
    async fn a_write_that_panics_takes_its_transaction_with_it(database: TestDatabase) {
        let store = open(&database).await;
        for round in 1..=5 {
            let ended = store
                .write(|connection| {
                    Box::pin(async move {
                        run(connection, "INSERT INTO facts VALUES (2)").await?;
                        if run(connection, "SELECT 1").await.is_ok() {
                            std::panic::resume_unwind(Box::new("in the middle"));
                        }
                        Ok(())
                    })
                })
                .await;
            assert!(matches!(ended, Err(StorageError::Unavailable(_))), "{ended:?}");
            write(&store).await;
            assert_eq!(written(&database).await, round);
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM facts WHERE value = 2").await, 0);
    }

    /// §0.2: whoever waits for a write may go at any time; the write does not notice, and neither does the next.
    async fn a_write_whose_caller_is_gone_runs_to_its_end(database: TestDatabase) {
        let store = open(&database).await;
        for round in 0..20 {
            let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let waiting = tokio::spawn({
                let (store, begun, go_on) = (store.clone(), begun.clone(), go_on.clone());
                async move {
                    let work = store.write(move |connection| {
                        let (begun, go_on) = (begun.clone(), go_on.clone());
                        Box::pin(async move {
                            run(connection, "INSERT INTO facts VALUES (2)").await?;
                            begun.notify_one();
                            go_on.notified().await;
                            run(connection, "INSERT INTO facts VALUES (2)").await
                        })
                    });
                    work.await
                }
            });
            begun.notified().await;
            waiting.abort();
            assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
            go_on.notify_one();
            write(&store).await;
            assert_eq!(written(&database).await, 3 * (round + 1));
        }
    }

    /// A refusal that is an error leaves nothing, on the connection neither.
    async fn a_write_that_fails_in_the_middle_leaves_nothing(database: TestDatabase) {
        let store = open(&database).await;
        for round in 1..=3 {
            let refused: Result<(), StorageError> = store
                .write(|connection| {
                    Box::pin(async move {
                        run(connection, "INSERT INTO facts VALUES (2)").await?;
                        run(connection, "INSERT INTO facts VALUES (NULL)").await
                    })
                })
                .await;
            assert!(refused.is_err());
            write(&store).await;
            assert_eq!(written(&database).await, round);
        }
    }

    /// A statement that failed has ended PostgreSQL's transaction, whatever the closure makes of it: an acknowledgement of what
    /// COMMIT then quietly rolls back would be a lie.
    async fn what_a_closure_makes_light_of_is_not_acknowledged_and_lost(database: TestDatabase) {
        let store = open(&database).await;
        let acknowledged = store
            .write(|connection| {
                Box::pin(async move {
                    run(connection, "INSERT INTO facts VALUES (2)").await?;
                    let _ = run(connection, "INSERT INTO facts VALUES (NULL)").await;
                    Ok(())
                })
            })
            .await;
        let rows = written(&database).await;
        assert_eq!(acknowledged.is_ok(), rows == 1, "{acknowledged:?}, and {rows} rows are there");
        write(&store).await;
    }

    /// F-08: with every connection lent, what needs the store is 503 within the time that callers wait, what does not need it
    /// goes on, and nothing has to be started again.
    async fn while_every_connection_is_lent_the_answer_is_to_come_back_later(database: TestDatabase) {
        let server = Arc::new(TestServer::start(&database).await);
        let server = match database.is_postgres() {
            true => Arc::new(over(&server, database.url(), database.url(), 2).await),
            false => server,
        };
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let free = Arc::new(Notify::new());
        let borrowed = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let most = if database.is_postgres() { 2 } else { 8 };
        let borrowers: Vec<_> = (0..most)
            .map(|_| {
                let (store, free, borrowed) = (server.app.store.clone(), free.clone(), borrowed.clone());
                tokio::spawn(async move {
                    let read = store.read(move |_| {
                        let (free, borrowed) = (free.clone(), borrowed.clone());
                        Box::pin(async move {
                            borrowed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                            free.notified().await;
                            Ok(())
                        })
                    });
                    read.await
                })
            })
            .collect();
        eventually("all are lent", async || borrowed.load(std::sync::atomic::Ordering::SeqCst) == most).await;
        let refused = tokio::time::timeout(Duration::from_secs(4), server.get_as("/userinfo", tokens.access())).await;
        let refused = refused.expect("nobody waits longer than that");
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
        assert_eq!((refused.error().as_str(), refused.header("retry-after")), ("temporarily_unavailable", Some("2")));
        let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(service.status, StatusCode::OK, "{service:?}");
        assert!(!server.jwks().await["keys"].as_array().expect("keys").is_empty());
        free.notify_waiters();
        for borrower in borrowers {
            borrower.await.expect("no panic").expect("a read");
        }
        let recovered = tokio::time::timeout(Duration::from_secs(1), server.get_as("/userinfo", tokens.access())).await;
        assert_eq!(recovered.expect("within a second").status, StatusCode::OK);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }
}

/// §0.2, sqlx 4385 and 4393: callers go at every moment of a read and of a write, and the one connection that they share is
/// idle whenever it is lent again: what the next borrower has acknowledged stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_not_idle_is_not_lent_again() {
    let database = TestDatabase::postgres().await;
    let line = SlowDatabase::new(&database, Duration::from_millis(5)).await;
    open(&database).await;
    let store = Store::open(line.url(), 1).await.expect("a store");
    for round in 1..=20 {
        let moment = Duration::from_micros(1_700) * round;
        let writing = store.write(|connection| Box::pin(run(connection, "INSERT INTO facts VALUES (2)")));
        let _ = tokio::time::timeout(moment, writing).await;
        let reading = store.read(|connection| Box::pin(run(connection, "SELECT pg_sleep(0.005)")));
        let _ = tokio::time::timeout(moment, reading).await;
        write(&store).await;
        assert_eq!(database.number("SELECT COUNT(*) FROM facts WHERE value = 1").await, i64::from(round));
        let state = "SELECT COUNT(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND client_port IN ({ports})";
        assert_eq!(database.number(&state.replace("{ports}", &line.ports())).await, 0);
    }
}
