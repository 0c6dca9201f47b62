//! The headers of every route and every kind of answer it gives: security headers, Cache-Control, CORS, challenges
//! (threats 20, 131, 153, 154, 163–166, 168). What every answer carries is told once.

use super::assert_golden;
use crate::account::Pressed;
use crate::support::browser::{Browser, form};
use crate::support::clock::ManualClock;
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer};
use axum::body::Body;
use axum::http::{Method, Request};
use portreeve::http::app::Mode;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every route of the public listener, as `src/http/router.rs` has them; the metadata document's are made there by a
/// function of their own.
const ROUTES: [&str; 26] = [
    "/",
    "/account",
    "/account/grants",
    "/account/password",
    "/account/sessions",
    "/assets/client-logo/{client_id}",
    "/assets/{file}",
    "/authorize",
    "/consent",
    "/introspect",
    "/login",
    "/logout",
    "/par",
    "/playground",
    "/recovery",
    "/recovery/done",
    "/recovery/new-password",
    "/recovery/sent",
    "/register",
    "/register/{client_id}",
    "/revoke",
    "/token",
    "/userinfo",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

/// The table in progress: what was asked, and the headers of the answer.
#[derive(Default)]
struct Table {
    rows: Vec<(String, BTreeMap<String, String>)>,
    routes: BTreeSet<&'static str>,
}

impl Table {
    fn add(&mut self, route: &'static str, title: &str, answer: &Answer) {
        assert!(ROUTES.contains(&route) || route == "elsewhere", "{route}");
        self.routes.insert(route);
        let title = format!("{title} -> {}", answer.status.as_u16());
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &answer.headers {
            let value = value.to_str().expect("text");
            let told = match name.as_str() {
                "etag" => "(an entity tag)".to_owned(),
                "location" => value.split('?').next().unwrap_or_default().to_owned(),
                "set-cookie" => {
                    let (pair, attributes) = value.split_once(';').expect("attributes");
                    let name = pair.split('=').next().unwrap_or_default();
                    format!("{name}=(a value);{attributes}")
                }
                "content-length" | "date" => continue,
                _ => value.to_owned(),
            };
            let entry = headers.entry(name.to_string()).or_default();
            let separator = if entry.is_empty() { "" } else { "\n    " };
            *entry = format!("{entry}{separator}{told}");
        }
        self.rows.push((title, headers));
    }

    /// The table as text; what all rows share comes first.
    fn text(&self) -> String {
        let first = &self.rows.first().expect("rows").1;
        let shared: BTreeMap<_, _> = first
            .iter()
            .filter(|(name, value)| self.rows.iter().all(|(_, headers)| headers.get(*name) == Some(value)))
            .collect();
        let lines = |headers: &mut dyn Iterator<Item = (&String, &String)>| {
            headers.map(|(name, value)| format!("  {name}: {value}")).collect::<Vec<_>>().join("\n")
        };
        let mut text = vec![format!(
            "every answer\n{}\n",
            lines(&mut shared.iter().map(|(name, value)| (*name, *value)))
        )];
        for (title, headers) in &self.rows {
            let own = &mut headers.iter().filter(|(name, _)| !shared.contains_key(name));
            text.push(format!("{title}\n{}\n", lines(own)));
        }
        text.join("\n")
    }
}

async fn send(server: &TestServer, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).expect("a request")).await
}

