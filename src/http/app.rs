//! What every request shares: the store, the clock, the keys, and a snapshot of the configuration that a request keeps
//! from its beginning to its end (F-21).

use crate::audit::{Circumstances, Trail};
use crate::authorization::in_force::Sources;
use crate::clients::logos::Logos;
use crate::clients::registry::Registry;
use crate::clients::remote_keys::RemoteKeys;
use crate::config::Config;
use crate::keys::key_ring::KeyRing;
use crate::keys::{Keys, SecretPurposes};
use crate::model::address_pace::AddressPace;
use crate::model::clock::SharedClock;
use crate::model::entropy::SharedEntropy;
use crate::model::throttle::Throttle;
use crate::outbound::Outbound;
use crate::outbound::mail::Mailer;
use crate::protocol::identifiers::{ClientId, RequestId};
use crate::protocol::timestamp::Timestamp;
use crate::sessions::browser::Sessions;
use crate::storage::Store;
use crate::storage::error::StorageError;
use crate::tokens::issue::Issuer;
use crate::tokens::subject::Subjects;
use crate::users::lifecycle::People;
use crate::users::password::PasswordHasher;
use crate::users::recovery::Recovery;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use tokio::sync::Semaphore;

/// The parts of a running server.
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub entropy: SharedEntropy,
    /// The keys that sign.
    pub keys: Keys,
    /// What the secret key is used for.
    pub secrets: SecretPurposes,
    /// The configuration and what follows from it.
    pub snapshot: ArcSwap<Snapshot>,
    /// Slows guessing.
    pub throttle: Throttle,
    /// Slows those who ask for links.
    pub recovery_throttle: Throttle,
    /// How many requests for links are worked on at once.
    pub recoveries: Arc<Semaphore>,
    /// Checks passwords, a bounded number at once.
    pub passwords: PasswordHasher,
    /// The keys that clients sign with.
    pub remote_keys: RemoteKeys,
    /// Takes events.
    pub trail: Trail,
    /// By how many milliseconds the clock is ahead of the database's, as last measured.
    pub clock_ahead: AtomicI64,
    /// How often one address may register clients.
    pub registration_pace: AddressPace,
    /// How often one address may push requests of public clients.
    pub push_pace: AddressPace,
    /// The logos of clients.
    pub logos: Logos,
    /// Whether the playground is open.
    pub mode: Mode,
    /// Whether the clock is so far from the database's that this replica should take no requests.
    pub clock_is_off: AtomicBool,
    /// Whether the server is about to stop.
    pub is_draining: AtomicBool,
}

/// The state of every handler; cheap to clone.
pub type App = Arc<Parts>;

/// One configuration, whole; a reload replaces it in one step. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    /// What the files say.
    pub config: Arc<Config>,
    /// The clients.
    pub registry: Registry,
    /// What asks others.
    pub outbound: Outbound,
    /// What sends mails, if anything does.
    pub mailer: Option<Arc<Mailer>>,
}

impl Snapshot {
    /// What follows from a configuration.
    pub fn of(config: Config) -> Self {
        let outbound = Outbound::new(&config.outbound);
        Self::with(config, outbound)
    }

    /// The snapshot that takes this one's place; what it is asking others still counts.
    pub fn followed_by(&self, config: Config) -> Self {
        let outbound = self.outbound.reconfigured(&config.outbound);
        Self::with(config, outbound)
    }

    fn with(config: Config, outbound: Outbound) -> Self {
        let config = Arc::new(config);
        let registry = Registry::of(&config);
        let trusted = &config.outbound.trusted_certificates;
        let mailer = config.mail.as_ref().map(|mail| Arc::new(Mailer::new(mail, trusted)));
        Self { config, registry, outbound, mailer }
    }

    /// The snapshot with those of `names` among its clients that registered themselves.
    pub async fn naming(
        self: &Arc<Self>,
        store: &Store,
        names: &[ClientId],
    ) -> Result<Arc<Self>, StorageError> {
        Ok(match self.registry.naming(names, store).await? {
            None => self.clone(),
            Some(registry) => Arc::new(Self { registry, ..Self::clone(self) }),
        })
    }
}

/// How the server was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By `serve`.
    Serve,
    /// By `dev`: with the playground.
    Dev,
}

impl Parts {
    /// By which subjects clients know people.
    pub fn subjects(&self) -> Subjects<'_> {
        Subjects { pairwise: self.keys.pairwise() }
    }

    /// What signs tokens, under a snapshot and its keys.
    pub fn issuer<'a>(&'a self, snapshot: &'a Snapshot, ring: &'a KeyRing, now: Timestamp) -> Issuer<'a> {
        Issuer { config: &snapshot.config, ring, entropy: &self.entropy, subjects: self.subjects(), now }
    }

    /// Where requests are found that do not stand in the URL.
    pub fn sources<'a>(&'a self, snapshot: &'a Snapshot) -> Sources<'a> {
        Sources { store: &self.store, outbound: &snapshot.outbound, remote_keys: &self.remote_keys }
    }

    /// The sessions, under a configuration.
    pub fn sessions(&self, config: &Config) -> Sessions {
        Sessions {
            store: self.store.clone(),
            entropy: self.entropy.clone(),
            trail: self.trail.clone(),
            lifetimes: config.lifetimes.clone(),
            successors: self.secrets.sessions.clone(),
        }
    }

    /// The steps of people's lives.
    pub fn people(&self) -> People {
        People {
            store: self.store.clone(),
            entropy: self.entropy.clone(),
            passwords: self.passwords.clone(),
            trail: self.trail.clone(),
        }
    }

    /// What helps those who forgot their password.
    pub fn recovery(&self) -> Recovery {
        Recovery {
            store: self.store.clone(),
            entropy: self.entropy.clone(),
            keys: self.secrets.recovery.clone(),
            passwords: self.passwords.clone(),
            trail: self.trail.clone(),
        }
    }

    /// The circumstances of what begins now.
    pub fn circumstances(&self, address: impl ToString) -> Circumstances {
        Circumstances {
            request_id: RequestId::from_random(self.entropy.bytes()),
            address: address.to_string(),
            now: self.clock.now(),
        }
    }
}
