//! `portreeve init`.

use super::Operator;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn what_init_writes_is_a_configuration_without_an_error_and_a_key_that_only_its_owner_reads() {
    let operator = Operator::newcomer();
    let written = operator.done(&["init"]);
    for file in ["config/portreeve.toml", "config/secret.key", "config/clients/example.toml"] {
        assert!(written.contains(&format!("wrote {file}\n")), "{written}");
        assert!(operator.path(file).is_file());
    }
    let mode = std::fs::metadata(operator.path("config/secret.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    operator.done(&["check"]);
    assert_eq!(operator.document(&["client", "list"])["clients"], serde_json::json!([]));
}

#[test]
fn init_overwrites_nothing_and_says_so_with_status_1_when_everything_was_there() {
    let operator = Operator::newcomer();
    operator.done(&["init"]);
    let files = ["config/portreeve.toml", "config/secret.key", "config/clients/example.toml"];
    let read = || files.map(|file| std::fs::read(operator.path(file)).unwrap());
    operator.write("config/portreeve.toml", "# mine\n");
    let before = read();
    let complaint = operator.refused(1, &["init"]);
    assert!(complaint.contains("config/portreeve.toml is there already"), "{complaint}");
    assert_eq!(read(), before);
}

#[test]
fn init_writes_what_is_missing_and_keeps_the_key_that_is_there() {
    let operator = Operator::newcomer();
    operator.done(&["init"]);
    let key = std::fs::read(operator.path("config/secret.key")).unwrap();
    std::fs::remove_file(operator.configuration()).unwrap();
    assert_eq!(operator.done(&["init"]), "wrote config/portreeve.toml\n");
    assert_eq!(std::fs::read(operator.path("config/secret.key")).unwrap(), key);
}

#[test]
fn two_newcomers_get_two_keys() {
    // threat 180
    let keys = [Operator::newcomer(), Operator::newcomer()].map(|operator| {
        operator.done(&["init"]);
        std::fs::read_to_string(operator.path("config/secret.key")).unwrap()
    });
    assert_ne!(keys[0], keys[1]);
    assert!(keys.iter().all(|key| key.trim_end().len() == 43));
}

#[test]
fn an_issuer_that_is_none_is_refused_and_nothing_is_written() {
    let operator = Operator::newcomer();
    for issuer in ["auth.example.com", "http://auth.example.com", "https://auth.example.com/?q"] {
        operator.refused(2, &["init", "--issuer", issuer]);
        assert!(!operator.path("config").exists());
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let operator = Operator::newcomer();
    operator.write("config", "a file");
    let complaint = operator.refused(1, &["init"]);
    assert!(complaint.contains("config/portreeve.toml"), "{complaint}");
}

#[test]
fn an_embedded_store_is_for_its_owner_alone_wherever_it_lies() {
    // threat 180
    let operator = Operator::with_url("sqlite://../deep/store/portreeve.db", "");
    let keys = operator.run(&["key", "list"]);
    assert_eq!((keys.status, keys.output.as_str()), (0, ""), "{keys:?}");
    assert!(keys.complaint.contains("no keys yet"), "{keys:?}");
    let mode = |path: &str| std::fs::metadata(operator.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("deep"), mode("deep/store")), (0o700, 0o700));
    for entry in std::fs::read_dir(operator.path("deep/store")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
