//! The table of people.

use crate::model::user::{PasswordHash, User};
use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all, fetch_optional};
use crate::storage::error::StorageError;
use crate::storage::row::{column, object, of_row};
use serde_json::Value;

/// A person's columns, wherever they are joined.
#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    user_id: String,
    username: String,
    verified_email: Option<String>,
    password_hash: Option<String>,
    claims: String,
    must_change_password: bool,
    user_created_at: i64,
    user_updated_at: i64,
    disabled_at: Option<i64>,
}

impl TryFrom<UserRow> for User {
    type Error = StorageError;

    fn try_from(row: UserRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: of_row(&row.user_id, column("users", "id", UserId::parse(&row.user_id)))?,
            username: row.username,
            verified_email: row.verified_email,
            password_hash: row.password_hash.map(PasswordHash),
            claims: of_row(&row.user_id, object("users", "claims", &row.claims))?,
            must_change_password: row.must_change_password,
            created_at: Timestamp::from_millis(row.user_created_at),
            updated_at: Timestamp::from_millis(row.user_updated_at),
            disabled_at: row.disabled_at.map(Timestamp::from_millis),
        })
    }
}

/// Adds a person; a `Conflict` when the name or the verified address is somebody's.
pub async fn insert(connection: &mut Connection, user: &User) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO users (id, username, verified_email, password_hash, claims, created_at, updated_at, disabled_at,
                            must_change_password)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        user.id.as_str(),
        &user.username,
        &user.verified_email,
        user.password_hash.as_ref().map(|hash| &hash.0),
        Value::Object(user.claims.clone()).to_string(),
        user.created_at.millis(),
        user.updated_at.millis(),
        user.disabled_at.map(Timestamp::millis),
        user.must_change_password,
    )
    .map(drop)
}

/// Holds a person until the transaction ends: whatever else is about them waits, and what is read afterwards stays true. False when
/// there is nobody.
pub async fn hold_person(connection: &mut Connection, id: &UserId) -> Result<bool, StorageError> {
    let sql = "UPDATE users SET updated_at = updated_at WHERE id = $1";
    execute!(connection, sql, id.as_str()).map(|held| held == 1)
}

/// Writes a person's names, claims, password and standing over what was read as `before`. When somebody else wrote
/// meanwhile, nothing is lost: the transaction is run again.
pub async fn update(connection: &mut Connection, before: &User, after: &User) -> Result<(), StorageError> {
    let changed = execute!(
        connection,
        "UPDATE users SET username = $2, verified_email = $3, password_hash = $4, claims = $5, updated_at = $6,
                disabled_at = $7, must_change_password = $12
         WHERE id = $1 AND claims = $8 AND updated_at = $9 AND COALESCE(password_hash, '') = $10
           AND COALESCE(disabled_at, 0) = $11",
        after.id.as_str(),
        &after.username,
        &after.verified_email,
        after.password_hash.as_ref().map(|hash| &hash.0),
        Value::Object(after.claims.clone()).to_string(),
        after.updated_at.millis(),
        after.disabled_at.map(Timestamp::millis),
        Value::Object(before.claims.clone()).to_string(),
        before.updated_at.millis(),
        before.password_hash.as_ref().map_or("", |hash| hash.0.as_str()),
        before.disabled_at.map_or(0, Timestamp::millis),
        after.must_change_password,
    )?;
    if changed == 1 { Ok(()) } else { Err(StorageError::Serialization) }
}

/// Replaces a hash by a stronger one of the same password; false when another one was put there meanwhile.
pub async fn rehash(
    connection: &mut Connection,
    id: &UserId,
    before: &PasswordHash,
    after: &PasswordHash,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        id.as_str(),
        &before.0,
        &after.0,
    )
    .map(|changed| changed == 1)
}

/// Writes the password that a person chose in the place of `before`, which they were known by; false when it is another by now, or
/// the person was disabled.
pub async fn change_password(
    connection: &mut Connection,
    id: &UserId,
    before: &PasswordHash,
    after: &PasswordHash,
    now: Timestamp,
) -> Result<bool, StorageError> {
    execute!(
        connection,
        "UPDATE users SET password_hash = $3, must_change_password = FALSE,
                updated_at = CASE WHEN updated_at > $4 THEN updated_at ELSE $4 END
         WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL",
        id.as_str(),
        &before.0,
        &after.0,
        now.millis(),
    )
    .map(|changed| changed == 1)
}

#[derive(sqlx::FromRow)]
struct HashRow {
    password_hash: String,
}

/// A password hash of every cost that is in use. Costs are told apart by as much of the PHC string as is before any salt.
pub async fn hashes_of_each_cost(connection: &mut Connection) -> Result<Vec<PasswordHash>, StorageError> {
    let rows = fetch_all!(
        connection,
        HashRow,
        "SELECT MAX(password_hash) AS password_hash FROM users WHERE password_hash IS NOT NULL
         GROUP BY substr(password_hash, 1, 27)",
    )?;
    Ok(rows.into_iter().map(|row| PasswordHash(row.password_hash)).collect())
}

/// The person with this id.
pub async fn find(connection: &mut Connection, id: &UserId) -> Result<Option<User>, StorageError> {
    let row = fetch_optional!(
        connection,
        UserRow,
        "SELECT id AS user_id, username, verified_email, password_hash, claims, created_at AS user_created_at,
                updated_at AS user_updated_at, disabled_at, must_change_password
         FROM users WHERE id = $1",
        id.as_str(),
    )?;
    row.map(User::try_from).transpose()
}

/// The person whose canonical name this is.
pub async fn find_by_username(
    connection: &mut Connection,
    username: &str,
) -> Result<Option<User>, StorageError> {
    let row = fetch_optional!(
        connection,
        UserRow,
        "SELECT id AS user_id, username, verified_email, password_hash, claims, created_at AS user_created_at,
                updated_at AS user_updated_at, disabled_at, must_change_password
         FROM users WHERE username = $1",
        username,
    )?;
    row.map(User::try_from).transpose()
}

/// The person whose verified e-mail address this is.
pub async fn find_by_verified_email(
    connection: &mut Connection,
    email: &str,
) -> Result<Option<User>, StorageError> {
    let row = fetch_optional!(
        connection,
        UserRow,
        "SELECT id AS user_id, username, verified_email, password_hash, claims, created_at AS user_created_at,
                updated_at AS user_updated_at, disabled_at, must_change_password
         FROM users WHERE verified_email = $1",
        email,
    )?;
    row.map(User::try_from).transpose()
}

/// People by name, `limit` of them after `after`.
pub async fn list(connection: &mut Connection, after: &str, limit: i64) -> Result<Vec<User>, StorageError> {
    let rows = fetch_all!(
        connection,
        UserRow,
        "SELECT id AS user_id, username, verified_email, password_hash, claims, created_at AS user_created_at,
                updated_at AS user_updated_at, disabled_at, must_change_password
         FROM users WHERE username > $1 ORDER BY username LIMIT $2",
        after,
        limit,
    )?;
    rows.into_iter().map(User::try_from).collect()
}

/// Deletes a person, and with them their sessions, consents and grants; the id is never given again.
pub async fn delete(connection: &mut Connection, id: &UserId) -> Result<(), StorageError> {
    execute!(connection, "DELETE FROM users WHERE id = $1", id.as_str()).map(drop)
}
