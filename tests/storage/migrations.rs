//! Migrations beside others.

use crate::support::database::{TestDatabase, on_both_stores};
use portreeve::protocol::timestamp::Timestamp;
use portreeve::storage::Store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::Duration;

const HISTORY: &str = "CREATE TABLE schema_history (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL,
    checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const CLAIM: &str =
    "INSERT INTO schema_history (version, name, checksum, applied_at) VALUES (1, 'first', '', 0)";

/// F-16: a replica that is slow to migrate is waited for, for longer than any request waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_another_replica_is_taking_is_waited_for() {
    let database = TestDatabase::postgres().await;
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    for statement in [HISTORY, "BEGIN", CLAIM] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut other).await.unwrap();
    }
    let store = Store::open(database.url(), 2).await.unwrap();
    let migrating = tokio::spawn(async move { store.migrate(Timestamp::from_seconds(1)).await });
    // The limits of ordinary statements are 2 s for a lock and 5 s in all, and 6 s for a transaction.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(!migrating.is_finished(), "{:?}", migrating.await);
    // It died after all.
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let report = migrating.await.unwrap().unwrap();
    assert_eq!(report.applied, Store::all_migrations());
}

on_both_stores! {
    /// What cannot be told is not taken for "nothing was done yet".
    async fn a_history_that_cannot_be_read_is_an_error(database: TestDatabase) {
        let store = Store::open(database.url(), 2).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap().pending, Store::all_migrations());
        store.migrate(Timestamp::from_seconds(1)).await.unwrap();
        assert!(store.pending_migrations().await.unwrap().pending.is_empty());
        database.execute("ALTER TABLE schema_history RENAME COLUMN checksum TO other").await;
        assert!(store.pending_migrations().await.is_err());
        store.close().await;
        assert!(store.pending_migrations().await.is_err());
    }
}
