//! Where an authorization response may go (RFC 6749 §3.1.2, RFC 8252 §7.3, RFC 9700 §4.1.3): to a registered URI, byte for
//! byte, or nowhere.

use crate::flows::steps::{begin, code, error_page, is_consent, is_login, still_works};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;

/// What an attacker presents instead of `https://web.example.com/callback`.
const TRICKS: [&str; 62] = [
    "https://evil.example/cb",
    "https://evil.example/callback",
    "http://web.example.com/callback",
    "https://web.example.com",
    "https://web.example.com/",
    "https://web.example.com/callback/",
    "https://web.example.com/callback/../evil",
    "https://web.example.com/callback/..;/evil",
    "https://web.example.com/callback%2f..",
    "https://web.example.com/callback/%2e%2e/evil",
    "https://web.example.com/callback/%252e%252e/evil",
    "https://web.example.com/x/../callback",
    "https://web.example.com/./callback",
    "https://web.example.com/CALLBACK",
    "https://web.example.com/Callback",
    "https://web.example.com/callback.evil",
    "https://web.example.com/callbackevil",
    "https://web.example.com/callback?",
    "https://web.example.com/callback?x=1",
    "https://web.example.com/callback?code=x",
    "https://web.example.com/callback;jsessionid=1",
    "https://web.example.com//callback",
    "https://web.example.com/callback//",
    "https://web.example.com./callback",
    "https://web.example.com /callback",
    " https://web.example.com/callback",
    "https://web.example.com/callback ",
    "https://web.example.com/callback\u{a0}",
    "https://web.example.com/callback%20",
    "https://web.example.com/call\tback",
    "https://web.example.com/call\nback",
    "https://web.example.com/callback\r\n",
    "https://web.example.com/c%61llback",
    "https://web.example.com:443/callback",
    "https://web.example.com:8443/callback",
    "https://web.example.com:/callback",
    "https://WEB.example.com/callback",
    "HTTPS://web.example.com/callback",
    "https://web.example.com@evil.example/callback",
    "https://web.example.com:443@evil.example/callback",
    "https://user@web.example.com/callback",
    "https://evil.example#@web.example.com/callback",
    "https://evil.example\\@web.example.com/callback",
    "https://evil.example?https://web.example.com/callback",
    "https://evil.example/https://web.example.com/callback",
    "https://web.example.com.evil.example/callback",
    "https://evilweb.example.com/callback",
    "https://evil.web.example.com/callback",
    "https:/web.example.com/callback",
    "https:web.example.com/callback",
    "//web.example.com/callback",
    "///evil.example",
    "/callback",
    "callback",
    "https:\\\\web.example.com/callback",
    "https://web.example.com/callback#x",
    "https://web.example.com/callback#",
    "https://web.example.com/callback%23",
    "https://web。example.com/callback",
    "https://web\u{ad}.example.com/callback",
    "javascript:alert(1)//https://web.example.com/callback",
    "data:text/html,<script>alert(1)</script>",
];

