//! Replicas that start, or rotate keys, at the same moment (threats 181, 199; F-16, F-18; invariant 34).

use super::{together, two_replicas};
use crate::support::browser::Browser;
use crate::support::clock::{BEGINNING, ManualClock};
use crate::support::configuration::TestConfiguration;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::http::app::Mode;
use portreeve::keys::rotation::{Due, Rotation};
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::storage::Store;
use portreeve::tasks::rotate_keys;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Tables and their columns, as `table.column`.
async fn columns(database: &TestDatabase) -> BTreeSet<String> {
    if database.url().starts_with("sqlite:") {
        let mut open = SqliteConnection::connect(database.url()).await.expect("the file");
        let sql = "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
        sqlx::query_scalar(sql).fetch_all(&mut open).await.expect("columns").into_iter().collect()
    } else {
        let mut open = PgConnection::connect(database.url()).await.expect("the schema");
        let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()";
        sqlx::query_scalar(sql).fetch_all(&mut open).await.expect("columns").into_iter().collect()
    }
}

/// The names of the indexes that the migrations make.
async fn indexes(database: &TestDatabase) -> BTreeSet<String> {
    let made = |name: &String| !name.ends_with("_pkey") && !name.starts_with("sqlite_autoindex");
    let names: Vec<String> = if database.url().starts_with("sqlite:") {
        let mut open = SqliteConnection::connect(database.url()).await.expect("the file");
        let sql = "SELECT name FROM sqlite_master WHERE type = 'index'";
        sqlx::query_scalar(sql).fetch_all(&mut open).await.expect("indexes")
    } else {
        let mut open = PgConnection::connect(database.url()).await.expect("the schema");
        let sql = "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()";
        sqlx::query_scalar(sql).fetch_all(&mut open).await.expect("indexes")
    };
    names.into_iter().filter(made).collect()
}

async fn migrated() -> (TestDatabase, BTreeSet<String>, BTreeSet<String>) {
    let alone = TestDatabase::sqlite();
    let store = Store::open(alone.url(), 2).await.expect("a store");
    store.migrate(BEGINNING).await.expect("migrations run");
    let (columns, indexes) = (columns(&alone).await, indexes(&alone).await);
    (alone, columns, indexes)
}

/// F-16: only one of them can put a new file under a write-ahead log, and SQLite turns the others away without waiting.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_open_a_new_file_at_once_all_open_it() {
    for _ in 0..30 {
        let database = TestDatabase::sqlite();
        let opened = together(12, |_| {
            let url = database.url().to_owned();
            async move { Store::open(&url, 2).await.map(drop) }
        })
        .await;
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    }
}

on_both_stores! {
    /// F-16, threat 199: one of them migrates, all of them serve, and the schema is the same on both stores.
    async fn five_replicas_that_start_on_an_empty_database_migrate_it_once(database: TestDatabase) {
        let url = database.url().to_owned();
        let reports = together(5, |_| {
            let url = url.clone();
            async move {
                let store = Store::open(&url, 2).await.expect("a store");
                store.migrate(BEGINNING).await.expect("migrations run")
            }
        })
        .await;
        let mut taken: Vec<&str> = reports.iter().flat_map(|report| report.applied.iter().copied()).collect();
        taken.sort_unstable();
        assert_eq!(taken, ["first_house", "openid_connect"], "{reports:?}");
        let store = Store::open(&url, 2).await.expect("a store");
        assert!(store.pending_migrations().await.expect("a report").pending.is_empty());
        let (_alone, expected_columns, expected_indexes) = migrated().await;
        assert_eq!(columns(&database).await, expected_columns);
        assert_eq!(indexes(&database).await, expected_indexes);
    }

    /// Threat 181, F-18: one new key for each algorithm, announced before it signs, and never an empty key set.
    async fn parallel_rotations_make_one_new_key_of_each_algorithm(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let before = server.get("/.well-known/jwks.json").await.json()["keys"].as_array().expect("keys").len();
        let made = together(8, |_| {
            let app = server.app.clone();
            async move {
                let rotation = Rotation {
                    store: app.store.clone(),
                    sealing: app.secrets.sealing.clone(),
                    entropy: app.entropy.clone(),
                    trail: app.trail.clone(),
                    token_life: Duration::from_secs(3600),
                };
                // RSA keys take seconds to make without optimisation, and are kept by the same row.
                let algorithms = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];
                rotation.ensure(&algorithms, Due::Now, &app.circumstances("")).await.expect("keys")
            }
        })
        .await;
        assert_eq!(made.iter().map(Vec::len).sum::<usize>(), 2, "{made:?}");
        rotate_keys::run_once(&server.app).await.expect("a round");
        let keys = server.get("/.well-known/jwks.json").await.json()["keys"].as_array().expect("keys").clone();
        assert_eq!(keys.len(), before + 2);
        let ids: BTreeSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
        assert_eq!(ids.len(), keys.len());
    }
}

