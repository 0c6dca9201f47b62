//! The smuggling corpus (threat 161, RFC 9112 §11.2), at the parser and through a socket.

use super::*;
use crate::http::listener::tests::{Server, ask, generous, read_to_end};
use tokio::io::AsyncWriteExt;

/// Requests that must be refused; the second half of each would be a request of its own to a laxer reader.
const REFUSED: &[(&str, &str)] = &[
    (
        "CL.TE",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "TE.CL",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "two equal lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "list of lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "signed length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "negative length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "hex length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "empty length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "huge length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "folded line",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "folded coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "space before the first field",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "bare LF after a field",
        "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "bare LF after the request line",
        "GET / HTTP/1.1\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "bare CR",
        "GET / HTTP/1.1\r\nHost: a\rContent-Length: 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "chunked, identity",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "identity, chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "xchunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "vertical tab in the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "coding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "space before the colon",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "tab before the colon",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("NUL in a value", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "no colon",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("no name", "GET / HTTP/1.1\r\nHost: a\r\n: 5\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no host", "GET / HTTP/1.1\r\nX: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a later preface", "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a preface of HTTP/1", "PRI * HTTP/2.0\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"),
];

#[tokio::test]
async fn a_message_with_two_readings_is_answered_400_and_nothing_after_it_is_read() {
    let server = Server::start(generous()).await;
    for (name, bytes) in REFUSED {
        let mut stream = server.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let seen = read_to_end(&mut stream).await;
        assert!(
            seen.starts_with("HTTP/1.1 400 ") || (seen.is_empty() && name.contains("preface")),
            "{name}: {seen}"
        );
        assert_eq!(seen.matches("HTTP/1.").count(), usize::from(!seen.is_empty()), "{name}: {seen}");
        // What lies below the router has no security headers (see `security_headers`), so it has nothing else either.
        assert!(seen.is_empty() || seen.ends_with("\r\n\r\n"), "a body: {name}: {seen}");
        assert!(server.visits().is_empty(), "{name}: {:?}", server.visits());
    }
    server.assert_well().await;
}

#[tokio::test]
async fn a_refusal_holds_however_the_bytes_are_cut() {
    let server = Server::start(generous()).await;
    for (name, bytes) in REFUSED {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        for byte in bytes.as_bytes() {
            if stream.write_all(&[*byte]).await.is_err() {
                break; // refused already
            }
            tokio::task::yield_now().await;
        }
        read_to_end(&mut stream).await;
        assert!(server.visits().is_empty(), "{name}: {:?}", server.visits());
    }
    server.assert_well().await;
}

// threat 161: a second, malformed request behind a good one
#[tokio::test]
async fn a_bad_request_in_the_pipeline_is_refused_after_the_good_one_is_answered() {
    let server = Server::start(generous()).await;
    let mut stream = server.connect().await;
    let pipelined = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\n\nokGET /smuggled HTTP/1.1\r\nHost: a\n\r\n";
    stream.write_all(pipelined.as_bytes()).await.unwrap();
    let seen = read_to_end(&mut stream).await;
    assert!(seen.starts_with("HTTP/1.1 200 ") && seen.contains("HTTP/1.1 400 "), "{seen}");
    assert_eq!(server.visits(), ["POST /echo"]);
}

// threat 161: what follows a chunked body is never read as a request
#[tokio::test]
async fn a_chunked_request_is_the_last_of_its_connection() {
    let server = Server::start(generous()).await;
    let mut stream = server.connect().await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    stream.write_all(format!("{chunked}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    let seen = read_to_end(&mut stream).await;
    assert!(seen.starts_with("HTTP/1.1 200 ") && seen.contains("connection: close"), "{seen}");
    assert_eq!(server.visits(), ["POST /echo"]);
}

#[tokio::test]
async fn well_formed_requests_pass_one_after_another() {
    let server = Server::start(generous()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        assert!(ask(&mut stream, "/").await.contains("hello"));
    }
    let pipelined = "\r\nPOST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\na\nbGET /second HTTP/1.1\r\nHOST: a\r\nConnection: close\r\n\r\n";
    stream.write_all(pipelined.as_bytes()).await.unwrap();
    let seen = read_to_end(&mut stream).await;
    assert_eq!(seen.matches("HTTP/1.1 200 ").count(), 2, "{seen}");
}

// product.md: URLs up to 16 KiB are the router's to judge
#[tokio::test]
async fn a_head_beyond_the_limit_is_refused_and_a_long_url_is_not() {
    let server = Server::start(generous()).await;
    let mut stream = server.connect().await;
    let path = format!("/{}", "a".repeat(20 * 1024));
    assert!(ask(&mut stream, &path).await.starts_with("HTTP/1.1 200 "));
    for bytes in [200 * 1024, 40 * 1024] {
        let mut stream = server.connect().await;
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(bytes));
        let _ = stream.write_all(request.as_bytes()).await;
        let seen = read_to_end(&mut stream).await;
        assert!(
            seen.is_empty() || seen.starts_with("HTTP/1.1 431 ") || seen.starts_with("HTTP/1.1 400 "),
            "{seen}"
        );
    }
    assert_eq!(server.visits().len(), 1);
}

fn passes(bytes: &[u8], cut: usize) -> Option<()> {
    let mut framing = Framing::new(1024);
    bytes.chunks(cut).all(|piece| framing.admit(piece) == piece.len()).then_some(())
}

#[test]
fn the_verdict_does_not_depend_on_how_the_bytes_are_cut() {
    for cut in [1, 2, 3, 7, 1000] {
        assert!(passes(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n", cut).is_some());
        assert!(
            passes(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\n\nGET / HTTP/1.0\r\n\r\n", cut)
                .is_some()
        );
        assert!(passes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\0\n", cut).is_some());
        assert!(passes(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\n\n", cut).is_none());
        assert!(passes(&[b'a'; 1025], cut).is_none());
    }
}
