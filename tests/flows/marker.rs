//! The mark that says when a request began: for its browser, its request and an hour, or for nothing. The request travels
//! in the URL, so tabs, reloads and the back button work.

use crate::flows::steps::{
    SECOND, begin, code, is_consent, is_login, marker, open, response, signed_in, still_works,
};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, encode};

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

/// The URL of `/authorize` with the request and this mark.
fn marked(app: &RelyingParty, changes: &[(&str, &str)], mark: &str) -> String {
    format!("{}&{}", app.authorize(changes), encode(&[("marker", mark)]))
}

/// Begins a request that demands a sign-in, and yields its mark.
async fn begun(
    server: &TestServer,
    browser: &mut Browser,
    app: &RelyingParty,
    changes: &[(&str, &str)],
) -> String {
    let answer = browser.get(server, &app.authorize(changes)).await;
    marker(answer.location())
}

/// Whether the answer leads to the sign-in page, directly.
fn asks_to_sign_in(answer: &Answer) -> bool {
    answer.location().starts_with("/login?")
}

const LOGIN: [(&str, &str); 1] = [("prompt", "login")];

on_both_stores! {
    /// Decisions 13, 37, 134 of the threat model.
    async fn a_mark_of_another_browser_another_request_or_another_hour_counts_as_none(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        server.clock.advance(SECOND);
        let mark = begun(&server, &mut browser, &app, &LOGIN).await;
        let mut other = Browser::new();
        let foreign = begun(&server, &mut other, &app, &LOGIN).await;
        server.clock.advance(SECOND);
        // signed in since: the mark is good, in this browser and for this request
        let page = open(&server, &mut browser, "/account").await;
        assert!(page.body.contains("account-logout"));
        let page = begin(&server, &mut browser, &app, &LOGIN).await;
        browser.sign_in(&server, &page, "ada").await;
        let answer = browser.get(&server, &marked(&app, &LOGIN, &mark)).await;
        code(&server, &answer, &app);
        // another browser's
        let answer = browser.get(&server, &marked(&app, &LOGIN, &foreign)).await;
        assert!(asks_to_sign_in(&answer) && marker(answer.location()) != foreign, "{answer:?}");
        // another request's
        for other in [
            [("prompt", "login"), ("state", "another")],
            [("prompt", "login"), ("nonce", "another")],
            [("prompt", "login consent"), ("state", "the state")],
            [("prompt", "login"), ("scope", "openid")],
            [("prompt", "login"), ("max_age", "0")],
        ] {
            let answer = browser.get(&server, &marked(&app, &other, &mark)).await;
            assert!(asks_to_sign_in(&answer), "{other:?}");
        }
        let spa = RelyingParty::new("spa", "openid");
        assert!(asks_to_sign_in(&browser.get(&server, &marked(&spa, &LOGIN, &mark)).await));
        // made up, cut short, drawn out
        for wrong in ["AAAA", "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &mark[1..], &mark[..mark.len() - 1]] {
            assert!(asks_to_sign_in(&browser.get(&server, &marked(&app, &LOGIN, wrong)).await), "{wrong}");
        }
        assert!(asks_to_sign_in(&browser.get(&server, &marked(&app, &LOGIN, &format!("{mark}AA"))).await));
        // without this browser's cookie
        let mut without = browser.clone();
        without.cookies.retain(|name, _| !name.contains("browser"));
        assert!(asks_to_sign_in(&without.get(&server, &marked(&app, &LOGIN, &mark)).await));
        // older than an hour
        code(&server, &browser.get(&server, &marked(&app, &LOGIN, &mark)).await, &app);
        server.clock.advance(3600 * SECOND);
        assert!(asks_to_sign_in(&browser.get(&server, &marked(&app, &LOGIN, &mark)).await));
        still_works(&server).await;
    }

    /// threat 37: a link into the middle of somebody else's visit begins one of one's own.
    async fn a_page_of_another_browser_is_a_visit_of_ones_own(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("mallory", serde_json::json!({})).await;
        let app = web();
        let mut mallory = Browser::new();
        let link = mallory.get(&server, &app.authorize(&LOGIN)).await.location().to_owned();
        server.clock.advance(SECOND);
        let mut ada = signed_in(&server, "ada").await;
        server.clock.advance(SECOND);
        // fresh by mallory's mark, not by ada's
        let page = open(&server, &mut ada, &link).await;
        assert!(is_login(&page), "{page:?}");
        let answer = ada.get(&server, &link.replace("/login?", "/authorize?")).await;
        assert!(asks_to_sign_in(&answer), "{answer:?}");
        // mallory's form does nothing in ada's browser
        let page = mallory.get(&server, &link).await;
        let before = ada.cookies.clone();
        let answer = ada.submit_login(&server, &page, "mallory", crate::support::server::PASSWORD).await;
        assert_eq!(answer.status.as_u16(), 403);
        assert_eq!(ada.cookies, before);
        still_works(&server).await;
    }

    /// threat 134
    async fn requests_in_several_tabs_each_finish_as_themselves(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (web, spa) = (web(), RelyingParty::new("spa", "openid profile"));
        let mut browser = Browser::new();
        let first = begin(&server, &mut browser, &web, &[("state", "one")]).await;
        let second = begin(&server, &mut browser, &spa, &[("state", "two"), ("prompt", "login")]).await;
        let mut more = Vec::new();
        for n in 0..50 {
            let state = format!("more {n}");
            more.push((begin(&server, &mut browser, &web, &[("state", &state)]).await, state));
        }
        server.clock.advance(SECOND);
        let second = browser.sign_in(&server, &second, "ada").await;
        assert!(is_consent(&second) && second.body.contains("Photo browser"), "{second:?}");
        // the first tab still shows its form, and it still works
        let first = browser.sign_in(&server, &first, "ada").await;
        assert!(is_consent(&first) && first.body.contains("Photo editor"), "{first:?}");
        let answer = browser.decide(&server, &second, "allow").await;
        assert_eq!(response(&answer, &spa)["state"], "two");
        let answer = browser.decide(&server, &first, "allow").await;
        assert_eq!(response(&answer, &web)["state"], "one");
        let (page, state) = &more[17];
        let answer = browser.sign_in(&server, page, "ada").await;
        assert_eq!(&response(&answer, &web)["state"], state);
        still_works(&server).await;
    }

    /// Tabs, the back button and reloads all work.
    async fn every_page_may_be_reloaded_and_gone_back_to(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        let login = browser.get(&server, &app.authorize(&[])).await.location().to_owned();
        for _ in 0..3 {
            assert!(is_login(&browser.get(&server, &login).await));
        }
        let page = browser.get(&server, &login).await;
        let answer = browser.submit_login(&server, &page, "ada", crate::support::server::PASSWORD).await;
        let consent = browser.get(&server, answer.location()).await.location().to_owned();
        assert!(consent.starts_with("/consent?"), "{consent}");
        for _ in 0..3 {
            assert!(is_consent(&browser.get(&server, &consent).await));
        }
        // back to the sign-in page: nothing to do there, on to the consent page
        assert!(is_consent(&open(&server, &mut browser, &login).await));
        let page = browser.get(&server, &consent).await;
        code(&server, &browser.decide(&server, &page, "allow").await, &app);
        // back to each page, and the old form once more
        code(&server, &open(&server, &mut browser, &consent).await, &app);
        code(&server, &open(&server, &mut browser, &login).await, &app);
        code(&server, &browser.decide(&server, &page, "allow").await, &app);
        code(&server, &browser.get(&server, &app.authorize(&[])).await, &app);
    }
}
