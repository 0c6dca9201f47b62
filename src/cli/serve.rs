//! The composition of `serve`.

use crate::cli::ServeOptions;
use std::process::ExitCode;

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`serve` is not built into this program ({options:?})")
}
