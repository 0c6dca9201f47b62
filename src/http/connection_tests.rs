//! HTTP/2 against real sockets, partly with frames made by hand (threats 159, 160; RFC 9113).

use crate::http::listener::ListenerLimits;
use crate::http::listener::tests::{SHORT, SOON, Server, generous};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `:method GET`, `:scheme http`, `:path`, `:authority a` (RFC 7541, static table and literals).
fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()];
    block.extend(path.as_bytes());
    block.extend([0x41, 1, b'a']);
    block
}

fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &get(path))
}

fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()) // CANCEL
}

async fn open(server: &Server, settings: &[u8]) -> TcpStream {
    let mut stream = server.connect().await;
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
    stream
}

/// Kind, stream and payload of the next frame; `None` at the connection's end.
async fn next(stream: &mut TcpStream) -> Option<(u8, u32, Vec<u8>)> {
    let reading = async {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.ok()?;
        Some((head[3], u32::from_be_bytes(head[5..9].try_into().unwrap()), payload))
    };
    timeout(SOON, reading).await.expect("a frame or the end in time")
}

/// Reads to the connection's end; the kinds of frames seen and the last GOAWAY's code.
async fn to_the_end(stream: &mut TcpStream) -> (Vec<u8>, Option<u32>) {
    let (mut kinds, mut code) = (Vec::new(), None);
    while let Some((kind, _, payload)) = next(stream).await {
        kinds.push(kind);
        if kind == GOAWAY {
            code = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
    (kinds, code)
}

async fn answered(stream: &mut TcpStream, id: u32) -> Vec<u8> {
    loop {
        let (kind, of, payload) = next(stream).await.expect("an answer");
        if kind == DATA && of == id && !payload.is_empty() {
            return payload;
        }
    }
}

// RFC 9113 §3.3
#[tokio::test]
async fn http_2_works_by_prior_knowledge() {
    let server = Server::start(generous()).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let url = format!("http://{}/echo", server.address);
    for length in [1, 100_000] {
        let answer = client.post(&url).body("x".repeat(length)).send().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        assert_eq!(answer.text().await.unwrap().len(), length);
    }
}

#[tokio::test]
async fn http_2_allows_128_streams_at_once() {
    let server = Server::start(generous()).await;
    let mut stream = open(&server, &[]).await;
    let (kind, _, payload) = next(&mut stream).await.unwrap();
    assert_eq!(kind, SETTINGS);
    let streams = payload.chunks(6).find(|setting| setting[..2] == [0, 3]).unwrap();
    assert_eq!(streams[2..], 128_u32.to_be_bytes());
}

// threat 160, CVE-2023-44487
#[tokio::test]
async fn a_flood_of_resets_ends_the_connection_and_the_next_client_is_served() {
    let server = Server::start(generous()).await;
    let stream = open(&server, &[]).await;
    let (mut reader, mut writer) = stream.into_split();
    let flooding = tokio::spawn(async move {
        for id in (1..200_000).step_by(2) {
            let mut pair = request(id, "/slow");
            pair.extend(reset(id));
            if writer.write_all(&pair).await.is_err() {
                return;
            }
        }
    });
    crate::http::listener::tests::read_to_end(&mut reader).await;
    timeout(SOON, flooding).await.unwrap().unwrap();
    server.assert_well().await;
}

// threat 160: resets that come after the handler began are counted as well
#[tokio::test]
async fn requests_taken_back_one_by_one_end_the_connection() {
    let server = Server::start(ListenerLimits { http2_resets: 5, ..generous() }).await;
    let mut stream = open(&server, &[]).await;
    for id in (1..=11).step_by(2) {
        stream.write_all(&request(id, "/slow")).await.unwrap();
        timeout(SOON, server.stage.arrivals.acquire()).await.expect("the handler began").unwrap().forget();
        stream.write_all(&reset(id)).await.unwrap();
    }
    to_the_end(&mut stream).await;
    server.assert_well().await;
}

#[tokio::test]
async fn a_client_that_takes_back_fewer_requests_than_it_lets_run_stays() {
    let server = Server::start(ListenerLimits { http2_resets: 1, ..generous() }).await;
    let mut stream = open(&server, &[]).await;
    for id in (1..=40).step_by(4) {
        stream.write_all(&request(id, "/")).await.unwrap();
        assert_eq!(answered(&mut stream, id).await, b"hello");
        stream.write_all(&request(id + 2, "/slow")).await.unwrap();
        timeout(SOON, server.stage.arrivals.acquire()).await.expect("the handler began").unwrap().forget();
        stream.write_all(&reset(id + 2)).await.unwrap();
    }
    stream.write_all(&request(101, "/")).await.unwrap();
    assert_eq!(answered(&mut stream, 101).await, b"hello");
}

// threat 160
#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let server = Server::start(generous()).await;
    let stream = open(&server, &[]).await;
    let (mut reader, mut writer) = stream.into_split();
    let flooding = tokio::spawn(async move {
        let _ = writer.write_all(&frame(HEADERS, END_STREAM, 1, &get("/"))).await;
        let field = [&[0x00, 1, b'x', 127, 0x81, 7][..], &[b'y'; 1024]].concat(); // a literal of 127 + 897 bytes
        while writer.write_all(&frame(CONTINUATION, 0, 1, &field)).await.is_ok() {}
    });
    crate::http::listener::tests::read_to_end(&mut reader).await;
    timeout(SOON, flooding).await.unwrap().unwrap();
    assert!(server.visits().is_empty());
    server.assert_well().await;
}

// threat 160: a small block that unpacks to a large list
#[tokio::test]
async fn an_hpack_bomb_reaches_no_handler() {
    let server = Server::start(generous()).await;
    let mut stream = open(&server, &[]).await;
    let mut block = get("/");
    block.extend([&[0x40, 1, b'x', 127, 0xa1, 0x1e][..], &[b'y'; 4000]].concat()); // enters the dynamic table
    block.extend([0xbe; 8000]); // and is repeated
    stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).await.unwrap();
    // the stream or the connection is refused
    while let Some((kind, _, payload)) = next(&mut stream).await {
        assert_ne!(kind, DATA, "{payload:?}");
        if kind == RST_STREAM || kind == GOAWAY || kind == HEADERS {
            break;
        }
    }
    assert!(server.visits().is_empty());
    server.assert_well().await;
}

