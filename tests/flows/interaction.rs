//! When a person is interrupted, and when not (OpenID Connect Core §3.1.2.1, §3.1.2.3, §3.1.2.6).

use crate::flows::steps::{
    SECOND, begin, code, disable, error_page, is_consent, is_login, open, refused, signed_in, still_works,
    text_of,
};
use crate::support::browser::{Browser, attribute, form};
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer, claims};
use axum::http::StatusCode;
use serde_json::json;
use std::time::Duration;

const AGEING: &str = r#"
[[client]]
client_id = "ageing"
redirect_uris = ["https://ageing.example.com/callback"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid photos.read"
default_max_age = 60
require_auth_time = true
"#;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

/// The claims of the ID token that the answer's code opens.
async fn id_token(server: &TestServer, app: &RelyingParty, answer: &Answer) -> serde_json::Value {
    let redeemed = app.redeem(server, &code(server, answer, app), &[]).await;
    assert_eq!(redeemed.status, StatusCode::OK, "{redeemed:?}");
    claims(Tokens(redeemed.json()).id())
}

/// The first account of the choice page, as its button names it.
fn first_account(page: &Answer) -> String {
    let at = page.body.find("id=\"account-1\"").unwrap_or_else(|| panic!("no account: {page:?}"));
    attribute(&page.body[at..], "value").expect("a value")
}

async fn choose(server: &TestServer, browser: &mut Browser, page: &Answer, account: &str) -> Answer {
    let form = form(page);
    let mut fields: Vec<(&str, &str)> = form.hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.push(("account", account));
    let answer = browser.post(server, &form.action, &fields).await;
    browser.follow(server, answer).await
}

on_both_stores! {
    /// OpenID Connect Core §3.1.2.1, §3.1.2.6. threat 126
    async fn prompt_none_never_shows_a_page_whatever_the_state(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({"groups": ["maths"]})).await;
        let app = web();
        let none = [("prompt", "none")];
        let mut browser = Browser::new();
        refused(&server, &browser.get(&server, &app.authorize(&none)).await, &app, "login_required");
        let answer = server.post_raw("/authorize", None, app.request(&none)).await;
        let answer = browser.get(&server, answer.location()).await;
        refused(&server, &answer, &app, "login_required");
        assert!(browser.cookies.is_empty());
        // the pages do not help either
        for page in ["/login", "/consent"] {
            let answer = open(&server, &mut browser, &format!("{page}?{}", app.request(&none))).await;
            refused(&server, &answer, &app, "login_required");
        }
        let other = format!("/login?{}&account=other", app.request(&none));
        refused(&server, &open(&server, &mut browser, &other).await, &app, "login_required");

        let mut browser = signed_in(&server, "ada").await;
        refused(&server, &browser.get(&server, &app.authorize(&none)).await, &app, "consent_required");
        let answer = open(&server, &mut browser, &format!("/consent?{}", app.request(&none))).await;
        refused(&server, &answer, &app, "consent_required");
        app.tokens(&server, &mut browser).await;
        code(&server, &browser.get(&server, &app.authorize(&none)).await, &app);
        code(&server, &open(&server, &mut browser, &other).await, &app);
        let posted = browser.get(&server, &app.authorize(&[none[0], ("response_mode", "form_post")])).await;
        code(&server, &posted, &app);
        // max_age is over, and an hour's marker does not help
        server.clock.advance(Duration::from_secs(61));
        let old = [none[0], ("max_age", "60")];
        refused(&server, &browser.get(&server, &app.authorize(&old)).await, &app, "login_required");
        refused(&server, &browser.get(&server, &app.authorize(&[none[0], ("max_age", "0")])).await, &app, "login_required");
        // another device's program could listen
        let native = RelyingParty::new("native", "openid");
        native.tokens(&server, &mut browser).await;
        refused(&server, &browser.get(&server, &native.authorize(&none)).await, &native, "consent_required");
        // a person outside of the groups
        let staff = RelyingParty::new("staff", "openid");
        let mut bob = signed_in(&server, "bob").await;
        refused(&server, &bob.get(&server, &staff.authorize(&none)).await, &staff, "access_denied");
        // a session that ended, a person who was disabled
        server.add_person("eve", json!({})).await;
        let mut eve = signed_in(&server, "eve").await;
        refused(&server, &eve.get(&server, &app.authorize(&none)).await, &app, "consent_required");
        disable(&server, "eve").await;
        refused(&server, &eve.get(&server, &app.authorize(&none)).await, &app, "login_required");
        still_works(&server).await;
    }

    /// OpenID Connect Core §3.1.2.1. threat 127
    async fn prompt_login_asks_once_and_yields_a_strictly_later_auth_time(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        let before = claims(app.tokens(&server, &mut browser).await.id())["auth_time"].as_i64().expect("a number");
        server.clock.advance(10 * SECOND);
        let page = begin(&server, &mut browser, &app, &[("prompt", "login")]).await;
        assert!(is_login(&page), "{page:?}");
        // a wrong password, a reload and the request once more do not make the old sign-in a new one
        server.clock.advance(SECOND);
        let answer = browser.submit_login(&server, &page, "ada", "wrong").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let reloaded = begin(&server, &mut browser, &app, &[("prompt", "login")]).await;
        assert!(is_login(&reloaded));
        server.clock.advance(SECOND);
        let answer = browser.sign_in(&server, &page, "ada").await;
        let after = id_token(&server, &app, &answer).await["auth_time"].as_i64().expect("a number");
        assert_eq!(after, before + 12);
        // the next request is another one
        assert!(is_login(&begin(&server, &mut browser, &app, &[("prompt", "login")]).await));
        still_works(&server).await;
    }

    /// OpenID Connect Core §3.1.2.1.
    async fn prompt_consent_asks_again_but_for_no_password(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        let page = begin(&server, &mut browser, &app, &[("prompt", "consent")]).await;
        assert!(is_consent(&page), "{page:?}");
        let answer = browser.decide(&server, &page, "deny").await;
        refused(&server, &answer, &app, "access_denied");
        let page = begin(&server, &mut browser, &app, &[("prompt", "consent")]).await;
        code(&server, &browser.decide(&server, &page, "allow").await, &app);
        server.clock.advance(SECOND);
        let page = begin(&server, &mut browser, &app, &[("prompt", "login consent")]).await;
        assert!(is_login(&page));
        server.clock.advance(SECOND);
        let page = browser.sign_in(&server, &page, "ada").await;
        assert!(is_consent(&page), "{page:?}");
        code(&server, &browser.decide(&server, &page, "allow").await, &app);
    }

    /// OpenID Connect Core §3.1.2.1.
    async fn prompt_select_account_offers_the_account_and_another(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let bob = server.add_person("bob", json!({"name": "Bob"})).await;
        let app = web();
        let mut browser = Browser::new();
        let ada = claims(app.tokens(&server, &mut browser).await.id())["sub"].clone();
        server.clock.advance(SECOND);
        let select = [("prompt", "select_account")];
        let page = begin(&server, &mut browser, &app, &select).await;
        assert!(page.body.contains("id=\"login-other\"") && page.body.contains("Ada Lovelace"), "{page:?}");
        let account = first_account(&page);
        server.clock.advance(SECOND);
        // an account that is not on the page, and a form of another page
        for foreign in ["x", bob.id.as_str(), "ada"] {
            let answer = choose(&server, &mut browser, &page, foreign).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{foreign}");
        }
        let mut elsewhere = signed_in(&server, "bob").await;
        assert_ne!(choose(&server, &mut elsewhere, &page, &account).await.status, StatusCode::SEE_OTHER);
        // still undecided; then decided
        assert!(begin(&server, &mut browser, &app, &select).await.body.contains("id=\"account-1\""));
        let answer = choose(&server, &mut browser, &page, &account).await;
        assert_eq!(id_token(&server, &app, &answer).await["sub"], ada);
        // another account: ada's session is not touched by looking at the form
        let page = begin(&server, &mut browser, &app, &select).await;
        let at = page.body.find("id=\"login-other\"").expect("a link");
        let other = attribute(&page.body[at..], "href").expect("a URL");
        let page = open(&server, &mut browser, &other).await;
        assert!(is_login(&page), "{page:?}");
        code(&server, &browser.get(&server, &app.authorize(&[])).await, &app);
        server.clock.advance(SECOND);
        let page = browser.sign_in(&server, &page, "bob").await;
        assert_eq!(text_of(&page, "consent-person"), "Bob");
        let answer = browser.decide(&server, &page, "allow").await;
        assert_eq!(id_token(&server, &app, &answer).await["sub"], bob.id.as_str());
        // nobody signed in: there is nothing to choose from
        let mut browser = Browser::new();
        let page = begin(&server, &mut browser, &app, &select).await;
        assert!(is_login(&page));
        server.clock.advance(SECOND);
        code(&server, &browser.sign_in(&server, &page, "ada").await, &app);
    }

    /// OpenID Connect Core §3.1.2.1, §15.1. threat 127
    async fn max_age_is_held_against_the_clock(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        for wrong in ["-1", "abc", "1e3", "0x10", "99999999999999999999"] {
            let answer = browser.get(&server, &app.authorize(&[("max_age", wrong)])).await;
            refused(&server, &answer, &app, "invalid_request");
        }
        server.clock.advance(60 * SECOND);
        for lasting in ["60", "61", "9223372036854775807", "9223372036854775808", "18446744073709551615"] {
            let answer = browser.get(&server, &app.authorize(&[("max_age", lasting)])).await;
            assert!(id_token(&server, &app, &answer).await["auth_time"].is_i64(), "{lasting}");
        }
        for over in ["0", "1", "59"] {
            assert!(is_login(&begin(&server, &mut browser, &app, &[("max_age", over)]).await), "{over}");
        }
        server.clock.advance(SECOND);
        assert!(is_login(&begin(&server, &mut browser, &app, &[("max_age", "60")]).await));
        for over in ["0", "1", "60"] {
            let page = begin(&server, &mut browser, &app, &[("max_age", over)]).await;
            server.clock.advance(5 * SECOND);
            let answer = browser.sign_in(&server, &page, "ada").await;
            code(&server, &answer, &app);
            server.clock.advance(61 * SECOND);
        }
        still_works(&server).await;
    }

    /// OpenID Connect Registration §2. threat 127
    async fn default_max_age_holds_until_the_request_says_another(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", AGEING).await;
        let app = RelyingParty { redirect_uri: "https://ageing.example.com/callback".to_owned(), client_id: "ageing", ..web() };
        let mut browser = Browser::new();
        let first = app.visit(&server, &mut browser, &[]).await;
        let began = id_token(&server, &app, &first).await["auth_time"].as_i64().expect("required, and there");
        // exactly as old as it may be
        server.clock.advance(60 * SECOND);
        let answer = browser.get(&server, &app.authorize(&[])).await;
        assert_eq!(id_token(&server, &app, &answer).await["auth_time"], began);
        server.clock.advance(SECOND);
        refused(&server, &browser.get(&server, &app.authorize(&[("prompt", "none")])).await, &app, "login_required");
        assert!(is_login(&begin(&server, &mut browser, &app, &[]).await));
        // the request's own goes before it, to either side
        for changes in [&[("max_age", "3600")][..], &[("max_age", "3600"), ("prompt", "none")]] {
            let answer = browser.get(&server, &app.authorize(changes)).await;
            assert_eq!(id_token(&server, &app, &answer).await["auth_time"], began, "{changes:?}");
        }
        // another client's session is as good as it was
        assert!(!is_login(&begin(&server, &mut browser, &web(), &[]).await));
        let page = begin(&server, &mut browser, &app, &[]).await;
        assert!(is_login(&page));
        server.clock.advance(5 * SECOND);
        let answer = browser.sign_in(&server, &page, "ada").await;
        assert_eq!(id_token(&server, &app, &answer).await["auth_time"], began + 66);
        server.clock.advance(30 * SECOND);
        for stricter in ["0", "29"] {
            assert!(is_login(&begin(&server, &mut browser, &app, &[("max_age", stricter)]).await), "{stricter}");
        }
        code(&server, &browser.get(&server, &app.authorize(&[])).await, &app);
    }

    /// OpenID Connect Core §3.1.2.1. threats 128, 152
    async fn login_hint_is_filled_in_and_escaped_and_signs_nobody_in(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let hint = |hint| [("login_hint", hint)];
        for hostile in ["\"><script>alert(1)</script>", "' onfocus=alert(1) x='", "<img src=x onerror=alert(1)>", "&quot;"] {
            let page = begin(&server, &mut Browser::new(), &app, &hint(hostile)).await;
            assert!(is_login(&page));
            assert!(!page.body.contains("<script") && !page.body.contains("<img src=x"), "{page:?}");
            let at = page.body.find("id=\"username\"").expect("a field");
            assert_eq!(attribute(&page.body[at..], "value").as_deref(), Some(hostile));
        }
        let mut browser = Browser::new();
        let page = begin(&server, &mut browser, &app, &hint("ada")).await;
        let at = page.body.find("id=\"username\"").expect("a field");
        assert_eq!(attribute(&page.body[at..], "value").as_deref(), Some("ada"));
        let answer = browser.submit_login(&server, &page, "ada", "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        // a hint about somebody else switches nobody
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &hint("bob")).await;
        assert_eq!(text_of(&page, "consent-person"), "Ada Lovelace");
        error_page(&browser.get(&server, "/authorize?login_hint=ada").await, 400, "invalid_request");
    }
}
