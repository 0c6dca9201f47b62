//! The text of every test, for tests that hold a table of names against it.

use std::path::Path;

/// What all sources of the tests say.
pub fn of_all_tests() -> String {
    of(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")))
}

fn of(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&of(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).expect("a file"));
        }
    }
    text
}
