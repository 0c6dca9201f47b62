//! People beside one another: sign-ins, names, and whose claims are whose (threat 191; invariants 12, 17).

use super::{on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{PASSWORD, TestServer};
use axum::http::StatusCode;
use portreeve::model::claims::PersonClaims;
use portreeve::model::secret::Secret;
use portreeve::model::username::CanonicalUsername;
use portreeve::users::lifecycle::{LifecycleError, NewPassword, NewPerson};
use serde_json::json;
use std::sync::Arc;

on_every_fleet! {
    /// Every browser gets a session of its own, and one form that is submitted many times leaves one that opens.
    async fn parallel_sign_ins_each_open_their_own_session(servers: Fleet) {
        for name in ["grace", "edsger", "barbara"] {
            servers[0].add_person(name, json!({})).await;
        }
        // No more than three at once for each of them: beyond five the throttle counts on failures to come (threat 32).
        let browsers = together(12, |number| {
            let server = servers[number % servers.len()].clone();
            let name = ["ada", "grace", "edsger", "barbara"][number % 4];
            async move {
                let mut browser = Browser::new();
                let page = browser.get(&server, "/account").await;
                let page = browser.follow(&server, page).await;
                let answer = browser.submit_login(&server, &page, name, PASSWORD).await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
                browser
            }
        })
        .await;
        for mut browser in browsers.clone() {
            assert!(is_signed_in(&servers[0], &mut browser).await);
        }
        // The same browser signs in again, many times at once: of the secrets that it got one is the session's.
        let browser = browsers.into_iter().next().expect("a browser");
        let app = RelyingParty::new("web", "openid");
        let page = browser.clone().get(&servers[0], &app.authorize(&[("prompt", "login")])).await;
        let page = Arc::new(browser.clone().follow(&servers[0], page).await);
        let browsers = together(4, |number| {
            let (server, mut browser, page) = (servers[number % servers.len()].clone(), browser.clone(), page.clone());
            async move {
                let answer = browser.submit_login(&server, &page, "ada", PASSWORD).await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
                browser
            }
        })
        .await;
        let mut living = 0;
        for mut browser in browsers {
            living += usize::from(is_signed_in(&servers[0], &mut browser).await);
        }
        assert_eq!(living, 1, "one secret opens the session");
        assert!(!is_signed_in(&servers[0], &mut browser.clone()).await, "the secret changes at every sign-in");
    }

    /// One name, one person.
    async fn of_parallel_additions_of_one_name_exactly_one_succeeds(servers: Fleet) {
        let outcomes = together(16, |number| {
            let server = servers[number % servers.len()].clone();
            async move {
                let claims = json!({"email": "grace@example.com", "email_verified": true, "given_name": number.to_string()});
                let person = NewPerson {
                    username: CanonicalUsername::parse("grace").expect("a username"),
                    claims: PersonClaims::from_object(claims.as_object().cloned().expect("an object")).expect("claims"),
                    password: NewPassword::Clear(Secret::new(PASSWORD)),
                    must_change_password: false,
                };
                server.people().add(person, &server.app.circumstances("")).await
            }
        })
        .await;
        let (added, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(added.len(), 1);
        for why in refused.into_iter().filter_map(Result::err) {
            assert!(matches!(why, LifecycleError::UsernameTaken(_) | LifecycleError::EmailTaken(_)), "{why}");
        }
    }

    /// OpenID Connect Core §5.3.2; threat 191: a thousand requests of twenty people, and each sees themself.
    async fn everyone_who_asks_at_once_sees_their_own_claims(servers: Fleet) {
        let mut tokens = Vec::new();
        for number in 0..20 {
            let name = format!("person-{number}");
            let user = servers[0].add_person(&name, json!({"name": name})).await;
            let app = RelyingParty::new("ours", "openid profile");
            let mut browser = Browser::new();
            let page = browser.get(&servers[0], &app.authorize(&[])).await;
            let page = browser.follow(&servers[0], page).await;
            let answer = browser.sign_in(&servers[0], &page, &name).await;
            let code = answer.parameter("code").expect("a code");
            let tokens_of = app.redeem(&servers[0], &code, &[]).await.json();
            tokens.push((name, user.id.as_str().to_owned(), tokens_of["access_token"].as_str().expect("a token").to_owned()));
        }
        let tokens = Arc::new(tokens);
        together(50, |number| {
            let (server, tokens) = (servers[number % servers.len()].clone(), tokens.clone());
            async move {
                for call in 0..20 {
                    let (name, subject, token) = &tokens[(number + call) % tokens.len()];
                    let answer = server.get_as("/userinfo", token).await;
                    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                    assert_eq!((&answer.json()["sub"], &answer.json()["name"]), (&json!(subject), &json!(name)));
                }
            }
        })
        .await;
    }
}

async fn is_signed_in(server: &TestServer, browser: &mut Browser) -> bool {
    let answer = browser.get(server, "/account").await;
    answer.status == StatusCode::OK && !answer.body.contains("id=\"login-submit\"")
}
