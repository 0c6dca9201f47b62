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
pub mod registered_clients;
pub mod registered_origins;
pub mod revoked_tokens;
mod row;
pub mod salts;
pub mod session_clients;
pub mod sessions;
pub mod signing_keys;
pub mod spent_jtis;
mod sqlite_writer;
pub mod users;
pub mod versions;

use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, Transaction};
use crate::storage::error::StorageError;
use futures_util::future::BoxFuture;
use sqlite_writer::{Haste, SqliteWriter};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
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
/// How long the database may take for a piece of work; a little more than for a statement.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

impl Store {
    /// Opens the store that `url` names: `sqlite://PATH` (made when missing, with its folder) or `postgres://…`.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self, StorageError> {
        let pools = match url.strip_prefix("sqlite://") {
            Some(path) => open_sqlite(&file_of(path), max_connections).await?,
            None => open_postgres(url, max_connections)?,
        };
        Ok(Self { pools, accesses: Arc::default() })
    }

    /// Runs a read on a connection of its own, outside a transaction; once more when the connection was broken. A caller that is
    /// gone does not leave it in the middle of an answer.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        self.accesses.fetch_add(1, Ordering::Relaxed);
        match &self.pools {
            Pools::Sqlite { readers, .. } => work(&mut Connection::Sqlite(readers.acquire().await?)).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move {
                    match lend(&pool, &work).await {
                        Err(Lapse::Broken(StorageError::Unavailable(_))) => lend(&pool, &work).await,
                        answer => answer,
                    }
                    .map_err(StorageError::from)
                })
                .await
            }
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
            Pools::Sqlite { writer, .. } => writer.write(Haste::Bounded, work).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move {
                    retry(|| async {
                        let connection = Connection::Postgres(pool.acquire().await?);
                        in_time(async {
                            let mut transaction = Transaction::begin(connection).await?;
                            let outcome = work(transaction.connection()?).await;
                            transaction.end(outcome).await
                        })
                        .await?
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
            Pools::Sqlite { writer, .. } => writer.write(Haste::Bounded, work).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move { retry(|| async { Ok(lend(&pool, &work).await?) }).await })
                    .await
            }
        }
    }

    /// Runs a write that may take as long as it takes, such as a migration: in a transaction whose statements wait for no less.
    pub async fn write_at_leisure<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        self.accesses.fetch_add(1, Ordering::Relaxed);
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.write(Haste::Leisure, work).await,
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                in_a_task_of_its_own(async move {
                    retry(|| async {
                        let connection = Connection::Postgres(pool.acquire().await?);
                        let mut transaction = Transaction::begin(connection).await?;
                        transaction.connection()?.lift_limits().await?;
                        let outcome = work(transaction.connection()?).await;
                        transaction.end(outcome).await
                    })
                    .await
                })
                .await
            }
        }
    }

    /// Whether the embedded store could not be written to when it was last tried; PostgreSQL has other ways to tell.
    pub fn is_failing_to_write(&self) -> bool {
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.is_failing(),
            Pools::Postgres(_) => false,
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
}

/// Why work on a lent connection has no answer.
enum Lapse {
    /// The work failed.
    Broken(StorageError),
    /// There was no connection, or no answer on it: asking again would only wait again (F-28).
    Silent(StorageError),
}

impl From<Lapse> for StorageError {
    fn from(lapse: Lapse) -> Self {
        match lapse {
            Lapse::Broken(error) | Lapse::Silent(error) => error,
        }
    }
}

/// Lends a connection to `work`, outside a transaction. One that fell silent is closed, not lent again.
async fn lend<T, F>(pool: &PgPool, work: &F) -> Result<T, Lapse>
where
    F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>>,
{
    let open = pool.acquire().await.map_err(|error| Lapse::Silent(error.into()))?;
    let mut connection = Connection::Postgres(open);
    match in_time(work(&mut connection)).await {
        Ok(answer) => {
            connection.give_back();
            answer.map_err(Lapse::Broken)
        }
        Err(silent) => {
            connection.close();
            Err(Lapse::Silent(silent))
        }
    }
}

/// The server ends a statement that takes too long; a server that is silent ends nothing (F-28).
async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, StorageError> {
    let late = |_| StorageError::Unavailable("it was silent for too long".to_owned());
    tokio::time::timeout(ANSWER_TIMEOUT, work).await.map_err(late)
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

/// The file that the rest of a `sqlite://` URL names.
pub fn file_of(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

async fn open_sqlite(path: &str, max_connections: u32) -> Result<Pools, StorageError> {
    make_private_file(std::path::Path::new(path))
        .map_err(|error| StorageError::Unavailable(format!("the file {path} cannot be made: {error}")))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("journal_size_limit", "67108864");
    let writer = SqliteWriter::open(options.clone()).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(max_connections.clamp(1, 8))
        .test_before_acquire(false)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options);
    Ok(Pools::Sqlite { readers, writer })
}

/// Makes the embedded store's file, and the folders above it that are missing, for their owner alone; what SQLite lays beside it
/// takes its mode. What exists stays as it is. Yields the file's real name, without links.
pub fn make_private_file(path: &std::path::Path) -> std::io::Result<std::path::PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Only where there is none: to open and close a file takes away the locks that SQLite has on it in this process.
    if !path.exists() {
        std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    }
    path.canonicalize()
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
