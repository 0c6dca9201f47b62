//! Requests that do not stand in the URL: pushed ones (RFC 9126), signed ones (RFC 9101), and signed ones at an address.

mod push;
mod refusals;
mod request_object;
mod request_uri;

use crate::support::browser::Browser;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::request_signer::request_uri;
use crate::support::server::{Answer, TestServer, encode};
use axum::http::StatusCode;
use url::form_urlencoded;

/// Pushes the app's request, changed as in [`RelyingParty::request`], and yields the answer.
async fn push(server: &TestServer, app: &RelyingParty, changes: &[(&str, &str)]) -> Answer {
    let request = app.request(changes);
    let pairs: Vec<(String, String)> = form_urlencoded::parse(request.as_bytes()).into_owned().collect();
    // a public client is named by the post itself
    let named = pairs
        .iter()
        .filter(|(name, _)| name != "client_id" || changes.iter().any(|(changed, _)| changed == name));
    let pairs: Vec<(&str, &str)> = named.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    app.post(server, "/par", &pairs).await
}

/// The URL that stands for a pushed request.
fn visit_of(client_id: &str, uri: &str, more: &[(&str, &str)]) -> String {
    let mut pairs = vec![("client_id", client_id), ("request_uri", uri)];
    pairs.extend_from_slice(more);
    format!("/authorize?{}", encode(&pairs))
}

/// Walks Ada through the pages, as far as each is asked for.
async fn walk(server: &TestServer, browser: &mut Browser, url: &str) -> Answer {
    let answer = browser.get(server, url).await;
    let mut answer = browser.follow(server, answer).await;
    if answer.body.contains("id=\"login-submit\"") {
        answer = browser.sign_in(server, &answer, "ada").await;
    }
    if answer.body.contains("id=\"consent-allow\"") {
        answer = browser.decide(server, &answer, "allow").await;
    }
    answer
}

/// The tokens for the code that the answer carries.
async fn redeemed(server: &TestServer, app: &RelyingParty, answer: &Answer) -> Tokens {
    let code = answer.parameter("code").unwrap_or_else(|| panic!("no code: {answer:?}"));
    let answer = app.redeem(server, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    Tokens(answer.json())
}

/// A pushed request's name.
async fn pushed(server: &TestServer, app: &RelyingParty, changes: &[(&str, &str)]) -> String {
    request_uri(&push(server, app, changes).await)
}
