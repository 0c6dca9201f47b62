//! What differs is told, secrets only as changed.

use super::super::testing::{Folder, random};
use super::*;

#[test]
fn equal_configurations_do_not_differ() {
    let config = Folder::valid().load().expect("valid").config;
    assert!(difference(&config, &config.clone()).is_empty());
}

#[test]
fn a_change_names_the_setting_and_both_values() {
    let folder = Folder::valid();
    let before = folder.load().expect("valid").config;
    let folder = folder.change("access_token = \"10m\"", "access_token = \"5m\"");
    let changes = difference(&before, &folder.load().expect("valid").config);
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["lifetimes.access_token: 10m → 5m"]);
    let folder = folder.change("scope = \"openid groups\"", "scope = \"openid\"");
    let changes = difference(&folder.load().expect("valid").config, &before);
    assert!(changes.iter().any(|change| change.path == "client.spa.scope"));
    let folder = folder.change("[pages]", "[scopes.x]\ndescription = \"x\"\n[pages]");
    let changes = difference(&before, &folder.load().expect("valid").config);
    assert!(changes.iter().any(|change| change.path == "scopes.x.description" && change.before.is_none()));
}

#[test]
fn a_secret_shows_only_as_changed() {
    // threat 179
    let folder = Folder::valid();
    let before = folder.load().expect("valid").config;
    for name in ["secret.key", "old.key", "service.secret"] {
        folder.secret(name, &random());
    }
    let folder = folder.change("sqlite://data/portreeve.db", "postgres://ada:hunter2@db/x");
    let changes = difference(&before, &folder.load().expect("valid").config);
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "client.service.client_secrets: changed",
            "database.url: changed",
            "previous_secret_keys: changed",
            "secret_key: changed"
        ]
    );
}
