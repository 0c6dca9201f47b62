//! The only room that knows SQL. It runs one statement text on both stores, keeps writers from being cancelled, and
//! turns rows into values of the model, or says which row is impossible. It decides nothing that a rule decides.

pub mod audit_events;
pub mod consents;
pub mod driver;
pub mod error;
mod grant_ends;
pub mod grants;
pub mod leases;
pub mod migrate;
pub mod outbox;
pub mod pushed_requests;
pub mod recovery_tokens;
pub mod revoked_tokens;
mod row;
pub mod salts;
pub mod session_clients;
pub mod sessions;
pub mod signing_keys;
mod sqlite_writer;
pub mod users;

use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, Transaction};
use crate::storage::error::StorageError;
use futures_util::future::BoxFuture;
use sqlite_writer::SqliteWriter;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The open store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    accesses: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Pools {
    Postgres(PgPool),
    Sqlite { readers: SqlitePool, writer: SqliteWriter },
}

/// How often a transaction that met another one is tried, in all.
const ATTEMPTS: usize = 3;
/// How long a caller waits for a connection before the answer is 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

impl Store {
    /// Opens the store that `url` names: `sqlite://PATH` (made when missing, with its folder) or `postgres://…`.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self, StorageError> {
        let pools = match url.strip_prefix("sqlite://") {
            Some(path) => open_sqlite(&file_of(path), max_connections).await?,
            None => open_postgres(url, max_connections)?,
        };
        Ok(Self { pools, accesses: Arc::default() })
    }

    /// Runs a read on a connection of its own, outside a transaction; once more when the connection was broken.
    pub async fn read<T>(
        &self,
        work: impl for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        let mut connection = self.acquire().await?;
        match work(&mut connection).await {
            Err(StorageError::Unavailable(_)) => {
                close(connection);
                let mut connection = self.acquire().await?;
                work(&mut connection).await
            }
            answer => answer,
        }
    }

    /// Runs a write in a transaction, to its end even when the caller is gone; again, whole, when it met another one.
    /// `work` may run more than once and awaits nothing but its connection. A refusal that changes something is a value:
    /// an `Err` rolls back.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        self.accesses.fetch_add(1, Ordering::Relaxed);
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.write(work).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move {
                    retry(|| async {
                        let connection = Connection::Postgres(pool.acquire().await?);
                        let mut transaction = Transaction::begin(connection).await?;
                        let outcome = work(transaction.connection()?).await;
                        transaction.end(outcome).await
                    })
                    .await
                })
                .await
            }
        }
    }

    /// Runs a write of one statement: like [`Store::write`], but on PostgreSQL without the round trips of a transaction.
    pub async fn write_one<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        self.accesses.fetch_add(1, Ordering::Relaxed);
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.write(work).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move {
                    retry(|| async {
                        let mut connection = Connection::Postgres(pool.acquire().await?);
                        work(&mut connection).await
                    })
                    .await
                })
                .await
            }
        }
    }

    /// The database's own time; the embedded store has none but ours.
    pub async fn now(&self, ours: Timestamp) -> Result<Timestamp, StorageError> {
        self.read(move |connection| Box::pin(async move { connection.now(ours).await })).await
    }

    /// How often anything was read or written: what a road without database access is measured by.
    pub fn accesses(&self) -> u64 {
        self.accesses.load(Ordering::Relaxed)
    }

    /// Closes every connection, after what runs has ended.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres(pool) => pool.close().await,
            Pools::Sqlite { readers, writer } => {
                writer.close().await;
                readers.close().await;
            }
        }
    }

    async fn acquire(&self) -> Result<Connection, StorageError> {
        self.accesses.fetch_add(1, Ordering::Relaxed);
        Ok(match &self.pools {
            Pools::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
            Pools::Sqlite { readers, .. } => Connection::Sqlite(readers.acquire().await?),
        })
    }
}

/// A hung-up client cancels its handler, never this (security.md §0.2).
async fn in_a_task_of_its_own<T: Send + 'static>(
    work: impl Future<Output = Result<T, StorageError>> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(_) => Err(StorageError::Unavailable("the write ended early".to_owned())),
    }
}

async fn retry<T, W: Future<Output = Result<T, StorageError>>>(
    attempt: impl Fn() -> W,
) -> Result<T, StorageError> {
    let mut last = Err(StorageError::Serialization);
    for _ in 0..ATTEMPTS {
        last = attempt().await;
        if !matches!(last, Err(StorageError::Serialization)) {
            break;
        }
    }
    last.map_err(|error| match error {
        StorageError::Serialization => StorageError::Unavailable("too many transactions at once".to_owned()),
        other => other,
    })
}

fn close(connection: Connection) {
    match connection {
        Connection::Postgres(mut open) => open.close_on_drop(),
        Connection::Sqlite(mut open) => open.close_on_drop(),
    }
}

/// The file that the rest of a `sqlite://` URL names.
pub fn file_of(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

async fn open_sqlite(path: &str, max_connections: u32) -> Result<Pools, StorageError> {
    if let Some(folder) = std::path::Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        make_private_folder(folder).map_err(|error| {
            StorageError::Unavailable(format!("the folder {} cannot be made: {error}", folder.display()))
        })?;
    }
    make_private_file(std::path::Path::new(path))
        .map_err(|error| StorageError::Unavailable(format!("the file {path} cannot be made: {error}")))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("journal_size_limit", "67108864");
    let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let writer =
        one.test_before_acquire(false).acquire_timeout(ACQUIRE_TIMEOUT).connect_with(options.clone()).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(max_connections.clamp(1, 8))
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok(Pools::Sqlite { readers, writer: SqliteWriter::start(writer) })
}

/// Makes a folder, and those above it that are missing, for its owner alone.
pub fn make_private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes the store's file for its owner alone; what SQLite lays beside it takes its mode. One that exists stays as it is.
fn make_private_file(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn open_postgres(url: &str, max_connections: u32) -> Result<Pools, StorageError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StorageError::Unavailable("its URL is not one of PostgreSQL's".to_owned()))?
        .application_name("portreeve")
        .options([
            ("statement_timeout", "5000"),
            ("lock_timeout", "2000"),
            ("idle_in_transaction_session_timeout", "15000"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok(Pools::Postgres(pool))
}
