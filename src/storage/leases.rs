//! Who may do a periodic task now: leadership is a row.

use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute};
use crate::storage::error::StorageError;

/// Takes or keeps the lease until `until`; false while somebody else holds it.
pub async fn take(
    connection: &mut Connection,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "INSERT INTO leases (name, holder, held_until) VALUES ($1, $2, $4)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
         WHERE leases.holder = excluded.holder OR leases.held_until <= $3",
        name,
        holder,
        now.millis(),
        until.millis(),
    )
    .map(|changed| changed == 1)
}
