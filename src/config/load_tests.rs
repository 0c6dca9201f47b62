//! The whole of a configuration: defaults, the environment's settings, all problems at once, advice.

use super::testing::{Folder, random};
use super::{Environment, LogFormat, Severity, load};
use crate::model::client::{ConsentPolicy, PkcePolicy, RefreshTokenRotation};
use crate::protocol::redirect_uri::Deployment;
use std::path::Path;
use std::time::Duration;

const LEAST: &str =
    "issuer = \"https://a.example\"\nsecret_key = { env = \"KEY\" }\n[database]\nurl = \"postgres://db/x\"\n";

fn least() -> Folder {
    let folder = Folder::empty().variable("KEY", &random());
    folder.file("portreeve.toml", LEAST);
    folder
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let config = least().load().expect("valid").config;
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.operations.address.to_string(), "127.0.0.1:9090");
    assert!(config.listen.tls.is_none() && config.listen.trusted_proxies.is_empty());
    assert_eq!((config.listen.connections_per_address, config.database.max_connections), (256, 16));
    let lifetimes = &config.lifetimes;
    assert_eq!(lifetimes.authorization_code, Duration::from_secs(60));
    assert_eq!(lifetimes.access_token, Duration::from_secs(600));
    assert_eq!(lifetimes.id_token, Duration::from_secs(3600));
    assert_eq!(lifetimes.refresh_token_idle, Duration::from_secs(30 * 86_400));
    assert_eq!(lifetimes.refresh_token_absolute, Duration::from_secs(180 * 86_400));
    assert_eq!(lifetimes.session_idle, Duration::from_secs(12 * 3600));
    assert_eq!(lifetimes.session_absolute, Duration::from_secs(14 * 86_400));
    let names: Vec<&str> = config.signing_keys.algorithms.iter().map(|one| one.as_str()).collect();
    assert_eq!(names, ["ES256", "RS256", "EdDSA"]);
    assert_eq!(config.signing_keys.rotate_every, Duration::from_secs(30 * 86_400));
    assert_eq!(config.scopes.len(), 6, "the built-in ones");
    assert_eq!(config.scopes["address"].claims, ["address"]);
    assert_eq!((config.pages.name.as_str(), config.log.level.as_str()), ("Example", "info"));
    assert_eq!((config.log.format, config.audit.keep), (LogFormat::Text, Duration::from_secs(90 * 86_400)));
    assert!(
        config.clients.is_empty() && config.resources.is_empty() && config.secret_keys.previous.is_empty()
    );
}

#[test]
fn two_readings_of_the_same_files_are_equal() {
    let folder = Folder::valid();
    assert_eq!(folder.load(), folder.load());
    assert_ne!(Folder::valid().load(), folder.load(), "another key");
}

#[test]
fn clients_have_the_defaults_of_their_kind() {
    let config = Folder::valid().load().expect("valid").config;
    let [web, spa, desktop, service] = config.clients.as_slice() else { panic!("four") };
    assert_eq!(web.refresh_token_rotation, RefreshTokenRotation::Never);
    assert_eq!(web.consent, ConsentPolicy::FirstParty);
    assert_eq!(spa.refresh_token_rotation, RefreshTokenRotation::EveryUse);
    assert_eq!((spa.consent, spa.pkce), (ConsentPolicy::Asked, PkcePolicy::Required));
    assert_eq!(spa.allowed_origins, ["https://spa.example.com"], "derived from redirect_uris");
    assert_eq!(desktop.allowed_origins, ["http://127.0.0.1"]);
    assert_eq!(desktop.refresh_token_rotation, RefreshTokenRotation::EveryUse);
    assert!(service.allowed_origins.is_empty() && service.secrets.len() == 1);
}

#[test]
fn all_problems_of_all_files_are_reported_at_once() {
    let folder = Folder::valid();
    folder.file("portreeve.toml", "isuer = \"x\"\n[listen]\naddress = 1\n[log]\nlevel = \"loud\"\n");
    folder.file("clients/a.toml", "[[client]]\nclient_id = \n");
    folder.file("clients/b.toml", "[[client]]\nclient_id = \"x\"\nscope = 7\nname = \"y\"\n");
    let problems = folder.problems();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    for key in
        ["isuer", "issuer", "secret_key", "listen.address", "database.url", "log.level", "", "client.x.scope"]
    {
        assert!(keys.contains(&key), "{key} among {keys:?}");
    }
    let hint =
        |key: &str| problems.iter().find(|problem| problem.key == key).map(|problem| problem.hint.as_str());
    assert_eq!(hint("client.x.name"), Some("did you mean `client_name`?"));
    let unknown = problems.iter().find(|problem| problem.key == "isuer").expect("there");
    assert_eq!(unknown.hint, "did you mean `issuer`?");
    assert!(unknown.to_string().starts_with("portreeve.toml:1:1: error: isuer: found "), "{unknown}");
    assert_eq!(unknown.to_json()["line"], 1);
    assert!(problems.is_sorted_by_key(|problem| (problem.file.clone(), problem.line)));
}

