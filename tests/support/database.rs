//! A fresh, empty database for each test: a SQLite file in a folder of its own, or a schema of its own in the PostgreSQL
//! that `./tests/run` started. Gone when the test ends, also by a panic. [`on_both_stores`] runs one body on both.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// Where `./tests/run` says its PostgreSQL is: a URL whose user may create schemas.
const SERVER: &str = "PORTREEVE_TEST_POSTGRES";

/// An empty database that lives as long as this value.
pub struct TestDatabase {
    url: String,
    place: Place,
}

/// What has to be cleared away at the end.
enum Place {
    Folder { _folder: TempDir },
    Schema { server: String, name: String },
}

impl TestDatabase {
    /// A SQLite file (not yet there; whoever opens it makes it) in a folder of its own.
    pub fn sqlite() -> Self {
        let folder =
            tempfile::Builder::new().prefix("portreeve-test-").tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("portreeve.db").display());
        Self { url, place: Place::Folder { _folder: folder } }
    }

    /// A schema of its own, first and only in the search path of every connection that this URL opens.
    ///
    /// Panics without a server: a test that silently passed on one store would promise what nobody checked.
    pub async fn postgres() -> Self {
        let server = server(std::env::var(SERVER).ok()).unwrap_or_else(|hint| panic!("{hint}"));
        let name = format!("test_{:016x}", RandomState::new().hash_one(std::process::id()));
        execute(&server, format!("CREATE SCHEMA {name}"))
            .await
            .unwrap_or_else(|error| panic!("cannot make a schema on {SERVER}: {error}"));
        Self { url: url_of_schema(&server, &name), place: Place::Schema { server, name } }
    }

    /// The URL to open it by, as an operator would write it under `[database]`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    /// Drops the schema, in a thread of its own because the test's runtime cannot be waited for from here. Best effort: what
    /// is left over goes with the throwaway server.
    fn drop(&mut self) {
        let Place::Schema { server, name } = &self.place else { return };
        // A connection that a failed test left in a transaction must not hold up the others.
        let statement = format!("SET lock_timeout = '2s'; DROP SCHEMA IF EXISTS {name} CASCADE");
        let server = server.clone();
        let cleared = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(execute(&server, statement)).ok()
        });
        if cleared.join().ok().flatten().is_none() {
            eprintln!("the schema {name} was not dropped");
        }
    }
}

/// The server's URL, or what to do about its absence.
fn server(setting: Option<String>) -> Result<String, String> {
    setting.filter(|url| !url.is_empty()).ok_or_else(|| {
        format!("{SERVER} is not set: run ./tests/run, which starts a PostgreSQL for the tests (./tests/run NAME for one test)")
    })
}

fn url_of_schema(server: &str, name: &str) -> String {
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}options=-c%20search_path%3D{name}")
}

async fn execute(server: &str, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}

/// Runs a test's body on a fresh SQLite and on a fresh PostgreSQL database, as `name::sqlite` and `name::postgres`:
///
/// ```ignore
/// on_both_stores! {
///     /// RFC 6749 §4.1.2
///     async fn a_code_is_spent_once(database: TestDatabase) {
///         let store = Store::open(database.url()).await.unwrap();
///         // …
///     }
/// }
/// ```
macro_rules! on_both_stores {
    ($($(#[$attribute:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)] // a body may need nothing from around it
            use super::*;

            async fn body($database: $crate::support::database::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::support::database::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body($crate::support::database::TestDatabase::postgres().await).await;
            }
        }
    )+};
}
#[allow(unused_imports)] // for the tests to come
pub(crate) use on_both_stores;

impl TestDatabase {
    /// Runs statements past the server, as an accident or an intruder would.
    pub async fn execute(&self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        match &self.place {
            Place::Folder { .. } => {
                let mut connection = sqlx::SqliteConnection::connect(self.url()).await.expect("the file");
                sqlx::raw_sql(statements).execute(&mut connection).await.expect("a statement");
                connection.close().await.expect("closed");
            }
            Place::Schema { .. } => {
                let mut connection = PgConnection::connect(self.url()).await.expect("the schema");
                sqlx::raw_sql(statements).execute(&mut connection).await.expect("a statement");
            }
        }
    }

