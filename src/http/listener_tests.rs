//! The accept loop against real sockets on the loopback interface, with short limits.

use super::*;
use crate::http::client_address::{ClientAddress, PeerAddress};
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{Method, Uri};
use axum::routing::{get, post};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What must happen soon happens within this, or the test fails.
pub const SOON: Duration = Duration::from_secs(10);
/// A limit that is meant to be reached.
pub const SHORT: Duration = Duration::from_millis(200);
/// A limit that is not.
pub const NEVER: Duration = Duration::from_secs(600);

/// Limits that nothing reaches.
pub fn generous() -> ListenerLimits {
    ListenerLimits {
        handshake_timeout: NEVER,
        header_timeout: NEVER,
        body_timeout: NEVER,
        idle_timeout: NEVER,
        write_timeout: NEVER,
        drain: NEVER,
        ..ListenerLimits::default()
    }
}

/// What the handlers saw, and how to let them go on.
#[derive(Clone)]
pub struct Stage {
    pub visits: Arc<Mutex<Vec<String>>>,
    pub release: Arc<Notify>,
    pub streams_dropped: Arc<Semaphore>,
    pub arrivals: Arc<Semaphore>,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            visits: Arc::default(),
            release: Arc::default(),
            streams_dropped: Arc::new(Semaphore::new(0)),
            arrivals: Arc::new(Semaphore::new(0)),
        }
    }
}

/// Adds a permit when dropped.
pub struct DropSignal(pub Arc<Semaphore>);

impl Drop for DropSignal {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// A listener that runs.
pub struct Server {
    pub address: SocketAddr,
    pub stage: Stage,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<io::Result<()>>,
}

impl Server {
    pub async fn start(limits: ListenerLimits) -> Self {
        Self::start_with(limits, None, Vec::new()).await
    }

    pub async fn start_with(
        limits: ListenerLimits,
        tls: Option<TlsReloader>,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        let stage = Stage::default();
        let listener =
            Listener::bind("127.0.0.1:0".parse().unwrap(), limits, tls, trusted_proxies).await.unwrap();
        let address = listener.local_address();
        let (stop, stopped) = oneshot::channel();
        let done = tokio::spawn(listener.serve(router(stage.clone()), async {
            let _ = stopped.await;
        }));
        Self { address, stage, stop: Some(stop), done }
    }

    pub async fn connect(&self) -> TcpStream {
        timeout(SOON, TcpStream::connect(self.address)).await.unwrap().unwrap()
    }

    pub fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub async fn ended(self) {
        timeout(SOON, self.done).await.expect("ends in time").unwrap().unwrap();
    }

    pub fn visits(&self) -> Vec<String> {
        self.stage.visits.lock().unwrap().clone()
    }

    /// The next good request works.
    pub async fn assert_well(&self) {
        let mut stream = self.connect().await;
        let answer = ask(&mut stream, "/").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

fn router(stage: Stage) -> Router {
    async fn slow(State(stage): State<Stage>) -> &'static str {
        stage.arrivals.add_permits(1);
        stage.release.notified().await;
        "slow"
    }
    async fn big(State(stage): State<Stage>) -> Body {
        let signal = DropSignal(stage.streams_dropped.clone());
        Body::from_stream(futures_util::stream::repeat_with(move || {
            let _ = &signal;
            Ok::<_, io::Error>(Bytes::from(vec![b'x'; 16 * 1024]))
        }))
    }
    async fn who(
        Extension(peer): Extension<PeerAddress>,
        Extension(client): Extension<ClientAddress>,
    ) -> String {
        format!("{} {}", peer.0, client.0)
    }
    async fn echo(body: Bytes) -> Bytes {
        body
    }
    async fn fallback() -> &'static str {
        "hello"
    }
    let visits = stage.visits.clone();
    Router::new()
        .route("/slow", get(slow))
        .route("/big", get(big))
        .route("/who", get(who))
        .route("/echo", post(echo))
        .fallback(fallback)
        .layer(axum::middleware::from_fn(
            move |method: Method, uri: Uri, request: axum::extract::Request, next: axum::middleware::Next| {
                visits.lock().unwrap().push(format!("{method} {}", uri.path()));
                next.run(request)
            },
        ))
        .with_state(stage)
}

/// Reads until the other side closes or resets.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let reading = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(SOON, reading).await.expect("the connection is closed in time");
    String::from_utf8_lossy(&all).into_owned()
}

