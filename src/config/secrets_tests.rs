//! Secrets: where they may stand, who may read their files, and that nothing ever shows them (threats 179, 180).

use super::testing::{Folder, random};
use crate::model::client::ClientSecret;
use sha2::{Digest as _, Sha256};

fn rules(folder: &Folder) -> Vec<(&'static str, String)> {
    folder.problems().into_iter().map(|problem| (problem.rule, problem.key)).collect()
}

#[test]
fn a_secret_in_clear_text_is_an_error_that_names_the_command_and_not_the_secret() {
    let hash = "{ sha256 = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" }";
    let whole = format!("client_secrets = [{hash}]");
    for (from, to, key, command) in [
        ("{ file = \"secret.key\" }", "\"hunter2\"", "secret_key", "portreeve init"),
        ("{ file = \"old.key\" }", "\"hunter2\"", "previous_secret_keys[0]", "portreeve init"),
        (hash, "\"hunter2\"", "client.web.client_secrets[0]", "portreeve client secret"),
        (
            whole.as_str(),
            "client_secrets = \"hunter2\"",
            "client.web.client_secrets",
            "portreeve client secret",
        ),
        (
            "first_party = true",
            "client_secret = \"hunter2\"",
            "client.web.client_secret",
            "portreeve client secret",
        ),
    ] {
        let problems = Folder::valid().change(from, to).problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert_eq!((problems[0].rule, problems[0].key.as_str()), ("clear-text-secret", key));
        assert!(problems[0].hint.contains(command), "{}", problems[0]);
        assert!(problems[0].line > 0);
        assert!(!format!("{} {:?} {}", problems[0], problems[0], problems[0].to_json()).contains("hunter2"));
    }
}

#[test]
fn nothing_that_is_wrong_with_a_secret_shows_it() {
    // threat 179
    for (from, to) in [
        ("{ file = \"secret.key\" }", "{ file = \"secret.key\", env = \"hunter2\" }"),
        ("{ file = \"secret.key\" }", "{ env = \"hunter2-hunter2\" }"),
        ("\"sqlite://data/portreeve.db\"", "\"mysql://ada:hunter2@db/x\""),
        ("\"sqlite://data/portreeve.db\"", "\"postgres://ada:hunter2@/x\""),
        ("\"https://auth.example.com\"", "\"http://ada:hunter2@auth.example.com\""),
        ("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "hunter2"),
        ("{ sha256 =", "{ argon2 = \"hunter2\", sha256 ="),
        ("first_party = true", "client_secret = { a = \"hunter2\" }"),
        ("first_party = true", "client_secret = 'hunter2"),
    ] {
        let problems = Folder::valid().change(from, to).problems();
        assert!(!format!("{problems:?}").contains("hunter2"), "{to}: {problems:#?}");
    }
    let text = "hunter2-hunter2";
    let folder = Folder::valid();
    folder.secret("secret.key", text);
    folder.secret("service.secret", text);
    let problems = folder.problems();
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.rule == "short-secret"));
    assert!(!format!("{problems:?}").contains(text));
}

#[test]
fn debug_of_a_configuration_shows_no_secret() {
    let folder = Folder::valid().change("\"sqlite://data/portreeve.db\"", "\"postgres://ada:hunter2@db/x\"");
    let config = folder.load().expect("valid").config;
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("ada:"));
    let bytes = format!("{:?}", config.secret_keys.current.0);
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])));
    assert!(!shown.contains("17, 34, 51"), "nor a secret's hash");
}

#[test]
fn a_secrets_file_is_closed_to_others() {
    for mode in [0o620, 0o602, 0o666, 0o660, 0o622, 0o777] {
        let folder = Folder::valid();
        folder.mode("secret.key", mode);
        assert_eq!(rules(&folder), [("secret-writable", "secret_key.file".into())], "{mode:o}");
    }
    for mode in [0o604, 0o644, 0o444] {
        let folder = Folder::valid();
        folder.mode("secret.key", mode);
        assert_eq!(rules(&folder), [("secret-readable", "secret_key.file".into())], "{mode:o}");
        let folder = folder.change("\"secret.key\"", "\"secret.key\", allow_readable = true");
        assert!(folder.load().is_ok(), "{mode:o} with leave");
        let folder = folder.change("\"secret.key\"", "\"secret.key\", allow_readable = false");
        assert!(folder.load().is_err(), "{mode:o} without");
    }
    for mode in [0o600, 0o400, 0o640, 0o440] {
        let folder = Folder::valid();
        folder.mode("secret.key", mode);
        assert!(folder.load().is_ok(), "{mode:o}");
    }
    let folder = Folder::valid().change("\"secret.key\"", "\"secret.key\", allow_readable = true");
    folder.mode("secret.key", 0o646);
    assert_eq!(rules(&folder)[0].0, "secret-writable", "leave to read is no leave to write");
    let folder = Folder::valid();
    folder.mode("service.secret", 0o644);
    assert_eq!(rules(&folder), [("secret-readable", "client.service.client_secrets[0].file".into())]);
}