on_both_stores! {
    /// RFC 6749 §3.1.2.4, RFC 9700 §4.1.3. threats 1, 3, 4, 5, 6, 8
    async fn a_redirect_uri_that_is_not_registered_byte_for_byte_gets_a_page(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        for trick in TRICKS {
            let answer = Browser::new().get(&server, &app.authorize(&[("redirect_uri", trick)])).await;
            error_page(&answer, 400, "invalid_request");
            assert!(!answer.body.contains("evil") && !answer.body.contains("alert"), "{trick}: {answer:?}");
            assert_eq!(answer.header("set-cookie"), None, "{trick}");
        }
        still_works(&server).await;
    }

    /// RFC 6749 §4.1.2.1. threats 1, 14
    async fn an_error_that_anyone_can_force_is_never_sent_to_an_unregistered_uri(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        for forced in [
            ("scope", "bogus"),
            ("response_type", "foo"),
            ("response_type", "token"),
            ("prompt", "none"),
            ("prompt", "x"),
            ("request_uri", "urn:ietf:params:oauth:request_uri:expired"),
            ("request", "e30.e30."),
            ("response_mode", "form_post"),
            ("response_mode", "fragment"),
            ("code_challenge", ""),
            ("max_age", "abc"),
            ("resource", "x"),
        ] {
            let changes = [("redirect_uri", "https://evil.example/cb"), forced];
            let answer = Browser::new().get(&server, &app.authorize(&changes)).await;
            // a request that stands elsewhere is looked for before where the answer goes
            let code = match forced.0 {
                "request_uri" => "invalid_request_uri",
                "request" => "request_not_supported",
                _ => "invalid_request",
            };
            error_page(&answer, 400, code);
            assert!(!answer.body.contains("evil.example"), "{forced:?}");
        }
        still_works(&server).await;
    }

    /// RFC 6749 §4.1.2.1: who cannot be told cannot be answered. threat 1
    async fn an_unknown_or_missing_client_gets_a_page_and_learns_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        for client in ["nobody", "WEB", "web ", "web\u{200b}", "", "service", "' OR 1=1--", "https://evil.example/c"] {
            let changes = [("client_id", client), ("redirect_uri", "https://web.example.com/callback")];
            error_page(&Browser::new().get(&server, &app.authorize(&changes)).await, 400, "invalid_request");
        }
        // one client's URI is not another's
        let changes = [("redirect_uri", "https://spa.example.com/callback")];
        error_page(&Browser::new().get(&server, &app.authorize(&changes)).await, 400, "invalid_request");
        error_page(&server.get("/authorize").await, 400, "invalid_request");
        still_works(&server).await;
    }

    /// OpenID Connect Core §3.1.2.1, RFC 6749 §3.1.2.3. threat 2
    async fn redirect_uri_may_be_left_out_only_by_a_client_of_one_uri_without_openid(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let missing = [("redirect_uri", "")];
        for (client, scope) in [("web", "openid"), ("web", "photos.read openid"), ("post", "photos.read")] {
            let app = RelyingParty::new(client, scope);
            let answer = Browser::new().get(&server, &app.authorize(&missing)).await;
            error_page(&answer, 400, "invalid_request");
        }
        let app = RelyingParty::new("native", "photos.read");
        error_page(&Browser::new().get(&server, &app.authorize(&missing)).await, 400, "invalid_request");

        let app = RelyingParty::new("web", "photos.read");
        let answer = app.visit(&server, &mut Browser::new(), &missing).await;
        let first = code(&server, &answer, &app);
        assert_eq!(app.redeem(&server, &first, &missing).await.status, StatusCode::OK);
        still_works(&server).await;
    }

    /// RFC 8252 §7.3, §8.3. threat 7
    async fn only_a_native_client_chooses_the_port_of_its_loopback_address(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut app = RelyingParty::new("native", "openid");
        for refused in [
            "http://127.0.0.1:49152/callback?x=1",
            "http://127.0.0.1:49152/callback/",
            "http://127.0.0.1:49152/",
            "http://127.0.0.1:49152/callback#x",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:0x50/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:-1/callback",
            "http://127.0.0.1: 80/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:80:90/callback",
            "https://127.0.0.1:49152/callback",
            "http://127.0.0.2:49152/callback",
            "http://127.1:49152/callback",
            "http://0.0.0.0:49152/callback",
            "http://2130706433:49152/callback",
            "http://[::ffff:127.0.0.1]:49152/callback",
            "http://[::1]:49152/callback",
            "http://localhost:49152/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://evil.example/callback",
            "com.example.app:/callback2",
            "com.example.app://callback",
            "COM.example.app:/callback",
            "com.example.evil:/callback",
        ] {
            let answer = Browser::new().get(&server, &app.authorize(&[("redirect_uri", refused)])).await;
            error_page(&answer, 400, "invalid_request");
        }
        let web = RelyingParty::new("web", "openid");
        for refused in ["http://127.0.0.1/callback", "http://127.0.0.1:80/callback", "com.example.app:/callback"] {
            let answer = Browser::new().get(&server, &web.authorize(&[("redirect_uri", refused)])).await;
            error_page(&answer, 400, "invalid_request");
        }
        for good in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:49152/callback",
            "http://127.0.0.1:1/callback",
            "com.example.app:/callback",
        ] {
            app.redirect_uri = good.to_owned();
            let answer = app.visit(&server, &mut Browser::new(), &[]).await;
            let got = code(&server, &answer, &app);
            assert_eq!(app.redeem(&server, &got, &[]).await.status, StatusCode::OK, "{good}");
        }
    }

    /// RFC 6749 §3.1.2: a registered query is kept. threat 10
    async fn what_is_registered_in_the_query_stays_and_the_response_follows(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut app = RelyingParty::new("post", "openid");
        app.redirect_uri = "https://post.example.com/other?x=1".to_owned();
        let mut browser = Browser::new();
        let answer = app.visit(&server, &mut browser, &[]).await;
        assert!(answer.location().starts_with("https://post.example.com/other?x=1&code="), "{answer:?}");
        let got = code(&server, &answer, &app);
        let other = [("redirect_uri", "https://post.example.com/callback")];
        assert_eq!(app.redeem(&server, &got, &other).await.error(), "invalid_grant");
        assert_eq!(app.redeem(&server, &got, &[("redirect_uri", "")]).await.error(), "invalid_grant");
        assert_eq!(app.redeem(&server, &got, &[]).await.status, StatusCode::OK);
    }

    /// The pages tell a person where they will be sent back to, and it is the request's own host.
    async fn the_pages_name_the_host_that_the_person_goes_back_to(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        let page = begin(&server, &mut browser, &app, &[]).await;
        assert!(is_login(&page) && page.body.contains("web.example.com") && page.body.contains("Photo editor"));
        let page = browser.sign_in(&server, &page, "ada").await;
        assert!(is_consent(&page), "{page:?}");
        for told in ["Photo editor", "web.example.com", "Ada Lovelace", "See your photos"] {
            assert!(page.body.contains(told), "{told}: {page:?}");
        }
    }
}
