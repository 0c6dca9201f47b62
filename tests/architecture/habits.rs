//! What nobody writes, what things are called, and how big they may be.

use super::source::{Finding, SourceFile, bracketed, words};
use super::{assert_kept, found, occurrences};

const MOST_LINES: usize = 500;
const VAGUE_NAMES: [&str; 10] =
    ["service", "services", "util", "utils", "common", "helper", "helpers", "misc", "type", "types"];
const VAGUE_VERBS: [&str; 4] = ["handle_", "process_", "manage_", "do_"];

// ---- what nobody writes ------------------------------------------------------------------------------------------

fn unfinished_code(file: &SourceFile) -> Vec<Finding> {
    let marks = ["todo!", "unimplemented!"].into_iter();
    marks.flat_map(|mark| file.code.match_indices(mark).map(|(at, mark)| (at, mark.to_owned()))).collect()
}

#[test]
fn nothing_is_left_to_be_written() {
    assert_kept(unfinished_code);
}

#[test]
fn code_left_to_be_written_is_found() {
    let planted = "fn f() { todo!() }\nfn g() { std::unimplemented!(\"later\") }\n";
    assert_eq!(found(unfinished_code, "src/grants/x.rs", planted), [1, 2]);
    assert_eq!(found(unfinished_code, "tests/grants/x.rs", planted), [1, 2]);
}

fn ignored_tests(file: &SourceFile) -> Vec<Finding> {
    let marks = ["#[ignore", "ignore)]"].into_iter();
    marks
        .flat_map(|mark| file.code.match_indices(mark).map(|(at, _)| (at, "an ignored test".into())))
        .collect()
}

#[test]
fn no_test_is_ignored() {
    assert_kept(ignored_tests);
}

#[test]
fn an_ignored_test_is_found() {
    let planted = "#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn b() {}\n#[cfg_attr(unix, ignore)]\nfn c() {}\n";
    assert_eq!(found(ignored_tests, "tests/grants/x.rs", planted), [2, 4, 6]);
}

fn lints_silenced_without_a_word(file: &SourceFile) -> Vec<Finding> {
    let marks = ["#[allow(", "#![allow(", "#[expect(", "#![expect("].into_iter();
    let places =
        marks.flat_map(|mark| occurrences(file, mark).into_iter().map(move |at| (at, at + mark.len() - 1)));
    let is_silent = |(at, open): &(usize, usize)| {
        let line = file.text[*at..].lines().next().unwrap_or_default();
        let before = file.text[..*at].trim_end().lines().last().unwrap_or_default().trim_start();
        let explained = before.starts_with("//") && !before.starts_with("///") && !before.starts_with("//!");
        !(explained || line.contains("//") || file.speech[bracketed(&file.code, *open)].contains("reason ="))
    };
    places.filter(is_silent).map(|(at, _)| (at, "a lint is silenced, and nothing says why".into())).collect()
}

#[test]
fn whoever_silences_a_lint_says_why() {
    assert_kept(lints_silenced_without_a_word);
}

#[test]
fn a_lint_that_is_silenced_without_a_reason_is_found() {
    let planted = "#[allow(dead_code)]\nfn a() {}\n#[allow(dead_code)] // used by b\nfn b() {}\n// why\n#[allow(dead_code)]\nfn c() {}\n\
                   #[expect(dead_code, reason = \"d\")]\nfn d() {}\n/// What e is.\n#[allow(dead_code)]\nfn e() {}\n";
    assert_eq!(found(lints_silenced_without_a_word, "src/grants/x.rs", planted), [1, 11]);
}

// ---- names, sizes, depth -----------------------------------------------------------------------------------------

fn vague_modules(file: &SourceFile) -> Vec<Finding> {
    let folders = file.path.trim_end_matches(".rs").split('/').filter(|name| VAGUE_NAMES.contains(name));
    let mut findings: Vec<Finding> = folders.map(|name| (0, format!("{name} says nothing"))).collect();
    for at in words(&file.code, "mod") {
        let rest = file.code[at + "mod".len()..].trim_start();
        let name =
            rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap_or_default();
        if VAGUE_NAMES.contains(&name) {
            findings.push((at, format!("{name} says nothing")));
        }
    }
    findings
}