/// Threats 47, 181: what one replica signs the other verifies, before a rotation, at it and after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_start_at_once_share_their_keys_through_a_rotation() {
    let database = TestDatabase::postgres().await;
    let servers = two_replicas(TestServer::start(&database).await).await;
    let app = RelyingParty::new("web", "openid offline_access photos.read");
    let tokens = app.tokens(&servers[0], &mut Browser::new()).await;
    let mut names = BTreeSet::new();
    let mut signed = vec![tokens.access().to_owned()];
    // Twenty-nine days and a half, then over the announcement to the new key's first signature.
    for seconds in [0, 30 * 86_400 - 900, 601, 599, 2] {
        servers[0].clock.advance(Duration::from_secs(seconds));
        let rounds = together(2, |number| {
            let app = servers[number].app.clone();
            async move { rotate_keys::run_once(&app).await.expect("a round").made.len() }
        })
        .await;
        assert!(rounds.iter().sum::<usize>() <= 3, "one successor for each algorithm: {rounds:?}");
        for server in &servers {
            rotate_keys::run_once(&server.app).await.expect("a round");
        }
        for number in 0..2 {
            let refreshed = app.refresh(&servers[number], tokens.refresh(), &[]).await;
            assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
            let token = refreshed.json()["access_token"].as_str().expect("a token").to_owned();
            let other = &servers[1 - number];
            assert_eq!(other.introspect_as("web", &token).await["active"], true);
            names.insert(key_name(&token));
            assert!(key_set(other).await.contains(&key_name(&token)));
            signed.push(token);
        }
    }
    assert_eq!(names.len(), 2, "the key was rotated once: {names:?}");
}

/// Threat 181, F-18: the keys are one replica's, and every replica signs with them at once, however the clocks differ.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_find_no_key_at_the_same_moment_all_sign_with_the_same() {
    let database = TestDatabase::postgres().await;
    let configuration = Arc::new(TestConfiguration::new(&database));
    let servers = together(3, |number| {
        let (configuration, clock) = (configuration.clone(), ManualClock::new());
        clock.set(BEGINNING.minus(Duration::from_secs(2 * number as u64)));
        TestServer::compose(configuration, clock, Mode::Serve)
    })
    .await;
    let late = ManualClock::new();
    late.set(BEGINNING.minus(Duration::from_secs(4)));
    let late = TestServer::compose(configuration, late, Mode::Serve).await;
    let mut names = BTreeSet::new();
    for server in servers.iter().chain([&late]) {
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        names.insert(key_name(answer.json()["access_token"].as_str().expect("a token")));
        rotate_keys::run_once(&server.app).await.expect("a round");
    }
    assert_eq!(names.len(), 1, "{names:?}");
    let algorithms = late.app.snapshot.load().config.signing_keys.algorithms.len();
    for server in servers.iter().chain([&late]) {
        assert_eq!(key_set(server).await.len(), algorithms);
    }
}

fn key_name(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().expect("a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

async fn key_set(server: &TestServer) -> Vec<String> {
    let keys = server.get("/.well-known/jwks.json").await.json()["keys"].as_array().expect("keys").clone();
    assert!(!keys.is_empty(), "invariant 34: never empty");
    keys.iter().filter_map(|key| key["kid"].as_str()).map(str::to_owned).collect()
}
