//! Servers that answer what was not asked (threats 89, 90, 91), and what is sent to them.

use super::*;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version};
use axum::routing::{any, post};
use std::collections::HashSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::server::TlsStream;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// Reads the head of a request.
async fn read_head(stream: &mut TlsStream<TcpStream>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}

/// A server that answers every request with `answer` as it stands, and ends the connection as it should.
async fn answering(answer: impl Into<Vec<u8>>) -> HttpsServer {
    let answer = Arc::new(answer.into());
    HttpsServer::start_speaking(&["app.example"], &["http/1.1"], move |mut stream| {
        let answer = answer.clone();
        async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// What a server with such an answer is refused for.
async fn refused(answer: impl Into<Vec<u8>>) -> OutboundError {
    let server = answering(answer).await;
    let (outbound, _) = leading_to(&server, Limits::default());
    refusal(&outbound, "https://app.example/keys").await
}

#[tokio::test]
async fn a_document_comes_with_its_media_type_and_its_life() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/JSON; charset=utf-8\r\ncache-control: max-age=600\r\n";
    for answer in [
        format!("{head}Content-Length: 2\r\n\r\n[]"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"),
        format!("{head}Content-Encoding: identity\r\nConnection: close\r\n\r\n[]"),
        format!("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n{head}Content-Length: 2\r\n\r\n[]"),
    ] {
        let server = answering(answer.clone()).await;
        let (outbound, _) = leading_to(&server, Limits::default());
        let document = outbound
            .get(&url("https://app.example/keys#x"), JSON)
            .await
            .unwrap_or_else(|why| panic!("{answer}: {why}"));
        assert_eq!((document.bytes.as_ref(), document.media_type), (&b"[]"[..], "application/json"));
        assert_eq!(document.max_age, Some(Duration::from_secs(600)));
    }
}

// threat 89
#[tokio::test]
async fn a_redirect_is_an_error_and_leads_nowhere() {
    let elsewhere = honest().await;
    for status in [301, 302, 303, 307, 308] {
        for location in [
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            elsewhere.url("/keys"),
            "https://app.example/keys".to_owned(),
            "/keys".to_owned(),
            "file:///etc/passwd".to_owned(),
        ] {
            let answer = format!(
                "HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
            );
            let server = answering(answer).await;
            let (outbound, network) = leading_to(&server, Limits::default());
            assert_eq!(refusal(&outbound, "https://app.example/").await, OutboundError::Status(status));
            assert_eq!((network.dialled().len(), server.connections.accepted()), (1, 1), "{location}");
        }
    }
    assert_eq!(elsewhere.connections.accepted(), 0);
}

#[tokio::test]
async fn only_200_is_a_document() {
    for status in
        [201, 202, 203, 204, 205, 206, 226, 300, 304, 400, 401, 403, 404, 407, 410, 418, 429, 500, 503, 599]
    {
        let answer = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: 0\r\nRefresh: 0; url=http://127.0.0.1/\r\n\r\n"
        );
        assert_eq!(refused(answer).await, OutboundError::Status(status));
    }
}

#[tokio::test]
async fn what_is_of_another_type_or_encoded_is_refused() {
    for kind in ["text/html", "text/plain", "application/octet-stream", "application/jsonx", "*/*"] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 2\r\n\r\n[]");
        assert_eq!(refused(answer).await, OutboundError::MediaType(kind.into()));
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
    assert!(matches!(refused(answer).await, OutboundError::MediaType(_)), "none at all");
    // threat 90: a bomb is not even looked into
    for coding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"] {
        let answer = format!("{HEAD}Content-Encoding: {coding}\r\nContent-Length: 2\r\n\r\n\x1f[");
        assert_eq!(refused(answer).await, OutboundError::Encoded, "{coding}");
    }
}

#[tokio::test]
async fn a_document_is_as_long_as_it_may_be_and_no_longer() {
    let body = |length: usize| "x".repeat(length);
    let server = answering(format!("{HEAD}Content-Length: 1000\r\n\r\n{}", body(1000))).await;
    let (outbound, _) = leading_to(&server, Limits::default());
    assert_eq!(outbound.get(&url("https://app.example/"), JSON).await.expect("fits").bytes.len(), 1000);
    for answer in [
        format!("{HEAD}Content-Length: 1001\r\n\r\n{}", body(1001)),
        // Said to be longer than anything: nothing of it is awaited.
        format!("{HEAD}Content-Length: 10000000000\r\n\r\n"),
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n", body(1001)),
        format!("{HEAD}Connection: close\r\n\r\n{}", body(1001)),
    ] {
        assert_eq!(refused(answer).await, OutboundError::TooLarge(1000));
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let server = HttpsServer::start_speaking(&["app.example"], &["http/1.1"], |mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await;
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() && stream.flush().await.is_ok() {}
    })
    .await;
    let (outbound, _) = leading_to(&server, Limits::default());
    assert_eq!(refusal(&outbound, "https://app.example/keys").await, OutboundError::TooLarge(1000));
}

#[tokio::test]
async fn what_breaks_off_or_is_no_http_is_refused() {
    let many: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    for answer in [
        String::new(),
        "HTTP/1.1".to_owned(),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "[]".to_owned(),
        format!("{HEAD}Content-Length: 3\r\n\r\n[]"),
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"),
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n"),
        format!("{HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
        format!("{HEAD}Content-Length: -2\r\n\r\n[]"),
        format!("{HEAD}X-Large: {}\r\nContent-Length: 2\r\n\r\n[]", "x".repeat(100_000)),
        format!("{HEAD}{many}Content-Length: 2\r\n\r\n[]"),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n".to_owned(),
    ] {
        let start: String = answer.chars().take(120).collect();
        let error = refused(answer).await;
        assert!(matches!(error, OutboundError::Exchange(_) | OutboundError::Status(101)), "{start}: {error}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_is_no_end_of_a_document() {
    // Without close_notify nobody can tell the end from a cut (RFC 8446 §6.1).
    let server = HttpsServer::start_speaking(&["app.example"], &["http/1.1"], |mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(format!("{HEAD}Connection: close\r\n\r\n[]").as_bytes()).await;
        let _ = stream.flush().await;
        drop(stream);
    })
    .await;
    let (outbound, _) = leading_to(&server, Limits::default());
    let error = refusal(&outbound, "https://app.example/keys").await;
    assert!(matches!(error, OutboundError::Exchange(_)), "{error}");
}

/// A request as a server received it.
type Received = (Method, Uri, HeaderMap, Version, Bytes);

#[tokio::test]
async fn a_request_says_no_more_than_it_must() {
    let received: Arc<Mutex<Vec<Received>>> = Arc::default();
    let notes = received.clone();
    let note = move |request: Request| async move {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.expect("a body");
        notes.lock().expect("whole").push((head.method, head.uri, head.headers, head.version, body));
        ([(header::CONTENT_TYPE, "application/json"), (header::SET_COOKIE, "a=b")], "[]")
    };
    let server = HttpsServer::start_as(&["app.example"], Router::new().route("/{*path}", any(note))).await;
    let (outbound, network) = leading_to(&server, Limits::default());
    for _ in 0..2 {
        outbound.get(&url("https://App.example/a/./keys?set=1#digest"), JSON).await.expect("a document");
    }
    let target = url("https://app.example:8443/logout");
    let pairs = [("logout_token", "a.b+c&d=é")];
    let status = outbound.post_form(Purpose::BackChannelLogout, &target, &pairs).await.expect("a status");
    assert_eq!(status, StatusCode::OK);
    assert_eq!(network.dialled().last().expect("dialled").port(), 8443);

    let received = received.lock().expect("whole");
    for (method, uri, headers, version, body) in &received[..2] {
        assert_eq!(
            (method, uri.to_string().as_str(), version),
            (&Method::GET, "/a/keys?set=1", &Version::HTTP_11)
        );
        assert!(body.is_empty());
        let mut told: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        told.sort();
        assert_eq!(
            told,
            [
                "accept-encoding: identity",
                "accept: application/json",
                "connection: close",
                "host: app.example",
                "user-agent: portreeve"
            ],
            "no cookie, no referer"
        );
    }
    let (method, uri, headers, _, body) = &received[2];
    assert_eq!((method, uri.path()), (&Method::POST, "/logout"));
    assert_eq!(
        (&headers["host"], &headers["content-type"]),
        (
            &"app.example:8443".parse().expect("valid"),
            &"application/x-www-form-urlencoded".parse().expect("valid")
        )
    );
    assert_eq!(body, "logout_token=a.b%2Bc%26d%3D%C3%A9");
}

// OpenID Connect Back-Channel Logout §2.8: what the status means, the caller says
#[tokio::test]
async fn a_post_has_a_status_whatever_it_is_and_is_not_sent_again() {
    for status in [200, 204, 302, 307, 400, 404, 500, 501] {
        let answer = move || async move {
            let answer = axum::response::Response::builder()
                .status(status)
                .header("location", "https://app.example/other");
            // A body without end, that nobody reads.
            answer
                .body(Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, io::Error>("x"))))
                .expect("an answer")
        };
        let other = any(|| async { StatusCode::IM_A_TEAPOT });
        let router = Router::new().route("/logout", post(answer)).route("/other", other);
        let server = HttpsServer::start_as(&["app.example"], router).await;
        let (outbound, _) = leading_to(&server, Limits::default());
        let target = url("https://app.example/logout");
        let told = outbound.post_form(Purpose::BackChannelLogout, &target, &[("logout_token", "x")]).await;
        assert_eq!(told.expect("a status").as_u16(), status);
        assert_eq!(server.connections.accepted(), 1);
    }
    let private = url("https://127.0.0.1/logout");
    let server = honest().await;
    let (outbound, network) = leading_to(&server, Limits::default());
    let refused = outbound.post_form(Purpose::BackChannelLogout, &private, &[]).await;
    assert_eq!(refused.expect_err("refused").verdict().retry, portreeve::outbound::Retry::Later);
    assert!(network.dialled().is_empty());
}

// threat 91
#[tokio::test]
async fn outside_every_failure_reads_alike() {
    let errors = [
        refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await,
        refused("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n").await,
        refused("").await,
        refusal(&leading_to(&honest().await, Limits::default()).0, "https://127.0.0.1/").await,
        refusal(&leading_to(&honest().await, Limits::default()).0, "https://other.example/").await,
        refusal(
            &Outbound::on(
                Arc::new(HostileNetwork::answering(&[&[PUBLIC]])),
                &trusting(&honest().await),
                Limits::default(),
            ),
            "https://app.example/",
        )
        .await,
    ];
    let reasons: HashSet<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(reasons.len(), errors.len(), "the operator reads which it was: {reasons:?}");
    let told: HashSet<&str> = errors.iter().map(OutboundError::told).collect();
    assert_eq!(told, HashSet::from(["the document could not be fetched"]));
}
