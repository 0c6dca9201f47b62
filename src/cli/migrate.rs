//! `portreeve migrate`: brings the schema up to date, once however many replicas ask. `--check` only tells whether steps are
//! pending, and then the exit status is 1; it is 2 when that cannot be told.

use crate::cli::ConfigOption;
use crate::cli::office::{Office, load};
use crate::cli::terminal::{Usage, note, say};
use crate::config::Config;
use crate::storage::{Store, file_of};
use std::path::PathBuf;
use std::process::ExitCode;

/// The options of `migrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    /// Change nothing: only tell which steps are pending (exit status 1 when there are any)
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.check {
        // That it cannot be told is not the same as that steps are pending.
        return check(&options.config).await.map_err(|why| Usage(format!("{why:#}")).into());
    }
    let office = Office::open_as_it_is(&options.config).await?;
    let report = office.store.migrate(office.circumstances.now).await?;
    for step in &report.applied {
        say(&format!("applied: {step}"))?;
    }
    if report.applied.is_empty() {
        note("the schema is up to date");
    }
    office.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Tells which steps are pending, and makes nothing, not even the file of a store that is not there yet.
async fn check(config: &ConfigOption) -> anyhow::Result<ExitCode> {
    let pending = match embedded_store(&load(config)?.config) {
        Some(path) if !path.exists() => Store::all_migrations(),
        _ => {
            let office = Office::open_as_it_is(config).await?;
            let pending = office.store.pending_migrations().await?.pending;
            office.store.close().await;
            pending
        }
    };
    for step in &pending {
        say(&format!("pending: {step}"))?;
    }
    Ok(if pending.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn embedded_store(config: &Config) -> Option<PathBuf> {
    config.database.url.expose().strip_prefix("sqlite://").map(|path| file_of(path).into())
}
