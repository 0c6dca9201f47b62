//! A client that registered itself (RFC 7591), as it is kept: what it said, and digests of what proves that it is it.

use crate::protocol::identifiers::ClientId;
use crate::protocol::timestamp::Timestamp;
use serde_json::{Map, Value};

/// A registration.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisteredClient {
    /// Its identifier: random, and never given twice.
    pub id: ClientId,
    /// Its metadata, defaults spelt out (RFC 7591 §2).
    pub members: Map<String, Value>,
    /// SHA-256 of its secret; none for one that has no secret.
    pub secret_hash: Option<[u8; 32]>,
    /// SHA-256 of its registration access token (RFC 7592 §3).
    pub token_hash: [u8; 32],
    /// Since when it is there.
    pub created_at: Timestamp,
    /// When it was last used, to the day.
    pub used_at: Timestamp,
}

impl std::fmt::Debug for RegisteredClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RegisteredClient({})", self.id)
    }
}
