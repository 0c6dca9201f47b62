//! `portreeve key`.

use super::Operator;
use crate::support::database::on_both_stores;
use serde_json::Value;

fn keys(operator: &Operator) -> Vec<Value> {
    operator.document(&["key", "list"])["keys"].as_array().unwrap().clone()
}

fn in_state(keys: &[Value], state: &str) -> usize {
    keys.iter().filter(|key| key["state"] == state).count()
}

on_both_stores! {
    /// threat 181
    async fn a_successor_is_announced_before_it_signs_and_only_once(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        assert_eq!(keys(&operator).len(), 0);
        assert_eq!(operator.done(&["key", "rotate"]).matches("signs from now on").count(), 3);
        assert_eq!(in_state(&keys(&operator), "signing"), 3);
        assert_eq!(operator.done(&["key", "rotate"]).matches("is announced, and signs from 2").count(), 3);
        let again = operator.run(&["key", "rotate"]);
        assert_eq!((again.status, again.output.as_str()), (0, ""));
        assert_eq!(again.complaint.matches("is announced already").count(), 3, "{again:?}");
        let keys = keys(&operator);
        assert_eq!((in_state(&keys, "signing"), in_state(&keys, "announced")), (3, 3));
        assert!(keys.iter().all(|key| key["since"].is_string() && key["signs_from"].is_string()));
        assert!(!format!("{keys:?}").contains("\"d\""));
    }

    async fn a_key_that_is_taken_out_is_replaced_at_once(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["key", "rotate"]);
        let kid = keys(&operator)[0]["kid"].as_str().unwrap().to_owned();
        assert!(operator.done(&["key", "retire", &kid]).contains("signs from now on"));
        let left = keys(&operator);
        assert_eq!((in_state(&left, "signing"), in_state(&left, "removed")), (3, 1));
        let again = operator.run(&["key", "retire", &kid]);
        assert_eq!((again.status, again.output.as_str()), (0, ""), "{again:?}");
        assert_eq!(keys(&operator), left);
    }

    async fn a_key_that_is_not_there_is_not_taken_out(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        assert!(operator.refused(1, &["key", "retire", "-nope"]).contains("-nope"));
        assert_eq!(keys(&operator).len(), 0);
    }

    /// A key sealed otherwise would stop every replica.
    async fn a_secret_key_that_is_not_the_servers_makes_no_key(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["key", "rotate"]);
        let before = keys(&operator);
        let other = Operator::with_store(&database, "");
        assert!(other.refused(1, &["key", "rotate"]).contains("secret_key"));
        let kid = before[0]["kid"].as_str().unwrap();
        other.refused(1, &["key", "retire", kid]);
        assert_eq!(keys(&operator), before);
    }
}
