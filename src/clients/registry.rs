//! The clients that there are, as one snapshot that a request keeps from its beginning to its end: those of the files, and of
//! those that registered themselves the ones that the request names. The files win.

use crate::clients::registered::RegisteredClients;
use crate::config::Config;
use crate::model::client::Client;
use crate::protocol::identifiers::ClientId;
use crate::storage::Store;
use crate::storage::error::StorageError;
use std::collections::HashMap;
use std::sync::Arc;

/// Every client of the files by identifier, and the registered ones that matter; cheap to clone.
#[derive(Clone, Default)]
pub struct Registry {
    files: Arc<Files>,
    registered: Option<Arc<RegisteredClients>>,
    named: Vec<Arc<Client>>,
}

#[derive(Default)]
struct Files {
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
        Self { files: Arc::new(Files { clients, origins }), registered: None, named: Vec::new() }
    }

    /// The clients of a configuration, and whoever registered under it.
    pub fn of(config: &Arc<Config>) -> Self {
        let registered = RegisteredClients::of(config).map(Arc::new);
        Self { registered, ..Self::new(&config.clients) }
    }

    /// The client of this name.
    pub fn find(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.files.clients.get(id).or_else(|| self.named.iter().find(|client| client.id == *id))
    }

    /// Whether the files have a client of this name.
    pub fn is_in_files(&self, id: &ClientId) -> bool {
        self.files.clients.contains_key(id)
    }

    /// The client that a request's `client_id` means, if any.
    pub fn find_named(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.find(&ClientId::parse(client_id).ok()?)
    }

    /// Whether a browser application of one of the files' clients runs at `origin` (CORS); byte for byte.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.files.origins.binary_search_by(|known| known.as_str().cmp(origin)).is_ok()
    }

    /// The clients that registered themselves, where they may.
    pub fn registered(&self) -> Option<&Arc<RegisteredClients>> {
        self.registered.as_ref()
    }

    /// The registry with those of `names` that registered themselves; nothing when this one has all of them. The store is asked
    /// only for names that are of that kind and that no file has.
    pub async fn naming(&self, names: &[ClientId], store: &Store) -> Result<Option<Self>, StorageError> {
        let Some(registered) = &self.registered else { return Ok(None) };
        let mut named = self.named.clone();
        for id in names.iter().filter(|id| id.may_be_registered()) {
            if self.find(id).is_none() && !named.iter().any(|client| client.id == *id) {
                named.extend(registered.find(id, store).await?);
            }
        }
        let grown = named.len() > self.named.len();
        Ok(grown.then(|| Self { named, ..self.clone() }))
    }
}
