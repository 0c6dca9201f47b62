//! How long and how often (threats 90, 94; F-33), and what the operator sees of it.

use super::*;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing_subscriber::fmt::MakeWriter;

/// A server that lets every request wait until the test opens the gate.
struct Gated {
    server: HttpsServer,
    arrived: Arc<AtomicUsize>,
    gate: Arc<Notify>,
}

impl Gated {
    async fn start(names: &[&str]) -> Self {
        let (arrived, gate) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let (counted, waited) = (arrived.clone(), gate.clone());
        let document = move || async move {
            let opened = waited.notified();
            counted.fetch_add(1, Ordering::SeqCst);
            opened.await;
            ([(header::CONTENT_TYPE, "application/json")], "[]")
        };
        let router = Router::new().route("/{*path}", get(document));
        Self { server: HttpsServer::start_as(names, router).await, arrived, gate }
    }
}

/// Every name has an address of its own network.
struct Everywhere {
    leads_to: SocketAddr,
    next: AtomicUsize,
    /// How many networks there are.
    networks: usize,
}

impl Network for Everywhere {
    fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let number = self.next.fetch_add(1, Ordering::SeqCst) % self.networks;
        let address = IpAddr::from([8, 8, (number / 250) as u8, (number % 250) as u8 + 1]);
        Box::pin(async move { Ok(vec![address]) })
    }

    fn connect(&self, peer: SocketAddr) -> BoxFuture<'static, io::Result<Connection>> {
        let leads_to = self.leads_to;
        Box::pin(async move { Ok(Connection { stream: TcpStream::connect(leads_to).await?, peer }) })
    }
}

/// Fetches from `hosts` at once while nobody is answered; returns how many were answered and how many were turned away, and
/// the most sockets that were open.
async fn storm(hosts: Vec<String>, networks: usize) -> (usize, usize, usize) {
    let gated = Gated::start(&["*.app.example"]).await;
    let network = Everywhere { leads_to: gated.server.address, next: AtomicUsize::new(0), networks };
    let limits = Limits {
        total: Duration::from_secs(30),
        connect: Duration::from_secs(20),
        waiting: Duration::from_millis(500),
        ..Limits::default()
    };
    let outbound = Outbound::on(Arc::new(network), &trusting(&gated.server), limits);
    let mut storm = JoinSet::new();
    for host in hosts {
        let outbound = outbound.clone();
        storm.spawn(async move { outbound.get(&url(&format!("https://{host}/keys")), JSON).await });
    }
    let (mut answered, mut turned_away) = (0, 0);
    loop {
        match timeout(Duration::from_millis(10), storm.join_next()).await {
            Ok(None) => break,
            Ok(Some(outcome)) => match outcome.expect("no panic") {
                Ok(_) => answered += 1,
                Err(OutboundError::Busy) => turned_away += 1,
                Err(other) => panic!("{other}"),
            },
            Err(_) => {}
        }
        // Those that are left wait for the gate.
        if storm.len() == gated.arrived.load(Ordering::SeqCst) - answered {
            gated.gate.notify_waiters();
        }
    }
    (answered, turned_away, gated.server.connections.most())
}

// threat 90
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_fetches_at_once_open_no_more_than_32_sockets() {
    let hosts = (0..1000).map(|number| format!("h{number}.app.example")).collect();
    let (answered, turned_away, most) = storm(hosts, 1000).await;
    assert_eq!((answered, turned_away), (32, 968));
    assert_eq!(most, 32);
}

// threat 94: many names, one address
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_with_many_names_takes_half_of_the_places_at_most() {
    let hosts = (0..100).map(|number| format!("h{number}.app.example")).collect();
    assert_eq!(storm(hosts, 1).await, (16, 84, 16));
}

// threat 94: one name, many addresses
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_takes_four_places_at_most() {
    let hosts = vec!["x.app.example".to_owned(); 100];
    assert_eq!(storm(hosts, 100).await, (4, 96, 4));
}

// F-33
#[tokio::test]
async fn a_host_that_never_answers_keeps_nobody_from_the_others() {
    let (dead, alive) = (Gated::start(&["dead.example"]).await, honest().await);
    let mut settings = trusting(&alive);
    settings.trusted_certificates.extend(trusting(&dead.server).trusted_certificates);
    struct Two(SocketAddr, SocketAddr);
    impl Network for Two {
        fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            Box::pin(
                async move { Ok(vec![address(if name == "app.example" { "8.8.8.8" } else { "9.9.9.9" })]) },
            )
        }
        fn connect(&self, peer: SocketAddr) -> BoxFuture<'static, io::Result<Connection>> {
            let leads_to = if peer.ip() == address("8.8.8.8") { self.1 } else { self.0 };
            Box::pin(async move { Ok(Connection { stream: TcpStream::connect(leads_to).await?, peer }) })
        }
    }
    let network = Arc::new(Two(dead.server.address, alive.address));
    let outbound = Outbound::on(network, &settings, short());
    assert_still_fetches(&outbound).await;
    let mut waiting = JoinSet::new();
    for _ in 0..50 {
        let outbound = outbound.clone();
        waiting.spawn(async move { outbound.get(&url("https://dead.example/keys"), JSON).await });
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while dead.arrived.load(Ordering::SeqCst) < 4 {
        assert!(Instant::now() < deadline, "the requests arrive");
        tokio::task::yield_now().await;
    }
    assert_still_fetches(&outbound).await;
    let outcomes = waiting.join_all().await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(OutboundError::Busy | OutboundError::TimedOut(_))))
    );
    assert_still_fetches(&outbound).await;
}

