//! The example of everything, and what `portreeve init` writes.

use super::super::testing::{Folder, random};
use super::super::{Environment, Severity, load};
use super::*;
use crate::model::entropy::SystemEntropy;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn the_example_loads_beside_a_secret_key() {
    let folder = Folder::empty();
    folder.file("portreeve.toml", EXAMPLE);
    folder.secret("secret.key", &random());
    let loaded = folder.load().unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(loaded.advice.iter().all(|advice| advice.severity == Severity::Info), "{:#?}", loaded.advice);
    folder.file("clients/photos.toml", include_str!("../../config/clients/photos.toml"));
    let loaded = folder.load().unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded.config.clients.len(), 5);
    assert!(loaded.advice.iter().all(|advice| advice.severity == Severity::Info), "{:#?}", loaded.advice);
}

#[test]
fn the_example_shows_every_section_and_setting() {
    for setting in
        super::super::overrides::SETTINGS.iter().filter(|setting| !setting.contains("allow_readable"))
    {
        let last = setting.rsplit('.').next().expect("a name");
        assert!(EXAMPLE.contains(last), "{setting}");
    }
}

#[test]
fn init_writes_what_loads_and_overwrites_nothing() {
    let folder = Folder::empty();
    let path = folder.path().join("config/portreeve.toml");
    let issuer = Issuer::parse("https://login.example.org").expect("valid");
    let written = initialize(&path, Some(&issuer), &SystemEntropy).expect("written");
    assert_eq!(written, Initialized { configuration: Written::New, secret_key: Written::New });
    let mode = |name: &str| {
        let path = folder.path().join("config").join(name);
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!((mode("secret.key"), mode("data")), (0o600, 0o700));
    let environment = Environment::new::<String, String>([], folder.path());
    let before = load(&path, &environment).expect("valid").config;
    assert_eq!(before.issuer.as_str(), "https://login.example.org");

    let again = initialize(&path, None, &SystemEntropy).expect("nothing to do");
    assert_eq!(again, Initialized { configuration: Written::Already, secret_key: Written::Already });
    assert_eq!(load(&path, &environment).expect("valid").config, before);
    let names: Vec<_> = std::fs::read_dir(folder.path().join("config")).expect("there").collect();
    assert_eq!(names.len(), 4, "and nothing lies about: {names:?}");
}
