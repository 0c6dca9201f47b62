//! threat 173: whoever ends a session, and however, the apps that took part are told, once.

use super::{Receiver, app, deliver, logout, start};
use crate::grants::{ada, sign_out};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, claims};
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
}
