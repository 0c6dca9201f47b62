//! What commands say and ask: results on standard output, all else on standard error, secrets without echo or from standard
//! input. A reader that has gone away (`| head`) is no fault.

use crate::model::secret::Secret;
use crate::protocol::timestamp::Timestamp;
use anyhow::Context as _;
use serde_json::Value;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use zeroize::Zeroizing;

/// How a reading command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Lines for people
    Human,
    /// One JSON document
    Json,
}

/// The option of every reading command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct FormatOption {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
}

/// What the caller asked cannot be understood, or the configuration cannot: the exit status is 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A failure that was told already, line by line: nothing more is said.
#[derive(Debug, thiserror::Error)]
#[error("told already")]
pub(super) struct Told;

/// Says on standard error why a command failed, and yields the exit status: 2 for [`Usage`], else 1.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if !error.is::<Told>() {
        note(&format!("{error:#}"));
    }
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// Prints a line of the result. Control characters, which could drive a terminal, are shown escaped.
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    print(&visible(line))
}

/// Prints a JSON document.
pub(super) fn say_json(document: &Value) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(document)?)
}

/// Says something that is not the result.
pub(super) fn note(text: &str) {
    // Nobody is left to be told when this fails.
    let _ = writeln!(io::stderr(), "portreeve: {}", visible(text));
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output cannot be written to")
        }
        _ => Ok(()),
    }
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A moment as commands print it (RFC 3339, UTC).
pub(super) fn moment(timestamp: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(timestamp.millis()) {
        Ok(moment) => format!("{moment:.3}"),
        Err(_) => format!("{} ms", timestamp.millis()),
    }
}

/// Where a new password comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PasswordSource {
    /// The first line of standard input, without its end.
    StandardInput,
    /// The person at the terminal, twice, without echo.
    Terminal,
}

/// Gets a new password.
///
/// # Errors
/// [`Usage`] when there is none to be had.
pub(super) fn new_password(source: PasswordSource) -> anyhow::Result<Secret> {
    // What is typed into a terminal would be echoed: then it is asked for instead.
    let terminal = io::stdin().is_terminal();
    match source {
        PasswordSource::StandardInput if !terminal => first_line(),
        PasswordSource::Terminal if !terminal => {
            Err(Usage("there is no terminal to ask for a password: pipe it in with --password-stdin".into())
                .into())
        }
        _ => ask_twice(),
    }
}

fn ask_twice() -> anyhow::Result<Secret> {
    let ask = |prompt| -> anyhow::Result<Secret> {
        Ok(Secret::new(rpassword::prompt_password(prompt).context("the password cannot be asked for")?))
    };
    let first = ask("New password: ")?;
    let second = ask("The same again: ")?;
    if first.expose() != second.expose() {
        anyhow::bail!("the two passwords differ; nothing was changed");
    }
    Ok(first)
}

fn first_line() -> anyhow::Result<Secret> {
    // Never grown, so that no copy is left behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE));
    let mut input = io::stdin().lock().take(LONGEST_LINE as u64);
    input.read_until(b'\n', &mut line).context("standard input cannot be read")?;
    let text = std::str::from_utf8(&line)
        .map_err(|_| Usage("the password on standard input is not UTF-8".into()))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        let why = "there is no password on standard input: its first line is empty".to_owned();
        return Err(Usage(why).into());
    }
    Ok(Secret::new(text))
}

/// More than any password may have, so that one too long is refused as such.
const LONGEST_LINE: usize = 4096;
