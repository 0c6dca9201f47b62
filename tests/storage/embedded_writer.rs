//! The one writer of the embedded store while another process holds its lock (F-06, F-13): a short lock is waited out, a long one
//! turns everybody away in time, and readiness tells.

use crate::support::database::TestDatabase;
use crate::support::process::eventually;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use metrics_exporter_prometheus::PrometheusBuilder;
use portreeve::http::operations;
use portreeve::protocol::timestamp::Timestamp;
use portreeve::storage::error::StorageError;
use portreeve::storage::{Store, leases};
use sqlx::{Connection as _, SqliteConnection};
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// Takes the write lock, as a backup or a command that was stopped would.
async fn lock(database: &TestDatabase) -> SqliteConnection {
    let mut other = SqliteConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    other
}

async fn unlock(mut other: SqliteConnection) {
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
}

/// A small write.
async fn write(store: &Store, name: usize) -> Result<bool, StorageError> {
    let at = Timestamp::from_seconds(1);
    let write = store.write_one(move |connection| {
        Box::pin(async move { leases::take(connection, &format!("lease {name}"), "test", at, at).await })
    });
    write.await
}

async fn readiness(server: &TestServer) -> StatusCode {
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let request = axum::http::Request::get("/health/ready").body(axum::body::Body::empty()).unwrap();
    operations::router(server.app.clone(), metrics).oneshot(request).await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_lock_of_another_process_is_waited_out() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let other = lock(&database).await;
    let store = server.app.store.clone();
    let waiting = tokio::spawn(async move { write(&store, 0).await });
    // Longer than SQLite waits at a time.
    tokio::time::sleep(Duration::from_millis(1800)).await;
    assert!(!waiting.is_finished());
    unlock(other).await;
    assert_eq!(waiting.await.unwrap(), Ok(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_lock_turns_everybody_away_in_time_and_readiness_tells() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    assert_eq!(readiness(&server).await, StatusCode::OK);
    let other = lock(&database).await;
    let begun = Instant::now();
    let crowd: Vec<_> = (0..6000)
        .map(|name| {
            let store = server.app.store.clone();
            tokio::spawn(async move { write(&store, name).await })
        })
        .collect();
    let revocation = server.post_as("web", "/revoke", &[("token", "no token at all")]).await;
    assert_eq!(revocation.status, StatusCode::OK, "what writes nothing is not held up");
    for one in crowd {
        assert!(matches!(one.await.unwrap(), Err(StorageError::Unavailable(_))));
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(9), "{took:?}");
    assert_eq!(readiness(&server).await, StatusCode::SERVICE_UNAVAILABLE);
    unlock(other).await;
    eventually("it is ready again", async || readiness(&server).await == StatusCode::OK).await;
    assert_eq!(write(&server.app.store, 0).await, Ok(true));
    // Whoever was told 503 was told the truth: nothing of theirs was written.
    assert_eq!(database.number("SELECT COUNT(*) FROM leases WHERE name LIKE 'lease %'").await, 1);
}
