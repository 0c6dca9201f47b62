//! The schema's history. Each step is claimed by a row of its own within its own transaction: of two replicas that start
//! at once the second waits for the first's claim and then finds it taken, on any engine and without a lock of its own.

use crate::protocol::timestamp::Timestamp;
use crate::storage::Store;
use crate::storage::driver::{Connection, execute, fetch_all};
use crate::storage::error::StorageError;
use sha2::{Digest, Sha256};

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, name: "first_house", sql: include_str!("../../migrations/0001_first_house.sql") },
    Migration {
        version: 2,
        name: "openid_connect",
        sql: include_str!("../../migrations/0002_openid_connect.sql"),
    },
];

/// What a migration run found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationReport {
    /// The names of the steps that this run took.
    pub applied: Vec<&'static str>,
    /// The names of the steps that are still to be taken.
    pub pending: Vec<&'static str>,
}

impl Store {
    /// Takes every step that is not taken yet; safe to run on several replicas at once.
    pub async fn migrate(&self, now: Timestamp) -> Result<MigrationReport, StorageError> {
        self.make_history().await?;
        let mut report = MigrationReport::default();
        for migration in &MIGRATIONS {
            if self.write_at_leisure(move |connection| Box::pin(take(connection, migration, now))).await? {
                report.applied.push(migration.name);
            }
        }
        self.check_history().await?;
        Ok(report)
    }

    /// Every step there is: what is pending where nothing is yet.
    pub fn all_migrations() -> Vec<&'static str> {
        MIGRATIONS.iter().map(|migration| migration.name).collect()
    }

    /// Tells which steps are still to be taken, and takes none.
    pub async fn pending_migrations(&self) -> Result<MigrationReport, StorageError> {
        let taken = self.history().await?;
        let missing =
            MIGRATIONS.iter().filter(|migration| !taken.iter().any(|row| row.version == migration.version));
        let pending = missing.map(|migration| migration.name).collect();
        self.check_history().await?;
        Ok(MigrationReport { applied: Vec::new(), pending })
    }

    /// Two engines may both find the table missing and one then meets the other's; that one finds it at its next try.
    async fn make_history(&self) -> Result<(), StorageError> {
        let mut last = Ok(());
        for _ in 0..5 {
            last = self.write(|connection| Box::pin(connection.raw(HISTORY))).await;
            if last.is_ok() {
                break;
            }
        }
        last
    }

    /// The steps that were taken; none in a database that was never used.
    async fn history(&self) -> Result<Vec<HistoryRow>, StorageError> {
        self.read(|connection| {
            Box::pin(async move {
                if !connection.has_table("schema_history").await? {
                    return Ok(Vec::new());
                }
                let sql = "SELECT version, checksum FROM schema_history ORDER BY version";
                fetch_all!(connection, HistoryRow, sql)
            })
        })
        .await
    }

    /// A store of a later version, or one whose steps read otherwise, is not touched.
    async fn check_history(&self) -> Result<(), StorageError> {
        let history = self.history().await?;
        let known = |row: &HistoryRow| {
            MIGRATIONS.iter().any(|step| step.version == row.version && checksum(step.sql) == row.checksum)
        };
        if history.iter().all(known) {
            return Ok(());
        }
        Err(StorageError::OtherSchema)
    }
}

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_history (
    version BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
)";

#[derive(sqlx::FromRow)]
struct HistoryRow {
    version: i64,
    checksum: String,
}

async fn take(
    connection: &mut Connection,
    migration: &'static Migration,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let claimed = execute!(
        connection,
        "INSERT INTO schema_history (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (version) DO NOTHING",
        migration.version,
        migration.name,
        checksum(migration.sql),
        now.millis(),
    )?;
    if claimed == 0 {
        return Ok(false);
    }
    connection.raw(migration.sql).await?;
    Ok(true)
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
