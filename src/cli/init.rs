//! `portreeve init`: a commented configuration, its secret key, and a folder of clients with a commented example.
//! What is there stays as it is. The exit status is 1 when everything was there, so that nothing was written.

use crate::cli::ConfigOption;
use crate::cli::terminal::{Usage, note, say};
use crate::config::Written;
use crate::config::init::initialize;
use crate::model::entropy::SystemEntropy;
use crate::protocol::issuer::Issuer;
use anyhow::Context as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// The options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    /// The issuer to write into it, instead of the example's
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

/// What the example of clients is made from.
const CLIENTS: &str = include_str!("../../config/clients/photos.toml");

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let path = options.config.config.as_path();
    let issuer = options.issuer.as_deref().map(Issuer::parse).transpose();
    let issuer = issuer.map_err(|why| Usage(format!("--issuer is not an issuer: it {why}")))?;
    let cannot = || format!("{} and what belongs to it cannot be written", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let clients = folder.join("clients");
    // A folder that has clients needs no example.
    let example = if clients.exists() { None } else { Some(clients.join("example.toml")) };
    let written = initialize(path, issuer.as_ref(), &SystemEntropy).with_context(cannot)?;
    let mut news = 0;
    for (file, written) in [(path, written.configuration), (&folder.join("secret.key"), written.secret_key)] {
        match written {
            Written::New => {
                news += 1;
                say(&format!("wrote {}", file.display()))?;
            }
            Written::Already => note(&format!("{} is there already, and was left as it is", file.display())),
        }
    }
    match example {
        Some(file) => {
            write_example(&file).with_context(cannot)?;
            news += 1;
            say(&format!("wrote {}", file.display()))?;
        }
        None => note(&format!("{} is there already, and was left as it is", clients.display())),
    }
    if news == 0 {
        note("nothing was written");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Every setting of the example commented out, so that no client exists that nobody asked for.
fn write_example(path: &Path) -> std::io::Result<()> {
    let mut text = String::new();
    for line in CLIENTS.lines() {
        if !(line.is_empty() || line.starts_with('#')) {
            text.push_str("# ");
        }
        text.push_str(line);
        text.push('\n');
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}