// threat 159: the client's window stays shut, though the socket takes everything
#[tokio::test]
async fn an_http_2_answer_that_is_not_taken_is_cut() {
    let server = Server::start(ListenerLimits { write_timeout: SHORT, ..generous() }).await;
    for window in [0, 100_u32] {
        let settings = [&[0, 4][..], &window.to_be_bytes()].concat(); // INITIAL_WINDOW_SIZE
        let mut stream = open(&server, &settings).await;
        stream.write_all(&request(1, "/big")).await.unwrap();
        to_the_end(&mut stream).await;
        timeout(SOON, server.stage.streams_dropped.acquire())
            .await
            .expect("the response is dropped")
            .unwrap()
            .forget();
    }
    server.assert_well().await;
}

// threat 159
#[tokio::test]
async fn an_idle_http_2_connection_is_told_to_go_and_closed() {
    let server = Server::start(ListenerLimits { idle_timeout: SHORT, ..generous() }).await;
    let mut stream = open(&server, &[]).await;
    stream.write_all(&request(1, "/")).await.unwrap();
    answered(&mut stream, 1).await;
    let (_, code) = to_the_end(&mut stream).await;
    assert_eq!(code, Some(0)); // GOAWAY, NO_ERROR
}

// threat 159
#[tokio::test]
async fn an_http_2_connection_without_a_request_is_closed() {
    let server = Server::start(ListenerLimits { header_timeout: SHORT, ..generous() }).await;
    let mut stream = open(&server, &[]).await;
    to_the_end(&mut stream).await;
    let mut half = server.connect().await;
    half.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.unwrap();
    crate::http::listener::tests::read_to_end(&mut half).await;
}

// threat 159
#[tokio::test]
async fn an_http_2_body_that_drips_is_answered_and_the_connection_lives() {
    let server = Server::start(ListenerLimits { body_timeout: SHORT, ..generous() }).await;
    let mut stream = open(&server, &[]).await;
    let mut block = get("/echo");
    block[0] = 0x83; // :method POST
    stream.write_all(&frame(HEADERS, END_HEADERS, 1, &block)).await.unwrap();
    stream.write_all(&frame(DATA, 0, 1, b"x")).await.unwrap();
    loop {
        let (kind, of, payload) = next(&mut stream).await.expect("an answer");
        if kind == HEADERS {
            assert_eq!(of, 1);
            // "408" in the Huffman code of RFC 7541, appendix B
            assert!(payload.windows(3).any(|three| three == [0x68, 0x0f, 0x7f]), "{payload:?}");
            break;
        }
    }
    stream.write_all(&request(3, "/")).await.unwrap();
    assert_eq!(answered(&mut stream, 3).await, b"hello");
}

#[tokio::test]
async fn a_shutdown_finishes_http_2_requests_and_closes() {
    let mut server = Server::start(ListenerLimits { drain: Duration::from_secs(60), ..generous() }).await;
    let url = format!("http://{}/slow", server.address);
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let running = tokio::spawn(async move { client.get(url).send().await.unwrap().text().await.unwrap() });
    timeout(SOON, server.stage.arrivals.acquire()).await.unwrap().unwrap().forget();
    server.stop();
    let release = server.stage.release.clone();
    release.notify_one();
    assert_eq!(timeout(SOON, running).await.unwrap().unwrap(), "slow");
    server.ended().await;
}
