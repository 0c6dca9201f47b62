//! A pushed request on its way to one code (RFC 9126; threats 77–80, 84).

use super::{pushed, redeemed, visit_of, walk};
use crate::flows::steps::{error_page, is_consent, is_login};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;
use std::time::Duration;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

on_both_stores! {
    /// RFC 9126 §2, §4.
    async fn a_pushed_request_becomes_a_code(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for app in [web(), RelyingParty::new("spa", "openid"), RelyingParty::new("post", "openid")] {
            let uri = pushed(&server, &app, &[("state", "a b&c"), ("max_age", "3600")]).await;
            assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() >= 34 + 43, "threat 79");
            let mut browser = Browser::new();
            let answer = walk(&server, &mut browser, &visit_of(app.client_id, &uri, &[])).await;
            assert_eq!(answer.parameter("state").as_deref(), Some("a b&c"));
            assert_eq!(answer.parameter("iss").as_deref(), Some("https://auth.example.com"));
            assert_eq!(claims(redeemed(&server, &app, &answer).await.id())["nonce"], "the nonce");
        }
    }

    /// Threat 77, RFC 9126 §7.3: one code on every path, and reloads before it.
    async fn a_pushed_request_becomes_one_code_whatever_the_path(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (app, mut browser) = (web(), Browser::new());
        let uri = pushed(&server, &app, &[]).await;
        let url = visit_of("web", &uri, &[]);
        // looking at it spends nothing, in this browser or another
        for _ in 0..3 {
            assert_eq!(browser.get(&server, &url).await.status, StatusCode::SEE_OTHER);
            assert_eq!(Browser::new().get(&server, &url).await.status, StatusCode::SEE_OTHER);
        }
        let answer = walk(&server, &mut browser, &url).await;
        redeemed(&server, &app, &answer).await;
        error_page(&browser.get(&server, &url).await, 400, "invalid_request_uri");
        error_page(&Browser::new().get(&server, &url).await, 400, "invalid_request_uri");
        // consent is remembered: a silent visit and one that shows no page spend theirs as well
        for changes in [&[("prompt", "none")][..], &[]] {
            let uri = pushed(&server, &app, changes).await;
            let url = visit_of("web", &uri, &[]);
            redeemed(&server, &app, &browser.get(&server, &url).await).await;
            error_page(&browser.get(&server, &url).await, 400, "invalid_request_uri");
        }
    }

    /// RFC 9126 §4; threats 78, 79: judged when the visit begins, and by its own client only.
    async fn a_visit_begins_before_the_request_expires_and_may_end_after_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let uri = pushed(&server, &app, &[]).await;
        let url = visit_of("web", &uri, &[]);
        let mut browser = Browser::new();
        let page = browser.get(&server, &url).await;
        let page = browser.follow(&server, page).await;
        server.clock.advance(Duration::from_secs(90));
        error_page(&Browser::new().get(&server, &url).await, 400, "invalid_request_uri");
        server.clock.advance(Duration::from_secs(600));
        let page = browser.sign_in(&server, &page, "ada").await;
        let answer = browser.decide(&server, &page, "allow").await;
        redeemed(&server, &app, &answer).await;
        // a marker of another request does not lengthen this one's life
        let uri = pushed(&server, &app, &[]).await;
        let mut other = Browser::new();
        let begun = other.get(&server, &app.authorize(&[])).await;
        let marker = begun.parameter("marker").expect("a marker");
        server.clock.advance(Duration::from_secs(91));
        error_page(&other.get(&server, &visit_of("web", &uri, &[("marker", &marker)])).await, 400, "invalid_request_uri");
        // nor does one lend it to another client
        let uri = pushed(&server, &app, &[]).await;
        error_page(&browser.get(&server, &visit_of("spa", &uri, &[])).await, 400, "invalid_request_uri");
        redeemed(&server, &app, &walk(&server, &mut browser, &visit_of("web", &uri, &[])).await).await;
    }

    /// Threat 80, RFC 9126 §4: what stands beside the name does not count.
    async fn parameters_beside_the_name_are_not_the_request(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let uri = pushed(&server, &app, &[("state", "")]).await;
        let beside = [("scope", "openid email offline_access"), ("state", "evil"), ("nonce", "evil"),
                      ("redirect_uri", "https://evil.example/"), ("prompt", "none"), ("response_mode", "form_post")];
        let answer = walk(&server, &mut Browser::new(), &visit_of("web", &uri, &beside)).await;
        assert_eq!(answer.parameter("state"), None);
        let tokens = redeemed(&server, &app, &answer).await;
        assert_eq!((tokens.0["scope"].as_str(), claims(tokens.id())["nonce"].as_str()), (Some("openid photos.read"), Some("the nonce")));
    }

    /// Threat 84: nothing of the request but its name reaches the browser, neither its address bar nor what it keeps or shows.
    async fn what_was_pushed_stays_out_of_the_browser(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let pushed_now = [("state", "canary-state"), ("nonce", "canary-nonce"), ("login_hint", "canary-hint")];
        let uri = pushed(&server, &app, &pushed_now).await;
        let mut browser = Browser::new();
        let began = browser.get(&server, &visit_of("web", &uri, &[])).await;
        assert!(began.location().contains("request_uri="), "{began:?}");
        let login = browser.follow(&server, began.clone()).await;
        let wrong = browser.submit_login(&server, &login, "ada", "wrong").await;
        let signed_in = browser.submit_login(&server, &login, "ada", crate::support::server::PASSWORD).await;
        let consent = browser.follow(&server, signed_in.clone()).await;
        assert!(is_login(&login) && is_consent(&consent));
        assert_eq!(database.number("SELECT COUNT(*) FROM pushed_requests").await, 1);
        for answer in [&began, &login, &wrong, &signed_in, &consent] {
            for (name, value) in &answer.headers {
                assert!(!String::from_utf8_lossy(value.as_bytes()).contains("canary"), "{name}: {value:?}");
            }
            // the page to sign in fills the hint in, where the person is to see it
            let body = answer.body.replace("canary-hint", "");
            assert!(!body.contains("canary"), "{body}");
            assert!(!answer.body.contains("canary-hint") || answer.body.contains("id=\"login-submit\""), "{answer:?}");
        }
        let answer = browser.decide(&server, &consent, "allow").await;
        assert_eq!(answer.parameter("state").as_deref(), Some("canary-state"), "the app gets it back");
        assert!(answer.headers.get_all("set-cookie").iter().all(|value| !value.to_str().expect("text").contains("canary")));
        assert!(browser.cookies.values().all(|value| !value.contains("canary")));
        assert_eq!(database.number("SELECT COUNT(*) FROM pushed_requests").await, 0);
    }

    /// A person who says no completes nothing: whoever thinks again goes back and says yes, as with any other request.
    async fn a_no_spends_nothing_and_a_yes_does(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let uri = pushed(&server, &web(), &[]).await;
        let mut browser = Browser::new();
        let page = browser.get(&server, &visit_of("web", &uri, &[])).await;
        let page = browser.follow(&server, page).await;
        let consent = browser.sign_in(&server, &page, "ada").await;
        let no = browser.decide(&server, &consent, "deny").await;
        assert_eq!(no.parameter("error").as_deref(), Some("access_denied"));
        let yes = browser.decide(&server, &consent, "allow").await;
        assert!(yes.parameter("code").is_some(), "{yes:?}");
        let again = browser.decide(&server, &consent, "allow").await;
        assert!(again.status.is_client_error() && again.header("location").is_none(), "threat 77: {again:?}");
    }
}
