//! The values of a valid configuration, spoilt one at a time (F-22), and the rules that tie clients, scopes and resources
//! together.

use super::mutation_tests::{Mutation, assert_refused};
use super::testing::Folder;

#[test]
fn a_listener_has_an_address_and_known_proxies() {
    assert_refused(&[
        ("\"127.0.0.1:8080\"", "§\"localhost:8080\"", "listen.address", "invalid-value"),
        ("\"127.0.0.1:8080\"", "§\"127.0.0.1\"", "listen.address", "invalid-value"),
        ("\"127.0.0.1:8080\"", "§\"127.0.0.1:70000\"", "listen.address", "invalid-value"),
        ("\"127.0.0.1:8080\"", "§\":8080\"", "listen.address", "invalid-value"),
        ("\"127.0.0.1:9090\"", "§\"127.0.0.1:8080\"", "operations.address", "shared-address"),
        ("\"127.0.0.1:9090\"", "§\"0.0.0.0:8080\"", "operations.address", "shared-address"),
        ("\"10.0.0.0/8\"", "§\"10.0.0.1/8\"", "listen.trusted_proxies[0]", "invalid-value"),
        ("\"10.0.0.0/8\"", "§\"10.0.0.0/33\"", "listen.trusted_proxies[0]", "invalid-value"),
        ("\"10.0.0.0/8\"", "§\"proxy.internal\"", "listen.trusted_proxies[0]", "invalid-value"),
        ("\"10.0.0.0/8\"", "\"10.0.0.0/8\", §\"10.0.0.0/8\"", "listen.trusted_proxies[1]", "repeated"),
        ("address = 256", "address = §0", "listen.connections_per_address", "out-of-range"),
        ("address = 256", "address = §-1", "listen.connections_per_address", "out-of-range"),
        (
            "address = 256",
            "address = §99999999999999999999",
            "listen.connections_per_address",
            "out-of-range",
        ),
        ("max_connections = 16", "max_connections = §0", "database.max_connections", "out-of-range"),
        ("address = 256", "address = 256\ntls = §true", "listen.tls", "wrong-type"),
    ]);
}

#[test]
fn a_database_url_names_a_store_that_lasts() {
    let mutations: Vec<Mutation> = [
        "mysql://localhost/x",
        "data/portreeve.db",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://",
        "sqlite://x.db?mode=memory",
        "sqlite://data/",
        "postgres://",
        "postgres:x",
        "",
    ]
    .into_iter()
    .map(|url| {
        let to: &'static str = Box::leak(format!("§\"{url}\"").into_boxed_str());
        ("\"sqlite://data/portreeve.db\"", to, "database.url", "invalid-value")
    })
    .collect();
    assert_refused(&mutations);
}

#[test]
fn keys_pages_and_log_hold_only_what_they_know() {
    assert_refused(&[
        (
            "[\"ES256\", \"RS256\"]",
            "[\"ES256\", \"RS256\", §\"none\"]",
            "signing_keys.algorithms[2]",
            "invalid-value",
        ),
        (
            "[\"ES256\", \"RS256\"]",
            "[\"RS256\", \"ES256\", §\"HS256\"]",
            "signing_keys.algorithms[2]",
            "invalid-value",
        ),
        (
            "[\"ES256\", \"RS256\"]",
            "[\"ES256\", \"RS256\", §\"es256\"]",
            "signing_keys.algorithms[2]",
            "invalid-value",
        ),
        (
            "[\"ES256\", \"RS256\"]",
            "[\"ES256\", \"RS256\", §\"RS256\"]",
            "signing_keys.algorithms[2]",
            "repeated",
        ),
        // OpenID Connect Core §15.1
        ("[\"ES256\", \"RS256\"]", "§[\"ES256\"]", "signing_keys.algorithms", "rs256-missing"),
        ("name = \"Example\"", "name = §\"\"", "pages.name", "invalid-value"),
        ("name = \"Example\"", "name = §\"a\\u202eb\"", "pages.name", "invalid-value"),
        ("accent = \"#0a5\"", "accent = §\"green\"", "pages.accent", "invalid-value"),
        ("accent = \"#0a5\"", "accent = §\"#0a5;}\"", "pages.accent", "invalid-value"),
        ("accent = \"#0a5\"", "logo = §\"logo.exe\"", "pages.logo", "invalid-value"),
        ("accent = \"#0a5\"", "logo = §\"missing.svg\"", "pages.logo", "unreadable-file"),
        ("level = \"info\"", "level = §\"verbose\"", "log.level", "invalid-value"),
        ("format = \"text\"", "format = §\"xml\"", "log.format", "invalid-value"),
        ("folder = \"clients\"", "folder = §\"client\"", "clients.folder", "unreadable-folder"),
        ("folder = \"clients\"", "folder = §\"portreeve.toml\"", "clients.folder", "unreadable-folder"),
    ]);
}

