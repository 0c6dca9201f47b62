//! A person, as the store keeps them.

use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use serde_json::{Map, Value};

/// A person.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The subject of their tokens; never reused.
    pub id: UserId,
    /// The canonical name they sign in with (RFC 8265 §3.3).
    pub username: String,
    /// The canonical e-mail address they may sign in with; only once verified.
    pub verified_email: Option<String>,
    /// argon2id, as a PHC string; without one nobody signs in by password.
    pub password_hash: Option<PasswordHash>,
    /// Their claims (OpenID Connect Core §5.1, and others).
    pub claims: Map<String, Value>,
    /// Whether they have to choose another password before anything else.
    pub must_change_password: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// When claims, names or password changed last.
    pub updated_at: Timestamp,
    /// Since when they may not sign in; their tokens are dead.
    pub disabled_at: Option<Timestamp>,
}

/// A password's hash, as a PHC string; shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

impl User {
    /// Whether the person is in one of `groups`; everyone is when there are none to be in.
    pub fn is_in_one_of(&self, groups: &[String]) -> bool {
        groups.is_empty()
            || self.claims.get("groups").and_then(Value::as_array).is_some_and(|theirs| {
                theirs
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|group| groups.iter().any(|wanted| wanted == group))
            })
    }

    /// What pages call the person.
    pub fn shown_name(&self) -> &str {
        let named = |claim| self.claims.get(claim).and_then(Value::as_str);
        named("name").or_else(|| named("given_name")).unwrap_or(&self.username)
    }
}
