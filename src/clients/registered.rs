//! The clients that registered themselves, as this replica knows them: read from the store when a request names one, and kept
//! for a while in bounded number. What another replica changes is seen when the version is compared, at the latest.

use crate::clients::registration_policy::client_of;
use crate::config::Config;
use crate::model::client::Client;
use crate::model::registered_client::RegisteredClient;
use crate::protocol::identifiers::ClientId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, registered_clients, registered_origins, versions};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The registered clients under one configuration, which says the most that they may have.
pub struct RegisteredClients {
    config: Arc<Config>,
    kept: Mutex<Kept>,
}

/// How much of clients' metadata each half of what is kept holds, in bytes.
const HALF: usize = 4 * 1024 * 1024;
/// How often it is noted that a client is in use, at most.
const STAMPED_EVERY: Duration = Duration::from_secs(86_400);

/// Two halves: what is used moves into the young one, and when that is full the old one is forgotten.
#[derive(Default)]
struct Kept {
    young: HashMap<ClientId, Entry>,
    old: HashMap<ClientId, Entry>,
    weight: usize,
    /// Counts what was forgotten, so that nothing read before it is kept after it.
    epoch: u64,
    version: Option<i64>,
}

#[derive(Clone)]
struct Entry {
    client: Arc<Client>,
    used_at: Timestamp,
    /// Whether that is when it registered.
    is_unused: bool,
    weight: usize,
}

impl RegisteredClients {
    /// Those under `config`; nothing where clients may not register themselves.
    pub fn of(config: &Arc<Config>) -> Option<Self> {
        config.registration.as_ref()?;
        Some(Self { config: config.clone(), kept: Mutex::default() })
    }

    /// The client of this name, with no more than the configuration lets it have.
    pub async fn find(&self, id: &ClientId, store: &Store) -> Result<Option<Arc<Client>>, StorageError> {
        let epoch = {
            let mut kept = self.lock();
            if let Some(entry) = kept.recall(id) {
                return Ok(Some(entry.client));
            }
            kept.epoch
        };
        let Some(stored) = read(store, id).await? else { return Ok(None) };
        let Some(client) = client_of(&stored, &self.config).map(Arc::new) else {
            tracing::warn!(client.id = %id, "a registered client is not lawful any more, and is refused");
            return Ok(None);
        };
        let weight = stored.members.iter().map(|(name, value)| name.len() + value.to_string().len()).sum();
        let is_unused = stored.used_at == stored.created_at;
        let entry = Entry { client: client.clone(), used_at: stored.used_at, is_unused, weight };
        let mut kept = self.lock();
        if kept.epoch == epoch {
            kept.keep(id.clone(), entry);
        }
        Ok(Some(client))
    }

    /// Notes that a client is in use, at the first time and then once a day at most; what is never used is swept.
    pub async fn stamp_use(&self, id: &ClientId, store: &Store, now: Timestamp) {
        let before = now.minus(STAMPED_EVERY);
        let due = {
            let mut kept = self.lock();
            let entry = kept.entry(id);
            entry.is_some_and(|entry| {
                let due = entry.used_at <= before || entry.is_unused;
                if due {
                    (entry.used_at, entry.is_unused) = (now, false);
                }
                due
            })
        };
        if !due {
            return;
        }
        let id = id.clone();
        let stamped = store
            .write_one(move |connection| {
                let id = id.clone();
                Box::pin(async move { registered_clients::stamp_use(connection, &id, now, before).await })
            })
            .await;
        if let Err(error) = stamped {
            tracing::warn!(error = %error, "the use of a registered client was not noted");
        }
    }

    /// Forgets one that this replica changed.
    pub fn forget(&self, id: &ClientId) {
        let mut kept = self.lock();
        kept.epoch += 1;
        kept.young.remove(id);
        kept.old.remove(id);
    }

    /// Forgets all of them when something changed since the last time, on whichever replica; tells whether it did.
    pub async fn refresh(&self, store: &Store) -> Result<bool, StorageError> {
        let version = store
            .read(|connection| Box::pin(versions::current(connection, versions::REGISTERED_CLIENTS)))
            .await?;
        let version = Some(version);
        let mut kept = self.lock();
        let changed = kept.version != version;
        if changed {
            *kept = Kept { version, epoch: kept.epoch + 1, ..Kept::default() };
        }
        Ok(changed)
    }

    /// Whether a public one of them has pages at `origin` (CORS); byte for byte.
    pub async fn allows_origin(&self, origin: &str, store: &Store) -> Result<bool, StorageError> {
        let origin = origin.to_owned();
        store
            .read(move |connection| {
                let origin = origin.clone();
                Box::pin(async move { registered_origins::exists(connection, &origin).await })
            })
            .await
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads one from the store.
pub(super) async fn read(store: &Store, id: &ClientId) -> Result<Option<RegisteredClient>, StorageError> {
    let id = id.clone();
    store
        .read(move |connection| {
            let id = id.clone();
            Box::pin(async move { registered_clients::find(connection, &id).await })
        })
        .await
}

impl Kept {
    fn recall(&mut self, id: &ClientId) -> Option<Entry> {
        if let Some(entry) = self.young.get(id) {
            return Some(entry.clone());
        }
        let entry = self.old.remove(id)?;
        self.keep(id.clone(), entry.clone());
        Some(entry)
    }

    fn entry(&mut self, id: &ClientId) -> Option<&mut Entry> {
        self.young.get_mut(id).or_else(|| self.old.get_mut(id))
    }

    fn keep(&mut self, id: ClientId, entry: Entry) {
        if self.weight + entry.weight > HALF {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += entry.weight;
        if let Some(replaced) = self.young.insert(id, entry) {
            self.weight = self.weight.saturating_sub(replaced.weight);
        }
    }
}
