//! Reads the signing keys again, makes successors when they are due, and takes out what has outlived its tokens. No lease: two replicas that are first at once make
//! one key, as the store keeps one for each number.

use super::pause;
use crate::config::Config;
use crate::http::app::App;
use crate::keys::KeysError;
use crate::keys::key_ring::RELOAD_EVERY;
use crate::keys::rotation::{Due, Rotation, RotationError};
use crate::protocol::identifiers::KeyId;

/// What one round did.
#[derive(Debug, Default)]
pub struct Report {
    /// The keys that it made.
    pub made: Vec<KeyId>,
    /// The keys that nobody needs any more.
    pub removed: Vec<KeyId>,
}

/// Why a round failed.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeysError {
    /// While making keys.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// While reading them.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// One round.
pub async fn run_once(app: &App) -> Result<Report, RotateKeysError> {
    prepare(app, &app.snapshot.load_full().config).await
}

/// One round for a configuration that may not be in force yet.
pub async fn prepare(app: &App, config: &Config) -> Result<Report, RotateKeysError> {
    let (settings, life) = (&config.signing_keys, config.lifetimes.longest_token());
    app.keys.reload(&app.store, app.clock.now()).await?;
    if app.keys.ring().shortest_token_life().is_some_and(|shortest| shortest < life) {
        app.keys.lengthen(&app.store, life, app.clock.now()).await?;
    }
    let rotation = Rotation {
        store: app.store.clone(),
        sealing: app.secrets.sealing.clone(),
        entropy: app.entropy.clone(),
        trail: app.trail.clone(),
        token_life: life,
    };
    let due = Due::After(settings.rotate_every);
    let circumstances = app.circumstances("");
    let made = rotation.ensure(&settings.algorithms, due, &circumstances).await?;
    let removed = rotation.remove_outlived(app.keys.ring().stored(), &circumstances).await?;
    // Where another replica was first, its keys are as good, and not in the ring yet.
    let signs = |algorithm: &_| app.keys.ring().signer(*algorithm).is_some();
    if !made.is_empty() || !removed.is_empty() || !settings.algorithms.iter().all(signs) {
        app.keys.reload(&app.store, app.clock.now()).await?;
    }
    Ok(Report { made, removed })
}

/// Rounds, for as long as the server runs.
pub async fn run(app: App) {
    loop {
        pause(&app.entropy, RELOAD_EVERY).await;
        if let Err(error) = run_once(&app).await {
            tracing::warn!(error = %error, "the signing keys could not be read or made");
        }
    }
}