async fn pages(table: &mut Table, server: &TestServer) {
    let web = RelyingParty::new("web", "openid");
    let mut browser = Browser::new();
    table.add("/", "GET /", &server.get("/").await);
    table.add("/account", "GET /account, nobody signed in", &server.get("/account").await);
    table.add("/login", "GET /login, no request", &server.get("/login").await);
    let begun = browser.get(server, &web.authorize(&[])).await;
    table.add("/authorize", "GET /authorize, nobody signed in", &begun);
    let head = send(server, Method::HEAD, &web.authorize(&[]), &[]).await;
    table.add("/authorize", "HEAD /authorize", &head);
    let posted = server.post("/authorize", None, &[("client_id", "web")]).await;
    table.add("/authorize", "POST /authorize", &posted);
    let unknown = server.get(&web.authorize(&[("client_id", "nobody")])).await;
    table.add("/authorize", "GET /authorize, unknown client", &unknown);
    let refused = server.get(&web.authorize(&[("scope", "admin")])).await;
    table.add("/authorize", "GET /authorize, unknown scope", &refused);
    let by_form = server.get(&web.authorize(&[("scope", "admin"), ("response_mode", "form_post")])).await;
    table.add("/authorize", "GET /authorize, unknown scope, by form_post", &by_form);
    let foreign = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    let loaded = send(server, Method::GET, &web.authorize(&[]), &foreign).await;
    table.add("/authorize", "GET /authorize, as a part of another site", &loaded);
    let long = format!("/authorize?x={}", "x".repeat(17_000));
    table.add("/authorize", "GET /authorize, too long", &server.get(&long).await);
    let sign_in = browser.follow(server, begun).await;
    table.add("/login", "GET /login, for web", &sign_in);
    let native = RelyingParty::new("native", "openid");
    let mut other = Browser::new();
    let page = other.get(server, &native.authorize(&[])).await;
    table.add("/login", "GET /login, for native", &other.follow(server, page).await);
    let wrong = browser.submit_login(server, &sign_in, "ada", "wrong").await;
    table.add("/login", "POST /login, wrong password", &wrong);
    let foreign_origin = [("origin", "https://evil.example")];
    let action = form(&sign_in).action;
    let evil = browser.request(server, Method::POST, &action, Some(String::new()), &foreign_origin).await;
    table.add("/login", "POST /login, from another origin", &evil);
    let password = crate::support::server::PASSWORD;
    let right = browser.submit_login(server, &sign_in, "ada", password).await;
    table.add("/login", "POST /login", &right);
    let consent = browser.follow(server, right).await;
    table.add("/consent", "GET /consent", &consent);
    let forged = browser.post(server, &form(&consent).action, &[("decision", "allow")]).await;
    table.add("/consent", "POST /consent, forged", &forged);
    let code = browser.decide(server, &consent, "allow").await;
    table.add("/consent", "POST /consent", &code);
    let by_form = browser.get(server, &web.authorize(&[("response_mode", "form_post")])).await;
    table.add("/authorize", "GET /authorize, a code by form_post", &by_form);
    table.add("/authorize", "GET /authorize, a code", &browser.get(server, &web.authorize(&[])).await);
    account(table, server, &mut browser).await;
    let logout = browser.get(server, "/logout").await;
    table.add("/logout", "GET /logout", &logout);
    let fields = form(&logout).hidden;
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    table.add("/logout", "POST /logout", &browser.post(server, "/logout", &fields).await);
    table.add("/logout", "POST /logout, from a client", &server.post("/logout", None, &[]).await);
    table.add("/playground", "GET /playground, under dev", &server.get("/playground").await);
    table.add("/assets/{file}", "GET /assets/theme.css", &server.get("/assets/theme.css").await);
    table.add("/assets/{file}", "GET /assets/mark.svg", &server.get("/assets/mark.svg").await);
    let logo = "/assets/client-logo/{client_id}";
    table.add(
        logo,
        "GET /assets/client-logo/web, which has none",
        &server.get("/assets/client-logo/web").await,
    );
    table.add("/assets/{file}", "GET /assets/nothing", &server.get("/assets/nothing").await);
}

async fn protocol(table: &mut Table, server: &TestServer) {
    let spa = RelyingParty::new("spa", "openid offline_access");
    let code = spa.code(server, &mut Browser::new()).await;
    let redeemed = spa.redeem(server, &code, &[]).await;
    table.add("/token", "POST /token", &redeemed);
    let token = redeemed.json()["access_token"].as_str().expect("a token").to_owned();
    let bearer = format!("Bearer {token}");
    table.add("/token", "POST /token, refused", &spa.redeem(server, &code, &[]).await);
    table.add("/token", "POST /token, no client", &server.post("/token", None, &[]).await);
    let basic = crate::support::server::basic("web", "wrong");
    let unauthorized = server.post("/token", Some(&basic), &[("grant_type", "authorization_code")]).await;
    table.add("/token", "POST /token, a wrong secret by Basic", &unauthorized);
    table.add("/token", "GET /token", &server.get("/token").await);
    let origin = ("origin", "https://spa.example.com");
    let evil = ("origin", "https://spa.example.com.evil.example");
    for (route, method) in [
        ("/token", "POST"),
        ("/userinfo", "GET"),
        ("/revoke", "POST"),
        ("/introspect", "POST"),
        ("/authorize", "GET"),
    ] {
        let asks = ("access-control-request-method", method);
        for (who, origin) in [("spa", origin), ("a stranger", evil)] {
            let answer = send(server, Method::OPTIONS, route, &[origin, asks]).await;
            table.add(route, &format!("OPTIONS {route}, preflight of {who}"), &answer);
        }
    }
    for (who, origin) in [("spa", origin), ("a stranger", evil), ("nobody", ("origin", "null"))] {
        let answer = send(server, Method::GET, "/userinfo", &[origin, ("authorization", &bearer)]).await;
        table.add("/userinfo", &format!("GET /userinfo, from {who}"), &answer);
        let answer = send(server, Method::POST, "/token", &[origin]).await;
        table.add("/token", &format!("POST /token without a body, from {who}"), &answer);
    }
    table.add("/userinfo", "GET /userinfo, no token", &server.get("/userinfo").await);
    table.add("/userinfo", "GET /userinfo, a bad token", &server.get_as("/userinfo", "x").await);
    let query = server.get(&format!("/userinfo?access_token={token}")).await;
    table.add("/userinfo", "GET /userinfo, a token in the URL", &query);
    let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    let service = service.json()["access_token"].as_str().expect("a token").to_owned();
    table.add("/userinfo", "GET /userinfo, a service's token", &server.get_as("/userinfo", &service).await);
    let introspected = server.post_as("web", "/introspect", &[("token", &token)]).await;
    table.add("/introspect", "POST /introspect", &introspected);
    table.add("/introspect", "POST /introspect, no client", &server.post("/introspect", None, &[]).await);
    table.add("/revoke", "POST /revoke", &spa.post(server, "/revoke", &[("token", &token)]).await);
    let pushed = server.post_as("web", "/par", &[("response_type", "token")]).await;
    table.add("/par", "POST /par, refused", &pushed);
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/jwks.json",
    ] {
        let answer = send(server, Method::GET, path, &[evil]).await;
        table.add(path, &format!("GET {path}"), &answer);
        let etag = answer.header("etag").expect("an entity tag").to_owned();
        let again = send(server, Method::GET, path, &[("if-none-match", &etag)]).await;
        table.add(path, &format!("GET {path}, known already"), &again);
    }
    registration(table, server).await;
    table.add("elsewhere", "GET /authorize/x.css", &server.get("/authorize/x.css").await);
    table.add("elsewhere", "GET /metrics", &server.get("/metrics").await);
}