#[test]
fn a_broken_file_hides_no_other_and_causes_no_false_alarm() {
    let broken_main = Folder::valid().change("[audit]", "[audit");
    broken_main.file("clients/x.toml", "[[client]]\nclient_id = \"x\"\nscop = \"openid\"\n");
    let rules: Vec<&str> = broken_main.problems().iter().map(|problem| problem.rule).collect();
    assert!(rules.contains(&"syntax") && rules.contains(&"unknown-key"), "{rules:?}");
    assert!(!rules.contains(&"undeclared-scope") && !rules.contains(&"algorithm-without-key"), "{rules:?}");

    let broken_clients = Folder::valid().change("client_id = \"spa\"", "client_id = ");
    let problems = broken_clients.problems();
    assert_eq!((problems.len(), problems[0].rule), (1, "syntax"), "{problems:#?}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let folder = Folder::empty();
    let problems =
        load(Path::new("none.toml"), &Environment::new([("A", "b")], folder.path())).expect_err("none");
    assert!(problems.iter().any(|problem| problem.is_unreadable()), "{problems:#?}");
    let folder = Folder::valid();
    std::fs::write(folder.path().join("clients/latin.toml"), b"# \xe9\n").expect("written");
    let problems = folder.problems();
    assert_eq!((problems.len(), problems[0].rule), (1, "unreadable"));
    assert_eq!(problems[0].file, Path::new("clients/latin.toml"));
}

#[test]
fn every_value_can_be_set_by_the_environment() {
    let folder = Folder::valid()
        .variable("PORTREEVE_ISSUER", "http://localhost:8080")
        .variable("PORTREEVE_LISTEN__ADDRESS", "127.0.0.1:7000")
        .variable("PORTREEVE_LISTEN__TRUSTED_PROXIES", "[\"192.168.0.0/16\"]")
        .variable("PORTREEVE_LISTEN__CONNECTIONS_PER_ADDRESS", "8")
        .variable("PORTREEVE_DATABASE__URL", "postgres://db/x")
        .variable("PORTREEVE_PAGES__NAME", "2024")
        .variable("PORTREEVE_LIFETIMES__ACCESS_TOKEN", "5m")
        .variable("PORTREEVE_LOG__COLOUR", "x")
        .variable("PORTREEVE_LOG__FORMAT", "json")
        .variable("PORTREEVE_SCOPES__PHOTOS_READ__DESCRIPTION", "Look at photos")
        .variable("PORTREEVE_SECRET_KEY", &random())
        .variable("PORTREEVE_TEST_DATABASE_URL", "x")
        .variable("PORTREEVE_CONFIG", "x")
        .variable("PORTREEVE_SERVICE_HOST", "10.0.0.1")
        .variable("PORTREEVE_PORT_8080_TCP", "tcp://10.0.0.1:8080");
    let unknown = folder.problems();
    assert_eq!((unknown.len(), unknown[0].variable.as_deref()), (1, Some("PORTREEVE_LOG__COLOUR")));

    let folder = Folder::valid()
        .variable("PORTREEVE_ISSUER", "http://localhost:8080")
        .variable("PORTREEVE_LISTEN__TRUSTED_PROXIES", "[\"192.168.0.0/16\"]")
        .variable("PORTREEVE_LISTEN__CONNECTIONS_PER_ADDRESS", "8")
        .variable("PORTREEVE_DATABASE__URL", "postgres://db/x")
        .variable("PORTREEVE_PAGES__NAME", "2024")
        .variable("PORTREEVE_SCOPES__PHOTOS_READ__DESCRIPTION", "Look at photos")
        .variable("PORTREEVE_SECRET_KEY", &random())
        .variable("PORTREEVE_PORT_8080_TCP", "tcp://10.0.0.1:8080")
        .variable("PORTREEVE_TEST_DATABASE_URL", "x");
    let config = folder.load().expect("valid").config;
    assert_eq!(
        (config.issuer.as_str(), config.deployment()),
        ("http://localhost:8080", Deployment::Development)
    );
    assert_eq!(config.listen.trusted_proxies[0].to_string(), "192.168.0.0/16");
    assert_eq!((config.listen.connections_per_address, config.pages.name.as_str()), (8, "2024"));
    assert_eq!(config.scopes["photos.read"].description.best(&[]), Some("Look at photos"));
    assert!(!config.database.url.is_sqlite());
}

#[test]
fn a_problem_of_a_variable_names_the_variable_and_not_its_secret() {
    let key = random();
    for (name, text, rule) in [
        ("PORTREEVE_LISTEN__ADDRESS", "localhost", "invalid-value"),
        ("PORTREEVE_LISTEN__CONNECTIONS_PER_ADDRESS", "many", "wrong-type"),
        ("PORTREEVE_LISTEN__TLS", "{ certificat = \"x\" }", "unknown-key"),
        ("PORTREEVE_LIFETIMES__ACCESS_TOKEN", "600", "invalid-value"),
        ("PORTREEVE_ISSUER", "http://auth.example.com", "invalid-issuer"),
        ("PORTREEVE_SECRET_KEY", "hunter2", "short-secret"),
        ("PORTREEVE_DATABASE__URL", "mysql://ada:hunter2@x", "invalid-value"),
        ("PORTREEVE_LISTEN__ADRESS", &key, "unknown-variable"),
        ("PORTREEVE_listen__address", "127.0.0.1:1", "unknown-variable"),
        ("PORTREEVE_CLIENTS__FOLDER", "nowhere", "unreadable-folder"),
    ] {
        let problems = Folder::valid().variable(name, text).problems();
        let problem =
            problems.iter().find(|problem| problem.rule == rule).unwrap_or_else(|| panic!("{problems:#?}"));
        assert_eq!(problem.variable.as_deref(), Some(name));
        assert!(problem.to_string().starts_with(&format!("{name}: error: ")), "{problem}");
        assert!(!format!("{problems:?}").contains("hunter2") && !format!("{problems:?}").contains(&key));
        if rule == "unknown-variable" {
            assert_eq!(problem.hint, "did you mean `PORTREEVE_LISTEN__ADDRESS`?");
        }
    }
}

#[test]
fn a_relative_path_starts_from_the_file_that_names_it() {
    let folder = least();
    std::fs::create_dir(folder.path().join("etc")).expect("made");
    folder.file("etc/portreeve.toml", &LEAST.replace("postgres://db/x", "sqlite://data/x.db?mode=rwc"));
    let key = random();
    let environment = Environment::new([("KEY", key.as_str())], folder.path());
    let config = load(Path::new("etc/portreeve.toml"), &environment).expect("valid").config;
    let expected = format!("sqlite://{}/etc/data/x.db?mode=rwc", folder.path().display());
    assert_eq!(config.database.url.expose(), expected);
    assert!(config.files.contains(&folder.path().join("etc/portreeve.toml")));
    assert!(config.files.contains(&folder.path().join("etc/clients")));
}

#[test]
fn every_setting_of_the_environment_is_one_that_the_reader_knows() {
    for setting in super::overrides::SETTINGS.iter().filter(|setting| !setting.contains('*')) {
        let name = super::overrides::variable_of(setting);
        // A date is of no setting's type, so a known one complains of its value.
        let problems = Folder::valid().variable(&name, "[1979-05-27]").load().err().unwrap_or_default();
        assert!(
            problems.iter().any(|problem| problem.variable.as_deref() == Some(&name))
                || *setting == "pages.name",
            "{setting}"
        );
        assert!(
            problems.iter().all(|problem| problem.rule != "unknown-variable"),
            "{setting}: {problems:#?}"
        );
    }
}

#[test]
fn advice_names_what_is_allowed_and_unwise() {
    assert!(
        Folder::valid().advice().iter().all(|rule| *rule == "sqlite-in-production"),
        "{:?}",
        Folder::valid().advice()
    );
    let hash = "{ sha256 = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" }";
    let argon2 = "{ argon2 = \"$argon2id$v=19$m=8192,t=2,p=1$c2FsdHNhbHRzYWx0$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\" }";
    let more = format!("{hash}, {}, {}", hash.replace("00", "01"), hash.replace("00", "02"));
    for (from, to, rule) in [
        ("first_party = true", "require_pkce = false", "pkce-not-required"),
        (hash, argon2, "slow-client-secret"),
        (hash, argon2, "weak-argon2"),
        (hash, &more, "many-secrets"),
        ("authorization_code = \"60s\"", "authorization_code = \"61s\"", "long-authorization-code"),
        ("access_token = \"10m\"", "access_token = \"2h\"", "long-access-token"),
        ("\"127.0.0.1:9090\"", "\"0.0.0.0:9090\"", "operations-exposed"),
        ("\"10.0.0.0/8\"", "\"0.0.0.0/0\"", "every-proxy-trusted"),
        ("\"sqlite://data/portreeve.db\"", "\"postgres://a:b@c/d\"", "database-password-in-file"),
        ("scope = \"openid groups\"", "", "client-without-scope"),
        (
            "token_endpoint_auth_method = \"none\"\nscope = \"openid\"",
            &format!("client_secrets = [{}]", hash.replace("00", "03")),
            "confidential-native-client",
        ),
        ("\"http://127.0.0.1/callback\"", "\"http://localhost/callback\"", "localhost-redirect"),
        (
            "application_type = \"native\"",
            "first_party = true\napplication_type = \"native\"",
            "first-party-spoofable",
        ),
        ("[pages]", "[scopes.x]\ndescription = \"x\"\n[pages]", "unused-scope"),
        (
            "origins = [\"https://photos.example.com\"]",
            "origins = [\"http://localhost:3000\"]",
            "loopback-origin",
        ),
        ("scope = \"openid\"\n", "scope = \"openid offline_access\"\n", "offline-access-without-refresh"),
    ] {
        let loaded = Folder::valid().change(from, to).load().unwrap_or_else(|why| panic!("{to}: {why:#?}"));
        let advice = loaded.advice.iter().find(|advice| advice.rule == rule);
        let advice = advice.unwrap_or_else(|| panic!("{rule}: {:#?}", loaded.advice));
        assert!(advice.severity != Severity::Error && advice.line > 0, "{advice}");
    }
    let open = Folder::valid().change(
        "address = \"127.0.0.1:8080\"\ntrusted_proxies = [\"10.0.0.0/8\"]",
        "address = \"0.0.0.0:8080\"",
    );
    assert!(open.advice().contains(&"plain-http-listener"));
}

