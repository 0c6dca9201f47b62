//! Secrets that were made for the purpose run through everything, at trace level, and are looked for where none may be: in the
//! log, the metrics, what a panic prints, and the database (threats 23, 177, 179; product.md, "Logs hold no secrets").

use super::post;
use crate::support::browser::{Browser, form};
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::TestDatabase;
use crate::support::log::KeptLog;
use crate::support::process::{Process, beside};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{PASSWORD, TestServer, basic, encode};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::Arc;

/// What may be seen nowhere, by what it is.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 20, "{what} is too short to be looked for");
        self.0.push((what, secret));
    }

    /// Every canary as it is, and as it looks in a URL, in hexadecimal and in base64.
    fn disguises(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = Vec::new();
        for (what, secret) in &self.0 {
            let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            all.push((*what, secret.clone().into_bytes()));
            all.push((*what, encode(&[("", secret)])[1..].to_owned().into_bytes()));
            all.push((*what, hexadecimal.into_bytes()));
            all.push((*what, STANDARD.encode(secret).into_bytes()));
            // what is written in base64url may lie there as what it says
            if let Ok(bytes) = URL_SAFE_NO_PAD.decode(secret)
                && bytes.len() >= 16
            {
                let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                all.push((*what, bytes));
                all.push((*what, hexadecimal.into_bytes()));
            }
        }
        all
    }

    fn assert_absent(&self, place: &str, seen: &[u8]) {
        assert!(!seen.is_empty(), "there is nothing in {place}");
        for (what, disguise) in self.disguises() {
            if let Some(at) = seen.windows(disguise.len()).position(|window| window == disguise) {
                let around =
                    String::from_utf8_lossy(&seen[at.saturating_sub(200)..(at + 60).min(seen.len())]);
                panic!("{what} is in {place}: …{around}…");
            }
        }
    }
}

/// Walks through every flow and every refusal of it, and collects what must not be seen.
async fn walk(server: &TestServer) -> Canaries {
    let mut canaries = Canaries::default();
    canaries.add("the client's secret", server.secret());
    canaries.add("the password", PASSWORD);
    let key = std::fs::read_to_string(server.configuration.folder.path().join("secret.key")).expect("a key");
    canaries.add("the secret key", key);
    let wrong_password = random_secret();
    canaries.add("a wrong password", wrong_password.clone());
    let mut browser = Browser::new();
    for (client, scope) in [
        ("web", "openid offline_access photos.read"),
        ("spa", "openid photos.read"),
        ("post", "openid email"),
    ] {
        let mut app = RelyingParty::new(client, scope);
        app.verifier = random_secret();
        canaries.add("the code_verifier", app.verifier.clone());
        let state = random_secret();
        let page = browser.get(server, &app.authorize(&[("state", &state)])).await;
        let mut page = browser.follow(server, page).await;
        if page.body.contains("login-submit") {
            browser.submit_login(server, &page, "ada", &wrong_password).await;
            browser.submit_login(server, &page, &wrong_password, PASSWORD).await;
            for field in form(&page).hidden {
                canaries.add("a form's token", field.1);
            }
            page = browser.sign_in(server, &page, "ada").await;
        }
        let answer = browser.decide(server, &page, "allow").await;
        let code = answer.parameter("code").unwrap_or_else(|| panic!("no code: {answer:?}"));
        canaries.add("the code", code.clone());
        let other = random_secret();
        for change in
            [("code_verifier", other.as_str()), ("redirect_uri", "https://other.example"), ("resource", "x")]
        {
            assert_ne!(app.redeem(server, &code, &[change]).await.status, StatusCode::OK);
        }
        canaries.add("a wrong verifier", other);
        let tokens = Tokens(app.redeem(server, &code, &[]).await.json());
        app.redeem(server, &code, &[]).await;
        canaries.add("the access token", tokens.access());
        canaries.add("the ID token", tokens.id());
        let mut refresh = tokens.refresh().to_owned();
        canaries.add("the refresh token", refresh.clone());
        for _ in 0..2 {
            let next = Tokens(app.refresh(server, &refresh, &[]).await.json());
            canaries.add("the next refresh token", next.refresh());
            canaries.add("the next access token", next.access());
            refresh = next.refresh().to_owned();
        }
        server.introspect_as("photos-api", tokens.access()).await;
        app.post(server, "/introspect", &[("token", &refresh)]).await;
        server.get_as("/userinfo", tokens.access()).await;
        // In places where they do not belong.
        server.get(&format!("/userinfo?access_token={}", tokens.access())).await;
        server.get_as("/userinfo", &refresh).await;
        server.get(&format!("/token?code={code}&client_secret={}", server.secret())).await;
        server.get(&format!("/{}", tokens.access())).await;
        app.refresh(server, tokens.access(), &[]).await;
        app.refresh(server, &format!("{refresh}x"), &[]).await;
        app.redeem(server, &refresh, &[]).await;
        app.post(server, "/revoke", &[("token", &code), ("token_type_hint", &refresh)]).await;
        app.refresh(server, tokens.refresh(), &[("scope", "openid mail.read")]).await;
        app.post(server, "/revoke", &[("token", tokens.access())]).await;
        app.post(server, "/revoke", &[("token", &refresh)]).await;
        app.refresh(server, &refresh, &[]).await;
        let guessed = random_secret();
        server
            .post(
                "/token",
                Some(&basic(client, &guessed)),
                &[("grant_type", "refresh_token"), ("refresh_token", &refresh)],
            )
            .await;
        server
            .post("/token", None, &[("client_id", client), ("client_secret", &guessed), ("code", &code)])
            .await;
        server.post_raw("/token", None, format!("grant_type=a&grant_type={refresh}&code={code}")).await;
        server.post_raw("/token", None, format!("code=%zz{code}")).await;
        server.post("/token", Some(&format!("Basic {guessed}")), &[("code", code.as_str())]).await;
        canaries.add("a guessed secret", guessed);
        browser.get(server, &app.authorize(&[("prompt", "none"), ("state", &state)])).await;
        browser.get(server, &app.authorize(&[("redirect_uri", &format!("https://{code}.example"))])).await;
    }
    let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    canaries.add("the service's token", Tokens(service.json()).access());
    for (name, value) in browser.cookies.clone() {
        canaries.add("a cookie", value.clone());
        browser.cookies.insert(name, format!("{value}; other={value}"));
        browser.get(server, "/account").await;
        browser.cookies.retain(|other, _| !other.starts_with("other"));
        browser.cookies.insert(if value.is_empty() { "x" } else { "y" }.to_owned(), value);
    }
    canaries
}

