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

on_both_stores! {
    /// A batch is a transaction of its own: a server beside it is not held up by the whole file, and what failed can be gone on with.
    async fn what_fails_in_the_middle_leaves_whole_batches_and_tells_where_to_go_on(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["migrate"]);
        let (fault, mended) = match database.is_postgres() {
            true => ("ALTER TABLE users ADD CONSTRAINT fault CHECK (username <> 'p250')", "ALTER TABLE users DROP CONSTRAINT fault"),
            false => (
                "CREATE TRIGGER fault BEFORE INSERT ON users WHEN NEW.username = 'p250' BEGIN SELECT RAISE(ABORT, 'fault'); END",
                "DROP TRIGGER fault",
            ),
        };
        let lines: Vec<String> = (1..=320).map(|number| {
            let verified = json!({ "email": format!("p{number}@example.com"), "email_verified": true });
            json!({ "username": format!("p{number}"), "password_hash": HASH, "claims": verified }).to_string()
        }).collect();
        database.execute(fault).await;
        // Empty lines count as lines, and as nobody.
        let text = format!("\n\n{}\n", lines.join("\n"));
        let outcome = operator.run_with(&text, &["user", "import", "-"]);
        assert_eq!((outcome.status, outcome.output.as_str()), (1, ""), "{outcome:?}");
        assert!(outcome.complaint.contains("200 people were added before"), "{outcome:?}");
        assert!(outcome.complaint.contains("before line 203"), "{outcome:?}");
        assert_eq!(database.number("SELECT COUNT(*) FROM users").await, 200);
        database.execute(mended).await;
        let again = operator.run_with(&text, &["user", "import", "-"]);
        assert_eq!((again.status, again.output.lines().count()), (1, 400), "everybody who is there is told: {again:?}");
        let rest: Vec<&str> = text.lines().skip(202).collect();
        let file = operator.write("rest.jsonl", &rest.join("\n"));
        assert_eq!(operator.done(&["user", "import", file.to_str().unwrap()]), "120 people are added\n");
        assert_eq!(database.number("SELECT COUNT(*) FROM users").await, 320);
        assert_eq!(database.number("SELECT COUNT(*) FROM audit_events WHERE event = 'user.added'").await, 320);
    }
}

#[test]
fn what_is_wrong_with_the_bytes_of_a_line_is_told_with_its_place() {
    let operator = Operator::with_url("sqlite://data/portreeve.db", "");
    let file = operator.path("people.jsonl");
    let mut bytes = b"\xef\xbb\xbf{\"username\":\"ada\"}\n{\"username\":\"bob\"}\n".to_vec();
    bytes.extend_from_slice(b"{\"username\":\"c\xffd\"}\n{\"username\":\"bob\",\"age\":7}\n");
    std::fs::write(&file, bytes).unwrap();
    let outcome = operator.run(&["user", "import", file.to_str().unwrap()]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    for told in [
        "people.jsonl:1:1: found a byte order mark",
        "people.jsonl:3:15: found bytes that are not UTF-8",
        "people.jsonl:4:1: found an unknown member",
        "people.jsonl:4:2: the same username as in line 2",
    ] {
        assert!(outcome.output.contains(told), "{told}: {outcome:?}");
    }
    assert!(!outcome.output.contains("people.jsonl:2:"), "{outcome:?}");
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
