//! A code is spent once, whatever the parallelism (threats 29, 30; invariants 1, 2, 16).

use super::{CROWD, on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer, claims};
use axum::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How many codes each test fights over.
const CODES: usize = 4;

/// The one success among `answers`; every other is `invalid_grant`.
fn only_winner(answers: &[Answer]) -> Tokens {
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(won.len(), 1, "exactly one redemption succeeds: {lost:?}");
    for answer in lost {
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    }
    Tokens(won[0].json())
}

fn replica(servers: &[Arc<TestServer>], number: usize) -> Arc<TestServer> {
    servers[number % servers.len()].clone()
}

on_every_fleet! {
    /// RFC 6749 §4.1.2; threats 29, 30. Within the window of double submits nothing is revoked; after it the grant is.
    async fn of_many_redemptions_of_a_code_exactly_one_succeeds(servers: Fleet) {
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        for _ in 0..CODES {
            let code = app.code(&servers[0], &mut browser).await;
            let answers = together(CROWD, |number| {
                let (server, app, code) = (replica(servers, number), app.clone(), code.clone());
                async move { app.redeem(&server, &code, &[]).await }
            })
            .await;
            let tokens = only_winner(&answers);
            assert_eq!(replica(servers, 1).introspect_as("web", tokens.access()).await["active"], true);
            servers[0].clock.advance(Duration::from_millis(501));
            assert_eq!(app.redeem(&replica(servers, 1), &code, &[]).await.error(), "invalid_grant");
            for token in [tokens.access(), tokens.refresh()] {
                assert_eq!(servers[0].introspect_as("web", token).await["active"], false);
            }
        }
    }

    /// RFC 7636 §4.6, RFC 6749 §4.1.3; decision 18. A crowd of wrong attempts neither spends the code nor revokes its grant.
    async fn wrong_attempts_beside_the_right_one_change_nothing(servers: Fleet) {
        let app = RelyingParty::new("spa", "openid photos.read");
        let mut browser = Browser::new();
        for _ in 0..CODES {
            let code = app.code(&servers[0], &mut browser).await;
            let answers = together(CROWD, |number| {
                let (server, app, code) = (replica(servers, number), app.clone(), code.clone());
                let change: &[(&str, &str)] = match number {
                    0 => &[],
                    number if number % 3 == 0 => &[("code_verifier", "another-verifier-0123456789-0123456789-012345")],
                    number if number % 3 == 1 => &[("redirect_uri", "https://spa.example.com/other")],
                    _ => &[("client_id", ""), ("resource", "https://api.example.com/mail")],
                };
                async move { app.redeem(&server, &code, change).await }
            })
            .await;
            assert_eq!(answers[0].status, StatusCode::OK, "{:?}", answers[0]);
            assert!(answers[1..].iter().all(|answer| answer.status == StatusCode::BAD_REQUEST));
            let tokens = Tokens(answers[0].json());
            assert_eq!(replica(servers, 1).get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        }
    }

    /// OpenID Connect Core §3.1.2.4; decision 125: each submit may make a grant of its own, and none is more than was shown.
    async fn parallel_consents_of_one_person_all_lead_back_and_remember_one_consent(servers: Fleet) {
        let app = RelyingParty::new("web", "openid email photos.read");
        let mut browser = Browser::new();
        let page = browser.get(&servers[0], &app.authorize(&[])).await;
        let page = browser.follow(&servers[0], page).await;
        let page = browser.sign_in(&servers[0], &page, "ada").await;
        let page = Arc::new(page);
        let answers = together(32, |number| {
            let (server, mut browser, page) = (replica(servers, number), browser.clone(), page.clone());
            async move { browser.decide(&server, &page, "allow").await }
        })
        .await;
        let mut codes: Vec<_> = answers.iter().map(|answer| answer.parameter("code").expect("a code")).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 32, "no code is handed out twice");
        for code in &codes[..4] {
            let answer = app.redeem(&servers[0], code, &[]).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            assert_eq!(claims(Tokens(answer.json()).access())["scope"], "openid email photos.read");
        }
        let again = browser.get(&servers[0], &app.authorize(&[("prompt", "none")])).await;
        assert!(again.parameter("code").is_some(), "the consent is remembered: {again:?}");
    }
}
