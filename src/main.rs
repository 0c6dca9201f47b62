//! The program: parses the command line and runs one command.

use clap::Parser as _;
use portreeve::cli;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(tell_of_panic));
    // Fails only when there is a default already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = cli::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return cli::report(&anyhow::Error::new(why).context("the program cannot start")),
    };
    let status = runtime.block_on(cli::run(arguments)).unwrap_or_else(|error| cli::report(&error));
    // What is still at work, such as a name that nobody resolves, holds the end up no longer.
    runtime.shutdown_background();
    status
}

/// Says where, never what: the text of a panic may hold a value that must not be seen (threat 179).
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let (file, line) = panic.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
    if tracing::dispatcher::has_been_set() {
        tracing::error!(panic.file = file, panic.line = line, "a fault of the program; please report it");
    } else {
        let _ = writeln!(
            std::io::stderr(),
            "portreeve: a fault of the program at {file}:{line}; please report it"
        );
    }
}
