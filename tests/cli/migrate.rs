//! `portreeve migrate`, and the store that commands find.

use super::Operator;
use crate::support::database::on_both_stores;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

on_both_stores! {
    async fn pending_steps_are_told_with_status_1_until_they_are_taken(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        let pending = operator.run(&["migrate", "--check"]);
        assert_eq!((pending.status, pending.output.as_str()), (1, "pending: first_house\npending: openid_connect\n"), "{pending:?}");
        assert_eq!(operator.run(&["migrate", "--check"]).status, 1, "a check changes nothing");
        assert_eq!(operator.done(&["migrate"]), "applied: first_house\napplied: openid_connect\n");
        assert_eq!(operator.done(&["migrate", "--check"]), "");
        assert_eq!(operator.done(&["migrate"]), "");
    }

    async fn a_store_that_was_never_used_gets_its_schema_with_the_first_command(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        assert_eq!(operator.done(&["migrate", "--check"]), "");
    }

    /// threat 199
    async fn a_store_of_a_later_version_is_refused_at_once_and_left_alone(database: TestDatabase) {
        let anywhere = "[listen]\naddress = \"127.0.0.1:0\"\n[operations]\naddress = \"127.0.0.1:0\"\n";
        let operator = Operator::with_store(&database, anywhere);
        operator.done(&["migrate"]);
        let sql = "INSERT INTO schema_history (version, name, checksum, applied_at) VALUES (99, 'later', 'x', 0)";
        if database.url().starts_with("sqlite:") {
            let mut open = SqliteConnection::connect(database.url()).await.unwrap();
            sqlx::query(sql).execute(&mut open).await.unwrap();
        } else {
            let mut open = PgConnection::connect(database.url()).await.unwrap();
            sqlx::query(sql).execute(&mut open).await.unwrap();
        }
        for arguments in [&["serve"][..], &["serve", "--no-migrate"], &["migrate"], &["migrate", "--check"], &["user", "list"]] {
            // A check that cannot tell does not say that steps are pending.
            let status = if arguments.contains(&"--check") { 2 } else { 1 };
            let complaint = operator.refused(status, arguments);
            assert!(complaint.contains("made by another version"), "{complaint}");
            assert!(!complaint.contains("does not answer") && !complaint.contains("not there yet"), "{complaint}");
        }
    }
}

#[test]
fn a_store_that_does_not_answer_is_not_taken_for_an_empty_one() {
    let operator = Operator::with_url("postgres://nobody:hunter2@127.0.0.1:1/none", "");
    let commands: [(&[&str], i32); 4] =
        [(&["migrate", "--check"], 2), (&["migrate"], 1), (&["user", "list"], 1), (&["key", "list"], 1)];
    for (arguments, status) in commands {
        let outcome = operator.run(arguments);
        assert_eq!((outcome.status, outcome.output.as_str()), (status, ""), "{arguments:?}: {outcome:?}");
        assert!(outcome.complaint.contains("the store cannot be used"), "{outcome:?}");
        assert!(!outcome.complaint.contains("hunter2"), "{outcome:?}");
    }
}

#[test]
fn a_check_makes_nothing() {
    let operator = Operator::with_url("sqlite://../data/deep/portreeve.db", "");
    let checked = operator.run(&["migrate", "--check"]);
    assert_eq!((checked.status, checked.output.lines().count() > 0), (1, true), "{checked:?}");
    assert!(checked.output.lines().all(|line| line.starts_with("pending: ")), "{checked:?}");
    assert!(!operator.path("data").exists());
    operator.done(&["migrate"]);
    assert_eq!(operator.done(&["migrate", "--check"]), "");
}
