//! The composition of `dev`.

use crate::cli::DevOptions;
use std::process::ExitCode;

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub async fn run(options: DevOptions) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`dev` is not built into this program ({options:?})")
}
