//! `[outbound]`, spoilt and whole.

use super::testing::{Folder, MAIN};
use std::path::Path;

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["authority.example".to_owned()]).expect("a certificate").cert.pem()
}

fn under(section: &str) -> Folder {
    let folder = Folder::valid();
    folder.file("portreeve.toml", &format!("{MAIN}\n[outbound]\n{section}\n"));
    folder
}

#[test]
fn nothing_private_is_reached_and_nobody_more_trusted_by_default() {
    let config = Folder::valid().load().expect("valid").config;
    assert!(config.outbound.allow_private.is_empty() && config.outbound.trusted_certificates.is_empty());
}

#[test]
fn hosts_and_certificates_are_read_from_beside_the_file() {
    let folder = under(
        "allow_private = [\"localhost:8443\", \"[::1]:8443\", \"10.0.0.7:443\"]\ntrusted_certificates = [\"tls/ca.pem\"]",
    );
    folder.file("tls/ca.pem", &format!("comment\n{}{}", certificate(), certificate()));
    let config = folder.load().unwrap_or_else(|problems| panic!("{problems:?}")).config;
    let allowed: Vec<String> = config.outbound.allow_private.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["localhost:8443", "[::1]:8443", "10.0.0.7:443"]);
    assert_eq!(config.outbound.trusted_certificates.len(), 2);
    assert!(config.files.contains(&folder.path().join("tls/ca.pem")), "a new certificate is noticed");
}

#[test]
fn every_problem_is_told_with_its_place() {
    let folder = under(
        "allow_private = [\"localhost\", \"*:443\", \"https://a.example:443\", \"a.example:443\", \"A.example:443\", 7]\n\
         trusted_certificates = [\"none.pem\", \"empty.pem\", \"broken.pem\", \"key.pem\", \"portreeve.toml/\"]\nallow = 1",
    );
    folder.file("empty.pem", "");
    folder.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    folder.file("key.pem", &rcgen::KeyPair::generate().expect("a key").serialize_pem());
    let problems = folder.problems();
    let told: Vec<(&str, &str)> =
        problems.iter().map(|problem| (problem.key.as_str(), problem.rule)).collect();
    assert_eq!(
        told,
        [
            ("outbound.allow_private[0]", "invalid-value"),
            ("outbound.allow_private[1]", "invalid-value"),
            ("outbound.allow_private[2]", "invalid-value"),
            ("outbound.allow_private[4]", "repeated"),
            ("outbound.allow_private[5]", "wrong-type"),
            ("outbound.trusted_certificates[0]", "unreadable-file"),
            ("outbound.trusted_certificates[1]", "invalid-value"),
            ("outbound.trusted_certificates[2]", "invalid-value"),
            ("outbound.trusted_certificates[3]", "invalid-value"),
            ("outbound.trusted_certificates[4]", "unreadable-file"),
            ("outbound.allow", "unknown-key"),
        ]
    );
    assert!(problems.iter().all(|problem| problem.file == Path::new("portreeve.toml") && problem.line > 1));
}

#[test]
fn the_environment_may_set_both() {
    let folder = Folder::valid().variable("PORTREEVE_OUTBOUND__ALLOW_PRIVATE", "[\"localhost:8443\"]");
    let folder = folder.variable("PORTREEVE_OUTBOUND__TRUSTED_CERTIFICATES", "[\"ca.pem\"]");
    folder.file("ca.pem", &certificate());
    let outbound = folder.load().unwrap_or_else(|problems| panic!("{problems:?}")).config.outbound;
    assert_eq!((outbound.allow_private.len(), outbound.trusted_certificates.len()), (1, 1));
}

#[test]
fn a_private_host_is_worth_a_warning_in_production_only() {
    let section = "allow_private = [\"localhost:8443\"]";
    assert!(under(section).advice().contains(&"private-host-reachable"));
    let folder = Folder::valid();
    let local = MAIN.replace("https://auth.example.com", "http://localhost:8080");
    folder.file("portreeve.toml", &format!("{local}\n[outbound]\n{section}\n"));
    assert!(!folder.advice().contains(&"private-host-reachable"));
}

#[test]
fn a_change_is_told_certificates_only_as_changed() {
    let folder = under("allow_private = [\"localhost:8443\"]\ntrusted_certificates = [\"ca.pem\"]");
    folder.file("ca.pem", &certificate());
    let before = folder.load().expect("valid").config;
    folder.file("ca.pem", &certificate());
    let text = format!(
        "{MAIN}\n[outbound]\nallow_private = [\"localhost:9443\"]\ntrusted_certificates = [\"ca.pem\"]\n"
    );
    folder.file("portreeve.toml", &text);
    let after = folder.load().expect("valid").config;
    let changes = super::difference::difference(&before, &after);
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["outbound.allow_private: localhost:8443 → localhost:9443", "outbound.trusted_certificates: changed"]
    );
}
