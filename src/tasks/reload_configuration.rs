//! Loads the configuration anew, on SIGHUP or when a file changes: all of it or nothing (F-21). What a running server cannot
//! change, its issuer, its listeners, its store and its secret key, stays until it is started again, and is told.

use crate::config::difference::difference;
use crate::config::{self, Attempt, Config, Environment};
use crate::http::app::App;
use crate::http::tls::TlsReloader;
use crate::storage::file_of;
use crate::tasks::rotate_keys;
use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
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
    /// The keys that it asks for cannot be made now; the old one stays until they can.
    KeysNotReady,
}

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    /// The environment that the process was started in.
    pub environment: Environment,
}

/// A configuration that is right, and differs from the one in force.
struct Next {
    config: Config,
    changes: usize,
}

/// One round, without the keys: they follow with the next round of `rotate_keys`.
pub fn run_once(app: &App, source: &Source) -> Report {
    match judge(app, config::attempt(&source.path, &source.environment)) {
        Ok(next) => put_in_force(app, next),
        Err(report) => report,
    }
}

/// One round: the keys that it asks for are made, and announced, before it is in force. Yields also what was looked at.
pub async fn reload(app: &App, source: &Source) -> (Report, Vec<PathBuf>) {
    let (app_there, source) = (app.clone(), source.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut attempt = config::attempt(&source.path, &source.environment);
        let files = std::mem::take(&mut attempt.files);
        (judge(&app_there, attempt), files)
    });
    let Ok((judged, files)) = read.await else {
        tracing::error!("the configuration could not be read");
        return (Report::Refused { problems: 1 }, Vec::new());
    };
    let report = match judged {
        Err(report) => report,
        Ok(next) => match rotate_keys::prepare(app, &next.config).await {
            Ok(_) => put_in_force(app, next),
            Err(error) => {
                tracing::error!(error = %error, "the configuration was not reloaded yet: its signing keys cannot be made");
                Report::KeysNotReady
            }
        },
    };
    (report, files)
}

fn judge(app: &App, attempt: Attempt) -> Result<Next, Report> {
    let before = app.snapshot.load_full();
    let loaded = match attempt.outcome {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                tracing::error!(problem = %problem, "the configuration was not reloaded");
            }
            return Err(Report::Refused { problems: problems.len() });
        }
    };
    if let Some(what) = needs_restart(&before.config, &loaded.config) {
        tracing::error!(
            setting = what,
            "the configuration was not reloaded: start the server again to change this"
        );
        return Err(Report::NeedsRestart { what });
    }
    let changes = difference(&before.config, &loaded.config);
    if changes.is_empty() {
        return Err(Report::Unchanged);
    }
    for change in &changes {
        tracing::info!(event = "configuration.reloaded", change = %change);
    }
    Ok(Next { config: loaded.config, changes: changes.len() })
}

fn put_in_force(app: &App, next: Next) -> Report {
    let before = app.snapshot.load_full();
    app.snapshot.store(Arc::new(before.followed_by(next.config)));
    Report::Reloaded { changes: next.changes }
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

/// Rounds: on SIGHUP, and when anything changes where a file was read or looked for. Several changes at once are one.
pub async fn run(app: App, source: Source, tls: Option<TlsReloader>, mut hangup: Signal) {
    let (changed, mut changes) = mpsc::channel(16);
    let mut files = app.snapshot.load().config.files.clone();
    let mut watch = Watch::over(&app, &files, &changed);
    // What changed since the start read it, and before anybody watched, is seen at once.
    let mut again = Some(Duration::ZERO);
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = changes.recv() => {}
            () = pause_or_never(again) => {}
        }
        tokio::time::sleep(SETTLE).await;
        while changes.try_recv().is_ok() {}
        let (report, looked_at) = reload(&app, &source).await;
        if let Some(Err(error)) = tls.as_ref().map(TlsReloader::reload) {
            tracing::error!(error = %error, "the certificate was not reloaded; the old one stays");
        }
        if !looked_at.is_empty() {
            files = looked_at;
        }
        // Anew each time: folders come and go, and links lead elsewhere.
        let next = Watch::over(&app, &files, &changed);
        let is_elsewhere = next.folders != watch.folders;
        watch = next;
        again = match report {
            Report::KeysNotReady => Some(LATER),
            _ if is_elsewhere => Some(Duration::ZERO),
            _ => None,
        };
    }
}

async fn pause_or_never(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// How long files are left alone after a change: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(300);
/// When keys that could not be made are tried again.
const LATER: Duration = Duration::from_secs(10);

/// Folders that are watched, for as long as this lives.
struct Watch {
    folders: BTreeSet<PathBuf>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    /// Watches the folders of `files`: editors replace files rather than write them, and what a link leads to is swapped beside
    /// it. Whatever comes, goes or moves there is a reason to look; only what the embedded store does is none.
    fn over(app: &App, files: &[PathBuf], changed: &mpsc::Sender<()>) -> Self {
        let folders: BTreeSet<PathBuf> = files.iter().flat_map(|file| folders_of(file)).collect();
        let real = files.iter().filter_map(|file| file.canonicalize().ok());
        let ours: BTreeSet<PathBuf> = files.iter().cloned().chain(real).collect();
        let (changed, store) = (changed.clone(), embedded_store(&app.snapshot.load().config));
        let told = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let is_of_the_store = |path: &PathBuf| {
                let beside = |store: &String| path.to_string_lossy().starts_with(store.as_str());
                store.as_ref().is_some_and(beside)
            };
            let is_ours = |path: &PathBuf| {
                ours.contains(path) || path.parent().is_some_and(|folder| ours.contains(folder))
            };
            let is_a_reason = match event.kind {
                EventKind::Access(_) => false,
                // What is written into a file that was there, such as a log, concerns us if the file does.
                EventKind::Modify(ModifyKind::Data(_)) => event.paths.iter().any(is_ours),
                _ => !event.paths.iter().all(is_of_the_store),
            };
            if is_a_reason {
                // A full queue has a change in it already.
                let _ = changed.try_send(());
            }
        };
        let mut watcher = notify::recommended_watcher(told).ok();
        for folder in &folders {
            let watched = watcher.as_mut().map(|watcher| watcher.watch(folder, RecursiveMode::NonRecursive));
            if !matches!(watched, Some(Ok(()))) {
                tracing::warn!(folder = %folder.display(), "changes of this folder go unseen; send SIGHUP");
            }
        }
        Self { folders, _watcher: watcher }
    }
}

/// Where a change of `file` shows: in itself, if it is a folder, in the one it lies in, or in the nearest that is there, and where
/// a link leads.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let there = |path: &Path| path.is_dir().then(|| path.to_owned());
    let mut folders: Vec<PathBuf> = there(file).into_iter().collect();
    folders.extend(file.ancestors().skip(1).find_map(there));
    if let Ok(real) = file.canonicalize() {
        folders.extend(real.parent().map(Path::to_owned));
    }
    folders
}

/// What the names of the embedded store's files begin with.
fn embedded_store(config: &Config) -> Option<String> {
    config.database.url.expose().strip_prefix("sqlite://").map(file_of)
}
