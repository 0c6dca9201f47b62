//! The house rules, read from the sources, because the compiler lets them all pass. Each is a test; next to it stands
//! another that plants a violation and sees it found. A failure lists each place as `file:line: what was found`.
//!
//! - [`floors`]: which room may import which other, and which crates.
//! - [`places`]: time, signatures and SQL have one place each, the Host header none.
//! - [`habits`]: what nobody writes; names, sizes, depth.
//! - [`source`], [`paths`]: how the sources are read: no comments, no strings, tests told apart.

mod floors;
mod habits;
mod paths;
mod places;
pub mod source;

use source::{Finding, SOURCES, SourceFile};

/// A rule looks at one file.
type Rule = fn(&SourceFile) -> Vec<Finding>;

fn assert_kept(rule: Rule) {
    let mut broken = Vec::new();
    for file in SOURCES.iter() {
        for (offset, what) in rule(file) {
            broken.push(format!("{}:{}: {what}", file.path, file.line(offset)));
        }
    }
    assert!(broken.is_empty(), "{} places break this rule:\n{}\n", broken.len(), broken.join("\n"));
}

/// The lines that `rule` finds in `text`, were it the file at `path`.
fn found(rule: Rule, path: &str, text: &str) -> Vec<usize> {
    let file = SourceFile::new(path, text);
    let mut lines: Vec<usize> = rule(&file).into_iter().map(|(offset, _)| file.line(offset)).collect();
    lines.sort_unstable();
    lines
}

/// Every place of `src/` where `pattern` stands in code that is not a test.
fn occurrences(file: &SourceFile, pattern: &str) -> Vec<usize> {
    let all = file.code.match_indices(pattern).map(|(at, _)| at);
    all.filter(|at| file.room().is_some() && !file.is_test(*at)).collect()
}

#[test]
fn the_sources_are_really_read() {
    for path in ["src/lib.rs", "src/model/clock.rs", "tests/architecture.rs"] {
        assert!(SOURCES.iter().any(|file| file.path == path && !file.text.is_empty()), "{path}");
    }
}
