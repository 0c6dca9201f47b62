//! `portreeve serve` as a process: how it starts and stops, and that nothing around it holds it up.

use crate::support::configuration::TestConfiguration;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::process::{PATIENCE, Process, eventually, free_address};
use crate::support::server::basic;
use crate::support::slow_database::{Line, SlowDatabase};
use axum::http::StatusCode;
use futures_util::future::join_all;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;

const SERVICE: [(&str, &str); 1] = [("grant_type", "client_credentials")];

on_both_stores! {
    /// F-34: whoever reads the log may stop reading.
    async fn a_log_that_nobody_reads_holds_nobody_up(database: TestDatabase) {
        let configuration = TestConfiguration::with(
            &database, "http://localhost:8080", "[log]\nlevel = \"trace\"", "");
        let mut process = Process::start_unread(&configuration);
        process.until_ready().await;
        let authorization = basic("service", &configuration.client_secret);
        let wrong = basic("service", "another secret, that is as long as it has to be");
        // More than the pipe and the queue hold together.
        for round in 0..700 {
            let refused = (0..8).map(|_| process.post("/token", Some(&wrong), &SERVICE));
            let (good, bad) = tokio::join!(process.post("/token", Some(&authorization), &SERVICE), join_all(refused));
            assert_eq!(good.expect("an answer").status, StatusCode::OK, "round {round}");
            assert!(bad.into_iter().all(|answer| answer.expect("an answer").status.is_client_error()));
        }
        let metrics = process.get_operations("/metrics").await.expect("an answer").body;
        assert!(metrics.contains("portreeve_log_lines_dropped_total"), "something was lost, and is counted");
        process.signal("TERM");
        assert_eq!(process.ended().await.code(), Some(0));
    }

    /// F-02: while it drains it says so, for as long as something runs.
    async fn operators_are_told_that_it_drains(database: TestDatabase) {
        let configuration = TestConfiguration::new(&database);
        let mut process = Process::ready(&configuration).await;
        let mut slow = TcpStream::connect(process.address).unwrap();
        slow.write_all(b"POST /token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
            content-type: application/x-www-form-urlencoded\r\ncontent-length: 11\r\n\r\ngrant").unwrap();
        // Its head has to be there before the signal is.
        eventually("the request is in work", async || {
            let metrics = process.get_operations("/metrics").await.expect("an answer").body;
            metrics.contains("portreeve_connections_open 2") || metrics.contains("portreeve_connections_open 3")
        }).await;
        process.signal("TERM");
        eventually("it says that it drains", async || match process.get_operations("/health/ready").await {
            Some(answer) => answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.json()["listener"] == "draining",
            None => panic!("it says nothing while a request runs"),
        }).await;
        assert!(TcpStream::connect(process.address).is_err(), "it still accepts");
        slow.write_all(b"_type=").unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert_eq!(process.ended().await.code(), Some(0));
    }

    /// What was refused just before the end is kept all the same.
    async fn refusals_of_the_last_moment_are_written(database: TestDatabase) {
        let configuration = TestConfiguration::new(&database);
        let mut process = Process::ready(&configuration).await;
        for _ in 0..3 {
            let answer = process.post("/token", None, &[("grant_type", "client_credentials"), ("client_id", "nobody-at-all")]).await;
            assert!(answer.expect("an answer").status.is_client_error());
        }
        process.signal("TERM");
        assert_eq!(process.ended().await.code(), Some(0));
        assert_eq!(database.number("SELECT COUNT(*) FROM refusals").await, 3, "{}", process.log());
    }
}

/// Signals count from the first moment: one that comes during the start is an order to stop, not a death.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_stop_while_it_starts_stops_in_good_order() {
    let database = TestDatabase::sqlite();
    let mut configuration = TestConfiguration::new(&database);
    let nowhere = format!("postgres://nobody@{}/none", free_address());
    configuration.settings = configuration.settings.replace(database.url(), &nowhere);
    configuration.write();
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&configuration);
        process.until_logged("the store is not there yet").await;
        process.signal("HUP");
        tokio::time::sleep(Duration::from_millis(50)).await;
        process.signal(signal);
        assert_eq!(process.ended().await.code(), Some(0), "{signal}: {}", process.log());
    }
}

/// F-28: a database that fell silent holds up no end either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_database_is_silent_stops_in_time() {
    let database = TestDatabase::postgres().await;
    let line = SlowDatabase::new(&database, Duration::ZERO).await;
    let mut configuration = TestConfiguration::new(&database);
    configuration.settings = configuration.settings.replace(database.url(), line.url());
    configuration.write();
    let mut process = Process::ready(&configuration).await;
    let authorization = basic("web", &configuration.client_secret);
    let code =
        [("grant_type", "authorization_code"), ("code", "nobody-ever-saw-this-one"), ("redirect_uri", "x")];
    assert!(process.post("/token", Some(&authorization), &code).await.is_some());
    line.set(Line::Silent);
    let begun = Instant::now();
    {
        let waiting = process.post("/token", Some(&authorization), &code);
        let signal = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            process.signal("TERM");
        };
        // It waits for the database, and is answered while the server drains.
        let (answer, ()) = tokio::join!(waiting, signal);
        assert_eq!(answer.expect("an answer").status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(process.ended().await.code(), Some(0), "{}", process.log());
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}");
}

/// F-14: one store is one store, whichever way leads to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_file_is_refused_also_by_a_link() {
    let database = TestDatabase::sqlite();
    let mut configuration = TestConfiguration::new(&database);
    let _first = Process::ready(&configuration).await;
    let path = database.url().strip_prefix("sqlite://").unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("other.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let linked_folder = folder.path().join("folder");
    std::os::unix::fs::symlink(std::path::Path::new(&path).parent().unwrap(), &linked_folder).unwrap();
    let ways = [link, linked_folder.join("portreeve.db"), path.clone().into()];
    for way in ways {
        let url = format!("sqlite://{}", way.display());
        configuration.settings = configuration.settings.replace(database.url(), &url);
        configuration.write();
        let mut second = Process::start(&configuration);
        assert_eq!(second.ended().await.code(), Some(1), "{url}: {}", second.log());
        second.until_logged("another server uses").await;
        configuration.settings = configuration.settings.replace(&url, database.url());
    }
}

/// The reader of the log is gone altogether: that ends nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_reader_is_gone_ends_nothing() {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::new(&database);
    let (address, operations) = (free_address(), free_address());
    let mut child = Command::new(env!("CARGO_BIN_EXE_portreeve"))
        .args(["serve", "--config"])
        .arg(configuration.path())
        .env_clear()
        .env("PORTREEVE_LISTEN__ADDRESS", address.to_string())
        .env("PORTREEVE_OPERATIONS__ADDRESS", operations.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    eventually("it listens", async || TcpStream::connect(address).is_ok()).await;
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let answer = client.get(format!("http://{operations}/health/live")).send().await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(answer.unwrap().status(), 200);
}
