//! One's own password: the old one at hand, the new one by the rules, other sessions ended if asked; and the change that comes before
//! anything else.

use super::{Pressed, add_account, events};
use crate::flows::steps::{
    SECOND, begin, code, is_consent, is_login, marker, open, refused, signed_in, still_works, text_of,
};
use crate::grants::ada;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, PASSWORD, TestServer};
use axum::http::StatusCode;
use portreeve::model::audit_event::EventName;
use portreeve::model::secret::Secret;
use portreeve::model::username::CanonicalUsername;
use portreeve::users::lifecycle::Change;
use serde_json::json;

const NEW: &str = "another password of ada's";

async fn page(server: &TestServer, browser: &mut Browser) -> Answer {
    open(server, browser, "/account/password").await
}

/// The form, filled in; other sessions end as the page has it.
fn filled(page: &Answer, old: &str, new: &str) -> Pressed {
    Pressed::of(page, "password-submit").with("old_password", old).with("new_password", new)
}

/// Tries to sign in, from an address of its own.
async fn signs_in(server: &TestServer, password: &str) -> bool {
    let mut browser = Browser { address: Some([198, 51, 100, 7].into()), ..Browser::new() };
    let page = browser.get(server, "/account").await;
    browser.submit_login(server, &page, "ada", password).await.status == StatusCode::SEE_OTHER
}

/// Demands another password, as an operator does.
async fn demand(server: &TestServer, username: &str) {
    let username = CanonicalUsername::parse(username).expect("a username");
    let change = Change { must_change_password: true, ..Change::default() };
    server.people().change(&username, change, &server.app.circumstances("")).await.expect("somebody");
}