#[test]
fn a_scope_is_declared_once_and_carries_no_claim_of_the_server() {
    // threat 75
    for claim in super::scopes::RESERVED_CLAIMS {
        let to: &'static str = Box::leak(format!("claims = [§\"{claim}\"]").into_boxed_str());
        assert_refused(&[("claims = [\"groups\"]", to, "scopes.groups.claims[0]", "reserved-claim")]);
    }
    assert_refused(&[
        ("claims = [\"groups\"]", "claims = [§\"\"]", "scopes.groups.claims[0]", "invalid-value"),
        ("claims = [\"groups\"]", "claims = [\"a\", §\"a\"]", "scopes.groups.claims[1]", "repeated"),
        (
            "description = \"See your photos\"",
            "description = §\"\"",
            "scopes.\"photos.read\".description",
            "invalid-value",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n§\"description#de_DE\" = \"Ihre Fotos sehen\"",
            "scopes.\"photos.read\".description#de_DE",
            "invalid-value",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n§\"description#\" = \"Ihre Fotos sehen\"",
            "scopes.\"photos.read\".description#",
            "invalid-value",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n\"description#DE\" = \"x\"\n§\"description#de\" = \"x\"",
            "scopes.\"photos.read\".description#de",
            "repeated",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n\"description#de\" = §\"\\u202e\"",
            "scopes.\"photos.read\".description#de",
            "invalid-value",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n\"description#de\" = §1",
            "scopes.\"photos.read\".description#de",
            "wrong-type",
        ),
        (
            "description = \"See your photos\"",
            "description = \"x\"\n§\"descriptions#de\" = \"x\"",
            "scopes.\"photos.read\".\"descriptions#de\"",
            "unknown-key",
        ),
        ("[pages]", "[scopes.§openid]\ndescription = \"x\"\n[pages]", "scopes.openid", "built-in-scope"),
        ("[pages]", "[scopes.§email]\ndescription = \"x\"\n[pages]", "scopes.email", "built-in-scope"),
        ("[pages]", "[scopes.§\"a b\"]\ndescription = \"x\"\n[pages]", "scopes.\"a b\"", "invalid-value"),
        ("[pages]", "[scopes.§\"\"]\ndescription = \"x\"\n[pages]", "scopes.\"\"", "invalid-value"),
    ]);
}

#[test]
fn a_resource_serves_declared_scopes_and_is_introspected_by_clients() {
    let scopes = "resources.\"https://api.example.com/photos\".scopes[0]";
    let clients = "resources.\"https://api.example.com/photos\".introspection_clients[0]";
    assert_refused(&[
        ("scopes = [\"photos.read\"]", "scopes = [§\"photos.raed\"]", scopes, "undeclared-scope"),
        ("scopes = [\"photos.read\"]", "scopes = [§\"openid\"]", scopes, "built-in-scope"),
        (
            "introspection_clients = [\"service\"]",
            "introspection_clients = [§\"servce\"]",
            clients,
            "unknown-client",
        ),
        (
            "introspection_clients = [\"service\"]",
            "introspection_clients = [§\"a b\"]",
            clients,
            "invalid-value",
        ),
        ("[pages]", "[resources.§\"/photos\"]\n[pages]", "resources.\"/photos\"", "invalid-value"),
        (
            "[pages]",
            "[resources.§\"https://a.example#x\"]\n[pages]",
            "resources.\"https://a.example#x\"",
            "invalid-value",
        ),
        (
            "[pages]",
            "[resources.§\"https://auth.example.com\"]\n[pages]",
            "resources.\"https://auth.example.com\"",
            "invalid-value",
        ),
    ]);
}

