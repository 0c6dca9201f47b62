//! The one writer of the embedded store: it runs the closures that wait together, each in a savepoint, and answers them
//! after the common commit. One fsync then serves many (performance.md, finding 4).

use crate::storage::ACQUIRE_TIMEOUT;
use crate::storage::driver::{Connection, Transaction};
use crate::storage::error::StorageError;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// A handle to the writer's task; cheap to clone.
#[derive(Clone)]
pub(super) struct SqliteWriter {
    queue: mpsc::Sender<Box<dyn Job>>,
    pool: SqlitePool,
    is_failing: Arc<AtomicBool>,
}

/// How many closures wait; more are turned away at once.
const QUEUE: usize = 4096;
/// How many closures share a commit.
const BATCH: usize = 128;
/// How long a closure waits for its turn, another process's lock included; then it is turned away, and has not run.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long SQLite itself waits for another process's lock at a time.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCKED: &str = "another process holds the lock of the embedded store";
/// The pause before the lock is tried again.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// How long an answer takes at most, whatever the disk does; whether the closure ran is not known then.
const AT_MOST: Duration = Duration::from_secs(15);
/// After how many commits the write-ahead log is folded back into the database.
const COMMITS_BETWEEN_CHECKPOINTS: u32 = 1000;

/// Whether the answer is waited for as long as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Haste {
    /// A request waits.
    Bounded,
    /// An operator does.
    Leisure,
}

impl SqliteWriter {
    /// Opens the writer's connection, puts the file under a write-ahead log, and starts the task. Of several processes that
    /// find a new file only one can change its journal, and SQLite turns the others away without waiting: they try again.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, StorageError> {
        let options = options.journal_mode(SqliteJournalMode::Wal).busy_timeout(LOCK_PATIENCE);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
            let one = one.test_before_acquire(false).acquire_timeout(ACQUIRE_TIMEOUT);
            match one.connect_with(options.clone()).await.map_err(StorageError::from) {
                Ok(pool) => return Ok(Self::start(pool)),
                Err(StorageError::Serialization) if Instant::now() < deadline => {
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                Err(StorageError::Serialization) => return Err(unavailable(LOCKED)),
                Err(error) => return Err(error),
            }
        }
    }

    fn start(pool: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let is_failing = Arc::<AtomicBool>::default();
        tokio::spawn(run(pool.clone(), waiting, is_failing.clone()));
        Self { queue, pool, is_failing }
    }

    pub(super) async fn write<T, F>(&self, haste: Haste, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { work, outcome: None, answer: Some(answer), since: Instant::now() });
        self.queue.try_send(job).map_err(|full| match full {
            TrySendError::Full(_) => unavailable("too many writes wait already"),
            TrySendError::Closed(_) => unavailable("the writer has stopped"),
        })?;
        let answer = match haste {
            Haste::Leisure => answered.await,
            Haste::Bounded => match tokio::time::timeout(AT_MOST, answered).await {
                Ok(answer) => answer,
                Err(_) => {
                    self.is_failing.store(true, Ordering::Relaxed);
                    return Err(unavailable("the disk takes too long"));
                }
            },
        };
        answer.map_err(|_| unavailable("the writer has stopped"))?
    }

    /// Whether the last batch could not be committed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

fn unavailable(why: &str) -> StorageError {
    StorageError::Unavailable(why.to_owned())
}

/// A closure in the queue, whatever it answers.
trait Job: Send {
    /// Runs it; true when its savepoint is to be kept.
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, bool>;
    /// Hands its answer over, now that the batch is committed, or was not.
    fn answer(&mut self, committed: Result<(), StorageError>);
    /// Since when it waits.
    fn since(&self) -> Instant;
}

struct Write<T, F> {
    work: F,
    outcome: Option<Result<T, StorageError>>,
    answer: Option<oneshot::Sender<Result<T, StorageError>>>,
    since: Instant,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync,
{
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let outcome = (self.work)(connection).await;
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        })
    }

    fn answer(&mut self, committed: Result<(), StorageError>) {
        let Some(answer) = self.answer.take() else { return };
        let outcome = match (self.outcome.take(), committed) {
            (Some(Ok(_)), Err(error)) | (None, Err(error)) => Err(error),
            (Some(outcome), _) => outcome,
            (None, Ok(())) => Err(StorageError::Unavailable("the write did not run".to_owned())),
        };
        // A caller that is gone has no use for the answer; the write stands all the same.
        let _ = answer.send(outcome);
    }

    fn since(&self) -> Instant {
        self.since
    }
}

async fn run(pool: SqlitePool, mut waiting: mpsc::Receiver<Box<dyn Job>>, is_failing: Arc<AtomicBool>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut commits = 0;
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        turn_away_overdue(&mut batch);
        let Some(oldest) = batch.first().map(|job| job.since()) else { continue };
        match begin(&pool, oldest + PATIENCE).await {
            Ok(transaction) => {
                let committed = commit_together(transaction, &mut batch).await;
                is_failing.store(committed.is_err(), Ordering::Relaxed);
                batch.drain(..).for_each(|mut job| job.answer(committed.clone()));
            }
            Err(error) => {
                tracing::error!(error = %error, "the embedded store cannot be written to");
                is_failing.store(true, Ordering::Relaxed);
                // The others would wait as long and in vain.
                batch.drain(..).for_each(|mut job| job.answer(Err(error.clone())));
                while let Ok(mut job) = waiting.try_recv() {
                    job.answer(Err(error.clone()));
                }
            }
        }
        commits += 1;
        if commits >= COMMITS_BETWEEN_CHECKPOINTS {
            commits = 0;
            checkpoint(&pool).await;
        }
    }
}

fn turn_away_overdue(batch: &mut Vec<Box<dyn Job>>) {
    let now = Instant::now();
    batch.retain_mut(|job| {
        let in_time = now < job.since() + PATIENCE;
        if !in_time {
            job.answer(Err(unavailable("the write waited for its turn for too long")));
        }
        in_time
    });
}

/// Opens a transaction; while another process holds the lock it tries again, until `deadline`.
async fn begin(pool: &SqlitePool, deadline: Instant) -> Result<Transaction, StorageError> {
    loop {
        let begun = match pool.acquire().await {
            Ok(open) => Transaction::begin(Connection::Sqlite(open)).await,
            Err(error) => Err(error.into()),
        };
        match begun {
            // SQLite waits by itself, but not for every kind of lock.
            Err(StorageError::Serialization) if Instant::now() < deadline => {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            Err(StorageError::Serialization) => {
                return Err(unavailable(LOCKED));
            }
            begun => return begun,
        }
    }
}

async fn commit_together(
    mut transaction: Transaction,
    batch: &mut [Box<dyn Job>],
) -> Result<(), StorageError> {
    let outcome = run_each(transaction.connection()?, batch).await;
    transaction.end(outcome).await
}

async fn run_each(connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    for job in batch {
        connection.raw("SAVEPOINT job").await?;
        let ran = AssertUnwindSafe(job.run(connection)).catch_unwind().await;
        if !ran.unwrap_or(false) {
            connection.raw("ROLLBACK TO job").await?;
        }
        connection.raw("RELEASE job").await?;
    }
    Ok(())
}

/// Under constant load the log would grow without end (performance.md, finding 4).
async fn checkpoint(pool: &SqlitePool) {
    if let Ok(connection) = pool.acquire().await
        && let Err(error) = Connection::Sqlite(connection).raw("PRAGMA wal_checkpoint(TRUNCATE)").await
    {
        tracing::warn!(error = %error, "the write-ahead log could not be folded back");
    }
}
