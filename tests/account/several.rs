//! Several people in one browser (OpenID Connect Core §3.1.2.1): who is active, who is offered, and who never is.

use super::{Pressed, add_account};
use crate::flows::steps::{
    SECOND, begin, code, disable, is_login, open, refused, signed_in, still_works, text_of,
};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer, claims};
use axum::http::StatusCode;
use serde_json::json;
use std::time::Duration;

const SESSION: &str = "__Host-portreeve-session";
const OTHERS: &str = "__Host-portreeve-others";

async fn start(database: &crate::support::database::TestDatabase) -> TestServer {
    let server = TestServer::start(database).await;
    server.add_person("bob", json!({"name": "Bob"})).await;
    server
}

/// A browser in which Ada is signed in, and Bob beside her, who is active.
async fn ada_and_bob(server: &TestServer) -> Browser {
    let mut browser = signed_in(server, "ada").await;
    let page = add_account(server, &mut browser, "bob").await;
    assert_eq!(text_of(&page, "account-name"), "Bob");
    browser
}

async fn choice(server: &TestServer, browser: &mut Browser) -> Answer {
    open(server, browser, "/login?account=choose").await
}

/// The number on the choice page of the account with this name.
fn number_of(page: &Answer, name: &str) -> String {
    let before = page.body.find(name).unwrap_or_else(|| panic!("no {name}: {page:?}"));
    let at = page.body[..before].rfind("id=\"account-").expect("a button");
    page.body[at + 4..].split('"').next().expect("an id").to_owned()
}

async fn choose(server: &TestServer, browser: &mut Browser, name: &str) -> Answer {
    let page = choice(server, browser).await;
    server.clock.advance(SECOND);
    let pressed = Pressed::of(&page, &number_of(&page, name));
    let answer = pressed.send(server, browser).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    browser.follow(server, answer).await
}

async fn subject(server: &TestServer, app: &RelyingParty, answer: &Answer) -> String {
    let redeemed = app.redeem(server, &code(server, answer, app), &[]).await;
    claims(Tokens(redeemed.json()).id())["sub"].as_str().expect("a subject").to_owned()
}

