//! Runs a server until it is told to stop: both listeners, the loops, the signals, the drain.

use crate::cli::composition::Composition;
use crate::cli::log::Log;
use crate::cli::signals::Signals;
use crate::config::Config;
use crate::http::listener::{Listener, ListenerLimits};
use crate::http::tls::TlsReloader;
use crate::http::{operations, router};
use crate::storage::{file_of, make_private_file};
use crate::tasks::Supervisor;
use crate::tasks::reload_configuration::{self, Source};
use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::Instant;

/// Listeners that are bound, so that what is printed about them is true.
pub struct Bound {
    public: Listener,
    operations: Listener,
    tls: Option<TlsReloader>,
}

/// Starts the metrics.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().context("the metrics cannot be started")
}

/// Binds both listeners.
pub async fn bind(config: &Config) -> anyhow::Result<Bound> {
    let listen = &config.listen;
    let tls = match &listen.tls {
        Some(tls) => Some(
            TlsReloader::load(&tls.certificate, tls.private_key.clone())
                .context("the certificate is not usable")?,
        ),
        None => None,
    };
    let limits = ListenerLimits {
        connections_per_address: listen.connections_per_address,
        ..ListenerLimits::default()
    };
    let proxies = listen.trusted_proxies.clone();
    let public = Listener::bind(listen.address, limits.clone(), tls.clone(), proxies)
        .await
        .with_context(|| format!("{} cannot be listened on", listen.address))?;
    let operations = Listener::bind(config.operations.address, limits, None, Vec::new())
        .await
        .with_context(|| format!("{} cannot be listened on", config.operations.address))?;
    Ok(Bound { public, operations, tls })
}

/// What a running server needs of the process.
pub struct Process {
    /// What it is told.
    pub signals: Signals,
    /// Where it tells.
    pub log: Log,
    /// What it measures.
    pub metrics: PrometheusHandle,
}

/// How long a stop may take: what runs is finished, and what waits is written.
const DRAIN: Duration = Duration::from_secs(10);
/// What is left of it at least for what waits, where requests used it up.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// Serves until SIGTERM or SIGINT, then drains. `reload` is a configuration's place and the signal to read it again.
pub async fn run(
    composition: Composition,
    bound: Bound,
    mut process: Process,
    reload: Option<(Source, Signal)>,
) -> anyhow::Result<()> {
    let Composition { app, refusals } = composition;
    let (stop_public, public_stopped) = watch::channel(false);
    let (stop_operations, operations_stopped) = watch::channel(false);
    let supervisor = Supervisor::start(&app, refusals);
    let reloading = reload.map(|(source, hangup)| {
        tokio::spawn(reload_configuration::run(app.clone(), source, bound.tls.clone(), hangup))
    });
    let public = tokio::spawn(bound.public.serve(router::router(app.clone()), until(public_stopped)));
    let operations = operations::router(app.clone(), process.metrics.clone());
    let mut operations = tokio::spawn(bound.operations.serve(operations, until(operations_stopped)));
    process.until_stopped().await;
    tracing::info!("stopping: what runs is finished first");
    let begun = Instant::now();
    app.is_draining.store(true, Ordering::Relaxed);
    stop_public.send_replace(true);
    let ended = public.await;
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    let left = || DRAIN.saturating_sub(begun.elapsed()).max(LAST_WRITES);
    if tokio::time::timeout(left(), supervisor.stop(&app)).await.is_err() {
        tracing::warn!("the store does not take what waits to be written");
    }
    // Last, so that operators are told that it drains for as long as it does (F-02).
    stop_operations.send_replace(true);
    if tokio::time::timeout(LAST_WRITES, &mut operations).await.is_err() {
        operations.abort();
    }
    if tokio::time::timeout(left(), app.store.close()).await.is_err() {
        tracing::warn!("the store does not answer: its connections are left to it");
    }
    ended.context("the listener ended early")?.context("the listener failed")
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An ended sender is as good as the word.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

impl Process {
    async fn until_stopped(&mut self) {
        let mut upkeep = tokio::time::interval(Duration::from_secs(5));
        loop {
            tokio::select! {
                () = self.signals.stop() => return,
                _ = upkeep.tick() => {
                    self.metrics.run_upkeep();
                    self.log.tell_of_dropped_lines();
                }
            }
        }
    }
}

/// Holds the embedded store for this server alone: a second one on the same file is refused, and the operating system
/// lets go when the holder dies. Commands open the file beside it.
pub fn lock_embedded_store(config: &Config) -> anyhow::Result<Option<File>> {
    let url = config.database.url.expose();
    let Some(path) = url.strip_prefix("sqlite://") else { return Ok(None) };
    let path = file_of(path);
    // By its real name: a link to it is the same store.
    let real = make_private_file(Path::new(&path)).with_context(|| format!("{path} cannot be made"))?;
    let lock = format!("{}.lock", real.display());
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
    let file = file.with_context(|| format!("{lock} cannot be opened"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(_) => {
            anyhow::bail!("another server uses {path}; an embedded store serves one (PostgreSQL serves many)")
        }
    }
}
