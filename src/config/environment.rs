//! What surrounds the process, as a value: its variables and the folder that relative paths start from. Tests make their
//! own and touch nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variables and the working folder of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, Variable>,
    root: PathBuf,
}

/// The value of a variable; it may be a secret.
#[derive(Clone, PartialEq, Eq)]
struct Variable(String);

impl std::fmt::Debug for Variable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

impl Environment {
    /// An environment of these variables, whose relative paths start from `root`.
    pub fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
        root: impl Into<PathBuf>,
    ) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.into(), Variable(value.into()))).collect();
        Self { variables, root: root.into() }
    }

    /// The environment of this process; what is not UTF-8 is left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        Self::new(variables, std::env::current_dir().unwrap_or_default())
    }

    /// The value of the variable `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|variable| variable.0.as_str())
    }

    /// Every variable, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable.0.as_str()))
    }

    /// The folder that relative paths start from.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
