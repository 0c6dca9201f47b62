//! The clients that there are, as one snapshot that a request keeps from its beginning to its end.

use crate::model::client::Client;
use crate::protocol::identifiers::ClientId;
use std::collections::HashMap;
use std::sync::Arc;

/// Every client, by identifier.
#[derive(Debug, Default)]
pub struct Registry {
    clients: HashMap<ClientId, Arc<Client>>,
    origins: Vec<String>,
}

impl Registry {
    /// A snapshot of these clients.
    pub fn new(clients: &[Client]) -> Self {
        let mut origins: Vec<String> =
            clients.iter().flat_map(|client| client.allowed_origins.iter().cloned()).collect();
        origins.sort_unstable();
        origins.dedup();
        let clients = clients.iter().map(|client| (client.id.clone(), Arc::new(client.clone()))).collect();
        Self { clients, origins }
    }

    /// The client of this name.
    pub fn find(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.clients.get(id)
    }

    /// The client that a request's `client_id` means, if any.
    pub fn find_named(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.find(&ClientId::parse(client_id).ok()?)
    }

    /// Whether a browser application of one of the clients runs at `origin` (CORS); byte for byte.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.origins.binary_search_by(|known| known.as_str().cmp(origin)).is_ok()
    }
}