    /// The one number that a query yields.
    pub async fn number(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        match &self.place {
            Place::Folder { .. } => {
                let mut connection = sqlx::SqliteConnection::connect(self.url()).await.expect("the file");
                let number = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number");
                connection.close().await.expect("closed");
                number
            }
            Place::Schema { .. } => {
                let mut connection = PgConnection::connect(self.url()).await.expect("the schema");
                sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a number")
            }
        }
    }

    /// Whether it is a PostgreSQL, which has a clock of its own.
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Schema { .. })
    }
}

mod tests {
    use sqlx::SqliteConnection;

    use super::*;

    on_both_stores! {
        /// Two tests may make the same table at once, so what one makes the other may not see.
        async fn every_test_has_an_empty_database_of_its_own(database: TestDatabase) {
            let other = match &database.place {
                Place::Folder { .. } => TestDatabase::sqlite(),
                Place::Schema { .. } => TestDatabase::postgres().await,
            };
            record(&database, 1).await;
            record(&other, 2).await;
            assert_eq!(recorded(&database).await, [1]);
            assert_eq!(recorded(&other).await, [2]);
        }
    }

    const TABLE: &str = "CREATE TABLE facts (value BIGINT NOT NULL)";
    const INSERT: &str = "INSERT INTO facts (value) VALUES ($1)";
    const SELECT: &str = "SELECT value FROM facts";

    async fn record(database: &TestDatabase, value: i64) {
        match &database.place {
            Place::Folder { .. } => {
                let mut connection = sqlite(database).await;
                sqlx::raw_sql(TABLE).execute(&mut connection).await.unwrap();
                sqlx::query(INSERT).bind(value).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Place::Schema { .. } => {
                let mut connection = PgConnection::connect(database.url()).await.unwrap();
                sqlx::raw_sql(TABLE).execute(&mut connection).await.unwrap();
                sqlx::query(INSERT).bind(value).execute(&mut connection).await.unwrap();
            }
        }
    }

    async fn recorded(database: &TestDatabase) -> Vec<i64> {
        match &database.place {
            Place::Folder { .. } => {
                sqlx::query_scalar(SELECT).fetch_all(&mut sqlite(database).await).await.unwrap()
            }
            Place::Schema { .. } => {
                let mut connection = PgConnection::connect(database.url()).await.unwrap();
                sqlx::query_scalar(SELECT).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    async fn sqlite(database: &TestDatabase) -> SqliteConnection {
        SqliteConnection::connect(&format!("{}?mode=rwc", database.url())).await.unwrap()
    }

    #[tokio::test]
    async fn a_schema_is_dropped_even_when_its_test_panics() {
        let database = TestDatabase::postgres().await;
        let Place::Schema { server, name } = &database.place else { unreachable!() };
        let (server, name) = (server.clone(), name.clone());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let mut living = async || -> i64 {
            let query =
                sqlx::query_scalar("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = $1");
            query.bind(&name).fetch_one(&mut connection).await.unwrap()
        };
        assert_eq!(living().await, 1);
        let ended = tokio::spawn(async move {
            let _database = database;
            std::panic::resume_unwind(Box::new("as a failed assertion would"));
        });
        assert!(ended.await.unwrap_err().is_panic());
        assert_eq!(living().await, 0);
    }

    #[tokio::test]
    async fn a_sqlite_file_goes_with_its_test() {
        let database = TestDatabase::sqlite();
        let path = std::path::PathBuf::from(database.url().strip_prefix("sqlite://").unwrap());
        sqlite(&database).await.close().await.unwrap();
        assert!(path.exists());
        drop(database);
        assert!(!path.exists());
    }

    #[test]
    fn without_a_postgresql_a_test_fails_and_says_what_to_run() {
        for absent in [None, Some(String::new())] {
            assert!(server(absent).unwrap_err().contains("./tests/run"));
        }
    }

    #[test]
    fn a_server_url_that_has_options_already_keeps_them() {
        assert_eq!(url_of_schema("postgres://h/d", "s"), "postgres://h/d?options=-c%20search_path%3Ds");
        assert!(
            url_of_schema("postgres://h/d?sslmode=disable", "s")
                .starts_with("postgres://h/d?sslmode=disable&options=")
        );
    }
}
