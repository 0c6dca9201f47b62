//! `portreeve user`, but for what it ends (`ending`) and `import`.

use super::{Operator, PASSWORD};
use crate::support::database::on_both_stores;
use serde_json::json;

on_both_stores! {
    async fn a_person_is_added_with_claims_and_a_password_that_nobody_sees(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        let arguments = [
            "user", "add", "Ada", "--email", "Ada@Example.com", "--email-verified", "--claim", "given_name=Ada",
            "--claim", "address={\"country\":\"GB\"}", "--password-stdin",
        ];
        operator.done_with(&format!("{PASSWORD}\r\nand more"), &arguments);
        let shown = operator.document(&["user", "show", "ADA"]);
        assert_eq!(shown["username"], "ada");
        assert_eq!(shown["email_verified"], true);
        assert_eq!(shown["password"], true);
        assert_eq!(
            shown["claims"],
            json!({ "given_name": "Ada", "address": { "country": "GB" }, "email": "Ada@Example.com", "email_verified": true })
        );
        assert!(shown["sub"].as_str().unwrap().starts_with("usr_"));
        assert!(!shown.to_string().contains("argon2"));
        let listed = operator.document(&["user", "list"]);
        assert_eq!(listed["users"][0]["sub"], shown["sub"]);
        assert!(operator.done(&["user", "list"]).starts_with("ada  enabled  Ada@Example.com"));
    }

    async fn another_password_is_demanded_at_the_first_or_the_next_sign_in(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done_with(PASSWORD, &["user", "add", "ada", "--must-change-password", "--password-stdin"]);
        operator.done_with(PASSWORD, &["user", "add", "bob", "--password-stdin"]);
        let demanded = |name| operator.document(&["user", "show", name]).get("must_change_password").cloned();
        assert_eq!((demanded("ada"), demanded("bob")), (Some(json!(true)), None));
        operator.done(&["user", "set", "bob", "--must-change-password"]);
        assert_eq!(demanded("bob"), Some(json!(true)));
        // an operator's password is not the person's own
        operator.done_with("an operator's password", &["user", "password", "bob", "--password-stdin"]);
        assert_eq!(demanded("bob"), Some(json!(true)));
        operator.refused(2, &["user", "set", "ada"]);
        operator.refused(2, &["user", "add", "eve", "--no-password", "--must-change-password"]);
    }

    async fn a_name_or_verified_address_of_somebody_is_refused(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        let email = ["--email", "ada@example.com", "--no-password"];
        operator.done(&[&["user", "add", "ada", "--email-verified"], &email[..]].concat());
        let taken = operator.refused(1, &["user", "add", "ADA", "--no-password"]);
        assert!(taken.contains("the username \"ada\" is taken"), "{taken}");
        let verified = [&["user", "add", "eve", "--email-verified"], &email[..]].concat();
        assert!(operator.refused(1, &verified).contains("verified for somebody else"));
        // Unverified it is only what somebody says of themselves.
        operator.done(&[&["user", "add", "bob"], &email[..]].concat());
        let complaint = operator.refused(1, &["user", "set", "bob", "--email-verified"]);
        assert!(complaint.contains("verified for somebody else"), "{complaint}");
        assert_eq!(operator.document(&["user", "show", "bob"])["email_verified"], false);
    }

    async fn a_password_that_may_be_none_adds_nobody(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        for (password, status) in
            [("short\n", 1), ("\n", 2), ("", 2), ("alexandra\n", 1), ("tab\there and there\n", 1)]
        {
            let complaint = operator.refused_with(password, status, &["user", "add", "alexandra", "--password-stdin"]);
            assert!(password.trim().is_empty() || !complaint.contains("tab"), "{complaint}");
        }
        let long = format!("{}\n", "x".repeat(9000));
        operator.refused_with(&long, 1, &["user", "add", "alexandra", "--password-stdin"]);
        // Without a terminal there is nobody to ask.
        let complaint = operator.refused_with(PASSWORD, 2, &["user", "add", "alexandra"]);
        assert!(complaint.contains("--password-stdin"), "{complaint}");
        assert_eq!(operator.document(&["user", "list"])["users"], json!([]));
    }

    async fn claims_change_and_go_and_updated_at_moves(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password", "--claim", "nickname=Countess", "--claim", "groups=[\"a\"]"]);
        let before = operator.document(&["user", "show", "ada"]);
        operator.done(&["user", "set", "ada", "--unset", "nickname", "--claim", "groups=[\"b\"]"]);
        let after = operator.document(&["user", "show", "ada"]);
        assert_eq!(after["claims"], json!({ "groups": ["b"] }));
        assert_eq!(after["sub"], before["sub"]);
        assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    }

    async fn an_address_that_changes_is_not_verified_any_more(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password", "--email", "a@example.com", "--email-verified"]);
        let verified = |operator: &Operator| operator.document(&["user", "show", "ada"])["email_verified"].clone();
        operator.done(&["user", "set", "ada", "--claim", "nickname=Countess"]);
        assert_eq!(verified(&operator), true);
        operator.done(&["user", "set", "ada", "--email", "b@example.com"]);
        assert_eq!(verified(&operator), false);
        operator.done(&["user", "set", "ada", "--email-verified"]);
        assert_eq!(verified(&operator), true);
        operator.done(&["user", "set", "ada", "--unset", "email"]);
        assert_eq!(operator.document(&["user", "show", "ada"])["claims"], json!({ "nickname": "Countess" }));
        operator.refused(2, &["user", "set", "ada", "--email-verified"]);
        // The address is free again.
        operator.done(&["user", "add", "eve", "--no-password", "--email", "b@example.com", "--email-verified"]);
    }

    async fn a_claim_that_cannot_be_set_changes_nothing(database: TestDatabase) {
        // threat 75
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password", "--claim", "nickname=Countess"]);
        let before = operator.document(&["user", "show", "ada"]);
        for claim in ["sub=usr_eve", "iss=https://evil.example", "acr=2", "updated_at=1", "Email=x", "nickname", "birthdate=today"] {
            operator.refused(2, &["user", "set", "ada", "--unset", "nickname", "--claim", claim]);
            operator.refused(2, &["user", "add", "bob", "--no-password", "--claim", claim]);
        }
        operator.refused(2, &["user", "set", "ada", "--email", "no address"]);
        operator.refused(2, &["user", "set", "ada"]);
        operator.refused(2, &["user", "add", "bob", "--no-password", "--email-verified"]);
        assert_eq!(operator.document(&["user", "list"])["users"].as_array().unwrap().len(), 1);
        assert_eq!(operator.document(&["user", "show", "ada"]), before);
    }

    async fn of_nobody_nothing_is_shown_or_changed(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        for arguments in [
            &["user", "show", "nobody"][..],
            &["user", "set", "nobody", "--claim", "nickname=N"],
            &["user", "password", "nobody", "--password-stdin"],
            &["user", "disable", "nobody"],
            &["user", "enable", "nobody"],
            &["user", "delete", "nobody"],
            &["revoke", "--user", "nobody"],
        ] {
            let complaint = operator.refused_with(PASSWORD, 1, arguments);
            assert!(complaint.contains("nobody has the username \"nobody\""), "{arguments:?}: {complaint}");
        }
    }

    async fn names_that_are_none_are_refused_as_usage(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        for name in ["ada@example.com", "a b", "", "асе", "a\u{200b}da"] {
            operator.refused(2, &["user", "add", name, "--no-password"]);
            operator.refused(2, &["user", "disable", name]);
        }
        operator.refused(2, &["user", "add", "ada", "--no-password", "--password-stdin"]);
    }

    async fn whoever_is_deleted_may_come_again_as_somebody_else(database: TestDatabase) {
        let operator = Operator::with_store(&database, "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        let before = operator.document(&["user", "show", "ada"])["sub"].clone();
        operator.done(&["user", "delete", "ada"]);
        assert_eq!(operator.done(&["user", "list"]), "");
        operator.done(&["user", "add", "ada", "--no-password"]);
        assert_ne!(operator.document(&["user", "show", "ada"])["sub"], before);
    }
}