#[test]
fn the_members_of_a_client_are_judged_at_their_place() {
    let uri = "\"https://photos.example.com/callback\"";
    let mut mutations: Vec<Mutation> = Vec::new();
    for wrong in [
        "http://photos.example.com/callback",
        "https://photos.example.com/callback#x",
        "https://*.example.com/callback",
        "https://photos.example.com/%2e%2e/callback",
        "https://ada@photos.example.com/callback",
        "https://photos.example.com/callback?code=1",
        "https://PHOTOS.example.com/callback",
        "com.example.app:/callback",
        "javascript:alert(1)",
        "http://localhost/callback",
        "/callback",
        "",
    ] {
        let to: &'static str = Box::leak(format!("§\"{wrong}\"").into_boxed_str());
        mutations.push((uri, to, "client.web.redirect_uris[0]", "invalid-metadata"));
    }
    assert_refused(&mutations);
    assert_refused(&[
        (
            "[\"authorization_code\", \"refresh_token\"]\nresponse",
            "[\"authorization_code\", §\"implicit\"]\nresponse",
            "client.web.grant_types[1]",
            "invalid-metadata",
        ),
        (
            "[\"authorization_code\", \"refresh_token\"]\nresponse",
            "[\"authorization_code\", §\"password\"]\nresponse",
            "client.web.grant_types[1]",
            "invalid-metadata",
        ),
        (
            "response_types = [\"code\"]",
            "response_types = [§\"token\"]",
            "client.web.response_types[0]",
            "invalid-metadata",
        ),
        (
            "\"client_secret_basic\"",
            "§\"client_secret_jwt\"",
            "client.web.token_endpoint_auth_method",
            "invalid-metadata",
        ),
        ("alg = \"ES256\"", "alg = §\"none\"", "client.web.id_token_signed_response_alg", "invalid-metadata"),
        (
            "alg = \"ES256\"",
            "alg = §\"EdDSA\"",
            "client.web.id_token_signed_response_alg",
            "algorithm-without-key",
        ),
        ("default_max_age = 3600", "default_max_age = §-1", "client.web.default_max_age", "invalid-metadata"),
        ("\"Photo editor\"", "§\"a\\u200bb\"", "client.web.client_name", "invalid-metadata"),
        (
            "\"https://photos.example.com/\"\ncon",
            "§\"http://photos.example.com/\"\ncon",
            "client.web.client_uri",
            "invalid-metadata",
        ),
    ]);
}

#[test]
fn a_client_is_named_once_over_all_files() {
    assert_refused(&[
        ("client_id = \"desktop\"", "client_id = §\"spa\"", "client.spa.client_id", "duplicate-client"),
        ("client_id = \"desktop\"", "client_id = §\"usr_x\"", "client[2].client_id", "invalid-value"),
        ("client_id = \"desktop\"", "client_id = §\"a b\"", "client[2].client_id", "invalid-value"),
        ("client_id = \"desktop\"", "client_id = §\"\"", "client[2].client_id", "invalid-value"),
    ]);
    let folder = Folder::valid();
    folder.file("clients/more.toml", "[[client]]\nclient_id = \"service\"\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = [\"https://a.example/\"]\n");
    let problems = folder.problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].file, std::path::Path::new("clients/more.toml"));
    assert!(problems[0].found.contains("clients/clients.toml:36:13"), "names both places: {}", problems[0]);
}

#[test]
fn a_client_has_what_its_kind_needs_and_no_more() {
    assert_refused(&[
        // RFC 9700 §2.1.1
        ("require_pkce = true", "require_pkce = §false", "client.spa.require_pkce", "public-without-pkce"),
        // RFC 9700 §2.2.2
        (
            "token_rotation = true",
            "token_rotation = §false",
            "client.spa.refresh_token_rotation",
            "public-without-rotation",
        ),
        // RFC 6749 §2.1
        (
            "require_pkce = true",
            "client_secrets = §[{ sha256 = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" }]",
            "client.spa.client_secrets",
            "public-with-secret",
        ),
        // RFC 6749 §4.4: there is no person
        (
            "scope = \"photos.read\"",
            "scope = §\"photos.read openid\"",
            "client.service.scope",
            "service-with-person-scope",
        ),
        (
            "scope = \"photos.read\"",
            "scope = §\"offline_access\"",
            "client.service.scope",
            "service-with-person-scope",
        ),
        ("scope = \"openid groups\"", "scope = §\"openid group\"", "client.spa.scope", "undeclared-scope"),
        ("scope = \"openid groups\"", "scope = §\"openid ä\"", "client.spa.scope", "invalid-metadata"),
        (
            "allowed_groups = [\"staff\"]",
            "allowed_groups = §[]",
            "client.web.allowed_groups",
            "invalid-value",
        ),
        (
            "allowed_groups = [\"staff\"]",
            "allowed_groups = [§\"\"]",
            "client.web.allowed_groups[0]",
            "invalid-value",
        ),
        (
            "[\"authorization_code\", \"refresh_token\"]\ntoken",
            "§[\"refresh_token\"]\ntoken",
            "client.spa.grant_types",
            "invalid-metadata",
        ),
    ]);
    let origin = "allowed_origins = [\"https://photos.example.com\"]";
    for wrong in [
        "*",
        "https://photos.example.com/",
        "https://*.example.com",
        "http://app.example",
        "null",
        "https://a.example:443",
        "com.example.app:",
    ] {
        let to: &'static str = Box::leak(format!("allowed_origins = [§\"{wrong}\"]").into_boxed_str());
        assert_refused(&[(origin, to, "client.web.allowed_origins[0]", "invalid-origin")]);
    }
}
