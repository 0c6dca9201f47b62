//! A valid configuration, spoilt in one place at a time (F-22): each is refused, and the problem names key, line and column
//! and says what was expected. `§` marks the place that must be named.

use super::testing::{CLIENTS, Folder, MAIN};
use std::path::Path;

/// What is replaced, by what, and the key and rule of the problem.
pub(super) type Mutation = (&'static str, &'static str, &'static str, &'static str);

pub(super) fn assert_refused(mutations: &[Mutation]) {
    for (from, to, key, rule) in mutations {
        let main = MAIN.contains(from);
        let (name, text) = if main { ("portreeve.toml", MAIN) } else { ("clients/clients.toml", CLIENTS) };
        assert_eq!(text.matches(from).count(), 1, "{from} must be there once");
        let marked = text.replace(from, to);
        let position = marked.find('§').unwrap_or_else(|| panic!("{to} marks a place"));
        let before = &marked[..position];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let folder = Folder::valid();
        folder.file(name, &marked.replace('§', ""));
        let Err(problems) = folder.load() else { panic!("accepted: {to}") };
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 1, "{to}: one mistake, one problem: {shown:#?}");
        let problem = &problems[0];
        assert_eq!((problem.key.as_str(), problem.rule), (*key, *rule), "{to}: {shown:?}");
        assert_eq!((problem.line, problem.column), (line, column), "{to}: {shown:?}");
        assert_eq!(problem.file, Path::new(name), "{to}");
        assert!(problem.is_error() && !problem.expected.is_empty() && !problem.found.is_empty(), "{to}");
    }
}

#[test]
fn the_configuration_that_is_spoilt_is_valid() {
    let loaded = Folder::valid().load().expect("valid");
    assert_eq!(loaded.config.clients.len(), 4);
}

#[test]
fn an_unknown_key_is_an_error_at_its_place() {
    assert_refused(&[
        ("issuer = \"", "§isuer = 1\nissuer = \"", "isuer", "unknown-key"),
        ("[listen]\n", "[listen]\n§adress = \"127.0.0.1:1\"\n", "listen.adress", "unknown-key"),
        ("[listen]\n", "[listen]\n§\"a b\" = 1\n", "listen.\"a b\"", "unknown-key"),
        ("[operations]\n", "[operations]\n§port = 1\n", "operations.port", "unknown-key"),
        ("[database]\n", "[database]\n§pool = 1\n", "database.pool", "unknown-key"),
        ("[lifetimes]\n", "[lifetimes]\n§code = \"60s\"\n", "lifetimes.code", "unknown-key"),
        ("[signing_keys]\n", "[signing_keys]\n§rotate = \"1d\"\n", "signing_keys.rotate", "unknown-key"),
        ("[scopes.groups]\n", "[scopes.groups]\n§claim = []\n", "scopes.groups.claim", "unknown-key"),
        ("[pages]\n", "[pages]\n§title = \"x\"\n", "pages.title", "unknown-key"),
        ("[log]\n", "[log]\n§file = \"x\"\n", "log.file", "unknown-key"),
        ("[audit]\n", "[audit]\n§retain = \"90d\"\n", "audit.retain", "unknown-key"),
        ("[clients]\n", "[clients]\n§path = \"x\"\n", "clients.path", "unknown-key"),
        ("[clients]\n", "[§servers]\n[clients]\n", "servers", "unknown-key"),
        ("[clients]\n", "[[§client]]\nclient_id = \"x\"\n[clients]\n", "client", "unknown-key"),
        (
            "{ file = \"secret.key\" }",
            "{ file = \"secret.key\", §mode = 1 }",
            "secret_key.mode",
            "unknown-key",
        ),
        (
            "[[client]]\nclient_id = \"spa\"",
            "[[§clients]]\nclient_id = \"y\"\n[[client]]\nclient_id = \"spa\"",
            "clients",
            "unknown-key",
        ),
        ("client_name =", "§name = \"x\"\nclient_name =", "client.web.name", "unknown-key"),
        ("first_party = true", "§firstparty = true", "client.web.firstparty", "unknown-key"),
        ("require_pkce = true", "§require_pcke = true", "client.spa.require_pcke", "unknown-key"),
        (
            "{ file = \"../service.secret\" }",
            "{ file = \"../service.secret\", §algorithm = 1 }",
            "client.service.client_secrets[0].algorithm",
            "unknown-key",
        ),
    ]);
}