/// Everything that the database holds.
async fn dump(database: &TestDatabase) -> Vec<u8> {
    if !database.is_postgres() {
        let path = database.url().strip_prefix("sqlite://").expect("a file").to_owned();
        let read = |end: &str| std::fs::read(format!("{path}{end}")).unwrap_or_default();
        return [read(""), read("-wal")].concat();
    }
    let mut connection = PgConnection::connect(database.url()).await.expect("the schema");
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()")
            .fetch_all(&mut connection)
            .await
            .expect("tables");
    assert!(tables.len() > 8, "{tables:?}");
    let mut all = Vec::new();
    for table in tables {
        let rows = "SELECT row_to_json(held)::text FROM {table} held".replace("{table}", &table);
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection).await.expect("rows");
        for row in rows {
            all.extend_from_slice(row.as_bytes());
        }
    }
    all
}

async fn in_memory(database: TestDatabase) {
    let log = KeptLog::start("trace");
    let server = TestServer::start(&database).await;
    let canaries = walk(&server).await;
    server.refusals.lock().await.write(&server.app.store).await.expect("refusals are written");
    let told = log.text();
    for event in ["grant.code_redeemed", "grant.refreshed", "token.refused", "client.authentication_failed"] {
        assert!(told.contains(event), "{event} is not told of, so nothing was proved");
    }
    // The embedded store's statements are told of on a thread of its own; they are the same.
    assert!(
        told.contains("sqlx::query") || !database.is_postgres(),
        "sqlx says nothing, so nothing was proved"
    );
    canaries.assert_absent("the log at trace level", told.as_bytes());
    canaries.assert_absent("the database", &dump(&database).await);
    assert!(database.number("SELECT COUNT(*) FROM refusals").await > 10);
}

/// Threats 23, 177: with every crate that takes part telling all it does.
#[tokio::test]
async fn no_secret_is_in_the_log_or_in_the_database_on_sqlite() {
    in_memory(TestDatabase::sqlite()).await;
}

/// Threats 23, 177.
#[tokio::test]
async fn no_secret_is_in_the_log_or_in_the_database_on_postgresql() {
    in_memory(TestDatabase::postgres().await).await;
}

