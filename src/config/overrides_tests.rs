use super::Severity;
use super::testing::Folder;

/// What `check` says of the variables of a configuration that is valid otherwise.
fn remarks(variables: &[(&str, &str)]) -> Vec<(Severity, String)> {
    let folder = variables.iter().fold(Folder::valid(), |folder, (name, value)| folder.variable(name, value));
    let found = match folder.load() {
        Ok(loaded) => loaded.advice,
        Err(problems) => problems,
    };
    let of_variables = found.into_iter().filter(|problem| problem.rule == "unknown-variable");
    of_variables.map(|problem| (problem.severity, problem.variable.expect("a variable"))).collect()
}

#[test]
fn what_an_orchestrator_sets_for_services_with_such_names_is_nobodys_fault() {
    let set = [
        ("PORTREEVE_SERVICE_HOST", "10.0.0.1"),
        ("PORTREEVE_SERVICE_PORT", "80"),
        ("PORTREEVE_SERVICE_PORT_HTTP", "80"),
        ("PORTREEVE_PORT", "tcp://10.0.0.1:80"),
        ("PORTREEVE_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("PORTREEVE_DB_SERVICE_HOST", "10.0.0.1"),
        ("PORTREEVE_DB_SERVICE_PORT_POSTGRES", "5432"),
        ("PORTREEVE_POSTGRESQL_PORT", "tcp://10.0.0.1:5432"),
        ("PORTREEVE_POSTGRESQL_PORT_5432_TCP", "tcp://10.0.0.1:5432"),
        ("PORTREEVE_POSTGRESQL_PORT_5432_TCP_PROTO", "tcp"),
    ];
    assert_eq!(remarks(&set), []);
}

#[test]
fn a_variable_that_sets_nothing_is_an_error_where_it_was_meant_and_a_remark_where_it_may_be_foreign() {
    let told = |severity, name: &str| vec![(severity, name.to_owned())];
    for name in ["PORTREEVE_LOG", "PORTREEVE_ISSUR", "PORTREEVE_LISTEN_ADDRESS", "PORTREEVE_"] {
        assert_eq!(remarks(&[(name, "x")]), told(Severity::Warning, name));
    }
    for name in [
        "PORTREEVE_LOG__COLOUR",
        "PORTREEVE_LISTEN__ADRESS",
        "PORTREEVE_LISTEN__PORT",
        "PORTREEVE_SCOPES__DESCRIPTION",
        "PORTREEVE_SCOPES____DESCRIPTION",
        "PORTREEVE_CLIENTS__FOLDER__X",
    ] {
        assert_eq!(remarks(&[(name, "x")]), told(Severity::Error, name));
    }
}

#[test]
fn a_name_that_the_operator_chose_may_hold_whatever_it_holds() {
    let config = Folder::valid()
        .variable(
            "PORTREEVE_RESOURCES__HTTPS___API_EXAMPLE_COM_PHOTOS__SCOPES",
            "[\"photos.read\", \"groups\"]",
        )
        .variable("PORTREEVE_RESOURCES__HTTPS___API_EXAMPLE_COM_PHOTOS__INTROSPECTION_CLIENTS", "[\"web\"]")
        .variable("PORTREEVE_SCOPES__PHOTOS_READ__DESCRIPTION", "Look at them")
        .load()
        .expect("valid")
        .config;
    assert_eq!(config.resources.len(), 1);
    assert_eq!(config.resources[0].resource.as_str(), "https://api.example.com/photos");
    assert!(config.resources[0].scopes.contains("groups"));
    assert_eq!(config.resources[0].introspection_clients[0].as_str(), "web");
    assert_eq!(config.scopes["photos.read"].description.best(&[]), Some("Look at them"));
}

#[test]
fn what_stands_elsewhere_can_be_said_by_variables_too() {
    let folder = Folder::valid()
        .variable("PORTREEVE_DATABASE__URL__ENV", "THE_DATABASE")
        .variable("THE_DATABASE", "postgres://db.example.com/portreeve");
    let config = folder.load().expect("valid").config;
    assert_eq!(config.database.url.expose(), "postgres://db.example.com/portreeve");
    let folder = Folder::valid().variable("PORTREEVE_DATABASE__URL__FILE", "database.url");
    folder.secret("database.url", "postgres://db.example.com/other");
    assert_eq!(folder.load().expect("valid").config.database.url.expose(), "postgres://db.example.com/other");
}

#[test]
fn tls_can_be_set_by_variables_alone_its_key_in_a_file_or_in_one_of_them() {
    let made = rcgen::generate_simple_self_signed(["auth.example.com".to_owned()]).expect("a certificate");
    let key = made.signing_key.serialize_pem();
    for (name, value) in [
        ("PORTREEVE_LISTEN__TLS__PRIVATE_KEY__FILE", "server.key"),
        ("PORTREEVE_LISTEN__TLS__PRIVATE_KEY__ENV", "THE_KEY"),
        ("PORTREEVE_LISTEN__TLS__PRIVATE_KEY", &key),
        ("PORTREEVE_LISTEN__TLS", "{ certificate = \"server.pem\", private_key = { env = \"THE_KEY\" } }"),
    ] {
        let folder = Folder::valid()
            .variable("PORTREEVE_LISTEN__TLS__CERTIFICATE", "server.pem")
            .variable(name, value)
            .variable("THE_KEY", &key);
        folder.file("server.pem", &made.cert.pem());
        folder.secret("server.key", &key);
        let loaded = folder.load().unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert!(loaded.config.listen.tls.is_some(), "{name}");
        assert!(!format!("{:?}", loaded.config).contains("PRIVATE KEY"), "{name}");
    }
}

#[test]
fn a_certificate_that_the_listener_would_refuse_is_refused_here() {
    let pair = || rcgen::generate_simple_self_signed(["auth.example.com".to_owned()]).expect("a certificate");
    let (one, other) = (pair(), pair());
    let corrupt = one.cert.pem().replacen("MII", "AAA", 1);
    let key = one.signing_key.serialize_pem();
    for (certificate, key, found) in [
        (one.cert.pem(), other.signing_key.serialize_pem(), "not for the private key"),
        (corrupt, key.clone(), "server.pem"),
        ("-----BEGIN CERTIFICATE-----\n".to_owned(), key.clone(), "server.pem"),
        (one.cert.pem(), key[..key.len() / 2].to_owned(), "server.key"),
    ] {
        let tls = "connections_per_address = 256\ntls = { certificate = \"server.pem\", private_key = { file = \"server.key\" } }";
        let folder = Folder::valid().change("connections_per_address = 256", tls);
        folder.file("server.pem", &certificate);
        folder.secret("server.key", &key);
        let problems = folder.problems();
        assert_eq!((problems.len(), problems[0].rule), (1, "invalid-certificate"), "{problems:#?}");
        assert!(problems[0].found.contains(found), "{problems:#?}");
        assert!(problems[0].line > 0, "{problems:#?}");
    }
}

/// One more key in each table: the refusal names those that its reader asks for.
const EVERY_TABLE: &str = r#"zzz = 1
issuer = "https://auth.example.com"
secret_key = { file = "secret.key", zzz = 1 }
[listen]
zzz = 1
[listen.tls]
certificate = "server.pem"
private_key = { file = "server.key", zzz = 1 }
zzz = 1
[operations]
zzz = 1
[database]
url = { file = "database.url", zzz = 1 }
zzz = 1
[lifetimes]
zzz = 1
[signing_keys]
zzz = 1
[scopes.photos]
description = "See your photos"
zzz = 1
[resources."https://api.example.com/photos"]
scopes = ["photos"]
zzz = 1
[pages]
zzz = 1
[log]
zzz = 1
[audit]
zzz = 1
[outbound]
zzz = 1
[mail]
server = "localhost"
from = "login@example.com"
username = "portreeve"
password = { file = "mail.password", zzz = 1 }
zzz = 1
[front_channel_logout]
zzz = 1
[registration]
zzz = 1
[clients]
folder = "clients"
zzz = 1
"#;

#[test]
fn whatever_a_file_can_say_a_variable_can() {
    let folder = Folder::empty();
    for name in ["secret.key", "server.key", "database.url", "mail.password"] {
        folder.secret(name, &super::testing::random());
    }
    folder.file("portreeve.toml", EVERY_TABLE);
    let mut tables = 0;
    for problem in folder.problems() {
        if problem.rule != "unknown-key" {
            continue;
        }
        tables += 1;
        let table = problem.key.strip_suffix("zzz").expect("the key that nobody knows");
        let table = table
            .replace("scopes.photos.", "scopes.*.")
            .replace("resources.\"https://api.example.com/photos\".", "resources.*.");
        for key in problem
            .expected
            .strip_prefix("one of ")
            .expect("a list")
            .split(", ")
            .filter(|key| !key.is_empty())
        {
            let setting = format!("{table}{key}");
            let is_told = super::overrides::SETTINGS.contains(&setting.as_str());
            let holds = super::overrides::SETTINGS.iter().any(|one| one.starts_with(&format!("{setting}.")));
            assert!(is_told || holds, "{setting} cannot be set by a variable");
        }
    }
    assert_eq!(tables, EVERY_TABLE.matches("zzz").count(), "every table was asked");
}