#[test]
fn a_module_is_named_by_what_is_in_it() {
    assert_kept(vague_modules);
}

#[test]
fn a_module_whose_name_says_nothing_is_found() {
    assert_eq!(found(vague_modules, "src/http/utils.rs", "//! Odds.\n"), [1]);
    assert_eq!(found(vague_modules, "src/services/mod.rs", "//! Ends.\n"), [1]);
    assert_eq!(found(vague_modules, "src/http/x.rs", "\npub(crate) mod helpers {\n}\n"), [2]);
    assert_eq!(found(vague_modules, "src/protocol/grant_type.rs", "mod token_types;\n"), Vec::<usize>::new());
}

fn vague_functions(file: &SourceFile) -> Vec<Finding> {
    let name = |at: usize| file.code[at + "fn".len()..].trim_start();
    let vague = |at: &usize| VAGUE_VERBS.iter().any(|verb| name(*at).starts_with(verb));
    words(&file.code, "fn")
        .filter(vague)
        .map(|at| (at, "a function is named by the standard's verb".into()))
        .collect()
}

#[test]
fn a_function_is_named_by_what_it_does() {
    assert_kept(vague_functions);
}

#[test]
fn a_function_whose_name_says_nothing_is_found() {
    let planted = "pub async fn handle_token() {}\nfn process_x() {}\nfn manage_y() {}\nfn redeem() {}\nfn handle() {}\n";
    assert_eq!(found(vague_functions, "src/http/x.rs", planted), [1, 2, 3]);
}

fn long_files(file: &SourceFile) -> Vec<Finding> {
    let lines = file.text.lines().count();
    let end = file.text.len();
    if lines > MOST_LINES { vec![(end, format!("{lines} lines, {MOST_LINES} are the most"))] } else { vec![] }
}

#[test]
fn a_file_has_at_most_500_lines() {
    assert_kept(long_files);
}

#[test]
fn a_file_of_501_lines_is_found() {
    assert_eq!(found(long_files, "src/http/x.rs", &"\n".repeat(501)).len(), 1);
    assert_eq!(found(long_files, "tests/http/x.rs", &"\n".repeat(501)).len(), 1);
    assert_eq!(found(long_files, "src/http/x.rs", &"\n".repeat(500)), Vec::<usize>::new());
}

fn deep_files(file: &SourceFile) -> Vec<Finding> {
    let below = file.path.strip_prefix("src/").map(|path| path.trim_start_matches("clients/authentication/"));
    let depth = below.map_or(0, |path| path.split('/').count());
    if depth > 2 { vec![(0, "more than two below src/".into())] } else { vec![] }
}

#[test]
fn rooms_are_flat() {
    assert_kept(deep_files);
}

#[test]
fn a_room_within_a_room_is_found() {
    assert_eq!(found(deep_files, "src/http/pages/login.rs", ""), [1]);
    assert_eq!(found(deep_files, "src/clients/authentication/basic.rs", ""), Vec::<usize>::new());
    assert_eq!(found(deep_files, "src/clients/authentication/jwt/a/b.rs", ""), [1]);
}

fn files_without_a_door_plate(file: &SourceFile) -> Vec<Finding> {
    // Tests stand beside what they test, and its plate is theirs.
    if file.room().is_none() || file.path.ends_with("_tests.rs") {
        return vec![];
    }
    let plate = file.text.lines().next().and_then(|line| line.strip_prefix("//!"));
    if plate.is_some_and(|plate| !plate.trim().is_empty()) {
        vec![]
    } else {
        vec![(0, "does not open with //!".into())]
    }
}

#[test]
fn every_room_and_every_file_opens_with_what_it_is_for() {
    assert_kept(files_without_a_door_plate);
}

#[test]
fn a_file_that_does_not_open_with_what_it_is_for_is_found() {
    for planted in ["", "//!\n", "use std::fmt;\n//! Late.\n", "/// Of an item.\nfn f() {}\n"] {
        assert_eq!(found(files_without_a_door_plate, "src/grants/mod.rs", planted), [1]);
    }
}
