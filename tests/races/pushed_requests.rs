//! A pushed request becomes one code, whatever the parallelism (threat 77, decision 125).

use super::{on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::RelyingParty;
use crate::support::request_signer::request_uri;
use crate::support::server::{Answer, TestServer, encode};
use axum::http::StatusCode;
use std::sync::Arc;
use url::form_urlencoded;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

/// Pushes a request and yields the URL that stands for it.
async fn pushed(app: &RelyingParty, server: &TestServer, changes: &[(&str, &str)]) -> String {
    let request = app.request(changes);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(request.as_bytes()).into_owned().collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let uri = request_uri(&app.post(server, "/par", &pairs).await);
    format!("/authorize?{}", encode(&[("client_id", "web"), ("request_uri", &uri)]))
}

/// One answer carries a code that can be redeemed, the others say that the request is no more.
async fn assert_one_code(app: &RelyingParty, server: &TestServer, answers: &[Answer]) {
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::SEE_OTHER);
    assert_eq!(won.len(), 1, "{answers:?}");
    let code = won[0].parameter("code").unwrap_or_else(|| panic!("no code: {won:?}"));
    for answer in lost {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(answer.body.contains("invalid_request_uri"), "{answer:?}");
    }
    assert_eq!(app.redeem(server, &code, &[]).await.status, StatusCode::OK);
}

/// Many visits in one browser, of somebody who has signed in and consented before.
async fn race_visits(servers: &[Arc<TestServer>], changes: &[(&str, &str)]) {
    let (app, mut browser) = (web(), Browser::new());
    app.tokens(&servers[0], &mut browser).await;
    for _ in 0..4 {
        let url = pushed(&app, &servers[0], changes).await;
        let answers = together(16, |number| {
            let (server, mut browser, url) =
                (servers[number % servers.len()].clone(), browser.clone(), url.clone());
            async move { browser.get(&server, &url).await }
        })
        .await;
        assert_one_code(&app, &servers[0], &answers).await;
    }
}

on_every_fleet! {
    async fn of_many_visits_with_one_pushed_request_exactly_one_gets_a_code(servers: Fleet) {
        race_visits(servers, &[]).await;
    }

    async fn of_many_silent_visits_with_one_pushed_request_exactly_one_gets_a_code(servers: Fleet) {
        race_visits(servers, &[("prompt", "none")]).await;
    }

    /// Each from the same page, as one who clicks often, or from a page of its own.
    async fn of_many_answers_to_the_consent_of_one_pushed_request_exactly_one_gets_a_code(servers: Fleet) {
        let (app, mut browser) = (web(), Browser::new());
        app.tokens(&servers[0], &mut browser).await;
        for pages in [1, 1, 16, 16] {
            let url = pushed(&app, &servers[0], &[("prompt", "consent")]).await;
            let mut shown = Vec::new();
            for number in 0..pages {
                let server = &servers[number % servers.len()];
                let answer = browser.get(server, &url).await;
                let page = browser.follow(server, answer).await;
                assert!(page.body.contains("id=\"consent-allow\""), "{page:?}");
                shown.push(page);
            }
            let answers = together(16, |number| {
                let (server, mut browser) = (servers[number % servers.len()].clone(), browser.clone());
                let page = shown[number % pages].clone();
                async move { browser.decide(&server, &page, "allow").await }
            })
            .await;
            assert_one_code(&app, &servers[0], &answers).await;
        }
    }
}
