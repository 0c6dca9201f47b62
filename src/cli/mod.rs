//! One file per command. Each takes its options as values, does its work beside a running server, prints results on
//! standard output and everything else on standard error, and tells by its exit status how it went: 0 done and nothing to say,
//! 1 findings or a step that was not taken, 2 usage or an unreadable configuration. No rule of a protocol lives here.

mod check;
mod client;
pub mod composition;
pub mod dev;
mod init;
mod key;
mod log;
mod migrate;
mod office;
mod revoke;
pub mod serve;
pub mod server;
mod signals;
mod terminal;
mod user;
mod user_import;

pub use terminal::{Usage, report};

use std::path::PathBuf;
use std::process::ExitCode;

/// An OAuth 2.0 / OpenID Connect authorization server: the safe way is the only way.
#[derive(Debug, clap::Parser)]
#[command(name = "portreeve", version, about, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done and nothing to say; 1 findings, or a step that was not taken; 2 usage or an \
                        unreadable configuration.\nA secret is never an argument: passwords are asked for without echo, or \
                        read from standard input."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Runs a whole server with a demo configuration, on loopback only
    Dev(DevOptions),
    /// Writes a commented configuration and its secret key; overwrites nothing
    Init(init::Options),
    /// Runs the server
    Serve(ServeOptions),
    /// Looks for everything that is wrong with the configuration, or could be better
    Check(check::Options),
    /// Brings the store's schema up to date
    Migrate(migrate::Options),
    /// Helps to write clients, and shows those that there are
    Client(client::Options),
    /// Adds, changes, shows and removes people
    User(user::Options),
    /// Shows, rotates and takes out signing keys
    Key(key::Options),
    /// Ends grants: of a person, of a client, or one
    Revoke(revoke::Options),
}

/// Where the configuration is.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigOption {
    /// The configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "config/portreeve.toml",
        env = "PORTREEVE_CONFIG"
    )]
    pub config: PathBuf,
}

/// The options of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeOptions {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigOption,
    /// Refuses to start while migrations are pending, instead of running them
    #[arg(long)]
    no_migrate: bool,
}

/// Whether `serve` migrates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Before it serves.
    Run,
    /// Never: it refuses to start while any is pending.
    Leave,
}

impl ServeOptions {
    /// Whether the store is migrated first.
    pub fn migrations(&self) -> Migrations {
        if self.no_migrate { Migrations::Leave } else { Migrations::Run }
    }
}

/// The options of `dev`.
#[derive(Debug, clap::Args)]
pub struct DevOptions {
    /// The port of the issuer on localhost; operations are on the next one
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65534))]
    pub port: u16,
    /// The folder that keeps the store and the demo's secrets
    #[arg(long, value_name = "FOLDER", default_value = ".portreeve")]
    pub data: PathBuf,
}

/// Runs one command to its end.
///
/// # Errors
/// [`Usage`] where the exit status is 2; with any other it is 1 ([`report`]).
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Dev(options) => dev::run(options).await,
        Command::Serve(options) => serve::run(options).await,
        Command::Init(options) => init::run(&options),
        Command::Check(options) => check::run(&options).await,
        Command::Migrate(options) => migrate::run(&options).await,
        Command::Client(options) => client::run(options),
        Command::User(options) => user::run(options).await,
        Command::Key(options) => key::run(options).await,
        Command::Revoke(options) => revoke::run(options).await,
    }
}
