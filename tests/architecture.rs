//! The house rules, read from the sources, because the compiler lets them all pass. Each is a test; next to it stands
//! another that plants a violation and sees it found. A failure lists each place as `file:line: what was found`.
//!
//! - [`floors`]: which room may import which other, and which crates.
//! - [`habits`]: time, cryptography, SQL and the Host header have one place each; names, sizes, depth.
//! - [`source`], [`paths`]: how the sources are read: no comments, no strings, tests told apart.

mod floors;
mod habits;
mod paths;
mod source;

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

#[test]
fn the_sources_are_really_read() {
    for path in ["src/lib.rs", "src/model/clock.rs", "tests/architecture.rs"] {
        assert!(SOURCES.iter().any(|file| file.path == path && !file.text.is_empty()), "{path}");
    }
}
