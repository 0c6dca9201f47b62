//! Sessions, as a browser sees them: a new secret at every sign-in, an end by time and by decision, on every replica.

use crate::grants::{ada, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{PASSWORD, TestServer, claims};
use axum::http::{Method, StatusCode};
use portreeve::model::secret::Secret;
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "__Host-portreeve-session";
const BROWSER: &str = "__Host-portreeve-browser";
const HOUR: Duration = Duration::from_secs(3_600);

async fn is_signed_in(server: &TestServer, browser: &Browser) -> bool {
    let mut browser = browser.clone();
    let page = browser.get(server, "/account").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    page.body.contains("id=\"account-name\"")
}

/// Signs in by the form, whoever was signed in before.
async fn sign_in(server: &TestServer, browser: &mut Browser, username: &str) {
    let request = RelyingParty::new("ours", "openid").request(&[]);
    let page = browser.get(server, &format!("/login?{request}&account=other")).await;
    let answer = browser.submit_login(server, &page, username, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
}

on_both_stores! {
    /// Threat 130: a cookie that an attacker planted or read before a sign-in is worth nothing after it.
    async fn every_sign_in_changes_the_sessions_secret_and_the_old_one_is_dead(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut browser = Browser::new();
        let planted = "A".repeat(43);
        browser.cookies.insert(SESSION.to_owned(), planted.clone());
        let mut before = planted;
        let (mut kept, mut secrets) = (None, Vec::new());
        for who in ["ada", "ada", "bob", "ada"] {
            let old = browser.clone();
            sign_in(&server, &mut browser, who).await;
            let secret = browser.cookies[SESSION].clone();
            assert!(secret.len() == 43 && !secrets.contains(&secret), "{secret}");
            assert!(is_signed_in(&server, &browser).await);
            let mut thief = Browser::new();
            thief.cookies = old.cookies;
            thief.cookies.insert(SESSION.to_owned(), before);
            assert!(!is_signed_in(&server, &thief).await, "{who}");
            // The browser's own cookie stays: what was begun before the sign-in goes on after it.
            let own = browser.cookies[BROWSER].clone();
            assert_eq!(kept.get_or_insert(own.clone()), &own);
            secrets.push(secret.clone());
            before = secret;
        }
        let old = browser.clone();
        sign_out(&server, &mut browser).await;
        assert!(!browser.cookies.contains_key(SESSION));
        assert!(!is_signed_in(&server, &old).await);
    }

    /// product.md, sessions: `sid` stays while the same person signs in again, and is not the cookie's value (threat 130).
    async fn the_sid_is_not_the_cookie_and_belongs_to_one_person_in_one_browser(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = Browser::new();
        let mut sids = Vec::new();
        for who in ["ada", "ada", "bob"] {
            sign_in(&server, &mut browser, who).await;
            let code = browser.get(&server, &app.authorize(&[])).await.parameter("code").expect("a code");
            let id_token = app.redeem(&server, &code, &[]).await.json()["id_token"].as_str().expect("one").to_owned();
            sids.push(claims(&id_token)["sid"].as_str().expect("a sid").to_owned());
            assert!(!browser.cookies[SESSION].contains(sids.last().expect("one")));
        }
        assert!(sids[0] == sids[1] && sids[1] != sids[2], "{sids:?}");
    }

    /// Threat 133: 12 idle hours, 14 days whatever happens.
    async fn a_session_ends_when_nobody_comes_and_after_two_weeks_anyway(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (mut idle, mut busy) = (Browser::new(), Browser::new());
        sign_in(&server, &mut idle, "ada").await;
        sign_in(&server, &mut busy, "ada").await;
        server.clock.advance(HOUR * 12 - Duration::from_millis(1));
        assert!(is_signed_in(&server, &busy).await);
        server.clock.advance(Duration::from_millis(1));
        assert!(!is_signed_in(&server, &idle).await);
        assert!(is_signed_in(&server, &busy).await);
        let mut hours = 12;
        while hours + 11 < 14 * 24 {
            server.clock.advance(HOUR * 11);
            hours += 11;
            assert!(is_signed_in(&server, &busy).await, "after {hours} hours");
        }
        server.clock.advance(HOUR * (14 * 24 - hours));
        assert!(!is_signed_in(&server, &busy).await, "after two weeks");
        let again = RelyingParty::new("ours", "openid").authorize(&[("prompt", "none")]);
        assert_eq!(busy.get(&server, &again).await.parameter("error").as_deref(), Some("login_required"));
    }

    /// Threats 8, 133, 192: what ends a session ends it everywhere with the next request.
    async fn a_session_that_was_ended_is_over_on_every_replica(database: TestDatabase) {
        let first = TestServer::start(&database).await;
        let second = first.replica().await;
        let (people, circumstances) = (first.people(), first.app.circumstances(""));
        let mut browser = Browser::new();
        sign_in(&first, &mut browser, "ada").await;
        assert!(is_signed_in(&second, &browser).await);
        let old = browser.clone();
        sign_out(&first, &mut browser).await;
        assert!(!is_signed_in(&second, &old).await);
        for end in ["password", "disable"] {
            sign_in(&first, &mut browser, "ada").await;
            let mut elsewhere = Browser::new();
            sign_in(&second, &mut elsewhere, "ada").await;
            match end {
                "password" => drop(people.set_password(&ada(), Secret::new(PASSWORD), &circumstances).await.unwrap()),
                _ => drop(people.disable(&ada(), &circumstances).await.unwrap()),
            }
            for browser in [&browser, &elsewhere] {
                assert!(!is_signed_in(&first, browser).await, "{end}");
                assert!(!is_signed_in(&second, browser).await, "{end}");
            }
            people.enable(&ada(), &circumstances).await.unwrap();
            assert!(!is_signed_in(&second, &browser).await, "enabling revives nothing");
        }
        sign_in(&second, &mut browser, "ada").await;
        assert!(is_signed_in(&first, &browser).await);
    }

    /// Threat 132: a cookie that a neighbour's site put beside ours makes nobody somebody else.
    async fn two_cookies_of_one_name_sign_nobody_in(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let (mut victim, mut attacker) = (Browser::new(), Browser::new());
        sign_in(&server, &mut victim, "ada").await;
        sign_in(&server, &mut attacker, "bob").await;
        let (own, foreign) = (&victim.cookies[SESSION], &attacker.cookies[SESSION]);
        for cookies in [
            format!("{SESSION}={own}; {SESSION}={foreign}"),
            format!("{SESSION}={foreign}; {SESSION}={own}"),
            format!("{SESSION}={own}; {SESSION}="),
            format!("{SESSION}=\"{own}\""),
        ] {
            let page = Browser::new().request(&server, Method::GET, "/account", None, &[("cookie", &cookies)]).await;
            assert!(page.body.contains("id=\"login-submit\""), "{cookies}: {page:?}");
        }
        assert!(is_signed_in(&server, &victim).await);
    }
}
