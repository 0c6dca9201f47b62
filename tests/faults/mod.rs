//! What goes wrong around a server: clients that hang up, databases that are slow, gone or damaged, processes that are killed,
//! clocks that jump, secrets that look for a way out. What was acknowledged stands, and the next good request works
//! (security.md §0.2 and §2).

mod canaries;
mod clocks;
mod corrupt_rows;
mod disconnects;
mod kills;
mod outages;
mod panics;
mod pool;
mod processes;
mod serialization;

use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::process::eventually;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Listening, TestServer, basic, encode};
use crate::support::slow_database::SlowDatabase;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A server that clients hang up on, on a database that is slow where it can be; and beside it a straight way to the same
/// store, to prepare and to judge by.
struct Slow {
    /// The straight way.
    straight: Arc<TestServer>,
    /// The server over the slow line; on the embedded store, which has no line, the same.
    server: Arc<TestServer>,
    line: Option<SlowDatabase>,
    listening: Listening,
}

impl Slow {
    /// A server whose every message to the database takes `delay`, with two connections to it.
    async fn start(database: &TestDatabase, delay: Duration) -> Self {
        let straight = Arc::new(TestServer::start(database).await);
        let line = match database.is_postgres() {
            true => Some(SlowDatabase::new(database, delay).await),
            false => None,
        };
        let server = match &line {
            Some(line) => Arc::new(over(&straight, database.url(), line.url(), 2).await),
            None => straight.clone(),
        };
        let listening = server.listen().await;
        Self { straight, server, line, listening }
    }

    /// Sends a request and hangs up after a while, whatever has become of it.
    async fn hang_up(&self, request: &str, after: Duration) {
        let mut stream = TcpStream::connect(self.listening.address).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it takes the request");
        tokio::time::sleep(after).await;
    }

    /// Sends a request and reads the whole answer.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.listening.address).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    /// Waits until nothing runs on the line any more. A connection that stays in a transaction never gets there.
    async fn settle(&self, database: &TestDatabase) {
        let Some(line) = &self.line else {
            // the embedded store has no line to look at: what was hung up on has ended when nobody comes to it any more
            let store = &self.server.app.store;
            let mut seen = store.accesses();
            return eventually("nobody comes to the store", async || {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let now = store.accesses();
                std::mem::replace(&mut seen, now) == now
            })
            .await;
        };
        let query =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE state <> 'idle' AND client_port IN ({ports})";
        eventually("no connection is active or idle in transaction", async || {
            database.number(&query.replace("{ports}", &line.ports())).await == 0
        })
        .await;
    }
}

/// A replica of `server` whose database is reached by another URL.
async fn over(server: &TestServer, url: &str, other: &str, max_connections: u32) -> TestServer {
    let configuration = &server.configuration;
    let settings = configuration
        .settings
        .replace(url, other)
        .replace("max_connections = 8", &format!("max_connections = {max_connections}"));
    std::fs::write(configuration.path(), settings).expect("the file can be written");
    let replica = server.replica().await;
    configuration.write();
    replica
}

/// A form in HTTP's own words, with more headers.
fn post(path: &str, headers: &[(&str, &str)], parameters: &[(&str, &str)]) -> String {
    let body = encode(parameters);
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    request.push_str("content-type: application/x-www-form-urlencoded\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request + &format!("content-length: {}\r\n\r\n{body}", body.len())
}

/// A form of one of the pages, as the browser that was shown it sends it.
fn post_form(browser: &Browser, issuer: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let cookies: Vec<String> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    post(path, &[("cookie", &cookies), ("origin", issuer), ("sec-fetch-site", "same-origin")], fields)
}

/// What a client sends to `/revoke` for a refresh token.
fn revocation(server: &TestServer, client_id: &str, token: &str) -> String {
    let authorization = basic(client_id, server.secret());
    post("/revoke", &[("authorization", &authorization)], &[("token", token)])
}

/// Several grants of the first-party app, each with tokens of its own.
async fn grants(server: &TestServer, browser: &mut Browser, count: usize) -> Vec<Tokens> {
    let app = RelyingParty::new("ours", "openid offline_access");
    let mut grants = Vec::with_capacity(count);
    for _ in 0..count {
        grants.push(app.tokens(server, browser).await);
    }
    grants
}
