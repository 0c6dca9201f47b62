//! Endpoints in wrong hands: by the wrong method or path, with somewhere to go, with a token in the URL, without a store.

use super::send;
use crate::support::browser::Browser;
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, basic};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

const PAGES: [&str; 6] = ["/", "/authorize", "/login", "/consent", "/logout", "/account"];
const FOR_CLIENTS: [&str; 3] = ["/token", "/revoke", "/introspect"];

async fn signed_in(server: &TestServer) -> Browser {
    let mut browser = Browser::new();
    RelyingParty::new("web", "openid").tokens(server, &mut browser).await;
    browser
}

/// A Location of this server itself.
fn leads_home(answer: &Answer) -> bool {
    let Some(location) = answer.header("location") else { return true };
    location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\")
}

on_both_stores! {
    /// RFC 9700 §4.11.2; threats 12, 13: there is nowhere to be sent to but where the request's client is registered.
    async fn no_page_sends_anybody_where_a_stranger_says(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browsers = [Browser::new(), signed_in(&server).await];
        let places = [
            "https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example", "\\\\evil.example",
            "/%2fevil.example", "javascript:alert(1)", "https://web.example.com/",
        ];
        let names = [
            "next", "return_to", "returnTo", "rd", "redirect", "redirect_to", "url", "continue", "target", "dest",
            "post_logout_redirect_uri", "initiate_login_uri", "target_link_uri", "RelayState", "id_token_hint",
        ];
        let request = RelyingParty::new("web", "openid").request(&[]);
        for browser in &mut browsers {
            for page in PAGES {
                for (place, name) in places.iter().flat_map(|place| names.map(|name| (place, name))) {
                    let asked = crate::support::server::encode(&[(name, place)]);
                    let answer = browser.clone().get(&server, &format!("{page}?{asked}")).await;
                    assert!(leads_home(&answer), "{page}?{asked}: {answer:?}");
                    assert!(!answer.body.contains("evil.example"), "{page}?{asked}: {answer:?}");
                }
                let asked = crate::support::server::encode(&[("next", "https://evil.example/")]);
                let answer = browser.clone().get(&server, &format!("{page}?{request}&{asked}")).await;
                let lawful = answer.header("location").is_none_or(|to| to.starts_with("https://web.example.com/callback?"));
                assert!(leads_home(&answer) || lawful, "{page}: {answer:?}");
            }
            // by POST, as a client sends people to sign out
            let evil = [("post_logout_redirect_uri", "https://evil.example/"), ("client_id", "web"), ("state", "x")];
            let answer = server.post("/logout", None, &evil).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            assert!(leads_home(&answer), "{answer:?}");
            let location = answer.location().to_owned();
            let page = browser.get(&server, &location).await;
            assert!(page.header("location").is_none() && !page.body.contains("evil.example"), "{page:?}");
        }
        assert!(browsers[1].get(&server, "/account").await.body.contains("Ada Lovelace"), "and nobody was signed out");
    }

    /// RFC 9700 §2.2.2, §4.3.2, RFC 6749 §3.2; threat 22.
    async fn nothing_secret_is_taken_from_or_put_into_a_url(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access");
        let mut browser = Browser::new();
        let answer = app.visit(&server, &mut browser, &[]).await;
        for name in ["access_token", "id_token", "refresh_token", "token_type", "expires_in"] {
            assert!(answer.parameter(name).is_none(), "{name}");
        }
        let code = answer.parameter("code").expect("a code");
        let query = crate::support::server::encode(&[
            ("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &app.redirect_uri),
            ("code_verifier", &app.verifier),
        ]);
        for body in ["", "grant_type=authorization_code", &query] {
            let header = basic("web", server.secret());
            let answer = server.post_raw(&format!("/token?{query}"), Some(&header), body.to_owned()).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"), "{answer:?}");
        }
        let secret = format!("/token?client_id=post&client_secret={}", server.secret());
        let answer = server.post(&secret, None, &[("grant_type", "authorization_code"), ("code", &code)]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let tokens = crate::support::relying_party::Tokens(app.redeem(&server, &code, &[]).await.json());
        let token = tokens.access();
        for path in [format!("/userinfo?access_token={token}"), format!("/userinfo?schema=openid&access_token={token}")] {
            assert_eq!(server.get(&path).await.status, StatusCode::BAD_REQUEST);
            assert_eq!(server.get_as(&path, token).await.status, StatusCode::BAD_REQUEST);
            assert_eq!(server.post(&path, None, &[]).await.status, StatusCode::BAD_REQUEST);
        }
        for path in ["/introspect", "/revoke"] {
            let answer = server.post_as("web", &format!("{path}?token={token}"), &[]).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        }
        assert_eq!(server.get_as("/userinfo", token).await.status, StatusCode::OK, "and nothing was revoked");
    }

    /// Threat 166: what changes something is POSTed, and HEAD issues no code.
    async fn a_wrong_method_is_refused_and_changes_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = signed_in(&server).await;
        let app = RelyingParty::new("web", "openid");
        let grants = database.number("SELECT COUNT(*) FROM grants").await;
        let header = basic("service", server.secret());
        for path in FOR_CLIENTS {
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "FOO"] {
                let answer = send(&server, method, path, &[("authorization", &header)]).await;
                assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
        for (name, value) in [("x-http-method-override", "POST"), ("x-method-override", "POST")] {
            let answer = send(&server, "GET", "/token?_method=POST", &[(name, value), ("authorization", &header)]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        }
        let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let request = app.authorize(&[]);
        for method in ["HEAD", "PUT", "DELETE", "TRACE", "OPTIONS"] {
            let answer = send(&server, method, &request, &[("cookie", &cookies)]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert!(answer.header("location").is_none());
        }
        // what a GET would do as a POST only: decide, sign in, sign out
        let request = app.request(&[]);
        for path in [format!("/consent?{request}&decision=allow"), format!("/login?{request}&username=ada&password=x"), "/logout?logout=1".to_owned()] {
            let answer = browser.get(&server, &path).await;
            assert!(answer.header("location").is_none_or(|to| to.starts_with("/authorize?")), "{answer:?}");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM grants").await, grants);
        assert!(browser.get(&server, "/account").await.body.contains("Ada Lovelace"));
    }
}

/// Threats 20, 163, 167: what is not exactly a path is not there, and nothing is redirected to where it may be.
#[tokio::test]
async fn only_exact_paths_are_there() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let all = PAGES.iter().chain(&FOR_CLIENTS).filter(|path| **path != "/");
    for path in all {
        for trick in [
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}/x.css"),
            format!("{path}/..;/admin"),
            format!("{path}%2f"),
            format!("{path};x=1"),
            format!("/x/..{path}"),
            format!("/%2e%2e{path}"),
            path.to_uppercase(),
            format!("{path}.json"),
        ] {
            for method in ["GET", "POST"] {
                let answer = send(&server, method, &trick, &[]).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {trick}");
                assert_eq!(answer.header("cache-control"), Some("no-store"));
            }
        }
    }
    for operations in
        ["/metrics", "/health/live", "/health/ready", "/admin", "/playground", "/debug", "/.env", "/register"]
    {
        assert_eq!(server.get(operations).await.status, StatusCode::NOT_FOUND, "{operations}");
    }
}

/// RFC 6749 §3.2; threat 156: the token endpoint reads forms and answers everything else in its own words.
#[tokio::test]
async fn a_body_that_is_no_form_is_refused_in_the_words_of_the_protocol() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let header = basic("service", server.secret());
    let good = "grant_type=client_credentials";
    for path in FOR_CLIENTS {
        for (kind, body) in [
            ("application/json", json!({"grant_type": "client_credentials", "token": "x"}).to_string()),
            ("text/plain", good.to_owned()),
            ("multipart/form-data; boundary=x", format!("--x\r\n\r\n{good}\r\n--x--")),
            ("application/x-www-form-urlencoded; charset=utf-16", good.to_owned()),
            ("application/x-www-form-urlencoded, text/plain", good.to_owned()),
            ("", good.to_owned()),
        ] {
            let mut request = Request::post(path).header("authorization", &header);
            if !kind.is_empty() {
                request = request.header("content-type", kind);
            }
            let answer = server.send(request.body(Body::from(body)).expect("a request")).await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::BAD_REQUEST, "invalid_request"),
                "{kind}"
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
        for body in
            ["grant_type[]=client_credentials", "grant_type=client_credentials;token=x", "%67rant_type=%00"]
        {
            let answer = server.post_raw(path, Some(&header), body.to_owned()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
        }
        for twice in ["grant_type", "token", "client_id", "client_secret", "scope", "code", "refresh_token"] {
            let answer =
                server.post_raw(path, Some(&header), format!("{good}&token=x&{twice}=a&{twice}=a")).await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::BAD_REQUEST, "invalid_request"),
                "threat 9: {twice}"
            );
        }
    }
    let answer = server.post_raw("/token", Some(&header), good.to_owned()).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Threats 49, 169: without its store the server says that it cannot answer, and nothing of why.
#[tokio::test]
async fn a_store_that_is_gone_is_told_to_nobody() {
    let database = TestDatabase::sqlite();
    let server = TestServer::start(&database).await;
    let app = RelyingParty::new("web", "openid offline_access");
    let mut browser = Browser::new();
    let tokens = app.tokens(&server, &mut browser).await;
    let code = app.code(&server, &mut browser).await;
    let page = browser.get(&server, "/logout").await;
    server.app.store.close().await;
    let fields = crate::support::browser::form(&page).hidden;
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answers = [
        ("/token", app.redeem(&server, &code, &[]).await),
        ("/token", app.refresh(&server, tokens.refresh(), &[]).await),
        ("/introspect", app.post(&server, "/introspect", &[("token", tokens.access())]).await),
        ("/revoke", app.post(&server, "/revoke", &[("token", tokens.refresh())]).await),
        ("/userinfo", server.get_as("/userinfo", tokens.access()).await),
        ("/account", browser.get(&server, "/account").await),
        ("/logout", browser.get(&server, "/logout").await),
        ("/logout", browser.post(&server, "/logout", &fields).await),
    ];
    for (path, answer) in answers {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {answer:?}");
        assert!(answer.header("retry-after").is_some(), "{path}: {answer:?}");
        let told = answer.body.to_lowercase();
        for inside in
            ["sqlite", "sqlx", "postgres", "pool", "select", "closed", "/tmp", ".rs", "panic", "backtrace"]
        {
            assert!(!told.contains(inside), "{path} tells {inside}: {told}");
        }
    }
    // What needs no store goes on.
    assert_eq!(server.get("/.well-known/jwks.json").await.status, StatusCode::OK);
    let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(service.status, StatusCode::OK);
}
