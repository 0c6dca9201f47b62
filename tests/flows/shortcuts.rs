//! Ways around a step, which do not exist: every one leads back to `/authorize`, where it is decided anew what is missing
//! (threats 124, 125, 135).

use crate::flows::steps::{
    begin, code, error_page, is_consent, is_login, open, refused, response, signed_in, still_works,
};
use crate::support::browser::{Browser, form};
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, encode, parameter};
use axum::http::{Method, StatusCode};
use serde_json::json;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

/// The fields of the form that a page shows.
fn fields(page: &Answer) -> Vec<(String, String)> {
    form(page).hidden
}

/// POSTs to `/consent` with the request `app` makes and these fields.
async fn decide(
    server: &TestServer,
    browser: &mut Browser,
    action: &str,
    hidden: &[(String, String)],
    more: &[(&str, &str)],
) -> Answer {
    let fields: Vec<(&str, &str)> = hidden
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(more.iter().copied())
        .collect();
    browser.post(server, action, &fields).await
}

const ALLOW: [(&str, &str); 2] = [("decision", "allow"), ("scope", "photos.read")];

on_both_stores! {
    /// threat 124
    async fn the_pages_show_nothing_before_their_time(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let request = app.request(&[]);
        // nobody is signed in
        let mut browser = Browser::new();
        let answer = browser.get(&server, &format!("/consent?{request}")).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, app.authorize(&[]).as_str()));
        assert!(is_login(&open(&server, &mut browser, &format!("/consent?{request}")).await));
        let answer = decide(&server, &mut browser, &format!("/consent?{request}"), &[], &ALLOW).await;
        assert!(answer.location().starts_with("/authorize?"), "{answer:?}");
        // signed in: GET never decides, whatever it says
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        assert!(is_consent(&page));
        let action = form(&page).action;
        for (name, value) in fields(&page) {
            let get = format!("{action}&{}", encode(&[(name.as_str(), value.as_str()), ("decision", "allow")]));
            let answer = open(&server, &mut browser, &get).await;
            assert!(is_consent(&answer), "{answer:?}");
        }
        let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &answer, &app, "consent_required");
        // requests that are refused are refused on the pages too
        for page in ["/login", "/consent"] {
            let evil = format!("{page}?{}", app.request(&[("redirect_uri", "https://evil.example/cb")]));
            error_page(&browser.get(&server, &evil).await, 400, "invalid_request");
            error_page(&decide(&server, &mut browser, &evil, &[], &ALLOW).await, 400, "invalid_request");
            let wrong = format!("{page}?{}", app.request(&[("scope", "bogus")]));
            refused(&server, &browser.get(&server, &wrong).await, &app, "invalid_scope");
            let twice = format!("{page}?{request}&state=x");
            error_page(&browser.get(&server, &twice).await, 400, "invalid_request");
        }
        error_page(&browser.get(&server, "/consent").await, 400, "invalid_request");
        still_works(&server).await;
    }

    /// threat 124
    async fn a_decision_counts_only_for_the_request_the_session_and_the_person_it_was_shown_for(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let app = web();
        let mut ada = signed_in(&server, "ada").await;
        let mut bob = signed_in(&server, "bob").await;
        let page = begin(&server, &mut ada, &app, &[]).await;
        let (action, good) = (form(&page).action, fields(&page));
        let with = |name: &str, value: &str| -> Vec<(String, String)> {
            good.iter().map(|(n, v)| (n.clone(), if n == name { value.to_owned() } else { v.clone() })).collect()
        };
        // another request: more scopes, another client, another redirect URI, another challenge
        let other = RelyingParty { verifier: "another-verifier-of-the-tests-0123456789-0123456789".to_owned(), ..web() };
        let spa = RelyingParty::new("spa", "openid");
        for request in [
            app.request(&[("scope", "openid photos.read photos.write")]),
            app.request(&[("state", "another")]),
            app.request(&[("nonce", "")]),
            app.request(&[("resource", "https://api.example.com/photos")]),
            other.request(&[]),
            spa.request(&[]),
        ] {
            let answer = decide(&server, &mut ada, &format!("/consent?{request}"), &good, &ALLOW).await;
            error_page(&answer, 403, "invalid_request");
        }
        // a digest or a token that is missing, foreign or spoilt
        let spoilt = format!("{}A", good[1].1);
        for wrong in [
            with("request_digest", ""), with("form_token", ""), with("request_digest", &spoilt),
            with("request_digest", &good[0].1), with("form_token", &good[1].1), good[..1].to_vec(), Vec::new(),
        ] {
            error_page(&decide(&server, &mut ada, &action, &wrong, &ALLOW).await, 403, "invalid_request");
        }
        // another's session: ada's form in bob's browser, and bob's form in ada's
        error_page(&decide(&server, &mut bob, &action, &good, &ALLOW).await, 403, "invalid_request");
        let bobs = begin(&server, &mut bob, &app, &[]).await;
        error_page(&decide(&server, &mut ada, &form(&bobs).action, &fields(&bobs), &ALLOW).await, 403, "invalid_request");
        // another session of the same browser: bob signs in where ada was
        let mut taken = ada.clone();
        let change = format!("/login?{}&account=other", app.request(&[]));
        let login = open(&server, &mut taken, &change).await;
        taken.sign_in(&server, &login, "bob").await;
        error_page(&decide(&server, &mut taken, &action, &good, &ALLOW).await, 403, "invalid_request");
        let answer = bob.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &answer, &app, "consent_required");
        still_works(&server).await;
    }

    /// threat 124: scopes that the page did not offer have no effect.
    async fn altered_boxes_grant_nothing_that_was_not_asked_for(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        let more = [
            ("decision", "allow"), ("scope", "photos.write"), ("scope", "offline_access"), ("scope", "email"),
            ("scope", "photos.read photos.write"), ("scope", "bogus"), ("client_id", "spa"), ("user", "bob"),
            ("redirect_uri", "https://evil.example/cb"),
        ];
        let answer = decide(&server, &mut browser, &form(&page).action, &fields(&page), &more).await;
        let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await.json();
        assert_eq!(redeemed["scope"], "openid");
        // several decisions, or another body than a form, are none
        let both = [("decision", "deny"), ("decision", "allow")];
        let page = begin(&server, &mut browser, &app, &[]).await;
        error_page(&decide(&server, &mut browser, &form(&page).action, &fields(&page), &both).await, 400, "invalid_request");
        let json = [("origin", "https://auth.example.com"), ("content-type", "application/json")];
        let answer = browser.request(&server, Method::POST, &form(&page).action, Some("{}".to_owned()), &json).await;
        error_page(&answer, 400, "invalid_request");
        still_works(&server).await;
    }

    /// RFC 9700 §4.7. threats 28, 135
    async fn a_form_from_another_site_is_refused_before_its_token_is_looked_at(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        let body: Vec<(String, String)> = fields(&page);
        let pairs: Vec<(&str, &str)> = body.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(ALLOW).collect();
        let action = form(&page).action;
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://auth.example.com")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://auth.example.com")],
            &[("origin", "https://auth.example.com:8443")],
            &[("origin", "https://auth.example.com.evil.example")],
            &[("origin", "https://web.example.com"), ("sec-fetch-site", "cross-site")],
            &[("origin", "")],
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://auth.example.com"), ("origin", "https://evil.example")],
        ] {
            for path in [action.as_str(), &action.replace("/consent?", "/login?")] {
                let before = browser.cookies.clone();
                let answer = browser.request(&server, Method::POST, path, Some(encode(&pairs)), headers).await;
                error_page(&answer, 403, "access_denied");
                assert_eq!(before, browser.cookies, "{headers:?}");
            }
        }
        // a page is no-referrer, so browsers may send `Origin: null`; old ones send nothing at all
        let null = [("origin", "null"), ("sec-fetch-site", "same-origin")];
        let answer = browser.request(&server, Method::POST, &action, Some(encode(&pairs)), &null).await;
        code(&server, &answer, &app);
        let answer = browser.request(&server, Method::POST, &action, Some(encode(&pairs)), &[]).await;
        code(&server, &answer, &app);
        // but null does not stand in for the token
        let bare = Some(encode(&ALLOW));
        error_page(&browser.request(&server, Method::POST, &action, bare, &null).await, 403, "invalid_request");
        still_works(&server).await;
    }

    /// threat 125, as decided: two submits may make two grants; each code is its own, and spent once.
    async fn a_double_submit_of_consent_never_yields_one_code_twice(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        let (action, body) = (form(&page).action, fields(&page));
        let mut second = browser.clone();
        let (one, two) = tokio::join!(
            decide(&server, &mut browser, &action, &body, &ALLOW),
            decide(&server, &mut second, &action, &body, &ALLOW),
        );
        let (one, two) = (code(&server, &one, &app), code(&server, &two, &app));
        assert_ne!(one, two);
        assert_eq!(app.redeem(&server, &one, &[]).await.status, StatusCode::OK);
        server.clock.advance(61 * crate::flows::steps::SECOND);
        assert_eq!(app.redeem(&server, &two, &[]).await.error(), "invalid_grant");
        still_works(&server).await;
    }

    /// The request is judged anew at each step, by the configuration and the clock of that step.
    async fn a_session_that_ends_between_the_pages_is_missed(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[("max_age", "60")]).await;
        assert!(is_consent(&page));
        server.clock.advance(61 * crate::flows::steps::SECOND);
        // max_age is over while the person thinks
        let answer = browser.decide(&server, &page, "allow").await;
        let page = browser.follow(&server, answer).await;
        assert!(is_login(&page), "{page:?}");
        let page = browser.sign_in(&server, &page, "ada").await;
        assert!(is_consent(&page));
        let mut gone = browser.clone();
        gone.cookies.retain(|name, _| !name.contains("session"));
        let answer = gone.decide(&server, &page, "allow").await;
        assert!(answer.location().starts_with("/authorize?"), "{answer:?}");
        assert!(is_login(&gone.follow(&server, answer).await));
        crate::flows::steps::disable(&server, "ada").await;
        let answer = browser.decide(&server, &page, "allow").await;
        assert_eq!(parameter(answer.location(), "code"), None);
        assert!(is_login(&browser.follow(&server, answer).await));
        let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(response(&answer, &app)["error"], "login_required");
    }
}
