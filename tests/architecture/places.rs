//! What has one place only: the time, signatures, SQL. And what has none: the Host header.

use super::paths::paths_from;
use super::source::{Finding, SourceFile, bracketed, words};
use super::{assert_kept, found, occurrences};

/// Who may ask what time it is: everybody else gets it as a value, so that tests can move it.
const CLOCKS: [(&str, &str); 1] = [("src/model/clock.rs", "the one clock")];
/// Who may ask how long it took (`Instant`; the runtime's, which tests can pause): no rule of the protocol depends on it.
const STOPWATCHES: [(&str, &str); 6] = [
    ("src/cli/server.rs", "how long a stop has taken"),
    ("src/http/connection.rs", "when a connection has shown no sign of life for too long"),
    ("src/http/pulse.rs", "what the signs of life are, and when each was last seen"),
    ("src/http/router.rs", "how long an answer took"),
    ("src/http/visit.rs", "when a request's body has taken too long"),
    ("src/storage/sqlite_writer.rs", "how long a write has waited for its turn"),
];
/// Who may run a statement that is not a constant of the program.
const WRITTEN_STATEMENTS: [(&str, &str); 2] = [
    ("src/storage/driver.rs", "picks among constants, and opens connections"),
    ("src/storage/migrate.rs", "runs the migrations, which are compiled in"),
];
const SQL: [&str; 7] =
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "PRAGMA "];

fn is_listed(file: &SourceFile, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(path, _)| *path == file.path)
}

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
            occurrences(file, call).into_iter().map(|at| (at, format!("{call}: take the time from a Clock"))),
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
    for at in occurrences(file, "format!(") {
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
        for at in occurrences(file, call) {
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
            occurrences(file, question)
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