/// The search itself: in clear, in a URL, in base64, in hexadecimal, and as the bytes that base64url stands for.
#[test]
fn a_canary_that_is_there_is_found_in_every_disguise() {
    let mut canaries = Canaries::default();
    let secret = random_secret();
    canaries.add("a secret", secret.clone());
    let bytes = URL_SAFE_NO_PAD.decode(&secret).expect("base64url");
    let hexadecimal = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
    };
    let places = [
        secret.clone().into_bytes(),
        STANDARD.encode(&secret).into_bytes(),
        hexadecimal(secret.as_bytes()),
        hexadecimal(&bytes),
        bytes,
    ];
    for place in places {
        let seen = [b"before ".to_vec(), place, b" after".to_vec()].concat();
        assert!(std::panic::catch_unwind(|| canaries.assert_absent("a place", &seen)).is_err());
    }
    canaries.assert_absent("a place", b"nothing of the kind");
}

/// Threats 23, 179: the program itself, as talkative as it can be made, over sockets; in its log, its metrics, its arguments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_what_the_program_prints_or_measures() {
    for (database, format) in [(TestDatabase::sqlite(), "text"), (TestDatabase::postgres().await, "json")] {
        let more = format!("[log]\nlevel = \"trace\"\nformat = \"{format}\"");
        let configuration =
            Arc::new(TestConfiguration::with(&database, crate::support::configuration::ISSUER, &more, ""));
        let judge = beside(&configuration).await;
        judge.add_person("ada", json!({"name": "Ada Lovelace"})).await;
        let mut canaries = walk(&judge).await;
        let mut server = Process::start_with(&configuration, &[("RUST_LOG", "trace")]);
        server.until_ready().await;
        judge.clock.set(portreeve::model::clock::Clock::now(&portreeve::model::clock::SystemClock));
        let (web, mut browser) =
            (RelyingParty::new("web", "openid offline_access photos.read"), Browser::new());
        let code = web.code(&judge, &mut browser).await;
        let authorization = basic("web", judge.secret());
        let asked = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", web.redirect_uri.as_str()),
            ("code_verifier", web.verifier.as_str()),
        ];
        let tokens = server.post("/token", Some(&authorization), &asked).await.expect("an answer");
        let tokens = Tokens(tokens.json());
        canaries.add("the code", code.clone());
        canaries.add("the verifier", web.verifier.clone());
        canaries.add("the access token", tokens.access());
        canaries.add("the refresh token", tokens.refresh());
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
        for authorization in
            [Some(authorization.as_str()), None, Some("Basic bm9ib2R5OmEtd3JvbmctcGFzc3dvcmQtaXMtaGVyZQ==")]
        {
            server.post("/token", authorization, &refresh).await.expect("an answer");
            server
                .post("/introspect", authorization, &[("token", tokens.access())])
                .await
                .expect("an answer");
            server.post("/revoke", authorization, &[("token", tokens.refresh())]).await.expect("an answer");
            server.post("/token", authorization, &asked).await.expect("an answer");
        }
        for path in ["/userinfo?access_token=", "/authorize?client_id=web&code=", "/", "/login?marker="] {
            server.get(&format!("{path}{}", tokens.access())).await.expect("an answer");
        }
        // What hyper refuses is what hyper would tell of.
        let broken = post("/token", &[("authorization", &authorization)], &[("code", &code)]);
        for request in [
            broken.replace("HTTP/1.1", "HTTP/9.9"),
            broken.replace("content-length", "content-length : x\r\nb"),
        ] {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
            stream.write_all(request.as_bytes()).await.expect("it takes the request");
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let metrics = server.get_operations("/metrics").await.expect("metrics").body;
        assert!(metrics.contains("portreeve_http_requests_total"), "{metrics}");
        canaries.assert_absent("the metrics", metrics.as_bytes());
        let arguments = std::fs::read(format!("/proc/{}/cmdline", server.id())).expect("its arguments");
        canaries.assert_absent("its arguments", &arguments);
        server.signal("TERM");
        server.ended().await;
        let log = server.log();
        assert!(log.contains("grant.refreshed"), "{log}");
        canaries.assert_absent("the program's log", log.as_bytes());
        if let Some(password) = url::Url::parse(database.url()).expect("a URL").password() {
            canaries.add("the database's password", password.to_owned());
            canaries.assert_absent("the program's log", log.as_bytes());
        }
    }
}
