//! A small typed reader over the tree: takes what a section expects, notes every problem and goes on, so that all of them
//! are reported at once (a deserializer stops at the first).

use super::environment::Environment;
use super::problem::{Problem, Severity};
use super::tree::{Node, Place, Source, Table, Typed, shown};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a value stands and what it is called.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) key: String,
}

/// A table that is being read: whichever keys nobody asked for are unknown.
pub(super) struct Section<'t> {
    pub(super) site: Site,
    table: Option<&'t Table>,
    known: Vec<&'t str>,
    ignored: Vec<&'static str>,
}

/// Reads, and gathers what is wrong.
pub(super) struct Reader<'e> {
    pub(super) environment: &'e Environment,
    pub(super) problems: Vec<Problem>,
    /// Files and folders that were looked at.
    pub(super) files: BTreeSet<PathBuf>,
    /// Variables that a file names.
    pub(super) named_variables: BTreeSet<String>,
    /// Where each key stands that was typed.
    pub(super) places: BTreeMap<String, Place>,
}

impl<'t> Section<'t> {
    /// A section at `site`; `None` when nobody typed it.
    pub(super) fn new(site: Site, table: Option<&'t Table>) -> Self {
        Self { site, table, known: Vec::new(), ignored: Vec::new() }
    }

    /// The value of `key`, which is known from now on.
    pub(super) fn get(&mut self, key: &'t str) -> Option<(&'t Node, Site)> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let node = &self.table?.entries.get(key)?.node;
        Some((node, Site { place: node.place.clone(), key: self.path(key) }))
    }

    /// Whether what stands here can be read key by key; what is of the wrong type was reported.
    pub(super) fn is_table(&self) -> bool {
        self.table.is_some()
    }

    /// Where `key` stands, if it does, without making it a known one.
    pub(super) fn peek(&self, key: &str) -> Option<Site> {
        let entry = self.table?.entries.get(key)?;
        Some(Site { place: entry.key.clone(), key: self.path(key) })
    }

    /// The keys that are `key` with a language tag, `key#de`: each whole, and its tag.
    pub(super) fn variants(&self, key: &str) -> Vec<(&'t str, &'t str)> {
        let names = self.table.into_iter().flat_map(|table| table.entries.keys());
        let tagged = |name: &'t String| Some((name.as_str(), name.strip_prefix(key)?.strip_prefix('#')?));
        names.filter_map(tagged).collect()
    }

    /// A key that was reported already, and is not suggested to anyone.
    pub(super) fn ignore(&mut self, key: &'static str) {
        self.ignored.push(key);
    }

    /// The full name of `key`.
    pub(super) fn path(&self, key: &str) -> String {
        if self.site.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.site.key) }
    }
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e Environment) -> Self {
        Self {
            environment,
            problems: Vec::new(),
            files: BTreeSet::new(),
            named_variables: BTreeSet::new(),
            places: BTreeMap::new(),
        }
    }

    /// Notes an error and returns it, for a hint or a section of a standard.
    pub(super) fn refuse(
        &mut self,
        site: &Site,
        rule: &'static str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> &mut Problem {
        let index = self.problems.len();
        self.problems.push(problem(Severity::Error, site, rule, found.into(), expected.into()));
        &mut self.problems[index]
    }

    /// The folder that a relative path at `place` starts from: that of the file that names it.
    pub(super) fn resolve(&self, place: &Place, path: &str) -> PathBuf {
        let root = self.environment.root();
        match &place.source {
            Source::Variable(_) => root.join(path),
            Source::File(file) => root.join(file.parent().unwrap_or(Path::new(""))).join(path),
        }
    }

    /// The table at `key`, as a section of its own.
    pub(super) fn section<'t>(&mut self, parent: &mut Section<'t>, key: &'static str) -> Section<'t> {
        match parent.get(key) {
            None => Section::new(Site { place: parent.site.place.clone(), key: parent.path(key) }, None),
            Some((node, site)) => match &node.typed {
                Typed::Table(table) => Section::new(site, Some(table)),
                _ => {
                    self.refuse(&site, "wrong-type", node.shown(), "a table");
                    Section::new(site, None)
                }
            },
        }
    }

    /// Every entry of a section whose keys are names that the operator chose.
    pub(super) fn named_sections<'t>(&mut self, section: Section<'t>) -> Vec<(&'t str, Site, Section<'t>)> {
        let mut sections = Vec::new();
        for (name, entry) in section.table.into_iter().flat_map(|table| &table.entries) {
            let key = format!("{}.{}", section.site.key, quoted(name));
            let head = Site { place: entry.key.clone(), key: key.clone() };
            let site = Site { place: entry.node.place.clone(), key };
            match &entry.node.typed {
                Typed::Table(table) => sections.push((name.as_str(), head, Section::new(site, Some(table)))),
                _ => {
                    self.refuse(&site, "wrong-type", entry.node.shown(), "a table");
                }
            }
        }
        sections
    }

    /// Text at `key`.
    pub(super) fn text<'t>(&mut self, section: &mut Section<'t>, key: &'t str) -> Option<(String, Site)> {
        let (node, site) = self.take(section, key)?;
        let text = self.text_of(node, &site)?;
        Some((text, site))
    }

    /// The text of a value that holds no secret.
    pub(super) fn text_of(&mut self, node: &Node, site: &Site) -> Option<String> {
        if node.as_text().is_none() {
            self.refuse(site, "wrong-type", node.shown(), "text");
        }
        node.as_text().map(str::to_owned)
    }

    /// Text at `key` that `parse` understands; its error completes "`x`, which …".
    pub(super) fn parsed<T>(
        &mut self,
        section: &mut Section<'_>,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (text, site) = self.text(section, key)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(&site, "invalid-value", shown(&text), expected);
        }
        value
    }

    /// An array of texts at `key`, each with its place.
    pub(super) fn texts(
        &mut self,
        section: &mut Section<'_>,
        key: &'static str,
    ) -> Option<Vec<(String, Site)>> {
        let (node, site) = self.take(section, key)?;
        let Typed::Array(elements) = &node.typed else {
            self.refuse(&site, "wrong-type", node.shown(), "an array of texts");
            return None;
        };
        let mut texts: Vec<(String, Site)> = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let site = Site { place: element.place.clone(), key: format!("{}[{index}]", site.key) };
            let Some(text) = self.text_of(element, &site) else { continue };
            if texts.iter().any(|(known, _)| *known == text) {
                self.refuse(&site, "repeated", shown(&text), "each value once");
            } else {
                texts.push((text, site));
            }
        }
        Some(texts)
    }

    /// A boolean at `key`.
    pub(super) fn boolean(&mut self, section: &mut Section<'_>, key: &'static str) -> Option<(bool, Site)> {
        let (node, site) = self.take(section, key)?;
        match node.typed {
            Typed::Boolean(value) => Some((value, site)),
            _ => {
                self.refuse(&site, "wrong-type", node.shown(), "true or false");
                None
            }
        }
    }

    /// An integer at `key` within `range`.
    pub(super) fn integer(
        &mut self,
        section: &mut Section<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (node, site) = self.take(section, key)?;
        let value = match node.typed {
            Typed::Integer { value, .. } => value.and_then(|value| u32::try_from(value).ok()),
            _ => None,
        };
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let rule =
                if matches!(node.typed, Typed::Integer { .. }) { "out-of-range" } else { "wrong-type" };
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            self.refuse(&site, rule, node.shown(), expected);
        }
        value
    }

    /// A duration at `key` within `range`.
    pub(super) fn duration(
        &mut self,
        section: &mut Section<'_>,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let (node, site) = self.take(section, key)?;
        let bounds = format!("{} to {}", in_words(*range.start()), in_words(*range.end()));
        let expected =
            format!("a duration from {bounds}, as text such as \"60s\", \"10m\", \"12h\" or \"30d\"");
        let (value, rule) = match node.as_text().map(parse_duration) {
            Some(Some(duration)) if range.contains(&duration) => (Some(duration), ""),
            Some(Some(_)) => (None, "out-of-range"),
            Some(None) => (None, "invalid-value"),
            None => (None, "wrong-type"),
        };
        if value.is_none() {
            self.refuse(&site, rule, node.shown(), expected);
        }
        value
    }

    /// The value at `key`; its place is remembered for the advice.
    pub(super) fn take<'t>(&mut self, section: &mut Section<'t>, key: &'t str) -> Option<(&'t Node, Site)> {
        let (node, site) = section.get(key)?;
        self.places.insert(site.key.clone(), site.place.clone());
        Some((node, site))
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(&mut self, section: &Section<'_>) {
        self.finish_with(section, &[]);
    }

    /// Refuses every key that nobody asked for; `later` are those of a coming version.
    pub(super) fn finish_with(&mut self, section: &Section<'_>, later: &[&str]) {
        let Some(table) = section.table else { return };
        for (name, entry) in &table.entries {
            if section.known.contains(&name.as_str()) || section.ignored.contains(&name.as_str()) {
                continue;
            }
            let site = Site { place: entry.key.clone(), key: section.path(&quoted(name)) };
            if later.contains(&name.as_str()) {
                let found = format!("`{name}`, which this version does not support yet");
                self.refuse(&site, "not-supported", found, "a setting of this version").hint =
                    "remove it, or use a version that supports it".into();
                continue;
            }
            let nearest = nearest(name, section.known.iter().copied());
            let known = section.known.join(", ");
            let problem = self.refuse(
                &site,
                "unknown-key",
                format!("the unknown key {}", shown(name)),
                format!("one of {known}"),
            );
            if let Some(nearest) = nearest {
                problem.hint = format!("did you mean `{nearest}`?");
            }
        }
    }
}

