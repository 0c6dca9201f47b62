//! What the outside sees, written down so that a change of it is reviewed: metadata, errors, headers, the shape of tokens.
//!
//! A difference fails and is shown; `PORTREEVE_TEST_WRITE_GOLDEN=1 ./tests/run golden` writes the files anew.

mod errors;
mod headers;
mod metadata;
mod tokens;

use std::path::Path;

/// When set, the files are written instead of compared.
const WRITE: &str = "PORTREEVE_TEST_WRITE_GOLDEN";

/// Holds `actual` against the file `name` of this folder.
fn assert_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os(WRITE).is_some_and(|value| !value.is_empty()) {
        std::fs::write(&path, actual).expect("the file can be written");
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if golden != actual {
        let difference = difference(&golden, actual);
        panic!(
            "tests/golden/{name} says otherwise (- golden, + now); if this is meant, {WRITE}=1 writes it anew:\n{difference}"
        );
    }
}

/// The lines that differ, each with what stands right before it.
fn difference(golden: &str, actual: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (golden.lines().collect(), actual.lines().collect());
    // longest common subsequence, from the end: the files are short
    let mut common = vec![vec![0_usize; after.len() + 1]; before.len() + 1];
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            common[i][j] = match old == new {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut told) = (0, 0, Vec::new());
    let mut last_equal = None;
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            last_equal = Some(before[i]);
            (i, j) = (i + 1, j + 1);
            continue;
        }
        told.extend(last_equal.take().map(|line| format!("  {line}")));
        if j == after.len() || i < before.len() && common[i + 1][j] >= common[i][j + 1] {
            told.push(format!("- {}", before[i]));
            i += 1;
        } else {
            told.push(format!("+ {}", after[j]));
            j += 1;
        }
    }
    told.join("\n")
}

#[test]
fn a_difference_shows_the_lines_that_changed_and_where() {
    let told = difference("a\nb\nc\nd\n", "a\nB\nc\nd\ne\n");
    assert_eq!(told, "  a\n- b\n+ B\n  d\n+ e");
    assert_eq!(difference("", "x\n"), "+ x");
    assert_eq!(difference("x\ny\n", "y\n"), "- x");
}
