//! The two stores behind one face: an enum of the native connections, and a macro that runs one statement text on
//! whichever is open. Nothing else in the house branches on the store.

use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};

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
        let statement = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.connection()?.raw(statement).await;
        if ended.is_ok() {
            drop(self.0.take());
        }
        let value = outcome?;
        ended.map(|()| value)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        match self.0.take() {
            Some(Connection::Postgres(mut open)) => open.close_on_drop(),
            Some(Connection::Sqlite(mut open)) => open.close_on_drop(),
            None => {}
        }
    }
}
