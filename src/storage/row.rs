//! From columns to values: an impossible one becomes an error that names table and column, never a panic or a guess.

use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::storage::error::StorageError;
use serde_json::{Map, Value};

/// Reads one column with `parse`.
pub(super) fn column<T, E>(
    table: &'static str,
    column: &'static str,
    parsed: Result<T, E>,
) -> Result<T, StorageError> {
    parsed.map_err(|_| StorageError::Corrupt { table, column })
}

/// A row as it was read; an impossible one is told of by table, column and id, and never by its value (F-39).
pub(super) fn of_row<T>(id: &str, read: Result<T, StorageError>) -> Result<T, StorageError> {
    if let Err(StorageError::Corrupt { table, column }) = &read {
        tracing::error!(table, column, row.id = %id.escape_debug(), "a row holds an impossible value");
    }
    read
}

/// Reads a list of scopes.
pub(super) fn scopes(table: &'static str, text: &str) -> Result<Scopes, StorageError> {
    column(table, "scopes", Scopes::parse(text))
}

/// Reads a list of resources, parted by spaces, which no resource holds.
pub(super) fn resources(table: &'static str, text: &str) -> Result<Vec<Resource>, StorageError> {
    let parsed: Result<Vec<_>, _> =
        text.split(' ').filter(|one| !one.is_empty()).map(Resource::parse).collect();
    column(table, "resources", parsed)
}

/// Writes a list of resources.
pub(super) fn resources_text(resources: &[Resource]) -> String {
    resources.iter().map(Resource::as_str).collect::<Vec<_>>().join(" ")
}

/// Reads a JSON object.
pub(super) fn object(
    table: &'static str,
    name: &'static str,
    text: &str,
) -> Result<Map<String, Value>, StorageError> {
    column(table, name, serde_json::from_str(text))
}

/// Reads a digest.
pub(super) fn digest(
    table: &'static str,
    name: &'static str,
    bytes: Vec<u8>,
) -> Result<[u8; 32], StorageError> {
    column(table, name, bytes.try_into())
}
