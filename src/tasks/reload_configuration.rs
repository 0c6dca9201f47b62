//! Loads the configuration anew, on SIGHUP or when a file changes: all of it or nothing (F-21). What a running server cannot
//! change, its issuer, its listeners, its store and its secret key, stays until it is started again, and is told.

use crate::config::difference::difference;
use crate::config::{self, Config, Environment};
use crate::http::app::App;
use crate::http::tls::TlsReloader;
use notify::{RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What one round did.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// Nothing differs.
    Unchanged,
    /// The new configuration is in force.
    Reloaded {
        /// How many values differ.
        changes: usize,
    },
    /// It is wrong; the old one stays.
    Refused {
        /// How many problems there are.
        problems: usize,
    },
    /// It changes what only a new start can.
    NeedsRestart {
        /// What.
        what: &'static str,
    },
}

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    /// The environment that the process was started in.
    pub environment: Environment,
}

/// One round.
pub fn run_once(app: &App, source: &Source) -> Report {
    let before = app.snapshot.load_full();
    let loaded = match config::load(&source.path, &source.environment) {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                tracing::error!(problem = %problem, "the configuration was not reloaded");
            }
            return Report::Refused { problems: problems.len() };
        }
    };
    if let Some(what) = needs_restart(&before.config, &loaded.config) {
        tracing::error!(
            setting = what,
            "the configuration was not reloaded: start the server again to change this"
        );
        return Report::NeedsRestart { what };
    }
    let changes = difference(&before.config, &loaded.config);
    if changes.is_empty() {
        return Report::Unchanged;
    }
    for change in &changes {
        tracing::info!(event = "configuration.reloaded", change = %change);
    }
    app.snapshot.store(Arc::new(before.followed_by(loaded.config)));
    Report::Reloaded { changes: changes.len() }
}

fn needs_restart(before: &Config, after: &Config) -> Option<&'static str> {
    [
        ("issuer", before.issuer != after.issuer),
        ("secret_key", before.secret_keys != after.secret_keys),
        ("listen", before.listen != after.listen),
        ("operations", before.operations != after.operations),
        ("database", before.database != after.database),
        ("log", before.log != after.log),
    ]
    .into_iter()
    .find_map(|(what, differs)| differs.then_some(what))
}

/// Rounds: on SIGHUP, and when a file that was read changes. Several changes at once are one.
pub async fn run(app: App, source: Source, tls: Option<TlsReloader>) {
    let (changed, mut changes) = mpsc::channel(16);
    let _watcher = watch(&app.snapshot.load().config.files, changed);
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else {
        return;
    };
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            change = changes.recv() => if change.is_none() { std::future::pending::<()>().await },
        }
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        let (app, source) = (app.clone(), source.clone());
        let round = tokio::task::spawn_blocking(move || run_once(&app, &source));
        if round.await.is_err() {
            tracing::error!("the configuration could not be reloaded");
        }
        if let Some(Err(error)) = tls.as_ref().map(TlsReloader::reload) {
            tracing::error!(error = %error, "the certificate was not reloaded; the old one stays");
        }
    }
}

/// How long files are left alone after a change: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(300);

/// Watches the folders of `files`: editors replace files rather than write them.
fn watch(files: &[PathBuf], changed: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let ours: Vec<PathBuf> = files.to_vec();
    let told = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let read_only = matches!(event.kind, notify::EventKind::Access(_));
        let concerns = |path: &PathBuf| ours.iter().any(|file| path == file || path.parent() == Some(file));
        if !read_only && event.paths.iter().any(concerns) {
            // A full queue has a change in it already.
            let _ = changed.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told).ok()?;
    let mut folders: Vec<&Path> = Vec::new();
    for file in files {
        let folder = if file.is_dir() { Some(file.as_path()) } else { file.parent() };
        if let Some(folder) = folder.filter(|folder| folder.is_dir() && !folders.contains(folder)) {
            folders.push(folder);
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!(error = %error, folder = %folder.display(), "changes of this folder go unseen; send SIGHUP");
            }
        }
    }
    Some(watcher)
}
