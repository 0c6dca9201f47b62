//! The one writer of the embedded store: it runs the closures that wait together, each in a savepoint, and answers them
//! after the common commit. One fsync then serves many (performance.md, finding 4).

use crate::storage::driver::{Connection, Transaction};
use crate::storage::error::StorageError;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::SqlitePool;
use std::panic::AssertUnwindSafe;
use tokio::sync::{mpsc, oneshot};

/// A handle to the writer's task; cheap to clone.
#[derive(Clone)]
pub(super) struct SqliteWriter {
    queue: mpsc::Sender<Box<dyn Job>>,
    pool: SqlitePool,
}

/// How many closures wait before callers do.
const QUEUE: usize = 1024;
/// How many closures share a commit.
const BATCH: usize = 128;
/// After how many commits the write-ahead log is folded back into the database.
const COMMITS_BETWEEN_CHECKPOINTS: u32 = 1000;

impl SqliteWriter {
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(pool.clone(), waiting));
        Self { queue, pool }
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Connection) -> BoxFuture<'c, Result<T, StorageError>> + Send + Sync + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Write { work, outcome: None, answer: Some(answer) });
        let gone = || StorageError::Unavailable("the writer has stopped".to_owned());
        self.queue.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A closure in the queue, whatever it answers.
trait Job: Send {
    /// Runs it; true when its savepoint is to be kept.
    fn run<'c>(&'c mut self, connection: &'c mut Connection) -> BoxFuture<'c, bool>;
    /// Hands its answer over, now that the batch is committed, or was not.
    fn answer(&mut self, committed: Result<(), StorageError>);
}

struct Write<T, F> {
    work: F,
    outcome: Option<Result<T, StorageError>>,
    answer: Option<oneshot::Sender<Result<T, StorageError>>>,
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
}

async fn run(pool: SqlitePool, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut commits = 0;
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let committed = commit_together(&pool, &mut batch).await;
        for job in &mut batch {
            job.answer(committed.clone());
        }
        batch.clear();
        commits += 1;
        if commits >= COMMITS_BETWEEN_CHECKPOINTS {
            commits = 0;
            checkpoint(&pool).await;
        }
    }
}

async fn commit_together(pool: &SqlitePool, batch: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    let mut transaction = Transaction::begin(Connection::Sqlite(pool.acquire().await?)).await?;
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