/// One GET on a connection that stays open; the answer's body has a content-length.
pub async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

pub async fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let reading = async {
        loop {
            let text = String::from_utf8_lossy(&all).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() >= length.parse::<usize>().unwrap() {
                    return text;
                }
            }
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "closed after {text:?}");
            all.extend_from_slice(&buffer[..read]);
        }
    };
    timeout(SOON, reading).await.expect("an answer in time")
}

/// Sends one byte at a time until the connection is gone, and returns what came back.
async fn drip(stream: TcpStream, byte: u8) -> String {
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        let mut interval = tokio::time::interval(SHORT / 10);
        while writer.write_all(&[byte]).await.is_ok() {
            interval.tick().await;
        }
    });
    let seen = read_to_end(&mut reader).await;
    dripping.abort();
    seen
}

// threat 159
#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = Server::start(ListenerLimits { header_timeout: SHORT, ..generous() }).await;
    assert_eq!(read_to_end(&mut server.connect().await).await, "");
    server.assert_well().await;
}

// threat 159
#[tokio::test]
async fn a_head_that_drips_is_closed() {
    let server = Server::start(ListenerLimits { header_timeout: SHORT, ..generous() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").await.unwrap();
    assert_eq!(drip(stream, b'x').await, "");
    assert!(server.visits().is_empty());
    server.assert_well().await;
}

// threat 159
#[tokio::test]
async fn a_second_head_that_drips_is_closed() {
    let server = Server::start(ListenerLimits { header_timeout: SHORT, ..generous() }).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/").await;
    assert_eq!(drip(stream, b'G').await, "");
    assert_eq!(server.visits().len(), 1);
}

// threat 159
#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(ListenerLimits { idle_timeout: SHORT, ..generous() }).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/").await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn waiting_for_the_next_request_is_not_a_slow_head() {
    let server = Server::start(ListenerLimits { header_timeout: SHORT, ..generous() }).await;
    let mut stream = server.connect().await;
    ask(&mut stream, "/").await;
    tokio::time::sleep(SHORT * 3).await; // longer than a head may take
    assert!(ask(&mut stream, "/").await.contains("hello"));
}

#[tokio::test]
async fn a_handler_may_take_longer_than_any_client() {
    let limits = ListenerLimits {
        header_timeout: SHORT,
        body_timeout: SHORT,
        idle_timeout: SHORT,
        write_timeout: SHORT,
        ..generous()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::time::sleep(SHORT * 3).await;
    server.stage.release.notify_one();
    assert!(answer(&mut stream).await.ends_with("slow"));
}

// threat 159
#[tokio::test]
async fn a_body_that_drips_is_answered_408_and_closed() {
    let server = Server::start(ListenerLimits { body_timeout: SHORT, ..generous() }).await;
    for head in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
        let mut stream = server.connect().await;
        let request = format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\nf4240\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let seen = drip(stream, b'x').await;
        assert!(seen.starts_with("HTTP/1.1 408 "), "{head}: {seen}");
        assert_eq!(seen.matches("HTTP/1.1").count(), 1);
    }
    server.assert_well().await;
}

#[tokio::test]
async fn a_body_that_nobody_reads_ends_the_connection_with_the_answer() {
    let server = Server::start(generous()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx").await.unwrap();
    assert!(drip(stream, b'x').await.starts_with("HTTP/1.1 200 "));
}

// RFC 9112 §9.6: a reset could take the answer with it
#[tokio::test]
async fn a_client_that_is_still_sending_its_body_is_not_hung_up_on() {
    let server = Server::start(generous()).await;
    for (head, status) in [("Host: a", "HTTP/1.1 200 "), ("Host : a", "HTTP/1.1 400 ")] {
        let mut stream = server.connect().await;
        let request =
            format!("POST / HTTP/1.1\r\n{head}\r\nContent-Length: 50000\r\n\r\n{}", "x".repeat(40_000));
        stream.write_all(request.as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with(status));
        stream.write_all(&[b'x'; 10_000]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(timeout(SOON, stream.read(&mut [0; 10])).await.unwrap().expect("no reset"), 0);
    }
}

// threat 159
#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut() {
    let server = Server::start(ListenerLimits { write_timeout: SHORT, ..generous() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let _gone = timeout(SOON, server.stage.streams_dropped.acquire()).await.expect("the response is dropped");
    server.assert_well().await;
    drop(stream);
}

// threat 159, F-31
#[tokio::test]
async fn one_address_has_a_bounded_number_of_connections() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let server = Server::start(ListenerLimits { connections_per_address: 2, ..generous() }).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    ask(&mut first, "/").await;
    ask(&mut second, "/").await;
    assert_eq!(read_to_end(&mut server.connect().await).await, "");
    let seen = recorder.handle().render();
    assert!(seen.contains("portreeve_connections_refused_total{reason=\"per_address\"} 1"), "{seen}");
    assert!(seen.contains("portreeve_connections_open 2"), "{seen}");
    assert!(ask(&mut second, "/").await.contains("hello"));

    drop(first);
    let freed = async {
        loop {
            let mut stream = server.connect().await;
            let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
            if read_to_end(&mut stream).await.ends_with("hello") {
                break;
            }
        }
    };
    timeout(SOON, freed).await.expect("a place is free again");
}

#[tokio::test]
async fn trusted_proxies_are_not_counted() {
    let limits = ListenerLimits { connections_per_address: 0, ..generous() };
    let server = Server::start_with(limits, None, vec!["127.0.0.0/8".parse().unwrap()]).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut stream = server.connect().await;
        ask(&mut stream, "/").await;
        open.push(stream);
    }
}

// F-31: accepting pauses, and goes on
#[tokio::test]
async fn beyond_the_cap_a_connection_waits_until_another_ends() {
    let server = Server::start(ListenerLimits { connections: 1, ..generous() }).await;
    let mut first = server.connect().await;
    ask(&mut first, "/").await;
    let mut second = server.connect().await;
    second.write_all(b"GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(timeout(SHORT, second.read_u8()).await.is_err());
    assert!(ask(&mut first, "/").await.contains("hello"));
    assert_eq!(server.visits(), ["GET /", "GET /"]);
    drop(first);
    assert!(answer(&mut second).await.contains("hello"));
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs_and_takes_nothing_new() {
    let mut server = Server::start(generous()).await;
    let mut idle = server.connect().await;
    ask(&mut idle, "/").await;
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    server.stage.arrivals.acquire().await.unwrap().forget();
    server.stop();
    assert_eq!(read_to_end(&mut idle).await, ""); // so the drain has begun
    assert!(TcpStream::connect(server.address).await.is_err());
    server.stage.release.notify_one();
    let seen = read_to_end(&mut running).await;
    assert!(seen.starts_with("HTTP/1.1 200 OK\r\n") && seen.ends_with("slow"), "{seen}");
    server.ended().await;
}

#[tokio::test]
async fn a_shutdown_waits_no_longer_than_the_drain() {
    let mut server = Server::start(ListenerLimits { drain: SHORT, ..generous() }).await;
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    server.stage.arrivals.acquire().await.unwrap().forget();
    server.stop();
    server.ended().await;
    assert_eq!(read_to_end(&mut running).await, "");
}

// threat 142, 162
#[tokio::test]
async fn requests_carry_peer_and_client_address() {
    let forged = "GET /who HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n";
    for (trusted, expected) in
        [("10.0.0.0/8", "127.0.0.1 127.0.0.1"), ("127.0.0.1/32", "127.0.0.1 198.51.100.7")]
    {
        let server = Server::start_with(generous(), None, vec![trusted.parse().unwrap()]).await;
        let mut stream = server.connect().await;
        stream.write_all(forged.as_bytes()).await.unwrap();
        let seen = answer(&mut stream).await;
        assert!(seen.ends_with(expected), "{trusted}: {seen}");
    }
}

// F-31
#[test]
fn a_failure_of_a_client_is_not_a_failure_of_accepting() {
    assert!(is_the_client_s(&io::ErrorKind::ConnectionAborted.into()));
    assert!(!is_the_client_s(&io::Error::from_raw_os_error(24))); // EMFILE
}