on_both_stores! {
    /// Threat 130: whoever is chosen or moved aside gets a new secret, and the old ones open nothing.
    async fn two_people_are_signed_in_and_each_can_be_chosen(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = signed_in(&server, "ada").await;
        let alone = browser.cookies[SESSION].clone();
        assert!(!browser.cookies.contains_key(OTHERS));
        add_account(&server, &mut browser, "bob").await;
        let both = [browser.cookies[SESSION].clone(), browser.cookies[OTHERS].clone()];
        assert!(!both.contains(&alone));
        let page = choose(&server, &mut browser, "Ada Lovelace").await;
        assert_eq!(text_of(&page, "account-name"), "Ada Lovelace");
        let swapped = [browser.cookies[SESSION].clone(), browser.cookies[OTHERS].clone()];
        for old in [&alone, &both[0], &both[1]] {
            assert!(!swapped.contains(old));
            for name in [SESSION, OTHERS] {
                let mut thief = Browser::new();
                thief.cookies.insert(name.to_owned(), old.clone());
                assert!(is_login(&open(&server, &mut thief, "/account").await), "{name}");
            }
        }
        let page = choose(&server, &mut browser, "Bob").await;
        assert_eq!(text_of(&page, "account-name"), "Bob");
        // whoever signs in again goes on under the same session
        add_account(&server, &mut browser, "ada").await;
        assert_eq!(database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 2);
        assert_eq!(choice(&server, &mut browser).await.body.matches("class=\"account\"").count(), 2);
        still_works(&server).await;
    }

    /// Where nobody asked for another account beside, a sign-in as somebody else ends the former's session, as ever.
    async fn a_sign_in_as_somebody_else_makes_the_former_leave_unless_both_are_wanted(database: TestDatabase) {
        let server = start(&database).await;
        let app = RelyingParty::new("web", "openid");
        let mut browser = signed_in(&server, "ada").await;
        server.clock.advance(SECOND);
        let page = begin(&server, &mut browser, &app, &[("prompt", "login")]).await;
        server.clock.advance(SECOND);
        browser.sign_in(&server, &page, "bob").await;
        let page = choice(&server, &mut browser).await;
        assert!(page.body.contains("Bob") && !page.body.contains("Ada Lovelace"), "{page:?}");
        assert_eq!(database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, 1);
    }

    /// OpenID Connect Core §3.1.2.1: `select_account`.
    async fn select_account_offers_everybody_who_is_signed_in_here_and_nobody_else(database: TestDatabase) {
        let server = start(&database).await;
        let eve = server.add_person("eve", json!({"name": "Eve"})).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = ada_and_bob(&server).await;
        let mut elsewhere = signed_in(&server, "eve").await;
        let eves = open(&server, &mut elsewhere, "/login?account=choose").await;
        let eves = Pressed::of(&eves, "account-1").fields.last().expect("a button").1.clone();
        server.clock.advance(SECOND);
        let page = begin(&server, &mut browser, &app, &[("prompt", "select_account")]).await;
        assert!(page.body.contains("Ada Lovelace") && page.body.contains("Bob") && !page.body.contains("Eve"), "{page:?}");
        assert!(page.body.contains("id=\"account-2\"") && !page.body.contains("id=\"account-3\""), "{page:?}");
        server.clock.advance(SECOND);
        let ada = Pressed::of(&page, &number_of(&page, "Ada Lovelace"));
        for foreign in [eves.as_str(), eve.id.as_str(), "ada", "ses_", ""] {
            let answer = ada.clone().with("account", foreign).send(&server, &mut browser).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{foreign}: {answer:?}");
        }
        ada.assert_guarded(&server, &browser).await;
        let answer = ada.send(&server, &mut browser).await;
        let answer = browser.follow(&server, answer).await;
        let chosen = subject(&server, &app, &answer).await;
        // and it stays: the next request is hers
        let answer = begin(&server, &mut browser, &app, &[]).await;
        assert_eq!(subject(&server, &app, &answer).await, chosen);
        still_works(&server).await;
    }

    /// Nobody is shown, or comes back, whose session ended; whoever it was that ended it.
    async fn whoever_s_session_ended_is_neither_named_nor_chosen(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = ada_and_bob(&server).await;
        let page = choice(&server, &mut browser).await;
        let ada = Pressed::of(&page, &number_of(&page, "Ada Lovelace"));
        disable(&server, "ada").await;
        let answer = ada.send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.body.contains("Ada") && !choice(&server, &mut browser).await.body.contains("Ada"));
        // the idle end as well
        let mut browser = signed_in(&server, "bob").await;
        server.add_person("cleo", json!({"name": "Cleo"})).await;
        add_account(&server, &mut browser, "cleo").await;
        for _ in 0..3 {
            server.clock.advance(Duration::from_secs(5 * 3600));
            assert_eq!(text_of(&open(&server, &mut browser, "/account").await, "account-name"), "Cleo");
        }
        let page = choice(&server, &mut browser).await;
        assert!(page.body.contains("Cleo") && !page.body.contains("Bob"), "{page:?}");
    }

    /// OpenID Connect Core §3.1.2.1: with `prompt=none` the active session counts, unless a hint means another one of this browser.
    async fn a_hint_means_somebody_who_is_signed_in_here_or_nobody(database: TestDatabase) {
        let server = start(&database).await;
        server.add_person("eve", json!({"name": "Eve"})).await;
        let app = RelyingParty::new("ours", "openid");
        let tokens = async |browser: &mut Browser| {
            let answer = begin(&server, browser, &app, &[]).await;
            let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await;
            Tokens(redeemed.json()).id().to_owned()
        };
        let mut browser = signed_in(&server, "ada").await;
        let ada = tokens(&mut browser).await;
        add_account(&server, &mut browser, "bob").await;
        let bob = tokens(&mut browser).await;
        let eve = tokens(&mut signed_in(&server, "eve").await).await;
        let silent = async |browser: &mut Browser, hint: &str| {
            browser.get(&server, &app.authorize(&[("prompt", "none"), ("id_token_hint", hint)])).await
        };
        let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(json!(subject(&server, &app, &answer).await), claims(&bob)["sub"]);
        for hint in [&ada, &bob] {
            let answer = silent(&mut browser, hint).await;
            let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await;
            let id = claims(Tokens(redeemed.json()).id());
            assert_eq!((&id["sub"], &id["sid"]), (&claims(hint)["sub"], &claims(hint)["sid"]));
        }
        refused(&server, &silent(&mut browser, &eve).await, &app, "login_required");
        // who is active is not changed by a hint
        assert_eq!(text_of(&open(&server, &mut browser, "/account").await, "account-name"), "Bob");
        disable(&server, "ada").await;
        refused(&server, &silent(&mut browser, &ada).await, &app, "login_required");
        let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        code(&server, &answer, &app);
    }

    /// Threat 132: what another site or a sibling tosses into the jar is as good as nothing.
    async fn cookies_that_are_doubled_or_made_up_open_nothing(database: TestDatabase) {
        let server = start(&database).await;
        let browser = ada_and_bob(&server).await;
        let own = browser.cookies[OTHERS].clone();
        let session = browser.cookies[SESSION].clone();
        for tossed in [
            format!("{own}; {OTHERS}={own}"),
            format!("{own}.{own}.{own}.{own}.{own}"),
            format!("{own}."),
            format!(".{own}"),
            format!("{own},{own}"),
            "a".repeat(43),
            "x".repeat(5000),
            session.clone(),
            String::new(),
        ] {
            let mut browser = browser.clone();
            browser.cookies.insert(OTHERS.to_owned(), tossed.clone());
            let page = choice(&server, &mut browser).await;
            assert_eq!(page.body.matches("class=\"account\"").count(), 1, "{tossed:.60}");
        }
        // one of them twice is one
        let mut twice = browser.clone();
        twice.cookies.insert(OTHERS.to_owned(), format!("{own}.{own}"));
        assert_eq!(choice(&server, &mut twice).await.body.matches("class=\"account\"").count(), 2);
        // the active one's cookie twice: then only those beside are left
        let mut doubled = browser.clone();
        doubled.cookies.insert(SESSION.to_owned(), format!("{session}; {SESSION}={session}"));
        let page = open(&server, &mut doubled, "/account").await;
        assert!(page.body.contains("id=\"account-1\"") && !page.body.contains("Bob"), "{page:?}");
        still_works(&server).await;
    }

    /// Threat 131: the cookies stay small.
    async fn at_most_five_people_are_signed_in_and_the_one_active_longest_ago_leaves(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = signed_in(&server, "ada").await;
        for name in ["p1", "p2", "p3", "p4", "p5"] {
            server.add_person(name, json!({})).await;
            add_account(&server, &mut browser, name).await;
        }
        let page = choice(&server, &mut browser).await;
        assert_eq!(page.body.matches("class=\"account\"").count(), 5);
        assert!(!page.body.contains("Ada Lovelace") && page.body.contains("p1"), "{page:?}");
        assert!(browser.cookies.values().map(String::len).sum::<usize>() < 1000);
        let ended = "SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id
                     WHERE u.username = 'ada' AND s.ended_at IS NOT NULL";
        assert_eq!(database.number(ended).await, 1);
    }

    /// A browser sends a form twice when it is pressed twice, and hears only the last answer.
    async fn a_choice_that_is_sent_twice_comes_to_the_same_for_a_moment(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = ada_and_bob(&server).await;
        let page = choice(&server, &mut browser).await;
        server.clock.advance(SECOND);
        let ada = Pressed::of(&page, &number_of(&page, "Ada Lovelace"));
        let (mut first, mut late, mut stranger) = (browser.clone(), browser.clone(), browser.clone());
        assert_eq!(ada.send(&server, &mut first).await.status, StatusCode::SEE_OTHER);
        assert_eq!(ada.send(&server, &mut browser).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.cookies, first.cookies);
        assert_eq!(choice(&server, &mut browser).await.body.matches("class=\"account\"").count(), 2);
        // not without the form, and not later
        let forged = ada.clone().with("form_token", "x").send(&server, &mut stranger).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        server.clock.advance(11 * SECOND);
        assert_eq!(ada.send(&server, &mut late).await.status, StatusCode::FORBIDDEN);
        still_works(&server).await;
    }

    /// RP-Initiated Logout §2: one session ends, or all of this browser's when the person says so.
    async fn signing_out_ends_the_active_session_and_on_request_all_of_this_browser(database: TestDatabase) {
        let server = start(&database).await;
        let living = async || database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await;
        let mut browser = ada_and_bob(&server).await;
        let mut elsewhere = signed_in(&server, "ada").await;
        let page = open(&server, &mut browser, "/logout").await;
        assert!(page.body.contains("Bob") && page.body.contains("id=\"logout-all\""), "{page:?}");
        let all = Pressed::of(&page, "logout-all");
        for attempt in [all.clone().without("form_token"), all.clone().with("form_token", "x")] {
            let answer = attempt.send(&server, &mut browser.clone()).await;
            let mut led = browser.clone();
            assert!(answer.status != StatusCode::OK, "{answer:?}");
            led.follow(&server, answer).await;
        }
        assert_eq!(living().await, 3);
        let answer = Pressed::of(&page, "logout-confirm").send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(!browser.cookies.contains_key(SESSION) && browser.cookies.contains_key(OTHERS));
        // ada is still there, and offered
        let page = open(&server, &mut browser, "/account").await;
        assert!(page.body.contains("id=\"account-1\"") && page.body.contains("Ada Lovelace"), "{page:?}");
        add_account_again(&server, &mut browser, &page).await;
        assert_eq!(living().await, 3);
        let page = open(&server, &mut browser, "/logout").await;
        Pressed::of(&page, "logout-all").send(&server, &mut browser).await;
        assert!(!browser.cookies.contains_key(SESSION) && !browser.cookies.contains_key(OTHERS));
        assert_eq!(living().await, 1);
        assert!(is_login(&open(&server, &mut browser, "/account").await));
        assert!(is_login(&choice(&server, &mut browser).await));
        assert_eq!(text_of(&open(&server, &mut elsewhere, "/account").await, "account-name"), "Ada Lovelace");
        // alone there is nobody else to sign out
        assert!(!open(&server, &mut elsewhere, "/logout").await.body.contains("logout-all"));
    }

    /// RP-Initiated Logout §2: the hint names a session of this browser, active or not, and that one ends.
    async fn a_logout_hint_ends_the_session_that_it_names(database: TestDatabase) {
        let server = start(&database).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = signed_in(&server, "ada").await;
        let answer = begin(&server, &mut browser, &app, &[]).await;
        let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await;
        let hint = Tokens(redeemed.json()).id().to_owned();
        add_account(&server, &mut browser, "bob").await;
        let answer = browser.get(&server, &format!("/logout?id_token_hint={hint}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(text_of(&open(&server, &mut browser, "/account").await, "account-name"), "Bob");
        assert!(!choice(&server, &mut browser).await.body.contains("Ada Lovelace"));
        assert!(!browser.cookies.contains_key(OTHERS));
    }
}

/// Signs Bob in by the link of the choice page.
async fn add_account_again(server: &TestServer, browser: &mut Browser, choice: &Answer) {
    let at = choice.body.find("id=\"login-other\"").expect("a link");
    let link = crate::support::browser::attribute(&choice.body[at..], "href").expect("a URL");
    let page = open(server, browser, &link).await;
    browser.sign_in(server, &page, "bob").await;
}
