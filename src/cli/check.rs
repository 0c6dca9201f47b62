//! `portreeve check`: every problem of the configuration, and advice about it. The exit status is 0 without an error, 1 with
//! one, 2 when a file cannot be read or is not TOML.

use crate::cli::ConfigOption;
use crate::cli::terminal::{Format, FormatOption, note, say, say_json};
use crate::config::{self, Environment, Problem, Severity};
use serde_json::json;
use std::process::ExitCode;

/// The options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigOption,
    #[command(flatten)]
    output: FormatOption,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let problems = match config::load(&options.config.config, &Environment::of_process()) {
        Ok(loaded) => loaded.advice,
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
