//! The program as a process: how it drains, whom it refuses to stand beside, how many start at once, and that it changes
//! nothing under a secret key that is not its own (F-02, F-14, F-16, F-23; threats 179, 199).

use super::{grants, post};
use crate::support::browser::Browser;
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::process::{Process, beside, eventually};
use crate::support::server::basic;
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_both_stores! {
    /// F-02; product.md, commands: what runs is finished, nothing new is begun, operators hear of it, and the exit is clean.
    async fn a_server_that_is_told_to_stop_finishes_what_runs(database: TestDatabase) {
        let configuration = Arc::new(TestConfiguration::new(&database));
        let judge = beside(&configuration).await;
        judge.add_person("ada", json!({})).await;
        let tokens = grants(&judge, &mut Browser::new(), 1).await;
        let mut server = Process::ready(&configuration).await;
        let authorization = basic("ours", judge.secret());
        let request = post("/revoke", &[("authorization", &authorization)], &[("token", tokens[0].refresh())]);
        let (first, second) = request.split_at(request.len() - 10);
        let mut stream = TcpStream::connect(server.address).await.expect("it listens");
        stream.write_all(first.as_bytes()).await.expect("it takes the head");
        // An answer to somebody else means that the head of the first has arrived as well.
        assert!(server.get("/.well-known/jwks.json").await.is_some());
        server.signal("TERM");
        eventually("readiness is false while it drains", async || {
            server.readiness().await == Some(StatusCode::SERVICE_UNAVAILABLE)
        })
        .await;
        let readiness = server.get_operations("/health/ready").await.expect("operators are answered");
        assert_eq!(readiness.json()["listener"], "draining");
        assert_eq!(server.get_operations("/health/live").await.expect("it lives").status, StatusCode::OK);
        eventually("nothing new is begun", async || TcpStream::connect(server.address).await.is_err()).await;
        stream.write_all(second.as_bytes()).await.expect("it takes the rest");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
        judge.assert_dead("ours", tokens[0].access()).await;
    }

    /// F-23: it ends before it serves, says which key is wanted, and leaves every row as it was.
    async fn a_server_with_another_secret_key_does_not_start_and_changes_nothing(database: TestDatabase) {
        let configuration = Arc::new(TestConfiguration::new(&database));
        let judge = beside(&configuration).await;
        judge.add_person("ada", json!({})).await;
        let tokens = grants(&judge, &mut Browser::new(), 1).await;
        let keys = judge.jwks().await;
        let right = std::fs::read(configuration.folder.path().join("secret.key")).expect("a key");
        let wrong = random_secret();
        std::fs::write(configuration.folder.path().join("secret.key"), &wrong).expect("it can be written");
        let mut server = Process::start(&configuration);
        let status = server.ended().await;
        assert_eq!(status.code(), Some(1), "{}", server.log());
        server.until_logged("secret_key").await;
        let log = server.log();
        assert!(!log.contains("serving") && !log.contains("fault of the program"), "{log}");
        assert!(!log.contains(&wrong) && !log.contains(std::str::from_utf8(&right).expect("text")), "threat 179");
        std::fs::write(configuration.folder.path().join("secret.key"), &right).expect("it can be written");
        let server = Process::ready(&configuration).await;
        let served = server.get("/.well-known/jwks.json").await.expect("an answer").json();
        assert_eq!(served, keys, "no key was made or overwritten");
        let authorization = basic("ours", judge.secret());
        let asked = [("token", tokens[0].access())];
        let introspected = server.post("/introspect", Some(&authorization), &asked).await.expect("an answer");
        assert_eq!(introspected.json()["active"], true);
    }
}

/// How many steps the schema has.
fn migrations() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    i64::try_from(std::fs::read_dir(folder).expect("the migrations").count()).expect("a few")
}

/// F-16, threats 181, 199: one migrates, one key of each algorithm is made, and all get ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_servers_that_start_at_once_on_an_empty_database_all_get_ready() {
    let database = TestDatabase::postgres().await;
    let configuration = TestConfiguration::new(&database);
    let mut servers: Vec<Process> = (0..5).map(|_| Process::start(&configuration)).collect();
    for server in &mut servers {
        server.until_ready().await;
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM schema_history").await, migrations(), "each step once");
    assert_eq!(database.number("SELECT COUNT(*) FROM signing_keys").await, 3);
    assert_eq!(database.number("SELECT COUNT(DISTINCT algorithm) FROM signing_keys").await, 3);
    let first = servers[0].get("/.well-known/jwks.json").await.expect("an answer").json();
    for server in &servers {
        assert_eq!(server.get("/.well-known/jwks.json").await.expect("an answer").json(), first);
        assert!(!server.log().contains("fault of the program"), "{}", server.log());
    }
}

/// F-16: of two that start at once the one that migrates is killed in the middle; the other finds a clean state and does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_starts_leaves_the_work_to_the_next() {
    let database = TestDatabase::postgres().await;
    let configuration = TestConfiguration::new(&database);
    for milliseconds in [20, 60, 100, 150, 250, 400] {
        let mut server = Process::start(&configuration);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        server.kill();
    }
    let server = Process::ready(&configuration).await;
    assert_eq!(database.number("SELECT COUNT(*) FROM schema_history").await, migrations(), "each step once");
    let keys = server.get("/.well-known/jwks.json").await.expect("an answer").json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(3), "F-19: one key of each algorithm: {keys}");
}

/// F-14: an embedded store serves one; the second says so and ends, and the first goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_an_embedded_store_is_refused_in_clear_words() {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::new(&database);
    let mut first = Process::ready(&configuration).await;
    let mut second = Process::start(&configuration);
    assert_eq!(second.ended().await.code(), Some(1));
    // what it said is read by another thread
    second.until_logged("PostgreSQL").await;
    let complaint = second.log();
    assert!(complaint.contains("another server uses") && complaint.contains("PostgreSQL"), "{complaint}");
    assert_eq!(first.readiness().await, Some(StatusCode::OK));
    first.kill();
    let mut third = Process::ready(&configuration).await;
    third.signal("INT");
    assert_eq!(third.ended().await.code(), Some(0), "the lock died with its holder, and Ctrl-C drains too");
}
