//! Runs a server until it is told to stop: both listeners, the loops, the signals, the drain.

use crate::cli::composition::Composition;
use crate::config::{Config, LogFormat};
use crate::http::listener::{Listener, ListenerLimits};
use crate::http::tls::TlsReloader;
use crate::http::{operations, router};
use crate::storage::{file_of, make_private_folder};
use crate::tasks::Supervisor;
use crate::tasks::reload_configuration::{self, Source};
use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::fs::{File, OpenOptions};
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// Listeners that are bound, so that what is printed about them is true.
pub struct Bound {
    public: Listener,
    operations: Listener,
    tls: Option<TlsReloader>,
}

/// Starts the log, on standard error. What other crates say is held to `info`: their traces may hold what passes through.
pub fn start_log(config: &Config) {
    let level = config.log.level.as_str();
    let others = if matches!(level, "trace" | "debug") { "info" } else { level };
    let filter = EnvFilter::new(format!("{others},sqlx=warn,portreeve={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process keeps the first's.
    let _ = match config.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
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
            TlsReloader::load(&tls.certificate, tls.private_key.as_path())
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

/// Serves until SIGTERM or SIGINT, then drains.
pub async fn run(
    composition: Composition,
    bound: Bound,
    metrics: PrometheusHandle,
    source: Option<Source>,
) -> anyhow::Result<()> {
    let Composition { app, refusals } = composition;
    let (stop, stopped) = watch::channel(false);
    let supervisor = Supervisor::start(&app, refusals);
    let reloading =
        source.map(|source| tokio::spawn(reload_configuration::run(app.clone(), source, bound.tls.clone())));
    let public = tokio::spawn(bound.public.serve(router::router(app.clone()), until(stopped.clone())));
    let operations = tokio::spawn(
        bound.operations.serve(operations::router(app.clone(), metrics.clone()), until(stopped)),
    );
    wait_for_signal(metrics).await?;
    tracing::info!("stopping: what runs is finished first");
    app.is_draining.store(true, Ordering::Relaxed);
    stop.send_replace(true);
    let ended = public.await;
    operations.abort();
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    drop(supervisor);
    app.store.close().await;
    ended.context("the listener ended early")?.context("the listener failed")
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An ended sender is as good as the word.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn wait_for_signal(metrics: PrometheusHandle) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut upkeep = tokio::time::interval(std::time::Duration::from_secs(5));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = upkeep.tick() => metrics.run_upkeep(),
        }
    }
}

/// Holds the embedded store for this server alone: a second one on the same file is refused, and the operating system
/// lets go when the holder dies. Commands open the file beside it.
pub fn lock_embedded_store(config: &Config) -> anyhow::Result<Option<File>> {
    let url = config.database.url.expose();
    let Some(path) = url.strip_prefix("sqlite://") else { return Ok(None) };
    let path = file_of(path);
    let lock = format!("{path}.lock");
    if let Some(folder) = Path::new(&lock).parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock);
    let file = file.with_context(|| format!("{lock} cannot be opened"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(_) => {
            anyhow::bail!("another server uses {path}; an embedded store serves one (PostgreSQL serves many)")
        }
    }
}
