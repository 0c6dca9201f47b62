//! The index of threats (security.md §1): every number that is in question is cited by a test, or stands in a table with the
//! reason why there is nothing to test.

use crate::architecture::source::{SOURCES, SourceFile};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// The numbers that the main road answers for.
const MAIN_ROAD: [RangeInclusive<u16>; 12] = [
    1..=14,
    15..=27,
    29..=35,
    38..=56,
    65..=71,
    113..=113,
    121..=138,
    139..=145,
    152..=170,
    177..=184,
    189..=199,
    // the decisions of section 0 are about these too
    28..=28,
];

/// The numbers that clients with keys of their own answer for.
const KEYS_OF_CLIENTS: [RangeInclusive<u16>; 3] = [57..=62, 72..=74, 90..=91];

/// The numbers that clients which register themselves answer for.
const REGISTRATION: [RangeInclusive<u16>; 3] = [92..=92, 114..=116, 118..=119];

/// The numbers that recovery by mail answers for.
const RECOVERY: [RangeInclusive<u16>; 2] = [147..=147, 149..=150];

/// The numbers that pushed requests, request objects, requests of our own and logout answer for.
const REQUESTS_AND_LOGOUT: [RangeInclusive<u16>; 3] = [75..=89, 93..=94, 171..=175];

/// Every list of numbers that is in question; more roads add theirs.
const IN_QUESTION: [&[RangeInclusive<u16>]; 5] =
    [&MAIN_ROAD, &KEYS_OF_CLIENTS, &REGISTRATION, &RECOVERY, &REQUESTS_AND_LOGOUT];

/// What does not apply, or not yet, and why.
const NOT_APPLICABLE: [(u16, &str); 1] = [(
    86,
    "there is no JARM: response_mode=jwt and its kin are refused and not advertised, so no answer is a JWT",
)];

/// The numbers that a text cites: `threat 29`, `threats 4, 5 and 6`, `Threats 15–27, 30`.
fn cited(text: &str) -> BTreeSet<u16> {
    let mut numbers = BTreeSet::new();
    let lower = text.to_lowercase();
    for (at, word) in lower.match_indices("threat") {
        let rest = &lower[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let Some(mut rest) = rest.strip_prefix(' ') else { continue };
        let mut range_from: Option<u16> = None;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let Ok(number) = rest[..digits].parse::<u16>() else { break };
            match range_from.take() {
                Some(from) => numbers.extend(from..=number),
                None => drop(numbers.insert(number)),
            }
            rest = &rest[digits..];
            if let Some(after) = rest.strip_prefix('–').or_else(|| rest.strip_prefix('-')) {
                (range_from, rest) = (Some(number), after);
            } else if let Some(after) = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(" and ")) {
                rest = after;
            } else {
                break;
            }
        }
    }
    numbers
}

/// Where tests cite threats: by number, the files.
fn citations() -> BTreeMap<u16, BTreeSet<&'static str>> {
    let mut found: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    for file in SOURCES.iter().filter(|file| file.path != "tests/threats.rs") {
        let mut offset = 0;
        for line in file.text.split_inclusive('\n') {
            if is_in_a_test(file, offset) {
                for number in cited(line) {
                    found.entry(number).or_default().insert(&file.path);
                }
            }
            offset += line.len();
        }
    }
    found
}

fn is_in_a_test(file: &SourceFile, offset: usize) -> bool {
    let support = file.path.starts_with("tests/support/");
    !support && file.is_test(offset)
}

#[test]
fn every_threat_in_question_is_cited_by_a_test_or_excused_with_a_reason() {
    let citations = citations();
    let excused: BTreeMap<u16, &str> = NOT_APPLICABLE.into_iter().collect();
    let in_question: BTreeSet<u16> =
        IN_QUESTION.iter().flat_map(|list| list.iter().cloned().flatten()).collect();
    let missing: Vec<u16> = in_question
        .iter()
        .copied()
        .filter(|number| !citations.contains_key(number) && !excused.contains_key(number))
        .collect();
    assert!(missing.is_empty(), "no test cites these threats: {missing:?}");
    for (number, why) in NOT_APPLICABLE {
        assert!(why.len() > 20, "threat {number} is excused without a reason");
        let files = citations.get(&number);
        assert!(files.is_none(), "threat {number} is excused, and tested in {files:?}");
    }
}

#[test]
fn citations_are_read_as_they_are_written() {
    let numbers = |text| cited(text).into_iter().collect::<Vec<_>>();
    assert_eq!(numbers("// threat 29"), [29]);
    assert_eq!(numbers("/// RFC 6749 §4.1.2; Threats 1, 3–5 and 8, and more"), [1, 3, 4, 5, 8]);
    assert_eq!(numbers("threats 38-41, 500 ms"), [38, 39, 40, 41, 500]);
    assert_eq!(numbers("threatening 12; a threat; threat F-07"), Vec::<u16>::new());
    assert_eq!(numbers("threat 1; threats 2"), [1, 2]);
}
