//! Puts a server together: the store, the keys, the snapshot, and the loops that run on their own. `serve` and `dev` do it
//! for real, tests with a clock and chance of their own.

use crate::audit::{Refusals, Trail};
use crate::clients::logos::Logos;
use crate::clients::remote_keys::RemoteKeys;
use crate::config::Config;
use crate::http::app::{App, Mode, Parts, Snapshot};
use crate::keys::{Keys, SecretPurposes};
use crate::model::address_pace::AddressPace;
use crate::model::clock::SharedClock;
use crate::model::entropy::SharedEntropy;
use crate::model::throttle::Throttle;
use crate::storage::Store;
use crate::tasks::rotate_keys;
use crate::users::password::PasswordHasher;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use tokio::sync::Semaphore;

/// How many requests for links are worked on at once.
const RECOVERIES: usize = 8;

/// What a server is put together from.
pub struct Ingredients {
    /// The configuration.
    pub config: Config,
    /// The store, migrated.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub entropy: SharedEntropy,
    /// Whether the playground is open.
    pub mode: Mode,
}

/// A server that is ready to answer.
pub struct Composition {
    /// What its handlers share.
    pub app: App,
    /// The refusals that a loop has to write.
    pub refusals: Refusals,
}

/// Puts a server together; it has a signing key of every algorithm when this returns.
pub async fn compose(ingredients: Ingredients) -> anyhow::Result<Composition> {
    let Ingredients { config, store, clock, entropy, mode } = ingredients;
    let secrets = SecretPurposes::derive(&config.secret_keys);
    let (trail, refusals) = Trail::new(entropy.clone());
    let keys = Keys::open(&store, secrets.sealing.clone(), &entropy, clock.now()).await;
    let keys = keys.context("the signing keys cannot be opened; is secret_key the one that sealed them?")?;
    let app = Arc::new(Parts {
        throttle: Throttle::new(clock.clone()),
        recovery_throttle: Throttle::new(clock.clone()),
        recoveries: Arc::new(Semaphore::new(RECOVERIES)),
        passwords: PasswordHasher::new(entropy.clone()),
        remote_keys: RemoteKeys::new(clock.clone()),
        registration_pace: AddressPace::of_registrations(),
        push_pace: AddressPace::of_pushed_requests(),
        logos: Logos::default(),
        snapshot: ArcSwap::from_pointee(Snapshot::of(config)),
        clock_is_off: AtomicBool::new(false),
        is_draining: AtomicBool::new(false),
        clock_ahead: AtomicI64::new(0),
        store,
        clock,
        entropy,
        keys,
        secrets,
        trail,
        mode,
    });
    rotate_keys::run_once(&app).await.context("the first signing keys cannot be made")?;
    Ok(Composition { app, refusals })
}