/// A problem at `site`.
pub(super) fn problem(
    severity: Severity,
    site: &Site,
    rule: &'static str,
    found: String,
    expected: String,
) -> Problem {
    let (file, variable) = match &site.place.source {
        Source::File(file) => (file.to_path_buf(), None),
        Source::Variable(name) => (PathBuf::new(), Some(name.to_string())),
    };
    Problem {
        severity,
        rule,
        file,
        line: site.place.line,
        column: site.place.column,
        variable,
        key: site.key.clone(),
        found,
        expected,
        hint: String::new(),
        section: None,
    }
}

/// The one of `names` that is most like `name`, when any is.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let likeness = |other: &str| {
        let other = other.to_lowercase();
        // `name` for `client_name`, `code` for `authorization_code`.
        let part = other.split('_').count() > 1 && other.split('_').any(|part| part == name);
        strsim::normalized_damerau_levenshtein(&name, &other).max(if part { 0.7 } else { 0.0 })
    };
    let best = names.map(|other| (likeness(other), other)).max_by(|left, right| left.0.total_cmp(&right.0));
    best.filter(|(likeness, _)| *likeness > 0.5).map(|(_, other)| other)
}

/// A whole number and `s`, `m`, `h` or `d`.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.strip_suffix(['s', 'm', 'h', 'd'])?;
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        _ => 86_400,
    };
    Some(Duration::from_secs(digits.parse::<u64>().ok()? * unit))
}

/// A duration as a configuration would say it.
pub(super) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match [(86_400, 'd'), (3600, 'h'), (60, 'm')]
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit))
    {
        Some((unit, letter)) => format!("{}{letter}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

/// A name as it would be typed in a dotted key.
pub(super) fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let short: String = name.chars().take(100).collect();
    if !short.is_empty() && short.chars().all(bare) { short } else { format!("\"{}\"", short.escape_debug()) }
}
