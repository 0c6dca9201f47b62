//! `portreeve check`: every problem of the configuration, and advice about it. The exit status is 0 without an error, 1 with
//! one, 2 when a file cannot be read or is not TOML.

use crate::cli::ConfigOption;
use crate::cli::terminal::{Format, FormatOption, note, say, say_json};
use crate::config::{self, Environment, Loaded, Problem, Severity};
use crate::protocol::identifiers::ClientId;
use crate::storage::{Store, file_of, registered_clients};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// The options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(flatten)]
    output: FormatOption,
}

pub(super) async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let problems = match config::load(&options.config.config, &Environment::of_process()) {
        Ok(loaded) => {
            let clashes = clashes(&loaded).await;
            loaded.advice.into_iter().chain(clashes).collect()
        }
        Err(problems) => problems,
    };
    match options.output.format {
        Format::Json => {
            let problems: Vec<_> = problems.iter().map(Problem::to_json).collect();
            say_json(&json!({ "problems": problems }))?;
        }
        Format::Human => {
            for problem in &problems {
                say(&problem.to_string())?;
            }
            note(&summary(&options.config, &problems));
        }
    }
    Ok(if problems.iter().any(Problem::is_unreadable) {
        ExitCode::from(2)
    } else if problems.iter().any(Problem::is_error) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The clients of the files that bear the name of one that registered itself: those are shadowed (RFC 7591). A store that is
/// not there yet, or does not answer, has nothing to say; it is not made.
async fn clashes(loaded: &Loaded) -> Vec<Problem> {
    let config = &loaded.config;
    let shadowing: Vec<&ClientId> =
        config.clients.iter().map(|client| &client.id).filter(|id| id.may_be_registered()).collect();
    let url = config.database.url.expose();
    let there = url.strip_prefix("sqlite://").is_none_or(|path| Path::new(&file_of(path)).exists());
    if config.registration.is_none() || shadowing.is_empty() || !there {
        return Vec::new();
    }
    let Ok(store) = Store::open(url, 1).await else { return Vec::new() };
    let mut clashes = Vec::new();
    for id in shadowing {
        let wanted = id.clone();
        let found = store
            .read(move |connection| {
                let wanted = wanted.clone();
                Box::pin(async move { registered_clients::find(connection, &wanted).await })
            })
            .await;
        match found {
            Ok(Some(_)) => clashes.extend(loaded.clash(id).cloned()),
            Ok(None) => {}
            Err(error) => {
                note(&format!("the store was not compared with the files: {error}"));
                break;
            }
        }
    }
    store.close().await;
    clashes
}

fn summary(option: &ConfigOption, problems: &[Problem]) -> String {
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let path = option.config.display();
    if problems.is_empty() {
        return format!("{path}: nothing to mend");
    }
    let parts = [(Severity::Error, "errors"), (Severity::Warning, "warnings"), (Severity::Info, "remarks")];
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(severity, name)| (count(severity), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {}", if count == 1 { &name[..name.len() - 1] } else { name }))
        .collect();
    format!("{path}: {}", parts.join(", "))
}
