//! What commands work with: the configuration, the store that it names, and the circumstances of an operator at the machine.

use crate::audit::{Circumstances, Trail};
use crate::cli::ConfigOption;
use crate::cli::terminal::Usage;
use crate::config::{self, Config, Environment, Loaded};
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::entropy::{SharedEntropy, SystemEntropy};
use crate::protocol::identifiers::RequestId;
use crate::storage::Store;
use crate::users::lifecycle::People;
use crate::users::password::PasswordHasher;
use anyhow::Context as _;
use std::sync::Arc;

/// An open configuration and store.
pub(super) struct Office {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) entropy: SharedEntropy,
    pub(super) trail: Trail,
    pub(super) circumstances: Circumstances,
}

/// The step that every schema begins with.
const FIRST_STEP: &str = "first_house";

impl Office {
    /// Opens the store of the configuration. One that was never used gets its schema; one of an older version is left as it
    /// is, because the server beside may still be that version.
    pub(super) async fn open(option: &ConfigOption) -> anyhow::Result<Self> {
        let office = Self::open_as_it_is(option).await?;
        let found = office.store.pending_migrations().await.context(UNUSABLE)?;
        match found.pending.first() {
            None => {}
            Some(&FIRST_STEP) => {
                drop(office.store.migrate(office.circumstances.now).await.context(UNUSABLE)?)
            }
            Some(step) => anyhow::bail!(
                "the schema of the store is older than this program (the step {step} is to be taken): run `portreeve migrate`"
            ),
        }
        Ok(office)
    }

    /// Opens the store of the configuration, whatever is in it.
    pub(super) async fn open_as_it_is(option: &ConfigOption) -> anyhow::Result<Self> {
        // What goes wrong below a command is told too; what goes well is the command's to tell.
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr);
        let _ = log.try_init();
        let config = load(option)?.config;
        let store = Store::open(config.database.url.expose(), config.database.max_connections).await;
        let store = store.context(UNUSABLE)?;
        // A store that does not answer should be told from one that is empty.
        store.read(|_| Box::pin(async { Ok(()) })).await.context(UNUSABLE)?;
        let entropy: SharedEntropy = Arc::new(SystemEntropy);
        // Nobody is refused here, so nothing waits in the trail's queue.
        let (trail, _) = Trail::new(Arc::clone(&entropy));
        let circumstances = Circumstances {
            request_id: RequestId::from_random(entropy.bytes()),
            address: String::new(),
            now: SystemClock.now(),
        };
        Ok(Self { config, store, entropy, trail, circumstances })
    }

    /// The people of the store.
    pub(super) fn people(&self) -> People {
        People {
            store: self.store.clone(),
            entropy: Arc::clone(&self.entropy),
            passwords: PasswordHasher::new(Arc::clone(&self.entropy)),
            trail: self.trail.clone(),
        }
    }
}

/// Loads the configuration for a command that needs a whole one.
///
/// # Errors
/// [`Usage`] with every problem.
pub(super) fn load(option: &ConfigOption) -> anyhow::Result<Loaded> {
    config::load(&option.config, &Environment::of_process()).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Usage(format!("the configuration cannot be used\n{}", lines.join("\n"))).into()
    })
}

const UNUSABLE: &str = "the store cannot be used";
