//! What can go wrong with the store, in the three ways that the rooms above can do something about.

use std::fmt;

/// A failure of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageError {
    /// A uniqueness was violated: which is named by the statement's own table and columns, or the constraint.
    Conflict(String),
    /// A row holds what no row may hold; it fails closed (threat F-39).
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The transaction met another one: the store runs it again, whole.
    Serialization,
    /// The database does not answer, or not in time.
    Unavailable(String),
    /// The schema is another version's: waiting does not help.
    OtherSchema,
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(constraint) => write!(formatter, "a row like it is there already ({constraint})"),
            Self::Corrupt { table, column } => {
                write!(formatter, "a row of {table} holds an impossible {column}")
            }
            Self::Serialization => formatter.write_str("the transaction met another one"),
            Self::Unavailable(why) => write!(formatter, "the database does not answer: {why}"),
            Self::OtherSchema => {
                formatter.write_str("its schema was made by another version of this program")
            }
        }
    }
}

impl std::error::Error for StorageError {}

/// Serialization failures and deadlocks of PostgreSQL, and SQLite's busy and locked, with their extended forms.
const RETRYABLE: [&str; 8] = ["40001", "40P01", "5", "6", "261", "262", "517", "773"];

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) if error.is_unique_violation() => {
                Self::Conflict(error.constraint().unwrap_or_else(|| error.message()).to_owned())
            }
            sqlx::Error::Database(error)
                if error.code().is_some_and(|code| RETRYABLE.contains(&code.as_ref())) =>
            {
                Self::Serialization
            }
            sqlx::Error::ColumnDecode { index, .. } => {
                tracing::error!(column = %index, "a row could not be decoded");
                Self::Corrupt { table: "unknown", column: "unknown" }
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}
