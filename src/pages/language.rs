//! The languages of the pages, and which of them a person reads best: `ui_locales` of the request before the browser's
//! `Accept-Language`, by lookup (RFC 4647 §3.4, RFC 9110 §12.5.4, OpenID Connect Core §3.1.2.1). Whatever is asked for in
//! whatever form, there is a page: English when nothing fits.

use super::Direction;
use crate::protocol::localized::{Localized, is_language_tag};
use std::cmp::Reverse;

/// A language that every page is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, which every other is a translation of.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Portuguese, as it is understood on both sides of the Atlantic.
    Portuguese,
    /// Japanese.
    Japanese,
}

impl Language {
    /// Every one; the metadata's `ui_locales_supported`.
    pub const ALL: [Self; 6] =
        [Self::English, Self::German, Self::French, Self::Spanish, Self::Portuguese, Self::Japanese];

    /// Its tag, in canonical case (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Japanese => "ja",
        }
    }

    /// The direction it is written in.
    pub const fn direction(self) -> Direction {
        match self {
            Self::English
            | Self::German
            | Self::French
            | Self::Spanish
            | Self::Portuguese
            | Self::Japanese => Direction::LeftToRight,
        }
    }

    /// The language that a range comes to, shortened from its end until one fits; a single letter goes with what follows it
    /// (RFC 4647 §3.4).
    pub fn lookup(range: &str) -> Option<Self> {
        let mut range = range;
        loop {
            if let Some(found) = Self::ALL.into_iter().find(|one| one.tag().eq_ignore_ascii_case(range)) {
                return Some(found);
            }
            range = range.rsplit_once('-')?.0;
            while let Some((shorter, subtag)) = range.rsplit_once('-')
                && subtag.len() == 1
            {
                range = shorter;
            }
        }
    }
}

/// What a person reads, best first, as it was asked for; the languages of texts that are not ours (`client_name#de`) are found by
/// it as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages {
    asked: Vec<String>,
    accepted: Vec<String>,
}

/// The most ranges that are looked at; what comes after them is not read.
const MOST_RANGES: usize = 20;

impl Languages {
    /// What the request asks for in `ui_locales`, before what the browser accepts.
    pub fn new<'a>(ui_locales: &[String], accept_language: impl Iterator<Item = &'a str>) -> Self {
        let elements = accept_language.flat_map(|header| header.split(',')).take(MOST_RANGES);
        let mut ranges: Vec<(u16, &str)> = elements.filter_map(weighted).collect();
        // a stable sort: those of one weight stay in their order
        ranges.sort_by_key(|(weight, _)| Reverse(*weight));
        let accepted = ranges.into_iter().filter(|(weight, _)| *weight > 0);
        Self { accepted: accepted.map(|(_, range)| range.to_owned()).collect(), ..Self::default() }
            .asking(ui_locales)
    }

    /// The same person, with another request.
    pub fn asking(self, ui_locales: &[String]) -> Self {
        Self { asked: ui_locales.iter().take(MOST_RANGES).cloned().collect(), ..self }
    }

    /// The language of the page.
    pub fn page(&self) -> Language {
        self.ranges().find_map(Language::lookup).unwrap_or_default()
    }

    /// The variant of a text that the person reads best. On a page in a language that they asked for, what they read less well
    /// stands behind the text without a tag, which is there for everybody.
    pub fn best<'a>(&self, text: &'a Localized) -> Option<&'a str> {
        let (ranges, page) = (self.ranges().collect::<Vec<_>>(), self.page().tag());
        let decided = ranges.iter().position(|range| Language::lookup(range).is_some());
        let (better, worse) = ranges.split_at(decided.map_or(ranges.len(), |at| at + 1));
        text.of_any(better)
            .or_else(|| text.of_any(&[page]))
            .or(text.default.as_deref())
            .or_else(|| text.best(worse))
    }

    /// What the request asked for, best first.
    pub fn asked(&self) -> &[String] {
        &self.asked
    }

    fn ranges(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().chain(&self.accepted).map(String::as_str)
    }
}

/// A range and its weight in thousandths (RFC 9110 §12.5.4, §12.4.2); nothing for `*`, which stands for no language, and for what
/// has another form.
fn weighted(element: &str) -> Option<(u16, &str)> {
    let mut parts = element.split(';').map(|part| part.trim_matches([' ', '\t']));
    let range = parts.next().filter(|range| is_language_tag(range))?;
    let weight = parts.next().map_or(Some(1000), weight)?;
    parts.next().is_none().then_some((weight, range))
}

fn weight(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
