//! A TOML document as it was typed: every value with the place where it stands, so that a problem can name it. Knows
//! nothing of what a key means.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a value was read from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A file, by the path it is shown by.
    File(Arc<Path>),
    /// An environment variable.
    Variable(Arc<str>),
}

/// Where a value stands.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: Source,
    /// From 1; 0 when the whole source is meant.
    pub(super) line: usize,
    /// In characters, from 1; 0 like the line.
    pub(super) column: usize,
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) typed: Typed,
    /// The text of the variable that set it: what is meant when text is expected.
    pub(super) raw: Option<String>,
}

/// A value of TOML.
#[derive(Clone)]
pub(super) enum Typed {
    Text(String),
    Integer { digits: String, value: Option<i64> },
    Float(String),
    Boolean(bool),
    Moment(String),
    Array(Vec<Node>),
    Table(Table),
}

/// A table, its keys in order.
#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// What stands at a key, and where the key stands.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) node: Node,
}

/// A mistake in the syntax.
pub(super) struct SyntaxError {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Reads a document: its root table, as far as it could be understood, and its syntax errors, one for a line.
pub(super) fn read_document(text: &str, file: &Arc<Path>) -> (Table, Vec<SyntaxError>) {
    let lines = Lines::new(text, Source::File(Arc::clone(file)));
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<SyntaxError> = Vec::new();
    for error in errors {
        let place = lines.place(error.span().map_or(text.len(), |span| span.start));
        // What follows a mistake on its line is mostly its echo.
        if mistakes.iter().all(|known| known.place.line != place.line) {
            mistakes.push(SyntaxError { place, message: error.message().to_owned() });
        }
    }
    (lines.table(document.get_ref()), mistakes)
}

/// Reads the value of an environment variable: TOML when it is such, text otherwise.
pub(super) fn read_variable(name: &str, text: &str) -> Node {
    let source = Source::Variable(Arc::from(name));
    let place = Place { source: source.clone(), line: 0, column: 0 };
    let typed = match DeValue::parse(text) {
        Ok(value) => Lines { starts: Vec::new(), text, source }.node(&value).typed,
        Err(_) => Typed::Text(text.to_owned()),
    };
    Node { place, typed, raw: Some(text.to_owned()) }
}

/// Where the lines of a text begin.
struct Lines<'t> {
    /// Empty for a variable, whose places have no lines.
    starts: Vec<usize>,
    text: &'t str,
    source: Source,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, source: Source) -> Self {
        let starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(position, _)| position + 1)).collect();
        Self { starts, text, source }
    }

    fn place(&self, position: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= position);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index).copied());
        let column = start.map_or(0, |start| {
            let upto = self.text.as_bytes().get(start..position.min(self.text.len())).unwrap_or_default();
            // Characters, not bytes: those that continue one are not counted.
            1 + upto.iter().filter(|byte| (**byte as i8) >= -0x40).count()
        });
        Place { source: self.source.clone(), line, column }
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let entries = table.iter().map(|(key, value)| {
            let entry = Entry { key: self.place(key.span().start), node: self.node(value) };
            (key.get_ref().to_string(), entry)
        });
        Table { entries: entries.collect() }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let typed = match value.get_ref() {
            DeValue::String(text) => Typed::Text(text.to_string()),
            DeValue::Integer(integer) => Typed::Integer {
                digits: integer.to_string(),
                value: i64::from_str_radix(integer.as_str(), integer.radix()).ok(),
            },
            DeValue::Float(float) => Typed::Float(float.to_string()),
            DeValue::Boolean(boolean) => Typed::Boolean(*boolean),
            DeValue::Datetime(moment) => Typed::Moment(moment.to_string()),
            DeValue::Array(elements) => {
                Typed::Array(elements.iter().map(|element| self.node(element)).collect())
            }
            DeValue::Table(table) => Typed::Table(self.table(table)),
        };
        Node { place: self.place(value.span().start), typed, raw: None }
    }
}

impl Node {
    /// The text, when the value is text or was set by a variable.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.typed {
            Typed::Text(text) => Some(text),
            _ => self.raw.as_deref(),
        }
    }

    /// What kind of value it is, in words that show none of it.
    pub(super) fn kind(&self) -> &'static str {
        match self.typed {
            Typed::Text(_) => "text",
            Typed::Integer { .. } => "an integer",
            Typed::Float(_) => "a float",
            Typed::Boolean(_) => "a boolean",
            Typed::Moment(_) => "a date or time",
            Typed::Array(_) => "an array",
            Typed::Table(_) => "a table",
        }
    }

    /// The value as a problem may show it; only for keys that hold no secret.
    pub(super) fn shown(&self) -> String {
        match &self.typed {
            Typed::Text(text) => shown(text),
            Typed::Integer { digits: text, .. } | Typed::Float(text) | Typed::Moment(text) => {
                format!("{} {}", self.kind(), shown(text))
            }
            Typed::Boolean(value) => format!("the boolean {value}"),
            Typed::Array(_) | Typed::Table(_) => self.kind().to_owned(),
        }
    }
}

/// A text between backticks: printable, short, and without a URL's user and password.
pub(super) fn shown(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some((scheme, rest)) = text.split_once("://")
        && let Some((_, host)) = rest.rsplit_once('@')
    {
        text = format!("{scheme}://…@{host}");
    }
    let printable: String = text.escape_debug().take(100).collect();
    let rest = if text.chars().count() > 100 { "…" } else { "" };
    format!("`{printable}{rest}`")
}
