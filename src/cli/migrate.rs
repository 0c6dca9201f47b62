//! `portreeve migrate`: brings the schema up to date, once however many replicas ask. `--check` only tells whether steps are
//! pending, and then the exit status is 1.

use crate::cli::ConfigOption;
use crate::cli::office::Office;
use crate::cli::terminal::{note, say};
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
    let office = Office::open_as_it_is(&options.config).await?;
    if options.check {
        let pending = office.store.pending_migrations().await?.pending;
        for step in &pending {
            say(&format!("pending: {step}"))?;
        }
        return Ok(if pending.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
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
