//! `portreeve user import`.

use super::{Operator, PASSWORD};
use crate::support::database::on_both_stores;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$SQyGrXMzCGTYK4dm7yJoVKHmMhIpFXwYmVHkuqhTYvI";

on_both_stores! {
    async fn every_line_is_a_person(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        let lines = [
            json!({ "username": "Ada", "password": PASSWORD, "claims": { "email": "ada@example.com", "email_verified": true } }),
            json!({ "username": "bob", "password_hash": HASH }),
            json!({ "username": "cyd", "claims": { "groups": ["staff"] } }),
        ];
        let text = lines.map(|line| line.to_string()).join("\n\n");
        assert_eq!(operator.done_with(&text, &["user", "import", "-"]), "3 people are added\n");
        let shown = operator.document(&["user", "show", "ada"]);
        assert_eq!((&shown["password"], &shown["email_verified"]), (&json!(true), &json!(true)));
        assert_eq!(operator.document(&["user", "show", "bob"])["password"], true);
        assert_eq!(operator.document(&["user", "show", "cyd"])["password"], false);
    }

    async fn all_problems_of_all_lines_are_told_and_nobody_is_added(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password", "--email", "ada@example.com", "--email-verified"]);
        let file = operator.write("people.jsonl", &[
            r#"{"username":"good","password":"correct horse battery"}"#,
            r#"{"username":"ada"}"#,
            r#"{"username":"a b","passwort":"hunter2hunter2"}"#,
            r#"{"username":"twin"}"#,
            r#"{"username":"TWIN"}"#,
            r#"not json hunter2"#,
            r#"{"username":"weak","password":"hunter2"}"#,
            r#"{"username":"hash","password_hash":"$2b$12$hunter2"}"#,
            r#"{"username":"both","password":"hunter2hunter2","password_hash":"hunter2"}"#,
            r#"{"username":"claim","claims":{"sub":"x","birthdate":"hunter2"}}"#,
            r#"{"username":"mail","claims":{"email":"ADA@example.com","email_verified":true}}"#,
            r#"{"username":"void","claims":{"email_verified":true}}"#,
            r#"{"claims":[],"password":7}"#,
            r#"{"username":"again","username":"again"}"#,
        ].join("\n"));
        let outcome = operator.run(&["user", "import", file.to_str().unwrap()]);
        assert_eq!(outcome.status, 1, "{outcome:?}");
        for line in [2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
            assert!(outcome.output.contains(&format!("people.jsonl:{line}:")), "{line}: {}", outcome.output);
        }
        for line in [1, 4] {
            assert!(!outcome.output.contains(&format!("people.jsonl:{line}:")), "{line}: {}", outcome.output);
        }
        assert!(outcome.output.contains("people.jsonl:5:2: the same username as in line 4\n"), "{}", outcome.output);
        assert_eq!(outcome.output.matches("people.jsonl:3:").count(), 2, "{}", outcome.output);
        assert_eq!(outcome.output.matches("people.jsonl:10:").count(), 2, "{}", outcome.output);
        assert_eq!(outcome.output.matches("people.jsonl:13:").count(), 3, "{}", outcome.output);
        assert!(!format!("{outcome:?}").contains("hunter2"), "{outcome:?}");
        assert_eq!(operator.document(&["user", "list"])["users"].as_array().unwrap().len(), 1);
    }

    async fn somebody_who_is_there_keeps_the_others_out_too(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        let text = "{\"username\":\"bob\"}\n{\"username\":\"ada\"}\n";
        let outcome = operator.run_with(text, &["user", "import", "-"]);
        assert_eq!(outcome.status, 1);
        assert_eq!(outcome.output, "-:2:2: the username \"ada\" is taken\n");
        operator.refused(1, &["user", "show", "bob"]);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_usage() {
    let operator = Operator::with_url("sqlite://data/portreeve.db", "");
    assert!(operator.refused(2, &["user", "import", "absent.jsonl"]).contains("absent.jsonl"));
    operator.refused(2, &["user", "import", "config"]);
    operator.refused(2, &["user", "import"]);
}

#[test]
fn a_file_of_clear_passwords_that_others_may_read_is_pointed_out() {
    let operator = Operator::with_url("sqlite://data/portreeve.db", "");
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, line, at, warned) in [
        ("ada", json!({ "username": "ada", "password": PASSWORD }), 0o644, true),
        ("bob", json!({ "username": "bob", "password": PASSWORD }), 0o600, false),
        ("cyd", json!({ "username": "cyd", "password_hash": HASH }), 0o644, false),
    ] {
        let file = operator.write(format!("{name}.jsonl"), &line.to_string());
        mode(&file, at);
        let outcome = operator.run(&["user", "import", file.to_str().unwrap()]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        assert_eq!(outcome.complaint.contains("passwords in clear"), warned, "{outcome:?}");
    }
}
