use super::*;
use crate::audit::{Circumstances, Trail};
use crate::clients::remote_keys::RemoteKeys;
use crate::config::{
    Audit, Config, Database, DatabaseUrl, Lifetimes, Listen, Log, LogFormat, Operations as OperationsSection,
    Pages, ScopeDefinition, SecretKey, SecretKeys, SigningKeys,
};
use crate::http::app::{Mode, Parts, Snapshot};
use crate::keys::rotation::{Due, Rotation};
use crate::keys::{Keys, SecretPurposes};
use crate::model::clock::{Clock as _, SystemClock};
use crate::model::entropy::{SharedEntropy, SystemEntropy};
use crate::model::throttle::Throttle;
use crate::protocol::identifiers::RequestId;
use crate::protocol::issuer::Issuer;
use crate::protocol::localized::Localized;
use crate::protocol::signing_algorithm::SigningAlgorithm::Es256;
use crate::storage::Store;
use crate::users::password::PasswordHasher;
use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A configuration with `issuer`, ES256, one scope with a claim of its own, and nothing else of note.
pub(in crate::http) fn config(issuer: &str) -> Config {
    let hour = Duration::from_secs(3600);
    let groups =
        ScopeDefinition { description: Localized::plain("Your groups"), claims: vec!["groups".into()] };
    let address = "127.0.0.1:0".parse().expect("an address");
    Config {
        issuer: Issuer::parse(issuer).expect("valid"),
        secret_keys: SecretKeys { current: SecretKey(system_entropy().bytes()), previous: Vec::new() },
        listen: Listen { address, tls: None, trusted_proxies: Vec::new(), connections_per_address: 256 },
        operations: OperationsSection { address },
        database: Database { url: DatabaseUrl::new("sqlite://unused"), max_connections: 2 },
        lifetimes: Lifetimes {
            authorization_code: Duration::from_secs(60),
            access_token: hour,
            id_token: hour,
            refresh_token_idle: hour,
            refresh_token_absolute: hour,
            session_idle: hour,
            session_absolute: hour,
        },
        signing_keys: SigningKeys { algorithms: vec![Es256], rotate_every: hour },
        scopes: [("groups".to_owned(), groups)].into(),
        resources: Vec::new(),
        pages: Pages { name: "Example".into(), logo: None, accent: None },
        log: Log { level: "info".into(), format: LogFormat::Text },
        audit: Audit { keep: hour },
        outbound: crate::config::Outbound::default(),
        mail: None,
        front_channel_logout: Default::default(),
        registration: None,
        clients: Vec::new(),
        files: Vec::new(),
    }
}

fn system_entropy() -> SharedEntropy {
    Arc::new(SystemEntropy)
}

/// Whether a server has keys when it is put together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Signing {
    Now,
    NotYet,
}

/// A server on a fresh store, which lies in the folder.
pub(in crate::http) async fn server(config: Config, mode: Mode, signing: Signing) -> (App, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store =
        Store::open(&format!("sqlite://{}/test.db", folder.path().display()), 2).await.expect("opens");
    let now = SystemClock.now();
    store.migrate(now).await.expect("migrates");
    let entropy = system_entropy();
    let (trail, _) = Trail::new(entropy.clone());
    let secrets = SecretPurposes::derive(&config.secret_keys);
    if signing == Signing::Now {
        let rotation = Rotation {
            store: store.clone(),
            sealing: secrets.sealing.clone(),
            entropy: entropy.clone(),
            trail: trail.clone(),
            token_life: Duration::from_secs(3600),
        };
        let request_id = RequestId::from_random(entropy.bytes());
        let circumstances = Circumstances { request_id, address: String::new(), now };
        let due = Due::After(config.signing_keys.rotate_every);
        rotation.ensure(&config.signing_keys.algorithms, due, &circumstances).await.expect("keys");
    }
    let keys = Keys::open(&store, secrets.sealing.clone(), &entropy, now).await.expect("opens");
    let app = Arc::new(Parts {
        clock_ahead: 0.into(),
        registration_pace: crate::model::address_pace::AddressPace::of_registrations(),
        push_pace: crate::model::address_pace::AddressPace::of_pushed_requests(),
        logos: crate::clients::logos::Logos::default(),
        clock_is_off: false.into(),
        is_draining: false.into(),
        store,
        clock: Arc::new(SystemClock),
        entropy: entropy.clone(),
        keys,
        secrets,
        snapshot: ArcSwap::from_pointee(Snapshot::of(config)),
        throttle: Throttle::new(Arc::new(SystemClock)),
        recovery_throttle: Throttle::new(Arc::new(SystemClock)),
        recoveries: Arc::new(tokio::sync::Semaphore::new(1)),
        passwords: PasswordHasher::new(entropy),
        remote_keys: RemoteKeys::new(Arc::new(SystemClock)),
        trail,
        mode,
    });
    (app, folder)
}

/// What a router answers to GET: the response without its body, and its body.
pub(in crate::http) async fn get_text(router: &Router, path: &str) -> (Response, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    text_of(router.clone().oneshot(request).await.expect("an answer")).await
}

/// A response without its body, and its body.
pub(in crate::http) async fn text_of(response: Response) -> (Response, String) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (Response::from_parts(parts, Body::empty()), String::from_utf8(bytes.to_vec()).expect("UTF-8"))
}

async fn operations(signing: Signing) -> (Router, App, TempDir) {
    let (app, folder) = server(config("https://auth.example.com"), Mode::Serve, signing).await;
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    (router(app.clone(), metrics), app, folder)
}

#[tokio::test]
async fn a_replica_with_store_and_key_is_ready() {
    let (router, _, _folder) = operations(Signing::Now).await;
    let (response, body) = get_text(&router, "/health/ready").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(body, r#"{"status":"ready","store":"ok","signing_key":"ok","clock":"ok","listener":"ok"}"#);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_replica_without_a_key_is_alive_and_not_ready() {
    let (router, _, _folder) = operations(Signing::NotYet).await;
    let (response, body) = get_text(&router, "/health/ready").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body,
        r#"{"status":"unready","store":"ok","signing_key":"missing","clock":"ok","listener":"ok"}"#
    );
    assert_eq!(get_text(&router, "/health/live").await.0.status(), StatusCode::OK);
}

// threat 169
#[tokio::test]
async fn a_replica_without_its_store_is_alive_and_not_ready_and_does_not_say_why() {
    let (router, app, _folder) = operations(Signing::Now).await;
    app.store.close().await;
    let (response, body) = get_text(&router, "/health/ready").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body,
        r#"{"status":"unready","store":"unavailable","signing_key":"ok","clock":"ok","listener":"ok"}"#
    );
    assert_eq!(get_text(&router, "/health/live").await.0.status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_are_in_the_text_format_of_prometheus() {
    let (app, _folder) = server(config("https://auth.example.com"), Mode::Serve, Signing::NotYet).await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::with_local_recorder(&recorder, || metrics::counter!("portreeve_test_total").increment(3));
    let (response, body) = get_text(&router(app, handle), "/metrics").await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4; charset=utf-8");
    assert!(body.contains("portreeve_test_total 3"), "{body}");
}

// threats 166, 167
#[tokio::test]
async fn the_operators_listener_has_nothing_else_and_changes_nothing() {
    let (router, _, _folder) = operations(Signing::NotYet).await;
    for path in
        ["/", "/token", "/authorize", "/health", "/health/ready/", "/metrics/x", "/.well-known/jwks.json"]
    {
        assert_eq!(get_text(&router, path).await.0.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let post = Request::post("/metrics").body(Body::empty()).expect("a request");
    let response = router.oneshot(post).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