#[test]
fn what_a_coming_version_knows_is_said_to_be_unsupported() {
    let section = "client_id_metadata";
    let folder = Folder::valid().change("[clients]\n", &format!("[{section}]\n[clients]\n"));
    let problems = folder.problems();
    assert_eq!((problems[0].rule, problems[0].key.as_str()), ("not-supported", section));
    assert_refused(&[(
        "first_party = true",
        "§dpop_bound_access_tokens = true",
        "client.web.dpop_bound_access_tokens",
        "not-supported",
    )]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    assert_refused(&[
        ("issuer = \"https://auth.example.com\"", "issuer = §1", "issuer", "wrong-type"),
        (
            "secret_key = { file = \"secret.key\" }",
            "secret_key = §[\"secret.key\"]",
            "secret_key",
            "wrong-type",
        ),
        ("{ file = \"secret.key\" }", "{ file = §7 }", "secret_key.file", "wrong-type"),
        (
            "{ file = \"secret.key\" }",
            "{ file = \"secret.key\", allow_readable = §1 }",
            "secret_key.allow_readable",
            "wrong-type",
        ),
        ("[{ file = \"old.key\" }]", "§{ file = \"old.key\" }", "previous_secret_keys", "wrong-type"),
        ("[{ file = \"old.key\" }]", "[§7]", "previous_secret_keys[0]", "wrong-type"),
        ("address = \"127.0.0.1:8080\"", "address = §8080", "listen.address", "wrong-type"),
        ("[\"10.0.0.0/8\"]", "§\"10.0.0.0/8\"", "listen.trusted_proxies", "wrong-type"),
        ("[\"10.0.0.0/8\"]", "[§10]", "listen.trusted_proxies[0]", "wrong-type"),
        (
            "connections_per_address = 256",
            "connections_per_address = §\"256\"",
            "listen.connections_per_address",
            "wrong-type",
        ),
        (
            "connections_per_address = 256",
            "connections_per_address = §2.5",
            "listen.connections_per_address",
            "wrong-type",
        ),
        ("address = \"127.0.0.1:8080\"", "address = §true", "listen.address", "wrong-type"),
        ("\"sqlite://data/portreeve.db\"", "§7", "database.url", "wrong-type"),
        ("max_connections = 16", "max_connections = §\"16\"", "database.max_connections", "wrong-type"),
        ("access_token = \"10m\"", "access_token = §600", "lifetimes.access_token", "wrong-type"),
        ("access_token = \"10m\"", "access_token = §10:00:00", "lifetimes.access_token", "wrong-type"),
        ("keep = \"90d\"", "keep = §90", "audit.keep", "wrong-type"),
        (
            "description = \"See your photos\"",
            "description = §1",
            "scopes.\"photos.read\".description",
            "wrong-type",
        ),
        ("claims = [\"groups\"]", "claims = §\"groups\"", "scopes.groups.claims", "wrong-type"),
        (
            "scopes = [\"photos.read\"]",
            "scopes = §\"photos.read\"",
            "resources.\"https://api.example.com/photos\".scopes",
            "wrong-type",
        ),
        (
            "introspection_clients = [\"service\"]",
            "introspection_clients = §\"service\"",
            "resources.\"https://api.example.com/photos\".introspection_clients",
            "wrong-type",
        ),
        ("name = \"Example\"", "name = §1979-05-27", "pages.name", "wrong-type"),
        ("level = \"info\"", "level = §3", "log.level", "wrong-type"),
        ("folder = \"clients\"", "folder = §[\"clients\"]", "clients.folder", "wrong-type"),
        ("client_id = \"desktop\"", "client_id = §7", "client[2].client_id", "wrong-type"),
        ("client_name = \"Photo editor\"", "client_name = §7", "client.web.client_name", "invalid-metadata"),
        (
            "client_name = \"Photo editor\"",
            "client_name = §1979-05-27",
            "client.web.client_name",
            "wrong-type",
        ),
        ("default_max_age = 3600", "default_max_age = §3600.5", "client.web.default_max_age", "wrong-type"),
        (
            "default_max_age = 3600",
            "default_max_age = §\"1h\"",
            "client.web.default_max_age",
            "invalid-metadata",
        ),
        ("contacts = [\"ops@example.com\"]", "contacts = §\"x\"", "client.web.contacts", "invalid-metadata"),
        ("contacts = [\"ops@example.com\"]", "contacts = [§7]", "client.web.contacts[0]", "invalid-metadata"),
        ("first_party = true", "first_party = §\"true\"", "client.web.first_party", "wrong-type"),
        ("require_pkce = true", "require_pkce = §1", "client.spa.require_pkce", "wrong-type"),
        (
            "allowed_groups = [\"staff\"]",
            "allowed_groups = §\"staff\"",
            "client.web.allowed_groups",
            "wrong-type",
        ),
        ("scope = \"openid photos.read\"", "scope = §[\"openid\"]", "client.web.scope", "invalid-metadata"),
        (
            "allowed_origins = [\"https://photos.example.com\"]",
            "allowed_origins = §\"https://photos.example.com\"",
            "client.web.allowed_origins",
            "wrong-type",
        ),
    ]);
}

#[test]
fn a_duration_is_text_within_sane_bounds() {
    let mut mutations: Vec<(&str, String, &str, &str)> = Vec::new();
    for wrong in
        ["", "60", "60 s", "1h30m", "-60s", "60S", "6e1s", "s", "60ms", "1w", "٦٠s", "0x3cs", "99999999999d"]
    {
        mutations.push((
            "authorization_code = \"60s\"",
            format!("authorization_code = §\"{wrong}\""),
            "lifetimes.authorization_code",
            "invalid-value",
        ));
    }
    for (from, key, value) in [
        ("authorization_code = \"60s\"", "authorization_code", "0s"),
        ("authorization_code = \"60s\"", "authorization_code", "11m"),
        ("access_token = \"10m\"", "access_token", "25h"),
        ("access_token = \"10m\"", "access_token", "0d"),
        ("id_token = \"1h\"", "id_token", "2d"),
        ("refresh_token_idle = \"30d\"", "refresh_token_idle", "400d"),
        ("refresh_token_idle = \"30d\"", "refresh_token_idle", "181d"),
        ("refresh_token_absolute = \"180d\"", "refresh_token_absolute", "9999d"),
        ("session_idle = \"12h\"", "session_idle", "15d"),
        ("session_absolute = \"14d\"", "session_absolute", "367d"),
    ] {
        let name: &'static str = Box::leak(format!("lifetimes.{key}").into_boxed_str());
        mutations.push((from, format!("{key} = §\"{value}\""), name, "out-of-range"));
    }
    let leaked: Vec<Mutation> = mutations
        .into_iter()
        .map(|(from, to, key, rule)| (from, &*Box::leak(to.into_boxed_str()), key, rule))
        .collect();
    assert_refused(&leaked);
    assert_refused(&[
        ("rotate_every = \"30d\"", "rotate_every = §\"5s\"", "signing_keys.rotate_every", "out-of-range"),
        (
            "rotate_every = \"30d\"",
            "rotate_every = §\"monthly\"",
            "signing_keys.rotate_every",
            "invalid-value",
        ),
        ("keep = \"90d\"", "keep = §\"1m\"", "audit.keep", "out-of-range"),
        ("keep = \"90d\"", "keep = §\"99999d\"", "audit.keep", "out-of-range"),
    ]);
}

#[test]
fn an_issuer_is_a_plain_https_url() {
    // RFC 8414 §2; http on the loopback only
    let wrong = [
        "http://auth.example.com",
        "auth.example.com",
        "https://auth.example.com/",
        "https://auth.example.com?x",
        "https://auth.example.com#x",
        "https://Auth.example.com",
        "https://auth.example.com:443",
        "https://ada:pw@auth.example.com",
        "ftp://auth.example.com",
        "http://192.168.0.1",
        "https://",
        "",
    ];
    for issuer in wrong {
        let to = format!("issuer = §\"{issuer}\"");
        let to: &'static str = Box::leak(to.into_boxed_str());
        assert_refused(&[("issuer = \"https://auth.example.com\"", to, "issuer", "invalid-issuer")]);
    }
}

#[test]
fn a_missing_key_is_named_where_it_should_stand() {
    assert_refused(&[
        ("issuer = \"https://auth.example.com\"\n", "§", "issuer", "missing-key"),
        (
            "issuer = \"https://auth.example.com\"\nsecret_key = { file = \"secret.key\" }\n",
            "§issuer = \"https://auth.example.com\"\n",
            "secret_key",
            "missing-key",
        ),
        (
            "[database]\nurl = \"sqlite://data/portreeve.db\"\n",
            "§[database]\n",
            "database.url",
            "missing-key",
        ),
        (
            "[scopes.\"photos.read\"]\ndescription = \"See your photos\"\n",
            "§[scopes.\"photos.read\"]\n",
            "scopes.\"photos.read\".description",
            "missing-key",
        ),
        ("{ file = \"secret.key\" }", "§{ }", "secret_key", "missing-key"),
        ("[[client]]\nclient_id = \"desktop\"\n", "§[[client]]\n", "client[2].client_id", "missing-key"),
        (
            "[[client]]\nclient_id = \"spa\"\nredirect_uris = [\"https://spa.example.com/callback\"]\n",
            "§[[client]]\nclient_id = \"spa\"\n",
            "client.spa.redirect_uris",
            "missing-key",
        ),
        (
            "redirect_uris = [\"https://spa.example.com/callback\"]\n",
            "redirect_uris = §[]\n",
            "client.spa.redirect_uris",
            "invalid-metadata",
        ),
        (
            "[[client]]\nclient_id = \"service\"\ngrant_types = [\"client_credentials\"]\nclient_secrets = [{ file = \"../service.secret\" }]\n",
            "§[[client]]\nclient_id = \"service\"\ngrant_types = [\"client_credentials\"]\n",
            "client.service.client_secrets",
            "missing-key",
        ),
        ("[{ file = \"../service.secret\" }]", "§[]", "client.service.client_secrets", "missing-key"),
        ("[{ file = \"../service.secret\" }]", "[§{}]", "client.service.client_secrets[0]", "missing-key"),
    ]);
}

#[test]
fn a_mistake_in_the_syntax_is_one_problem_at_its_place() {
    for (from, to) in [
        ("[listen]\n", "[listen\n"),
        ("max_connections = 16", "max_connections = = 16"),
        ("max_connections = 16", "max_connections 16"),
        ("level = \"info\"", "level = info"),
        ("level = \"info\"", "level = \"info"),
        ("[audit]\n", "[log]\n"),
        ("keep = \"90d\"", "keep = \"90d\"\nkeep = \"91d\""),
        ("[clients]\n", "[[clients]\n"),
        ("client_id = \"spa\"", "client_id = 'spa"),
        ("client_id = \"spa\"", "client_id = \"spa\"\nclient_id = \"spa2\""),
        ("first_party = true", "first_party = yes"),
        ("[{ file = \"../service.secret\" }]", "[{ file = \"../service.secret\" ]"),
    ] {
        let problems = Folder::valid().change(from, to).problems();
        assert_eq!(problems.len(), 1, "{to}: {problems:#?}");
        assert_eq!(problems[0].rule, "syntax", "{to}");
        assert!(problems[0].line > 0 && problems[0].column > 0 && problems[0].is_unreadable(), "{to}");
    }
}
