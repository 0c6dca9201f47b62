//! The demo loads, follows its port, and ships no secret (threat 180).

use super::super::testing::Folder;
use super::*;
use crate::model::client::ClientSecret;
use crate::model::entropy::SystemEntropy;
use sha2::{Digest as _, Sha256};

#[test]
fn the_demo_loads_without_a_warning_and_follows_the_port() {
    let folder = Folder::empty();
    let data = folder.path().join("data dir");
    let secrets = prepare_demo_secrets(&data, &SystemEntropy).expect("made");
    for port in [8080, 9000, 80, 1, 65_535] {
        let loaded = demo(port, &data, &secrets).unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert!(loaded.advice.is_empty(), "{:#?}", loaded.advice);
        let config = loaded.config;
        let issuer = if port == 80 { "http://localhost".into() } else { format!("http://localhost:{port}") };
        assert_eq!(config.issuer.as_str(), issuer);
        assert_eq!(config.listen.address.port(), port);
        assert!(config.listen.address.ip().is_loopback() && config.operations.address.ip().is_loopback());
        assert_ne!(config.operations.address.port(), port);
        assert_eq!(config.clients[0].metadata.redirect_uris[0].as_str(), format!("{issuer}/playground"));
        assert_eq!(config.clients[0].allowed_origins, [issuer]);
        assert!(config.database.url.expose().ends_with("/data dir/portreeve.db"));
    }
}

#[test]
fn the_demos_secrets_are_made_once_and_closed_to_others() {
    let folder = Folder::empty();
    let data = folder.path().join("deep/data");
    let first = prepare_demo_secrets(&data, &SystemEntropy).expect("made");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).expect("there") {
        assert_eq!(mode(&entry.expect("there").path()), 0o600);
    }
    std::fs::set_permissions(data.join("secret.key"), std::fs::Permissions::from_mode(0o644)).expect("set");
    let second = prepare_demo_secrets(&data, &SystemEntropy).expect("read");
    assert_eq!(mode(&data.join("secret.key")), 0o600, "closed again");
    assert_eq!(first.ada_password.expose(), second.ada_password.expose());
    let config = demo(8080, &data, &second).expect("valid").config;
    let hash = Sha256::digest(first.photo_web.expose().as_bytes()).into();
    assert_eq!(config.clients[1].secrets, [ClientSecret::Sha256(hash)]);
    let other = prepare_demo_secrets(&folder.path().join("other"), &SystemEntropy).expect("made");
    assert_ne!(other.photo_web.expose(), first.photo_web.expose());
    std::fs::write(data.join("secret.key"), "").expect("written");
    assert!(prepare_demo_secrets(&data, &SystemEntropy).is_err(), "an empty secret is not taken");
}

#[test]
fn the_demo_person_has_every_standard_claim_and_no_password() {
    let person: serde_json::Value = serde_json::from_str(PERSON).expect("JSON");
    assert_eq!(person["username"], "ada");
    assert!(!PERSON.contains("password"));
    let claims = person["claims"].as_object().expect("an object");
    for (name, scope) in super::super::scopes::built_in() {
        for claim in scope.claims.iter().filter(|claim| *claim != "updated_at") {
            assert!(claims.contains_key(claim), "{name}: {claim}");
        }
    }
    assert!(claims.contains_key("groups"));
}
