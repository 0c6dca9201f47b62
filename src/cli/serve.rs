//! `serve`: the server, from its configuration files.

use crate::cli::composition::{Ingredients, compose};
use crate::cli::log;
use crate::cli::server::{self, Process};
use crate::cli::signals::{self, Signals};
use crate::cli::{Migrations, ServeOptions};
use crate::config::{self, Config, Environment, Severity};
use crate::http::app::Mode;
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::entropy::SystemEntropy;
use crate::storage::Store;
use crate::storage::error::StorageError;
use crate::tasks::reload_configuration::Source;
use anyhow::Context as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often a store that does not answer at the start is asked again, once a second.
const PATIENCE: usize = 60;

/// Serves until told to stop.
pub async fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen().context("the signals cannot be heard")?;
    let hangup = signals::reload().context("the signals cannot be heard")?;
    let environment = Environment::of_process();
    let loaded = match config::load(&options.config.config, &environment) {
        Ok(loaded) => loaded,
        Err(problems) => {
            for problem in &problems {
                eprintln!("{problem}");
            }
            return Ok(ExitCode::from(2));
        }
    };
    let config = loaded.config;
    let log = log::start(&config).context("the log cannot be started")?;
    for advice in &loaded.advice {
        match advice.severity {
            Severity::Info => tracing::info!(advice = %advice, "worth knowing about the configuration"),
            _ => tracing::warn!(advice = %advice, "the configuration could be better"),
        }
    }
    let metrics = server::start_metrics()?;
    let _lock = server::lock_embedded_store(&config)?;
    let started = async {
        let bound = server::bind(&config).await?;
        let store = open_store(&config, options.migrations()).await?;
        let ingredients = Ingredients {
            store,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            mode: Mode::Serve,
            config: config.clone(),
        };
        anyhow::Ok((compose(ingredients).await?, bound))
    };
    let (composition, bound) = tokio::select! {
        started = started => started?,
        () = signals.stop() => {
            tracing::info!("stopped before it served");
            return Ok(ExitCode::SUCCESS);
        }
    };
    tracing::info!(issuer = config.issuer.as_str(), "serving");
    let process = Process { signals, log, metrics };
    let source = Source { path: options.config.config, environment };
    server::run(composition, bound, process, Some((source, hangup))).await?;
    Ok(ExitCode::SUCCESS)
}

async fn open_store(config: &Config, migrations: Migrations) -> anyhow::Result<Store> {
    let database = &config.database;
    let mut last = None;
    for _ in 0..PATIENCE {
        match prepare(database.url.expose(), database.max_connections, migrations).await {
            Ok(store) => return Ok(store),
            Err(error) if error.downcast_ref() == Some(&StorageError::OtherSchema) => return Err(error),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the store is not there yet");
                last = Some(error);
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("the store is not there")))
}

async fn prepare(url: &str, max_connections: u32, migrations: Migrations) -> anyhow::Result<Store> {
    let store = Store::open(url, max_connections).await.context("the store cannot be opened")?;
    match migrations {
        Migrations::Run => {
            store.migrate(SystemClock.now()).await.context("the store cannot be migrated")?;
        }
        Migrations::Leave => {
            let pending = store.pending_migrations().await?.pending;
            anyhow::ensure!(
                pending.is_empty(),
                "pending migrations: {}; run `portreeve migrate`",
                pending.join(", ")
            );
        }
    }
    Ok(store)
}
