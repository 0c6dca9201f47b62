//! What a person agreed to, once and for the next time.

use crate::protocol::identifiers::{ClientId, UserId};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;

/// A remembered consent for one client and one set of resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who agreed.
    pub user_id: UserId,
    /// To which client.
    pub client_id: ClientId,
    /// For which resources.
    pub resources: Vec<Resource>,
    /// To what.
    pub scopes: Scopes,
    /// When, last.
    pub granted_at: Timestamp,
}
