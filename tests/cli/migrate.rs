//! `portreeve migrate`, and the store that commands find.

use super::Operator;
use crate::support::database::on_both_stores;

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
}

#[test]
fn a_store_that_does_not_answer_is_not_taken_for_an_empty_one() {
    let operator = Operator::with_url("postgres://nobody:hunter2@127.0.0.1:1/none", "");
    for arguments in [&["migrate", "--check"][..], &["migrate"], &["user", "list"], &["key", "list"]] {
        let outcome = operator.run(arguments);
        assert_eq!((outcome.status, outcome.output.as_str()), (1, ""), "{arguments:?}: {outcome:?}");
        assert!(outcome.complaint.contains("the store cannot be used"), "{outcome:?}");
        assert!(!outcome.complaint.contains("hunter2"), "{outcome:?}");
    }
}
