//! Which room may know which other, and which crates.

use super::paths::{paths_in_the_crate, uses_of_crate};
use super::source::{Finding, SourceFile};
use super::{assert_kept, found};

const GROUND: [&str; 2] = ["protocol", "jose"];
/// On floor 3, from left to right: each may import those before it.
const RULES: [&str; 7] = ["audit", "outbound", "keys", "clients", "users", "sessions", "tokens"];
/// The right end of floor 3: these never import one another.
const FLOWS: [&str; 3] = ["authorization", "grants", "logout"];
/// The top: these compose, and may import everything.
const TOP: [&str; 3] = ["tasks", "cli", "main"];

/// One step aside on the same floor: room, what it may import there, why.
const ASIDE: [(&str, &str, &str); 3] = [
    ("config", "model::secret", "a secret that was typed is the model's Secret from then on"),
    ("config", "model::client", "a client in a file means the same type as a registered one"),
    ("config", "model::entropy", "`init` and the demo make secrets from chance that is passed in"),
];

/// Crates that a room must not know.
const NEVER: [(&[&str], &[&str]); 4] = [
    (&["protocol", "jose", "model", "config"], &["axum", "hyper", "tower", "sqlx", "tokio", "askama"]),
    (&["storage"], &["axum", "hyper", "tower", "askama"]),
    (&RULES, &["axum", "askama", "sqlx"]),
    (&FLOWS, &["axum", "askama", "sqlx"]),
];

/// Crates with one home; the other places each have their reason.
const ONLY_IN: [(&str, &[&str]); 6] = [
    ("sqlx", &["src/storage/"]),
    ("askama", &["src/pages/"]),
    ("fluent_bundle", &["src/pages/"]),
    ("unic_langid", &["src/pages/"]),
    ("jsonwebtoken", &["src/jose/"]),
    (
        "aws_lc_rs",
        &[
            "src/jose/",
            "src/model/entropy.rs", // the system's randomness
            "src/keys/seal.rs",     // AEAD at rest
            "src/keys/derive.rs",   // what the secret key is stretched into
            "src/http/tls.rs",      // the listener's own handshake
            "src/config/certificate.rs",
        ],
    ),
];

/// The rooms that `room` may import; none of a room that the table does not have.
fn may_import(room: &str) -> Option<Vec<&'static str>> {
    let model_and_config = ["model", "config"];
    let floors_0_to_2 = || GROUND.into_iter().chain(model_and_config).chain(["storage"]);
    Some(match room {
        "lib" | "protocol" => vec![],
        "jose" => vec!["protocol"],
        "model" | "config" => GROUND.to_vec(),
        "storage" => GROUND.into_iter().chain(["model"]).collect(),
        "pages" => GROUND.into_iter().chain(model_and_config).collect(),
        "http" => floors_0_to_2().chain(RULES).chain(FLOWS).chain(["pages"]).collect(),
        room if TOP.contains(&room) => {
            floors_0_to_2().chain(RULES).chain(FLOWS).chain(["pages", "http"]).chain(TOP).collect()
        }
        room if FLOWS.contains(&room) => floors_0_to_2().chain(RULES).collect(),
        room => {
            let place = RULES.iter().position(|rule| *rule == room)?;
            floors_0_to_2().chain(RULES[..place].iter().copied()).collect()
        }
    })
}

fn upward_imports(file: &SourceFile) -> Vec<Finding> {
    let Some((room, allowed)) = file.room().and_then(|room| Some((room, may_import(room)?))) else {
        return vec![];
    };
    let is_aside = |path: &[String]| {
        let path = format!("{}::", path.join("::"));
        ASIDE.iter().any(|(from, to, _)| *from == room && path.starts_with(&format!("{to}::")))
    };
    let mut findings = Vec::new();
    for (offset, path) in paths_in_the_crate(file) {
        let target = path[0].as_str();
        if may_import(target).is_some() && target != room && !allowed.contains(&target) && !is_aside(&path) {
            findings.push((offset, format!("{room} may not import {}", path.join("::"))));
        }
    }
    findings
}

#[test]
fn imports_only_go_down_the_floors() {
    assert_kept(upward_imports);
}

#[test]
fn an_import_that_goes_up_or_sideways_to_the_right_is_found() {
    let planted =
        "use crate::{\n    protocol::Scope,\n    storage::Store,\n};\nfn f() { super::super::http::x() }\n";
    assert_eq!(found(upward_imports, "src/model/x.rs", planted), [3, 5]);
    assert_eq!(found(upward_imports, "src/keys/x.rs", "use crate::audit::A;\nuse crate::clients::B;\n"), [2]);
    assert_eq!(found(upward_imports, "src/users/mod.rs", "use super::{keys::K,\nsessions::S};\n"), [2]);
    for (room, other) in [("authorization", "grants"), ("grants", "logout"), ("logout", "authorization")] {
        assert_eq!(found(upward_imports, &format!("src/{room}/x.rs"), &format!("crate::{other}::f();")), [1]);
    }
    assert_eq!(found(upward_imports, "src/storage/x.rs", "use crate::config::C;"), [1]);
    assert_eq!(found(upward_imports, "src/pages/x.rs", "use crate::tokens::T;"), [1]);
    assert_eq!(found(upward_imports, "src/http/x.rs", "use crate::{cli, tasks::t};"), [1, 1]);
    assert_eq!(found(upward_imports, "src/config/x.rs", "use crate::model::grant::Grant;"), [1]);
}

