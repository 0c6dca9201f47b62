//! What has one place only, what nobody may write, what things are called and how big they may be.

use super::paths::paths_from;
use super::source::{Finding, SourceFile, bracketed, words};
use super::{assert_kept, found};

/// Who may ask what time it is: everybody else gets it as a value, so that tests can move it.
const CLOCKS: [(&str, &str); 1] = [("src/model/clock.rs", "the one clock")];
/// Who may ask how long something took (`Instant`): no rule of the protocol depends on it.
const STOPWATCHES: [(&str, &str); 3] = [
    ("src/http/connection.rs", "how long a connection has been idle"),
    ("src/http/pulse.rs", "how fast a peer sends and reads"),
    ("src/http/visit.rs", "how long a request took, for the log and the metrics"),
];
/// Who may run a statement that is not a constant of the program.
const WRITTEN_STATEMENTS: [(&str, &str); 2] = [
    ("src/storage/driver.rs", "picks among constants, and opens connections"),
    ("src/storage/migrate.rs", "runs the migrations, which are compiled in"),
];
const MOST_LINES: usize = 500;
const VAGUE_NAMES: [&str; 10] =
    ["service", "services", "util", "utils", "common", "helper", "helpers", "misc", "type", "types"];
const VAGUE_VERBS: [&str; 4] = ["handle_", "process_", "manage_", "do_"];
const SQL: [&str; 7] =
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "PRAGMA "];

/// Every place of `src/` where `pattern` stands in code that is not a test.
fn places(file: &SourceFile, pattern: &str) -> Vec<usize> {
    let all = file.code.match_indices(pattern).map(|(at, _)| at);
    all.filter(|at| file.room().is_some() && !file.is_test(*at)).collect()
}

fn is_listed(file: &SourceFile, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(path, _)| *path == file.path)
}

// ---- one place only ----------------------------------------------------------------------------------------------

fn ambient_time(file: &SourceFile) -> Vec<Finding> {
    if is_listed(file, &CLOCKS) {
        return vec![];
    }
    let mut findings = Vec::new();
    for call in ["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"] {
        if call == "Instant::now" && is_listed(file, &STOPWATCHES) {
            continue;
        }
        findings.extend(
            places(file, call).into_iter().map(|at| (at, format!("{call}: take the time from a Clock"))),
        );
    }
    findings
}

#[test]
fn only_the_clock_asks_for_the_time() {
    assert_kept(ambient_time);
}

#[test]
fn a_question_for_the_time_elsewhere_is_found() {
    let planted = "fn f() {\n    std::time::SystemTime::now();\n    tokio::time::Instant::now();\n}\n";
    assert_eq!(found(ambient_time, "src/http/x.rs", planted), [2, 3]);
    assert_eq!(found(ambient_time, "src/http/pulse.rs", planted), [2]);
    assert_eq!(found(ambient_time, "src/model/clock.rs", planted), Vec::<usize>::new());
}

fn unguarded_tokens(file: &SourceFile) -> Vec<Finding> {
    if file.room().is_none() || file.room() == Some("jose") {
        return vec![];
    }
    let is_call = |path: &Vec<String>| matches!(path[0].as_str(), "encode" | "decode" | "dangerous" | "*");
    let calls = paths_from(file, "jsonwebtoken").into_iter().filter(|(_, path)| is_call(path));
    calls.map(|(at, path)| (at, format!("jsonwebtoken::{} outside jose", path.join("::")))).collect()
}

#[test]
fn only_jose_signs_and_verifies_tokens() {
    assert_kept(unguarded_tokens);
}

#[test]
fn a_token_decoded_or_encoded_outside_jose_is_found() {
    let planted = "use jsonwebtoken::{Header,\n decode};\nfn f() { jsonwebtoken::encode(a) }\n";
    assert_eq!(found(unguarded_tokens, "src/tokens/x.rs", planted), [2, 3]);
    assert_eq!(found(unguarded_tokens, "src/jose/verify.rs", planted), Vec::<usize>::new());
}

// threat 187
fn composed_statements(file: &SourceFile) -> Vec<Finding> {
    if file.room().is_none() {
        return vec![];
    }
    let mut findings = Vec::new();
    for name in [
        "query",
        "query_as",
        "query_scalar",
        "query_with",
        "query_as_with",
        "query_scalar_with",
        "raw_sql",
        "AssertSqlSafe",
    ] {
        for at in file.words(name) {
            if name == "AssertSqlSafe" && !is_listed(file, &WRITTEN_STATEMENTS) {
                findings.push((at, "a statement that is not a constant".into()));
            }
            let Some(open) = opening_of_call(&file.code, at + name.len()) else { continue };
            let arguments = bracketed(&file.code, open);
            let mut composed = ["format", "format_args"].into_iter();
            if composed.any(|name| words(&file.code[arguments.clone()], name).next().is_some()) {
                findings.push((at, format!("{name} of a text that is put together")));
            }
        }
    }
    for at in places(file, "format!(") {
        if begins_with_sql(&file.speech[at + "format!(".len()..]) {
            findings.push((at, "a statement is put together".into()));
        }
    }
    findings
}