#[test]
fn tls_names_files_in_pem_and_a_closed_key() {
    let tls = "connections_per_address = 256\ntls = { certificate = \"server.pem\", private_key = { file = \"server.key\" } }";
    let folder = Folder::valid().change("connections_per_address = 256", tls);
    let rules: Vec<&str> = folder.problems().iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, ["unreadable-file", "unreadable-secret"]);
    let made = rcgen::generate_simple_self_signed(["auth.example.com".to_owned()]).expect("a certificate");
    folder.file("server.pem", &made.cert.pem());
    folder.secret("server.key", &made.signing_key.serialize_pem());
    let tls = folder.load().expect("valid").config.listen.tls.expect("there");
    assert_eq!(tls.private_key, folder.path().join("server.key").as_path().into());
    folder.mode("server.key", 0o644);
    assert_eq!(folder.problems()[0].rule, "secret-readable");
    folder.secret("server.key", "-----BEGIN CERTIFICATE-----");
    assert_eq!(folder.problems()[0].rule, "invalid-value");
    for wrong in ["\"server.key\"", "\"-----BEGIN PRIVATE KEY-----\"", "{}", "{ env = \"KEY\" }"] {
        let tls = format!(
            "connections_per_address = 256\ntls = {{ certificate = \"server.pem\", private_key = {wrong} }}"
        );
        let folder = Folder::valid().change("connections_per_address = 256", &tls);
        folder.file("server.pem", "-----BEGIN CERTIFICATE-----\n");
        assert!(!folder.problems().is_empty(), "{wrong}");
    }
}

#[test]
fn a_file_cut_off_anywhere_is_judged_without_a_panic() {
    for (name, text) in
        [("portreeve.toml", super::testing::MAIN), ("clients/clients.toml", super::testing::CLIENTS)]
    {
        let folder = Folder::valid();
        for end in (0..text.len()).step_by(7) {
            folder.file(name, &text[..end]);
            let problems = folder.load().err().unwrap_or_default();
            assert!(
                problems.iter().all(|problem| problem.line > 0 && problem.column > 0),
                "{end}: {problems:#?}"
            );
        }
    }
}