#[test]
fn an_import_that_goes_down_or_belongs_to_a_test_is_left_alone() {
    let lawful = [
        ("src/jose/x.rs", "use crate::protocol::A;"),
        ("src/tokens/x.rs", "use crate::{sessions::A, audit::B, storage::C, config::D, tokens::E};"),
        ("src/http/x.rs", "use crate::{pages::A, grants::B, model::C}; // crate::cli::x"),
        ("src/cli/serve.rs", "use crate::{http::A, tasks::B};"),
        ("src/config/x.rs", "use crate::model::secret::{self, Secret};"),
        ("src/model/x.rs", "#[cfg(test)]\nmod tests { use crate::storage::A; }"),
        ("src/model/x_tests.rs", "use crate::storage::A;"),
    ];
    for (path, text) in lawful {
        assert_eq!(found(upward_imports, path, text), Vec::<usize>::new(), "{path}");
    }
}

fn rooms_without_a_floor(file: &SourceFile) -> Vec<Finding> {
    let unknown = file.room().filter(|room| may_import(room).is_none());
    unknown.map(|room| (0, format!("{room} has no place in the table of floors"))).into_iter().collect()
}

#[test]
fn every_room_has_its_place_in_the_table_of_floors() {
    assert_kept(rooms_without_a_floor);
}

#[test]
fn a_room_or_a_loose_file_that_the_table_does_not_have_is_found() {
    assert_eq!(found(rooms_without_a_floor, "src/billing/mod.rs", "//! Money.\n"), [1]);
    assert_eq!(found(rooms_without_a_floor, "src/state.rs", "//! State.\n"), [1]);
    assert_eq!(found(rooms_without_a_floor, "src/grants/x.rs", "//! Grants.\n"), Vec::<usize>::new());
}

fn crates_out_of_place(file: &SourceFile) -> Vec<Finding> {
    let Some(room) = file.room() else { return vec![] };
    let mut findings = Vec::new();
    for name in NEVER.iter().filter(|(rooms, _)| rooms.contains(&room)).flat_map(|(_, crates)| *crates) {
        findings.extend(
            uses_of_crate(file, name).into_iter().map(|at| (at, format!("{room} must not know {name}"))),
        );
    }
    for (name, homes) in ONLY_IN {
        if !homes.iter().any(|home| file.path.starts_with(home)) {
            let message = format!("{name} belongs in {}", homes.join(", "));
            findings.extend(uses_of_crate(file, name).into_iter().map(|at| (at, message.clone())));
        }
    }
    findings.sort();
    findings.dedup_by_key(|(at, _)| *at);
    findings
}

#[test]
fn a_crate_is_used_only_in_the_rooms_that_may_know_it() {
    assert_kept(crates_out_of_place);
}

#[test]
fn a_crate_in_the_wrong_room_is_found() {
    for (path, text) in [
        ("src/protocol/x.rs", "use axum::Router;"),
        ("src/jose/x.rs", "fn f() { tokio::spawn(g()) }"),
        ("src/config/x.rs", "use sqlx::Row;"),
        ("src/storage/x.rs", "use axum::http::StatusCode;"),
        ("src/grants/x.rs", "use sqlx::query;"),
        ("src/http/x.rs", "use sqlx::query;"),
        ("src/http/x.rs", "#[derive(askama::Template)] struct A;"),
        ("src/tokens/x.rs", "use jsonwebtoken::Header;"),
        ("src/users/x.rs", "use ::aws_lc_rs::digest;"),
        ("src/keys/rotation.rs", "use aws_lc_rs::{\n aead};"),
    ] {
        assert_eq!(found(crates_out_of_place, path, text), [1], "{path}: {text}");
    }
    for (path, text) in [
        ("src/keys/seal.rs", "use aws_lc_rs::aead;"),
        ("src/outbound/client.rs", "rustls::crypto::aws_lc_rs::default_provider();"),
        ("src/storage/grants.rs", "use sqlx::query;"),
        ("src/protocol/x.rs", "#[cfg(test)]\nmod tests { #[tokio::test] async fn f() {} }"),
    ] {
        assert_eq!(found(crates_out_of_place, path, text), Vec::<usize>::new(), "{path}: {text}");
    }
}

fn waiting_on_the_ground_floor(file: &SourceFile) -> Vec<Finding> {
    if !file.room().is_some_and(|room| GROUND.contains(&room)) {
        return vec![];
    }
    let words = ["async", "await", "SystemTime", "Instant"].into_iter();
    words
        .flat_map(|word| file.words(word).map(move |at| (at, format!("{word} on the ground floor"))))
        .collect()
}

#[test]
fn the_ground_floor_waits_for_nothing_and_has_no_clock() {
    assert_kept(waiting_on_the_ground_floor);
}

#[test]
fn something_to_wait_for_or_a_clock_on_the_ground_floor_is_found() {
    let planted = "pub async fn f() {}\nfn g(now: std::time::SystemTime) {}\n// async\n";
    assert_eq!(found(waiting_on_the_ground_floor, "src/protocol/x.rs", planted), [1, 2]);
    assert_eq!(found(waiting_on_the_ground_floor, "src/model/x.rs", planted), Vec::<usize>::new());
}
