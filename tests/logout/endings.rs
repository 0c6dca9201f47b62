//! threat 173: whoever ends a session, and however, the apps that took part are told, once.

use super::{Receiver, app, deliver, logout, start, start_with};
use crate::account::{Pressed, add_account, recovery};
use crate::flows::steps::{error_page, open};
use crate::grants::{ada, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{PASSWORD, TestServer, claims};
use axum::http::StatusCode;
use portreeve::model::secret::Secret;
use portreeve::tasks::deliver_outbox::Report;
use portreeve::users::ending;
use serde_json::{Value, json};
use std::sync::Arc;

/// Delivers, and yields what the app was told of which session.
async fn told(server: &TestServer, receiver: &Receiver) -> Vec<Value> {
    let before = receiver.tokens().len();
    let report = deliver(server).await;
    let tokens = receiver.tokens();
    assert_eq!(report, Report { delivered: (tokens.len() - before) as u64, ..Report::default() });
    tokens[before..].iter().map(|token| claims(token)["sid"].clone()).collect()
}

/// The same, in an order that can be compared.
async fn told_in_order(server: &TestServer, receiver: &Receiver) -> Vec<Value> {
    in_order(told(server, receiver).await)
}

fn in_order(mut sids: Vec<Value>) -> Vec<Value> {
    sids.sort_by_key(Value::to_string);
    sids
}

/// Whoever is signed in visits an app, Ada where nobody is; yields the `sid` that the app knows the session by.
async fn takes_part(server: &TestServer, browser: &mut Browser, client_id: &'static str) -> Value {
    let sid = claims(app(client_id).tokens(server, browser).await.id())["sid"].clone();
    assert!(sid.is_string(), "{sid}");
    sid
}

/// Bob, in a browser of his own, at the app: nobody hears anything of him.
async fn bob_takes_part(server: &TestServer) -> Browser {
    server.add_person("bob", json!({})).await;
    let mut browser = Browser::new();
    let page = open(server, &mut browser, &app("app").authorize(&[])).await;
    let page = browser.sign_in(server, &page, "bob").await;
    let answer = browser.decide(server, &page, "allow").await;
    let code = answer.parameter("code").expect("a code");
    assert_eq!(app("app").redeem(server, &code, &[]).await.status, StatusCode::OK);
    browser
}

on_both_stores! {
    /// RP-Initiated Logout §2; the person's own wish
    async fn signing_out_tells_once(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let mut again = browser.clone();
        sign_out(&server, &mut browser).await;
        // the same cookie from elsewhere, too late
        let parameters = [("id_token_hint", tokens.id())];
        crate::logout::assert_logged_out_page(&logout(&server, &mut again, &parameters).await);
        assert_eq!(told(&server, &receiver).await, [claims(tokens.id())["sid"].clone()]);
    }

    /// another person takes the browser over
    async fn signing_in_as_somebody_else_tells_the_first_ones_apps(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        // beside: both stay
        let page = browser.get(&server, &format!("/login?{}&account=other", app("app").request(&[]))).await;
        browser.sign_in(&server, &page, "bob").await;
        assert!(told(&server, &receiver).await.is_empty());
        // instead: who was there leaves
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let page = browser.get(&server, &app("app").authorize(&[("prompt", "login")])).await;
        let page = browser.follow(&server, page).await;
        browser.sign_in(&server, &page, "bob").await;
        assert_eq!(told(&server, &receiver).await, [claims(tokens.id())["sid"].clone()]);
        // the same person signing in again goes on under the same sid, and nobody is told
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let page = browser.get(&server, &app("app").authorize(&[("prompt", "login")])).await;
        let page = browser.follow(&server, page).await;
        browser.sign_in(&server, &page, "ada").await;
        assert!(told(&server, &receiver).await.is_empty());
    }

    /// threat 45: disabled, deleted, a new password; every session of the person, on every browser
    async fn what_an_operator_does_to_a_person_tells_the_apps_of_every_session(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        server.add_person("bob", json!({})).await;
        let people = server.people();
        let circumstances = server.app.circumstances("");
        for step in ["password", "disable", "delete"] {
            let (mut one, mut two) = (Browser::new(), Browser::new());
            let sids = [
                claims(app("app").tokens(&server, &mut one).await.id())["sid"].clone(),
                claims(app("app").tokens(&server, &mut two).await.id())["sid"].clone(),
            ];
            match step {
                "password" => {
                    let secret = Secret::new(crate::support::server::PASSWORD);
                    let ended = people.set_password(&ada(), secret, &circumstances).await.expect("set");
                    assert_eq!((ended.sessions, ended.apps), (2, 2));
                }
                "disable" => {
                    people.disable(&ada(), &circumstances).await.expect("disabled");
                    people.disable(&ada(), &circumstances).await.expect("again is as once");
                    people.enable(&ada(), &circumstances).await.expect("enabled");
                }
                _ => drop(people.delete(&ada(), &circumstances).await.expect("deleted")),
            }
            let mut heard = told(&server, &receiver).await;
            heard.sort_by_key(Value::to_string);
            let mut expected = sids.to_vec();
            expected.sort_by_key(Value::to_string);
            assert_eq!(heard, expected, "{step}");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM session_clients").await, 0);
    }

    /// `revoke --user`: the session here goes on, the apps' end, and an app that comes again takes part anew
    async fn a_revocation_tells_the_apps_though_the_session_goes_on(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let user = portreeve::protocol::identifiers::UserId::parse(claims(tokens.id())["sub"].as_str().unwrap()).unwrap();
        let work = Arc::new((user, server.app.circumstances("")));
        let written = server.app.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move { ending::tell_apps_of_user(connection, &work.0, &work.1).await })
        });
        assert_eq!(written.await, Ok(1));
        let sid = claims(tokens.id())["sid"].clone();
        assert_eq!(told(&server, &receiver).await, std::slice::from_ref(&sid));
        assert!(crate::logout::is_signed_in(&server, &mut browser).await);
        app("app").tokens(&server, &mut browser).await;
        sign_out(&server, &mut browser).await;
        assert_eq!(told(&server, &receiver).await, [sid]);
        let jtis: Vec<Value> = receiver.tokens().iter().map(|token| claims(token)["jti"].clone()).collect();
        assert_ne!(jtis[0], jtis[1], "other news, another name");
    }

    /// threat 173, with the code on its way while the session ends: an app that has tokens is told
    async fn an_app_that_gets_its_code_while_the_session_ends_is_told_or_gets_no_tokens(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let server = Arc::new(server);
        for round in 0..12 {
            let mut browser = Browser::new();
            app("third").code(&server, &mut browser).await;
            let page = logout(&server, &mut browser, &[]).await;
            let (mut leaving, mut coming) = (browser.clone(), browser.clone());
            let (ending, beginning) = (server.clone(), server.clone());
            let out = tokio::spawn(async move { crate::logout::confirm(&ending, &mut leaving, &page).await });
            let code = tokio::spawn(async move {
                let answer = coming.get(&beginning, &app("other").authorize(&[])).await;
                let code = answer.location().contains("code=").then(|| answer.parameter("code")).flatten()?;
                let answer = app("other").redeem(&beginning, &code, &[]).await;
                (answer.status == 200).then_some(())
            });
            let (out, tokens) = (out.await.unwrap(), code.await.unwrap());
            crate::logout::assert_logged_out_page(&out);
            let news = database.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'").await;
            let left = database.number("SELECT COUNT(*) FROM session_clients").await;
            assert!(news == 1 || tokens.is_none(), "round {round}: tokens and no news");
            assert_eq!(left, 0, "round {round}: nobody takes part in what is over");
            database.execute("DELETE FROM outbox").await;
        }
    }

    /// A session that ends twice at once tells once.
    async fn a_session_that_is_ended_by_many_at_once_tells_once(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let server = Arc::new(server);
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let id = tokens.id().to_owned();
        let ending: Vec<_> = (0..16)
            .map(|_| {
                let (server, mut browser, id) = (server.clone(), browser.clone(), id.clone());
                tokio::spawn(async move { logout(&server, &mut browser, &[("id_token_hint", &id)]).await })
            })
            .collect();
        for answer in ending {
            crate::logout::assert_logged_out_page(&answer.await.unwrap());
        }
        assert_eq!(told(&server, &receiver).await.len(), 1);
        let query = "SELECT COUNT(*) FROM audit_events WHERE event = 'session.signed_out'";
        assert_eq!(database.number(query).await, 1);
    }

    /// threat 135: on one's own page, some other browser's session
    async fn ending_one_other_session_tells_the_apps_of_that_one(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut bob = bob_takes_part(&server).await;
        let (mut phone, mut desk) = (Browser::new(), Browser::new());
        let there = takes_part(&server, &mut phone, "app").await;
        let here = takes_part(&server, &mut desk, "app").await;
        let page = open(&server, &mut desk, "/account").await;
        let pressed = Pressed::of(&page, "session-2-end");
        // what is refused tells nobody
        assert_eq!(pressed.send(&server, &mut bob).await.status, StatusCode::FORBIDDEN);
        let forged = pressed.clone().with("form_token", "x").send(&server, &mut desk).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        let session = pressed.fields.last().expect("a button").1.clone();
        let bobs = Pressed::of(&open(&server, &mut bob, "/account").await, "sign-out-everywhere");
        let foreign = bobs.without("everywhere").with("session", &session).send(&server, &mut bob).await;
        assert_eq!(foreign.location(), "/account?done=session-ended");
        assert!(told(&server, &receiver).await.is_empty());
        // twice is as once
        for _ in 0..2 {
            let answer = pressed.send(&server, &mut desk).await;
            assert_eq!(answer.location(), "/account?done=session-ended");
        }
        assert_eq!(told(&server, &receiver).await, [there]);
        sign_out(&server, &mut desk).await;
        assert_eq!(told(&server, &receiver).await, [here], "the session of this browser was still there");
    }

    /// threat 135
    async fn signing_out_everywhere_tells_the_apps_of_every_session_of_this_person(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut bob = bob_takes_part(&server).await;
        let (mut phone, mut desk) = (Browser::new(), Browser::new());
        let expected = vec![
            takes_part(&server, &mut phone, "app").await,
            takes_part(&server, &mut phone, "other").await,
            takes_part(&server, &mut desk, "app").await,
        ];
        let pressed = Pressed::of(&open(&server, &mut desk, "/account").await, "sign-out-everywhere");
        let forged = pressed.clone().with("form_token", "x").send(&server, &mut desk).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        assert!(told(&server, &receiver).await.is_empty());
        assert_eq!(pressed.send(&server, &mut desk.clone()).await.status, StatusCode::SEE_OTHER);
        assert_eq!(told_in_order(&server, &receiver).await, in_order(expected));
        pressed.send(&server, &mut desk).await;
        assert!(told(&server, &receiver).await.is_empty(), "once is once");
        assert!(crate::logout::is_signed_in(&server, &mut bob).await);
    }

    /// threat 45: one's own new password ends the other sessions where the person leaves that ticked
    async fn a_new_password_of_one_s_own_tells_the_apps_of_the_sessions_that_end(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let _bob = bob_takes_part(&server).await;
        let (mut phone, mut desk) = (Browser::new(), Browser::new());
        let there = takes_part(&server, &mut phone, "app").await;
        let here = takes_part(&server, &mut desk, "app").await;
        let page = open(&server, &mut desk, "/account/password").await;
        let filled = |old: &str, new: &str| {
            Pressed::of(&page, "password-submit").with("old_password", old).with("new_password", new)
        };
        let (second, third) = ("the second password of ada", "the third password of ada");
        let refused = filled("not the password", second).send(&server, &mut desk).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let kept = filled(PASSWORD, second).without("end_sessions").send(&server, &mut desk).await;
        assert_eq!(kept.location(), "/account?done=password-changed");
        assert!(told(&server, &receiver).await.is_empty(), "nothing ended yet");
        let changed = filled(second, third).send(&server, &mut desk).await;
        assert_eq!(changed.location(), "/account?done=password-changed");
        assert_eq!(told(&server, &receiver).await, [there]);
        sign_out(&server, &mut desk).await;
        assert_eq!(told(&server, &receiver).await, [here], "it went on under the same name");
    }

    /// threat 147: whoever recovers an account has nobody else left in it
    async fn a_recovery_link_that_is_used_tells_the_apps_of_every_session(database: TestDatabase) {
        let (server, receiver) = start_with(&database, recovery::MAIL).await;
        let mut bob = bob_takes_part(&server).await;
        let (mut phone, mut desk) = (Browser::new(), Browser::new());
        let expected = vec![
            takes_part(&server, &mut phone, "app").await,
            takes_part(&server, &mut desk, "other").await,
        ];
        let token = recovery::token(&server).await;
        // looked at, by the person or by a scanner; and sent with a password that is none
        let mut browser = Browser::new();
        let filled = recovery::filled(&server, &mut browser, &token).await;
        let refused = filled.clone().with("new_password", "short").send(&server, &mut browser).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(told(&server, &receiver).await.is_empty());
        assert_eq!(filled.send(&server, &mut browser).await.location(), "/recovery/done");
        assert_eq!(told_in_order(&server, &receiver).await, in_order(expected));
        error_page(&filled.send(&server, &mut browser).await, 400, "invalid_request");
        assert!(told(&server, &receiver).await.is_empty(), "once is once");
        assert!(crate::logout::is_signed_in(&server, &mut bob).await);
    }

    /// RP-Initiated Logout §2: all of this browser, and nobody elsewhere
    async fn signing_everybody_here_out_tells_the_apps_of_each(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        server.add_person("bob", json!({})).await;
        let (mut here, mut elsewhere) = (Browser::new(), Browser::new());
        let adas = takes_part(&server, &mut here, "app").await;
        let adas_elsewhere = takes_part(&server, &mut elsewhere, "app").await;
        add_account(&server, &mut here, "bob").await;
        let bobs = takes_part(&server, &mut here, "app").await;
        assert_ne!(adas, bobs);
        let page = logout(&server, &mut here, &[]).await;
        let all = Pressed::of(&page, "logout-all");
        for refused in [all.clone().without("form_token"), all.clone().with("form_token", "x")] {
            let answer = refused.send(&server, &mut here.clone()).await;
            assert_ne!(answer.status, StatusCode::OK, "{answer:?}");
        }
        assert!(told(&server, &receiver).await.is_empty());
        assert_eq!(all.send(&server, &mut here.clone()).await.status, StatusCode::OK);
        all.send(&server, &mut here).await;
        assert_eq!(told_in_order(&server, &receiver).await, in_order(vec![adas, bobs]));
        assert!(told(&server, &receiver).await.is_empty());
        sign_out(&server, &mut elsewhere).await;
        assert_eq!(told(&server, &receiver).await, [adas_elsewhere]);
    }

    /// threat 131: five have room, and whoever was active longest ago leaves
    async fn the_sixth_person_in_a_browser_makes_the_first_leave_and_their_apps_are_told(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let first = takes_part(&server, &mut browser, "app").await;
        let mut second = None;
        for name in ["p2", "p3", "p4", "p5"] {
            server.add_person(name, json!({})).await;
            add_account(&server, &mut browser, name).await;
            let sid = takes_part(&server, &mut browser, "app").await;
            second.get_or_insert(sid);
            assert!(told(&server, &receiver).await.is_empty(), "{name} has room");
        }
        for (name, leaves) in [("p6", first), ("p7", second.expect("p2's"))] {
            server.add_person(name, json!({})).await;
            add_account(&server, &mut browser, name).await;
            assert_eq!(told(&server, &receiver).await, [leaves], "{name}");
        }
        // somebody who is here already makes nobody leave
        add_account(&server, &mut browser, "p5").await;
        assert!(told(&server, &receiver).await.is_empty());
    }
}
