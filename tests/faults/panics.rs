//! A panic is one request's or one round's (F-38, threat 195): it tells the caller nothing, is counted, poisons nothing, and the
//! next request and the next round work.

use crate::support::browser::{Browser, form};
use crate::support::clock::BEGINNING;
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::log::KeptLog;
use crate::support::process::eventually;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, PASSWORD, TestServer, basic, encode};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use portreeve::audit::Refusals;
use portreeve::cli::composition::{Composition, Ingredients, compose};
use portreeve::http::app::{App, Mode};
use portreeve::http::router::router;
use portreeve::model::clock::Clock;
use portreeve::model::entropy::SystemEntropy;
use portreeve::protocol::timestamp::Timestamp;
use portreeve::storage::Store;
use portreeve::tasks::Supervisor;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;

/// A clock that panics when it is asked for the so-manyeth time, and says a secret as it does.
#[derive(Clone)]
struct FaultyClock {
    left: Arc<AtomicI64>,
    secret: Arc<str>,
}

impl FaultyClock {
    fn new() -> Self {
        Self { left: Arc::new(AtomicI64::new(i64::MAX)), secret: random_secret().into() }
    }

    fn panic_after(&self, questions: i64) {
        self.left.store(questions, Ordering::SeqCst);
    }

    /// Whether it has panicked since it was told to.
    fn panicked(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            std::panic::resume_unwind(Box::new(format!("the clock stops with {}", self.secret)));
        }
        BEGINNING
    }
}

/// A server with that clock on the store and under the configuration of a whole one.
async fn faulty(whole: &TestServer, clock: &FaultyClock) -> (App, Router, Refusals) {
    let config = whole.configuration.load();
    let store = Store::open(config.database.url.expose(), 4).await.expect("a store");
    let clock = Arc::new(clock.clone());
    let ingredients =
        Ingredients { config, store, clock, entropy: Arc::new(SystemEntropy), mode: Mode::Serve };
    let Composition { app, refusals } = compose(ingredients).await.expect("a server");
    (app.clone(), router(app), refusals)
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (head, body) = router.clone().oneshot(request).await.expect("an answer").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

fn service(whole: &TestServer) -> Request<Body> {
    Request::post("/token")
        .header("authorization", basic("service", whole.secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("grant_type=client_credentials"))
        .expect("a request")
}

async fn body(database: TestDatabase) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recorder = metrics::set_default_local_recorder(&recorder);
    let log = KeptLog::start("info");
    let whole = TestServer::with(&database, TestConfiguration::new(&database)).await;
    let clock = FaultyClock::new();
    let (_app, router, _refusals) = faulty(&whole, &clock).await;
    let app = RelyingParty::new("ours", "openid");
    let mut panics = 0;
    // At every question for the time in turn: before, within and after the throttle's lock, the hashing, the write.
    for questions in 0..20 {
        let mut browser = Browser::new();
        let page = browser.get(&whole, &app.authorize(&[])).await;
        let form = form(&browser.follow(&whole, page).await);
        let mut fields: Vec<(&str, &str)> =
            form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.extend([("username", "ada"), ("password", PASSWORD)]);
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let login = || {
            Request::post(&form.action)
                .header("cookie", cookies.join("; "))
                .header("origin", whole.issuer())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Body::from(encode(&fields)))
                .expect("a request")
        };
        clock.panic_after(questions);
        let answer = send(&router, login()).await;
        if clock.panicked() {
            panics += 1;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{questions}: {answer:?}");
            assert_eq!(answer.error(), "server_error");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        assert!(!answer.body.contains(&*clock.secret), "{answer:?}");
        clock.panic_after(i64::MAX);
        assert_eq!(send(&router, service(&whole)).await.status, StatusCode::OK);
        let answer = send(&router, login()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{questions}: nothing is poisoned: {answer:?}");
    }
    assert!(panics > 1, "the clock was hardly asked");
    assert!(metrics.render().contains(&format!("portreeve_panics_total {panics}")), "{}", metrics.render());
    assert!(log.text().contains("a handler panicked") && !log.text().contains(&*clock.secret));
}

#[tokio::test]
async fn a_panic_in_a_handler_is_one_requests_on_sqlite() {
    body(TestDatabase::sqlite()).await;
}

#[tokio::test]
async fn a_panic_in_a_handler_is_one_requests_on_postgresql() {
    body(TestDatabase::postgres().await).await;
}

on_both_stores! {
    /// F-38: without a restart the keys would never be read again, and nobody would know until tokens fail to verify.
    async fn a_task_that_panics_begins_again(database: TestDatabase) {
        let whole = TestServer::start(&database).await;
        let clock = FaultyClock::new();
        let (app, _router, refusals) = faulty(&whole, &clock).await;
        clock.panic_after(0);
        let supervisor = Supervisor::start(&app, refusals);
        eventually("the first round panics", async || clock.panicked()).await;
        let before = clock.left.load(Ordering::SeqCst);
        eventually("there is another round", async || clock.left.load(Ordering::SeqCst) < before).await;
        drop(supervisor);
    }
}
