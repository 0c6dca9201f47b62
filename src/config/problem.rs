//! One thing that is wrong with a configuration, or could be better: where it stands, what was found, what was expected and
//! how to mend it. No text of a problem ever holds a secret.

use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is served, but something about it is unsafe or has no effect.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// The word that `check` prints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A finding about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule; it never changes.
    pub rule: &'static str,
    /// The file; empty when the value came from the environment.
    pub file: PathBuf,
    /// The line, from 1; 0 when the problem is about the file as a whole or about a variable.
    pub line: usize,
    /// The character within the line, from 1; 0 like the line.
    pub column: usize,
    /// The variable that set the value, instead of a file.
    pub variable: Option<String>,
    /// The setting, with dots: `listen.address`, `client.photo-web.redirect_uris[0]`.
    pub key: String,
    /// What stands there; never a secret.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// How to mend it; may be empty.
    pub hint: String,
    /// The section of the standard behind it.
    pub section: Option<&'static str>,
}

impl Problem {
    /// Whether the configuration is refused for it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Whether a file could not be read, or is not TOML: then nothing can be said about what it means.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.rule, "unreadable" | "syntax")
    }

    /// The problem as `check --format json` prints it.
    pub fn to_json(&self) -> Value {
        let file = (!self.file.as_os_str().is_empty()).then(|| self.file.display().to_string());
        json!({
            "severity": self.severity.as_str(),
            "rule": self.rule,
            "file": file,
            "line": (self.line > 0).then_some(self.line),
            "column": (self.column > 0).then_some(self.column),
            "variable": self.variable,
            "key": self.key,
            "found": self.found,
            "expected": self.expected,
            "hint": (!self.hint.is_empty()).then_some(&self.hint),
            "section": self.section,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variable {
            Some(variable) => formatter.write_str(variable)?,
            None => write!(formatter, "{}", self.file.display())?,
        }
        if self.line > 0 {
            write!(formatter, ":{}:{}", self.line, self.column)?;
        }
        write!(formatter, ": {}: ", self.severity.as_str())?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        write!(formatter, "found {}, expected {}", self.found, self.expected)?;
        if let Some(section) = self.section {
            write!(formatter, " ({section})")?;
        }
        if !self.hint.is_empty() {
            write!(formatter, "; {}", self.hint)?;
        }
        write!(formatter, " [{}]", self.rule)
    }
}
