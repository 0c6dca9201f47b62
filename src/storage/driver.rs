//! The two stores behind one face: an enum of the native connections, and a macro that runs one statement text on
//! whichever is open. Nothing else in the house branches on the store.

use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};
use std::time::Duration;

/// How long a connection that is given back may take to answer.
const RETURN_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection to either store.
pub enum Connection {
    /// PostgreSQL, or an engine that speaks its protocol.
    Postgres(PoolConnection<Postgres>),
    /// The embedded store.
    Sqlite(PoolConnection<Sqlite>),
}

/// Runs the same expression on whichever store is open; `$open` is the native connection, and the answer a
/// `Result` of the same type in both arms.
macro_rules! on_store {
    ($connection:expr, |$open:ident| $expression:expr) => {
        match $connection {
            $crate::storage::driver::Connection::Postgres(held) => {
                let $open = &mut **held;
                $expression.await
            }
            $crate::storage::driver::Connection::Sqlite(held) => {
                let $open = &mut **held;
                $expression.await
            }
        }
        .map_err($crate::storage::error::StorageError::from)
    };
}
pub(crate) use on_store;

/// Runs a statement and tells how many rows it changed: `execute!(connection, SQL, value, …)`.
macro_rules! execute {
    ($connection:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::storage::driver::on_store!($connection, |open| async {
            sqlx::query($sql)$(.bind($value))*.execute(open).await.map(|done| done.rows_affected())
        })
    };
}
pub(crate) use execute;

/// Runs a query and yields its first row, if any: `fetch_optional!(connection, Row, SQL, value, …)`.
macro_rules! fetch_optional {
    ($connection:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::storage::driver::on_store!($connection, |open| {
            sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_optional(open)
        })
    };
}
pub(crate) use fetch_optional;

/// Runs a query and yields every row: `fetch_all!(connection, Row, SQL, value, …)`.
macro_rules! fetch_all {
    ($connection:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {
        $crate::storage::driver::on_store!($connection, |open| {
            sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_all(open)
        })
    };
}
pub(crate) use fetch_all;

impl Connection {
    /// Runs a statement without values: the brackets of transactions, and migrations.
    pub(crate) async fn raw(&mut self, sql: &'static str) -> Result<(), StorageError> {
        on_store!(self, |open| async { sqlx::raw_sql(sql).execute(open).await.map(drop) })
    }

    /// The database's time. There is no portable way to ask, and the embedded store lives on this machine's clock.
    pub(crate) async fn now(&mut self, ours: Timestamp) -> Result<Timestamp, StorageError> {
        let Self::Postgres(held) = self else { return Ok(ours) };
        let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
        let (millis,): (i64,) = sqlx::query_as(sql).fetch_one(&mut **held).await?;
        Ok(Timestamp::from_millis(millis))
    }

    /// Lifts the limits that every connection has, for the transaction that it is in.
    pub(crate) async fn lift_limits(&mut self) -> Result<(), StorageError> {
        match self {
            Self::Postgres(_) => {
                self.raw("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await
            }
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Whether there is a table of this name. Every engine keeps that list elsewhere.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool, StorageError> {
        let (count,): (i64,) = match self {
            Self::Postgres(held) => {
                let sql = "SELECT COUNT(*) FROM information_schema.tables
                           WHERE table_schema = current_schema() AND table_name = $1";
                sqlx::query_as(sql).bind(name).fetch_one(&mut **held).await?
            }
            Self::Sqlite(held) => {
                let sql = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
                sqlx::query_as(sql).bind(name).fetch_one(&mut **held).await?
            }
        };
        Ok(count > 0)
    }

    /// Closes it, where it would otherwise be lent again.
    pub(crate) fn close(self) {
        match self {
            Self::Postgres(mut open) => open.close_on_drop(),
            Self::Sqlite(mut open) => open.close_on_drop(),
        }
    }

    /// Gives it back to the pool, which asks whether it still answers, and would ask for ever.
    pub(crate) fn give_back(self) {
        if let Self::Postgres(mut open) = self {
            tokio::spawn(tokio::time::timeout(RETURN_TIMEOUT, open.return_to_pool()));
        }
    }

    /// What ends a transaction for good here. On PostgreSQL a COMMIT after a statement that failed is a ROLLBACK that reports
    /// success; a statement before it does not.
    fn commit_statement(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "SELECT 1; COMMIT",
            Self::Sqlite(_) => "COMMIT",
        }
    }

    /// What opens a writing transaction here.
    pub(crate) fn begin_statement(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "BEGIN",
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
        }
    }
}

/// A connection in a transaction. Unless the transaction is known to have ended, the connection is closed when this is
/// dropped and never goes back to the pool (security.md §0.2).
pub(crate) struct Transaction(Option<Connection>);

impl Transaction {
    /// Opens a writing transaction.
    pub(crate) async fn begin(connection: Connection) -> Result<Self, StorageError> {
        let begin = connection.begin_statement();
        let mut transaction = Self(Some(connection));
        transaction.connection()?.raw(begin).await?;
        Ok(transaction)
    }

    /// The connection, to run statements on.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, StorageError> {
        self.0.as_mut().ok_or(StorageError::Serialization)
    }

    /// Commits when `outcome` is a success, and rolls back otherwise; yields the outcome.
    pub(crate) async fn end<T>(mut self, outcome: Result<T, StorageError>) -> Result<T, StorageError> {
        let connection = self.connection()?;
        let statement = if outcome.is_ok() { connection.commit_statement() } else { "ROLLBACK" };
        let ended = connection.raw(statement).await;
        if ended.is_ok()
            && let Some(connection) = self.0.take()
        {
            connection.give_back();
        }
        let value = outcome?;
        ended.map(|()| value)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.close();
        }
    }
}
