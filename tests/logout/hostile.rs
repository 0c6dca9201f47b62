//! threats 89, 90, 94, F-33: receivers that redirect, drip, hang up or never answer delay nobody else, and are not stormed.

use super::delivery::insert;
use super::{clients, deliver, receive};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::https_server::HttpsServer;
use crate::support::server::TestServer;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{any, post};
use portreeve::clients::registry::Registry;
use portreeve::http::app::Snapshot;
use portreeve::outbound::{Limits, Outbound, SystemNetwork};
use portreeve::tasks::deliver_outbox::{self, Report};
use portreeve::tasks::delivery_pace::Pace;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server whose clients `app` and `other` have receivers of their own.
async fn server_for(database: &TestDatabase, app: &HttpsServer, other: &HttpsServer) -> TestServer {
    let settings = format!(
        "[outbound]\nallow_private = [\"{}\", \"{}\"]\ntrusted_certificates = [\"{}\", \"{}\"]\n",
        app.authority(),
        other.authority(),
        app.certificate.display(),
        other.certificate.display(),
    );
    let clients = clients("RECEIVER").replace("RECEIVER/backchannel", &app.url("/backchannel"));
    let clients = clients.replace("RECEIVER/other", &other.url("/other"));
    let server = TestServer::start_with(database, &settings, &clients).await;
    // a bound of its own, so that the test knows it
    let config = server.app.snapshot.load().config.clone();
    let limits = Limits { total: Duration::from_millis(4000), ..Limits::default() };
    let outbound = Outbound::on(Arc::new(SystemNetwork), &config.outbound, limits);
    let registry = Registry::new(&config.clients);
    server.app.snapshot.store(Arc::new(Snapshot { config, registry, outbound, mailer: None }));
    server
}

/// A receiver that takes everything, and what it got.
async fn good() -> (HttpsServer, crate::logout::Got) {
    let got = crate::logout::Got::default();
    let state = (got.clone(), Arc::new(AtomicU16::new(200)));
    (HttpsServer::start(Router::new().route("/other", post(receive)).with_state(state)).await, got)
}

on_both_stores! {
    /// threats 90, 94
    async fn a_receiver_that_never_answers_delays_nobody_else(database: TestDatabase) {
        let silent = HttpsServer::start_speaking(&["localhost"], &["http/1.1"], |mut stream| async move {
            let mut nothing = Vec::new();
            let _ = stream.read_to_end(&mut nothing).await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        })
        .await;
        let (other, got) = good().await;
        let server = Arc::new(server_for(&database, &silent, &other).await);
        insert(&server, "app", 60).await;
        server.clock.advance(Duration::from_millis(1));
        insert(&server, "other", 3).await;
        let delivering = server.clone();
        let round = tokio::spawn(async move { deliver(&delivering).await });
        // the good ones stand behind sixty others, and arrive while those hang
        let deadline = tokio::time::Instant::now() + Duration::from_millis(3500);
        while got.lock().unwrap().len() < 3 {
            assert!(tokio::time::Instant::now() < deadline, "{} of 3", got.lock().unwrap().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!round.is_finished());
        let report = round.await.unwrap();
        assert_eq!((report.delivered, report.failed, report.postponed), (3, 3, 57));
        assert!(silent.connections.most() <= 3, "{} at once", silent.connections.most());
    }

    /// threats 89, 90: whatever they answer, it is a failure, and read no further than its status
    async fn redirects_drips_and_nonsense_are_failures_and_lead_nowhere(database: TestDatabase) {
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let answer = |State((status, elsewhere)): State<(Arc<AtomicU16>, Arc<AtomicUsize>)>, uri: axum::http::Uri| async move {
            if uri.path() != "/backchannel" {
                elsewhere.fetch_add(1, Ordering::SeqCst);
            }
            let status = StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap();
            (status, [(header::LOCATION, "/elsewhere")], "x".repeat(100_000)).into_response()
        };
        let status = Arc::new(AtomicU16::new(307));
        let hostile = HttpsServer::start(Router::new().fallback(any(answer)).with_state((status.clone(), elsewhere.clone()))).await;
        let (other, got) = good().await;
        let server = server_for(&database, &hostile, &other).await;
        insert(&server, "app", 1).await;
        for code in [301, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503] {
            status.store(code, Ordering::SeqCst);
            insert(&server, "other", 1).await;
            assert_eq!(deliver(&server).await, Report { failed: 1, delivered: 1, ..Report::default() }, "{code}");
            server.clock.advance(Duration::from_secs(4600));
        }
        assert_eq!((elsewhere.load(Ordering::SeqCst), got.lock().unwrap().len()), (0, 11));
        status.store(200, Ordering::SeqCst);
        assert_eq!(deliver(&server).await, Report { delivered: 1, ..Report::default() });
    }

    async fn a_receiver_that_drips_or_hangs_up_fails_in_bounded_time(database: TestDatabase) {
        let drip = HttpsServer::start_speaking(&["localhost"], &["http/1.1"], |mut stream| async move {
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let gone = HttpsServer::start_speaking(&["localhost"], &["http/1.1"], |stream| async move { drop(stream) }).await;
        let server = server_for(&database, &drip, &gone).await;
        insert(&server, "app", 1).await;
        insert(&server, "other", 1).await;
        let round = tokio::time::timeout(Duration::from_secs(10), deliver(&server)).await.expect("in time");
        assert_eq!(round, Report { failed: 2, ..Report::default() });
    }

    /// threat 94: one logout, many messages, one host
    async fn many_messages_for_one_host_go_a_few_at_a_time_until_all_have_arrived(database: TestDatabase) {
        let (app, _) = good().await;
        let (other, got) = good().await;
        let server = server_for(&database, &app, &other).await;
        insert(&server, "other", 150).await;
        let pace = Pace::default();
        let mut delivered = 0;
        for _ in 0..400 {
            delivered += deliver_outbox::run_once(&server.app, &pace).await.expect("a round").delivered;
            if delivered == 150 {
                break;
            }
            server.clock.advance(Duration::from_millis(200));
        }
        assert_eq!((delivered, got.lock().unwrap().len()), (150, 150));
        // a connection is counted until its server has noticed the end of it
        assert!(other.connections.most() <= 6, "{} at once", other.connections.most());
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox WHERE attempts > 0").await, 0, "waiting is no failure");
    }
}