#[test]
fn a_secret_key_is_32_bytes_in_base64url() {
    for wrong in
        ["", "abc", "!!!", &random()[1..], &format!("{}AA", random()), &random().replace(|_| true, "é")]
    {
        let folder = Folder::valid();
        folder.secret("secret.key", wrong);
        let problems = folder.problems();
        assert_eq!(problems.len(), 1, "{wrong}");
        assert!(matches!(problems[0].rule, "short-secret" | "missing-secret"), "{}", problems[0]);
        assert_eq!((problems[0].line, problems[0].expected.is_empty()), (2, false));
    }
    let folder = Folder::valid();
    folder.secret("secret.key", &format!("{}=\r", random()));
    assert!(folder.load().is_ok(), "padding and a line's end of another system");
}

#[test]
fn a_secret_that_is_not_there_is_named() {
    for (from, to, key) in [
        ("\"secret.key\"", "\"none.key\"", "secret_key.file"),
        ("\"secret.key\"", "\"clients\"", "secret_key.file"),
        ("\"old.key\"", "\"none.key\"", "previous_secret_keys[0].file"),
        ("{ file = \"secret.key\" }", "{ env = \"NONE\" }", "secret_key.env"),
        ("{ file = \"secret.key\" }", "{ env = \"\" }", "secret_key.env"),
        ("{ file = \"secret.key\" }", "{ file = \"\" }", "secret_key.file"),
        ("../service.secret", "service.secret", "client.service.client_secrets[0].file"),
    ] {
        let problems = Folder::valid().change(from, to).problems();
        assert_eq!(problems.len(), 1, "{to}: {problems:#?}");
        assert_eq!(problems[0].key, key);
    }
    let folder =
        Folder::valid().variable("EMPTY", "").change("{ file = \"secret.key\" }", "{ env = \"EMPTY\" }");
    assert_eq!(rules(&folder), [("missing-secret", "secret_key.env".into())]);
}

#[test]
fn a_client_secret_is_a_hash_or_hashed_when_it_is_read() {
    let hash = "{ sha256 = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" }";
    let secret = random();
    let folder = Folder::valid().variable("WEB_SECRET", &secret).change(hash, "{ env = \"WEB_SECRET\" }");
    let config = folder.load().expect("valid").config;
    let expected = ClientSecret::Sha256(Sha256::digest(secret.as_bytes()).into());
    assert_eq!(config.clients[0].secrets, [expected]);

    let good = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
    let of = |phc: &str| Folder::valid().change(hash, &format!("{{ argon2 = \"{phc}\" }}"));
    assert!(of(good).load().is_ok());
    for wrong in [
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("v=19$", ""),
        good.replace("v=19", "v=16"),
        good.replace("m=19456,t=2,p=1", "m=4294967295,t=2,p=1"),
        good.replace("m=19456,t=2,p=1", "m=19456,t=4000000,p=1"),
        good.replace("m=19456,t=2,p=1", "t=2,p=1"),
        good.replace("c2FsdHNhbHRzYWx0", ""),
        good.rsplit_once('$').expect("parts").0.to_owned(),
        "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            rules(&of(&wrong)),
            [("invalid-hash", "client.web.client_secrets[0].argon2".into())],
            "{wrong}"
        );
    }
    for wrong in ["", "00", &"0".repeat(63), &"g".repeat(64), &"0".repeat(65), &hash_of("")] {
        let folder = Folder::valid().change(hash, &format!("{{ sha256 = \"{wrong}\" }}"));
        assert_eq!(
            rules(&folder),
            [("invalid-hash", "client.web.client_secrets[0].sha256".into())],
            "{wrong}"
        );
    }
    for (wrong, rule) in [
        (format!("{hash}, {hash}"), "repeated"),
        (hash.replace("sha256", "env = \"X\", sha256"), "contradiction"),
        (hash.replace("sha256", "allow_readable = true, sha256"), "no-effect"),
    ] {
        let folder = Folder::valid().change(hash, &wrong);
        assert_eq!(rules(&folder)[0].0, rule, "{wrong}");
    }
}

fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