// threat 94: strangers can make this server fetch, and that delays no logout token
#[tokio::test]
async fn what_is_told_does_not_wait_for_what_is_fetched() {
    let slow = Gated::start(&["slow.example"]).await;
    let network = Everywhere { leads_to: slow.server.address, next: AtomicUsize::new(0), networks: 1 };
    let outbound = Outbound::on(Arc::new(network), &trusting(&slow.server), short());
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let outbound = outbound.clone();
        waiting.spawn(async move { outbound.get(&url("https://slow.example/keys"), JSON).await });
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while slow.arrived.load(Ordering::SeqCst) < 4 {
        assert!(Instant::now() < deadline, "the requests arrive");
        tokio::task::yield_now().await;
    }
    let told = url("https://slow.example/logout");
    let status = outbound.post_form(Purpose::BackChannelLogout, &told, &[("logout_token", "x")]).await;
    assert_eq!(status, Ok(axum::http::StatusCode::METHOD_NOT_ALLOWED), "the app has heard of it");
    waiting.join_all().await;
}

/// How long a fetch from a server that speaks like this lasts, and how it ends.
async fn patience<S, F>(speak: S) -> (Duration, OutboundError)
where
    S: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let server = HttpsServer::start_speaking(&["app.example"], &["http/1.1"], speak).await;
    let (outbound, _) = leading_to(&server, short());
    let start = Instant::now();
    let error = refusal(&outbound, "https://app.example/keys").await;
    (start.elapsed(), error)
}

// threat 90
#[tokio::test]
async fn whoever_drips_is_cut_off_at_the_end_of_the_time() {
    const DRIP: Duration = Duration::from_millis(50);
    let body = patience(|mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(b" ").await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    });
    let head = patience(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while stream.write_all(b"x").await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    });
    let hints = patience(|mut stream| async move {
        let hint = b"HTTP/1.1 103 Early Hints\r\n\r\n";
        while stream.write_all(hint).await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    });
    let silence = patience(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    });
    let (body, head, hints, silence) = tokio::join!(body, head, hints, silence);
    for (lasted, error) in [body, head, hints, silence] {
        assert_eq!(error, OutboundError::TimedOut(short().total));
        assert!(lasted >= short().total && lasted < short().total * 3, "{lasted:?}");
    }
}

// threat 90
#[tokio::test]
async fn a_handshake_that_stalls_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let leads_to = Some(listener.local_addr().expect("an address"));
    let network = Arc::new(HostileNetwork { leads_to, ..HostileNetwork::answering(&[&[PUBLIC]]) });
    let outbound = Outbound::on(network, &trusting(&honest().await), short());
    let (accepted, error) = tokio::join!(listener.accept(), refusal(&outbound, "https://app.example/keys"));
    assert!(accepted.is_ok());
    assert_eq!(error.verdict().outcome, "not_connected", "{error}");
}

#[tokio::test]
async fn a_fetch_that_is_given_up_leaves_nothing_behind() {
    let gated = Gated::start(&["app.example"]).await;
    let (outbound, _) = leading_to(&gated.server, Limits { requests_per_host: 1, ..short() });
    let keys = url("https://app.example/keys");
    for _ in 0..3 {
        let arrived = gated.arrived.load(Ordering::SeqCst);
        let given_up = async {
            while gated.arrived.load(Ordering::SeqCst) == arrived {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            outcome = outbound.get(&keys, JSON) => panic!("{outcome:?}"),
            outcome = timeout(Duration::from_secs(5), given_up) => outcome.expect("the request arrives"),
        }
    }
    assert_eq!(gated.server.connections.accepted(), 3, "the one place is free each time");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

// threat 179
#[tokio::test]
async fn the_operator_reads_what_was_asked_and_why_it_failed_and_no_secret() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let numbers = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    // With one listener alone, a place in the code that another test's thread comes by first would be taken for one that
    // nobody listens to.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let server = honest().await;
    let (outbound, _) = leading_to(&server, Limits::default());
    assert_still_fetches(&outbound).await;
    refusal(&outbound, "https://app.example/request/7?token=hunter2#hunter3").await;
    let pairs = [("logout_token", "hunter4")];
    let _ = outbound
        .post_form(Purpose::BackChannelLogout, &url("https://10.0.0.7/logout?x=hunter5"), &pairs)
        .await;

    let log = String::from_utf8(log.0.lock().expect("whole").clone()).expect("text");
    assert!(log.contains("https://app.example:443/request/7") && log.contains("the status is 404"), "{log}");
    assert!(log.contains("10.0.0.7 is not a public address"), "{log}");
    assert!(!log.contains("hunter"), "{log}");
    let numbers = numbers.render();
    for line in [
        "portreeve_outbound_requests_total{purpose=\"jwks_uri\",outcome=\"ok\"} 1",
        "portreeve_outbound_requests_total{purpose=\"jwks_uri\",outcome=\"status\"} 1",
        "portreeve_outbound_requests_total{purpose=\"backchannel_logout_uri\",outcome=\"forbidden\"} 1",
    ] {
        assert!(numbers.contains(line), "{line} in\n{numbers}");
    }
}

// F-21
#[tokio::test]
async fn what_is_under_way_counts_under_the_next_configuration_too() {
    let gated = Gated::start(&["app.example"]).await;
    let (before, _) = leading_to(&gated.server, Limits { requests: 1, ..short() });
    let (one, other) = (url("https://app.example/keys"), url("https://app.example:8443/keys"));
    let after = before.reconfigured(&trusting(&gated.server));
    let (first, second) = tokio::join!(before.get(&one, JSON), after.get(&other, JSON));
    let outcomes = [first.expect_err("nobody answers"), second.expect_err("nobody answers")];
    assert!(outcomes.contains(&OutboundError::Busy), "{outcomes:?}");
}