async fn account(table: &mut Table, server: &TestServer, browser: &mut Browser) {
    let page = browser.get(server, "/account").await;
    table.add("/account", "GET /account", &page);
    let password = browser.get(server, "/account/password").await;
    table.add("/account/password", "GET /account/password", &password);
    let wrong = browser.post(server, &form(&password).action, &[("old_password", "x")]).await;
    table.add("/account/password", "POST /account/password, forged", &wrong);
    for path in ["/account/grants", "/account/sessions"] {
        let forged = browser.post(server, path, &[("client", "web")]).await;
        table.add(path, &format!("POST {path}, forged"), &forged);
    }
    let taken = Pressed::of(&page, "grant-1-revoke").send(server, browser).await;
    table.add("/account/grants", "POST /account/grants", &taken);
    for path in ["/recovery", "/recovery/sent", "/recovery/new-password", "/recovery/done"] {
        table.add(path, &format!("GET {path}"), &server.get(path).await);
    }
    let wrong = server.get("/recovery/new-password?token=x").await;
    table.add("/recovery/new-password", "GET /recovery/new-password, a wrong token", &wrong);
    let forged = browser.post(server, "/recovery", &[("username", "ada")]).await;
    table.add("/recovery", "POST /recovery, forged", &forged);
}

async fn registration(table: &mut Table, server: &TestServer) {
    let body = json!({"redirect_uris": ["https://app.example/callback"]}).to_string();
    let request = Request::post("/register").header("content-type", "application/json");
    let registered = server.send(request.body(Body::from(body)).expect("a request")).await;
    table.add("/register", "POST /register", &registered);
    table.add("/register", "POST /register, no JSON", &server.post("/register", None, &[]).await);
    let client = registered.json();
    let text = |member: &str| client[member].as_str().expect("text").to_owned();
    let (uri, bearer) =
        (text("registration_client_uri"), format!("Bearer {}", text("registration_access_token")));
    let path = uri.strip_prefix(&server.issuer()).expect("a path").to_owned();
    let route = "/register/{client_id}";
    table.add(route, "GET /register/{client_id}, no token", &server.get(&path).await);
    table.add(route, "GET /register/{client_id}, a wrong token", &server.get_as(&path, "x").await);
    let read = send(server, Method::GET, &path, &[("authorization", &bearer)]).await;
    table.add(route, "GET /register/{client_id}", &read);
    let deleted = send(server, Method::DELETE, &path, &[("authorization", &bearer)]).await;
    table.add(route, "DELETE /register/{client_id}", &deleted);
}

/// So that every route is there.
const SETTINGS: &str =
    "[registration]\n[mail]\nserver = \"127.0.0.1\"\nsecurity = \"none\"\nfrom = \"login@example.com\"\n";

/// product.md: every answer carries the security headers.
#[tokio::test]
async fn every_route_answers_with_the_headers_of_the_file() {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::with(&database, ISSUER, SETTINGS, "");
    let configuration = Arc::new(configuration);
    let server = TestServer::compose(configuration, ManualClock::new(), Mode::Dev).await;
    server.add_person("ada", json!({"name": "Ada Lovelace"})).await;
    let mut table = Table::default();
    pages(&mut table, &server).await;
    protocol(&mut table, &server).await;
    let missing: Vec<_> = ROUTES.iter().filter(|route| !table.routes.contains(*route)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for (title, headers) in &table.rows {
        let redirects = title.ends_with("-> 307") || title.ends_with("-> 308");
        assert!(!redirects, "threat 20: {title}");
        assert!(headers.contains_key("x-content-type-options"), "{title}");
    }
    assert_golden("headers.txt", &table.text());
}

/// A new route without a row in the table is found here.
#[test]
fn the_table_knows_every_route_of_the_router() {
    let router = include_str!("../../src/http/router.rs");
    let routes = router.matches(".route(").count();
    let documents = 2;
    // The entrance of an issuer with a path, by its last slash, answers like the one without.
    let twice = 1;
    assert_eq!(
        routes + documents - twice,
        ROUTES.len(),
        "src/http/router.rs has another number of routes than ROUTES"
    );
}
