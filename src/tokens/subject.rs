//! By which `sub` a client knows a person (OpenID Connect Core §8), and by which `sid` a session: the same for all clients, or
//! one of its sector's own that tells two sectors nothing of each other (threat 137).

use crate::keys::derive::DerivedKey;
use crate::model::client::Client;
use crate::protocol::client_metadata::SubjectType;
use crate::protocol::identifiers::{SessionId, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

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

/// The host that clients share when they may know that a person is the same (§8.1): that of `sector_identifier_uri`, else
/// that of the redirect URIs, which is one. A client without either, or with redirect URIs that name no host of the web, is a
/// sector of its own.
fn sector(client: &Client) -> String {
    let metadata = &client.metadata;
    let first = metadata.redirect_uris.first().map(|uri| uri.as_str());
    let host = metadata.sector_identifier_uri.as_deref().or(first).and_then(|uri| Url::parse(uri).ok());
    let host = host.filter(|url| url.scheme() == "https").and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| client.id.as_str().to_owned())
}