/// The bracket of `name(…)` or `name::<…>(…)`, when it is a call.
fn opening_of_call(code: &str, after_name: usize) -> Option<usize> {
    let rest = &code[after_name..];
    if rest.starts_with('(') {
        return Some(after_name);
    }
    let generics = rest.strip_prefix("::<")?;
    let end = generics.find(">(")?;
    (!generics[..end].contains(';')).then_some(after_name + "::<".len() + end + 1)
}

fn begins_with_sql(literal: &str) -> bool {
    let inside = literal
        .trim_start()
        .trim_start_matches(['r', '#'])
        .strip_prefix('"')
        .map(|text| text.trim_start_matches(['\\', '\n', ' ']));
    inside.is_some_and(|text| SQL.iter().any(|verb| text.starts_with(verb)))
}

#[test]
fn no_statement_is_put_together_at_run_time() {
    assert_kept(composed_statements);
}

#[test]
fn a_statement_that_is_put_together_is_found() {
    for planted in [
        "sqlx::query(&format!(\"SELECT {x}\"))",
        "sqlx::query_as::<_, Row>(\n    &*format!(\"{x}\"))",
        "query_scalar(AssertSqlSafe(text))",
        "let text = format!(\"UPDATE {table} SET x = 1\");",
        "let text = format!(r#\"\n  DELETE FROM {table}\"#);",
    ] {
        assert!(!found(composed_statements, "src/storage/grants.rs", planted).is_empty(), "{planted}");
    }
    for lawful in [
        "sqlx::query(\"SELECT 1\").bind(format!(\"{x}\"))",
        "fn query(&self) -> String { format!(\"a\") }",
        "format!(\"SELECTED\")",
    ] {
        assert_eq!(
            found(composed_statements, "src/storage/grants.rs", lawful),
            Vec::<usize>::new(),
            "{lawful}"
        );
    }
}

fn statements_outside_storage(file: &SourceFile) -> Vec<Finding> {
    if file.room().is_none_or(|room| room == "storage") {
        return vec![];
    }
    let literals = file.speech.match_indices('"').filter(|(at, _)| begins_with_sql(&file.speech[*at..]));
    literals.filter(|(at, _)| !file.is_test(*at)).map(|(at, _)| (at, "SQL outside storage".into())).collect()
}

#[test]
fn only_storage_knows_sql() {
    assert_kept(statements_outside_storage);
}

#[test]
fn a_statement_outside_storage_is_found() {
    let planted = "const A: &str = \"a\";\nconst B: &str = \"\n    SELECT x FROM y\";\n// \"SELECT x\"\n";
    assert_eq!(found(statements_outside_storage, "src/grants/x.rs", planted), [2]);
    assert_eq!(found(statements_outside_storage, "src/storage/x.rs", planted), Vec::<usize>::new());
}

// threat 162: issuer and URLs come from the configuration; what the request says of its host is not even looked at
fn questions_for_the_host(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in [".get(", ".get_all(", ".contains_key(", ".remove(", ".typed_get("] {
        for at in places(file, call) {
            let argument: String =
                file.speech[bracketed(&file.code, at + call.len() - 1)].replace([' ', '\n', '&'], "");
            let name = argument.rsplit("::").next().unwrap_or_default().to_ascii_lowercase();
            if argument.ends_with("HOST")
                || matches!(name.trim_matches('"'), "host" | "x-forwarded-host") && argument.contains('"')
            {
                findings.push((at, format!("{call}{argument}) asks for the request's host")));
            }
        }
    }
    for question in [
        "extract::Host",
        ".uri().host()",
        ".uri().authority()",
        ".uri.host()",
        ".uri.authority()",
        "::X_FORWARDED_HOST",
    ] {
        findings.extend(
            places(file, question)
                .into_iter()
                .map(|at| (at, format!("{question} asks for the request's host"))),
        );
    }
    findings
}

#[test]
fn nobody_asks_a_request_for_its_host() {
    assert_kept(questions_for_the_host);
}

#[test]
fn a_question_for_the_requests_host_is_found() {
    for planted in [
        "request.headers().get(\"host\")",
        "headers.get(\"Host\")",
        "headers.get_all(header::HOST)",
        "headers.get(&HOST)",
        "headers.get( axum::http::header::HOST )",
        "headers.contains_key(\"X-Forwarded-Host\")",
        "use axum_extra::extract::Host;",
        "request.uri().authority()",
    ] {
        assert_eq!(found(questions_for_the_host, "src/http/x.rs", planted), [1], "{planted}");
    }
    for lawful in [
        "request.header(HOST, name)",
        "hosts.get(host)",
        "parameters.get(\"login_hint\")",
        "// get(\"host\")",
    ] {
        assert_eq!(found(questions_for_the_host, "src/http/x.rs", lawful), Vec::<usize>::new(), "{lawful}");
    }
}

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
        marks.flat_map(|mark| places(file, mark).into_iter().map(move |at| (at, at + mark.len() - 1)));
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
