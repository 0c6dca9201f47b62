//! By which `sub` a client knows a person (OpenID Connect Core §8), and by which `sid` a session: the same for all clients, or
//! one of its sector's own that tells two sectors nothing of each other (threat 137).

use crate::keys::derive::DerivedKey;
use crate::model::client::Client;
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::identifiers::{SessionId, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What subjects are made with.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// The key of pairwise subjects: the store's own, made once, as a subject never changes.
    pub pairwise: &'a DerivedKey,
}

impl Subjects<'_> {
    /// The `sub` by which `client` knows `user`.
    pub fn subject(&self, client: &Client, user: &UserId) -> String {
        match client.metadata.subject_type {
            SubjectType::Public => user.as_str().to_owned(),
            SubjectType::Pairwise => {
                let tag = self.pairwise.mac(&[sector(client).as_bytes(), user.as_str().as_bytes()]);
                format!("pws_{}", URL_SAFE_NO_PAD.encode(tag))
            }
        }
    }

    /// The `sid` by which `client` knows `session` (Back-Channel Logout §2.1). One that all sectors were told would say that a
    /// person is the same as well as a common `sub`.
    pub fn session(&self, client: &Client, session: &SessionId) -> String {
        match client.metadata.subject_type {
            SubjectType::Public => session.as_str().to_owned(),
            SubjectType::Pairwise => {
                let tag =
                    self.pairwise.mac(&[b"sid", sector(client).as_bytes(), session.as_str().as_bytes()]);
                URL_SAFE_NO_PAD.encode(&tag[..16])
            }
        }
    }
}

/// Whom the client shares subjects with: the others of its sector, or nobody.
fn sector(client: &Client) -> String {
    client.metadata.sector_host().unwrap_or_else(|| client.id.as_str().to_owned())
}