on_both_stores! {
    async fn the_new_password_takes_the_place_of_the_old_one_and_other_sessions_end(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut phone = signed_in(&server, "ada").await;
        let mut desk = signed_in(&server, "ada").await;
        let app = RelyingParty::new("spa", "openid photos.read offline_access");
        let there = app.tokens(&server, &mut phone).await;
        let here = RelyingParty::new("web", "openid photos.read offline_access").tokens(&server, &mut desk).await;
        let before = desk.cookies["__Host-portreeve-session"].clone();
        let shown = page(&server, &mut desk).await;
        let answer = filled(&shown, PASSWORD, NEW).send(&server, &mut desk).await;
        assert_eq!(answer.location(), "/account?done=password-changed", "{answer:?}");
        // threat 130: here the session goes on, under another secret
        assert_ne!(desk.cookies["__Host-portreeve-session"], before);
        let mut thief = Browser::new();
        thief.cookies.insert("__Host-portreeve-session".to_owned(), before);
        assert!(is_login(&open(&server, &mut thief, "/account").await));
        assert_eq!(text_of(&open(&server, &mut desk, "/account").await, "account-name"), "Ada Lovelace");
        assert!(is_login(&open(&server, &mut phone, "/account").await));
        assert_eq!(app.refresh(&server, there.refresh(), &[]).await.error(), "invalid_grant");
        assert_eq!(server.get_as("/userinfo", here.access()).await.status, StatusCode::OK);
        assert!(!signs_in(&server, PASSWORD).await && signs_in(&server, NEW).await);
        assert_eq!(events(&database, EventName::PasswordChanged).await, 1);
        // a form that was shown before is for another session secret, and still for this session: it needs the old password
        let late = filled(&shown, PASSWORD, "yet another password").send(&server, &mut desk).await;
        assert_eq!(late.status, StatusCode::BAD_REQUEST);
    }

    async fn other_sessions_go_on_when_the_person_says_so(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut phone = signed_in(&server, "ada").await;
        let mut desk = signed_in(&server, "ada").await;
        let shown = page(&server, &mut desk).await;
        let answer = filled(&shown, PASSWORD, NEW).without("end_sessions").send(&server, &mut desk).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(text_of(&open(&server, &mut phone, "/account").await, "account-name"), "Ada Lovelace");
    }

    /// Threats 28, 135, 145, 149; NIST SP 800-63B §5.1.1.2.
    async fn nothing_changes_without_the_old_password_the_form_and_a_password_that_may_be_one(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut browser = signed_in(&server, "ada").await;
        let shown = page(&server, &mut browser).await;
        let good = filled(&shown, PASSWORD, NEW);
        good.assert_guarded(&server, &browser).await;
        let long = "é".repeat(513);
        for (new, told) in [
            ("", "too short"), ("sevenly", "too short"), (&long, "too long"), ("tab\there and there", "cannot be typed"),
            ("ada", "too short"), (PASSWORD, "must not be the old one"),
        ] {
            let answer = good.clone().with("new_password", new).send(&server, &mut browser).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{new:.20}: {answer:?}");
            assert!(text_of(&answer, "password-message").contains(told), "{new:.20}: {answer:?}");
            assert!(!answer.body.contains(PASSWORD), "a page repeats a password");
        }
        let answer = good.clone().without("new_password").send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        for old in ["", "wrong", NEW] {
            let answer = good.clone().with("old_password", old).send(&server, &mut browser).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{old}");
            assert!(text_of(&answer, "password-message").contains("current password is not right"));
        }
        // somebody else's form, in this browser and in theirs
        let mut bob = browser.clone();
        add_account(&server, &mut bob, "bob").await;
        assert_eq!(good.send(&server, &mut bob).await.status, StatusCode::FORBIDDEN);
        assert_eq!(good.send(&server, &mut signed_in(&server, "bob").await).await.status, StatusCode::FORBIDDEN);
        let answer = good.send(&server, &mut Browser::new()).await;
        assert_eq!(answer.location(), "/account");
        assert_eq!(events(&database, EventName::PasswordChanged).await, 0);
        assert!(signs_in(&server, PASSWORD).await);
        still_works(&server).await;
    }

    /// Threats 140–142: the old password cannot be guessed here any faster than at the sign-in.
    async fn guesses_at_the_old_password_wait_as_guesses_at_a_sign_in_do(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = signed_in(&server, "ada").await;
        browser.cookies.remove("__Host-portreeve-device");
        let good = filled(&page(&server, &mut browser).await, PASSWORD, NEW);
        let mut waits = 0;
        for _ in 0..8 {
            let answer = good.clone().with("old_password", "a guess").send(&server, &mut browser).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                assert!(answer.header("retry-after").is_some());
                waits += 1;
            }
        }
        assert!(waits >= 2, "{waits}");
        assert_eq!(good.send(&server, &mut browser).await.status, StatusCode::TOO_MANY_REQUESTS);
        server.clock.advance(61 * SECOND);
        assert_eq!(good.send(&server, &mut browser).await.status, StatusCode::SEE_OTHER);
    }

    /// An operator who sets a password meanwhile is not undone, and who knew the old one gets nowhere.
    async fn a_password_that_was_set_meanwhile_stays(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = signed_in(&server, "ada").await;
        let good = filled(&page(&server, &mut browser).await, PASSWORD, NEW);
        let set = "the operator's password";
        server.people().set_password(&ada(), Secret::new(set), &server.app.circumstances("")).await.expect("set");
        let answer = good.send(&server, &mut browser).await;
        assert_eq!(answer.location(), "/account");
        assert!(signs_in(&server, set).await && !signs_in(&server, NEW).await);
    }

    /// OpenID Connect Core §3.1.2.6, threat 149: no way leads past the change.
    async fn whoever_has_to_change_their_password_gets_nothing_before(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        demand(&server, "ada").await;
        let none = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &none, &app, "interaction_required");
        let forced = begin(&server, &mut browser, &app, &[]).await;
        assert!(forced.body.contains("id=\"password-forced\""), "{forced:?}");
        // the own page, its forms, the consent page and first-party apps lead there too
        let account = open(&server, &mut browser, "/account").await;
        assert!(account.body.contains("id=\"password-forced\""), "{account:?}");
        for (path, app) in [("/authorize", RelyingParty::new("ours", "openid")), ("/consent", app.clone()), ("/login", app.clone())] {
            let answer = open(&server, &mut browser, &format!("{path}?{}", app.request(&[]))).await;
            assert!(answer.body.contains("id=\"password-forced\""), "{path}: {answer:?}");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM grants WHERE state = 'code'").await, 0);
        // an empty form, a wrong password and the same one are no change
        let good = filled(&forced, PASSWORD, NEW);
        good.assert_guarded(&server, &browser).await;
        for wrong in [good.clone().with("old_password", "x"), good.clone().with("new_password", PASSWORD)] {
            assert_eq!(wrong.send(&server, &mut browser).await.status, StatusCode::BAD_REQUEST);
        }
        assert!(begin(&server, &mut browser, &app, &[]).await.body.contains("id=\"password-forced\""));
        server.clock.advance(SECOND);
        let answer = good.send(&server, &mut browser).await;
        assert!(answer.location().starts_with("/authorize?"), "{answer:?}");
        marker(answer.location());
        let answer = browser.follow(&server, answer).await;
        code(&server, &answer, &app);
        assert!(open(&server, &mut browser, "/account").await.body.contains("id=\"account-logout\""));
        still_works_for_bob(&server).await;
    }

    /// A form of the account page that was shown before the demand does nothing after it.
    async fn forms_that_were_shown_before_the_demand_do_nothing_after_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let pressed = Pressed::of(&open(&server, &mut browser, "/account").await, "grant-1-revoke");
        let consent = begin(&server, &mut browser, &app, &[("prompt", "consent")]).await;
        assert!(is_consent(&consent));
        demand(&server, "ada").await;
        assert_eq!(pressed.send(&server, &mut browser).await.location(), "/account");
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        let answer = browser.decide(&server, &consent, "allow").await;
        let answer = browser.follow(&server, answer).await;
        assert!(answer.body.contains("id=\"password-forced\""), "{answer:?}");
        assert_eq!(events(&database, EventName::ConsentTakenBack).await, 0);
    }

    /// A person who is added so signs in with what they were given, and chooses their own before anything else.
    async fn the_first_sign_in_leads_through_the_change_to_the_app(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        demand(&server, "ada").await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        let login = begin(&server, &mut browser, &app, &[("prompt", "login")]).await;
        server.clock.advance(SECOND);
        let forced = browser.sign_in(&server, &login, "ada").await;
        assert!(forced.body.contains("id=\"password-forced\""), "{forced:?}");
        server.clock.advance(SECOND);
        let answer = filled(&forced, PASSWORD, NEW).send(&server, &mut browser).await;
        let consent = browser.follow(&server, answer).await;
        assert!(is_consent(&consent), "{consent:?}");
        code(&server, &browser.decide(&server, &consent, "allow").await, &app);
        // that it was demanded stays true until it is done: an operator's password does not do it
        demand(&server, "ada").await;
        server.people().set_password(&ada(), Secret::new(PASSWORD), &server.app.circumstances("")).await.expect("set");
        let mut browser = Browser::new();
        let login = open(&server, &mut browser, "/account").await;
        let page = browser.sign_in(&server, &login, "ada").await;
        assert!(page.body.contains("id=\"password-forced\""), "{page:?}");
    }

    /// Threat 149: who saw the password that was given is not to go on beside the person.
    async fn a_forced_change_ends_every_other_session_unasked(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        demand(&server, "ada").await;
        let sign_in = async || {
            let mut browser = Browser::new();
            let login = browser.get(&server, "/account").await;
            let page = browser.sign_in(&server, &login, "ada").await;
            (browser, page)
        };
        let (mut other, _) = sign_in().await;
        let (mut browser, forced) = sign_in().await;
        assert!(
            forced.body.contains("id=\"password-forced\"") && !forced.body.contains("end-sessions"),
            "{forced:?}"
        );
        let answer = filled(&forced, PASSWORD, NEW).send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        assert!(is_login(&open(&server, &mut other, "/account").await));
        assert_eq!(text_of(&open(&server, &mut browser, "/account").await, "account-username"), "ada");
    }
}

/// As [`still_works`], when Ada's password is another by now.
async fn still_works_for_bob(server: &TestServer) {
    server.add_person("bob", json!({})).await;
    let mut browser = signed_in(server, "bob").await;
    let app = RelyingParty::new("web", "openid");
    let tokens = app.tokens(server, &mut browser).await;
    assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
}
