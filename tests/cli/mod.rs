//! The program as a process: what it prints, what it refuses, how it exits, and what is in the store afterwards.

mod arguments;
mod check;
mod client;
mod ending;
mod import;
mod init;
mod key;
mod migrate;
mod serving;
mod user;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::database::TestDatabase;
use tempfile::TempDir;

/// A folder with a configuration, and the program run in it.
struct Operator {
    folder: TempDir,
}

/// How a command went.
#[derive(Debug)]
struct Outcome {
    status: i32,
    output: String,
    complaint: String,
}

impl Operator {
    /// In an empty folder.
    fn newcomer() -> Self {
        Self { folder: tempfile::Builder::new().prefix("portreeve-cli-").tempdir().unwrap() }
    }

    /// With a configuration for the store of `database`, and `more` at its end.
    fn with_store(database: &TestDatabase, more: &str) -> Self {
        Self::with_url(database.url(), more)
    }

    fn with_url(url: &str, more: &str) -> Self {
        let operator = Self::newcomer();
        let initialized = operator.run(&["init", "--issuer", "http://localhost:8080"]);
        assert_eq!(initialized.status, 0, "{initialized:?}");
        let text = format!(
            "issuer = \"http://localhost:8080\"\nsecret_key = {{ file = \"secret.key\" }}\n\
             [database]\nurl = \"{url}\"\nmax_connections = 4\n{more}"
        );
        std::fs::write(operator.configuration(), text).unwrap();
        operator
    }

    fn configuration(&self) -> PathBuf {
        self.path("config/portreeve.toml")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: impl AsRef<Path>, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with("", arguments)
    }

    /// Runs the program with `input` on its standard input; its environment is empty.
    fn run_with(&self, input: &str, arguments: &[&str]) -> Outcome {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
            .args(arguments)
            .env_clear()
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome {
            status: output
                .status
                .code()
                .unwrap_or_else(|| panic!("{arguments:?} ended by a signal: {output:?}")),
            output: text(output.stdout),
            complaint: text(output.stderr),
        }
    }

    /// Runs a command that has to go well, and yields what it printed.
    fn done(&self, arguments: &[&str]) -> String {
        self.done_with("", arguments)
    }

    fn done_with(&self, input: &str, arguments: &[&str]) -> String {
        let outcome = self.run_with(input, arguments);
        assert_eq!(outcome.status, 0, "{arguments:?}: {outcome:?}");
        outcome.output
    }

    /// Runs a reading command, and yields its document.
    fn document(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--format", "json"]].concat();
        serde_json::from_str(&self.done(&arguments)).unwrap()
    }

    /// Runs a command that has to be refused with `status`, and yields its complaint, which says something and panicked not.
    fn refused(&self, status: i32, arguments: &[&str]) -> String {
        self.refused_with("", status, arguments)
    }

    fn refused_with(&self, input: &str, status: i32, arguments: &[&str]) -> String {
        let outcome = self.run_with(input, arguments);
        assert_eq!(outcome.status, status, "{arguments:?}: {outcome:?}");
        assert!(!outcome.complaint.is_empty(), "{arguments:?} is refused without a word");
        assert!(!outcome.complaint.contains("fault of the program"), "{outcome:?}");
        outcome.complaint
    }
}

/// A password that may be one.
const PASSWORD: &str = "correct horse battery";
