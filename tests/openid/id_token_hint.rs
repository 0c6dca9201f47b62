//! `id_token_hint`, and `sub` in `claims` (OpenID Connect Core §3.1.2.1, §5.5.1): the answer is about the person that is meant,
//! or there is none. Threat 128.

use super::{redeemed, tokens_of};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, claims};
use serde_json::json;
use std::time::Duration;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid")
}

/// A browser in which the person is signed in and agreed to everything, and the ID token that came of it.
async fn signed_in(server: &TestServer, username: &str) -> (Browser, String) {
    let (app, mut browser) = (web(), Browser::new());
    let page = browser.get(server, &app.authorize(&[])).await;
    let page = browser.follow(server, page).await;
    let page = browser.sign_in(server, &page, username).await;
    let answer = browser.decide(server, &page, "allow").await;
    let tokens = redeemed(server, &app, &answer).await;
    (browser, tokens.id().to_owned())
}

async fn error(server: &TestServer, browser: &mut Browser, changes: &[(&str, &str)]) -> Option<String> {
    let answer = browser.get(server, &web().authorize(changes)).await;
    let answer = browser.follow(server, answer).await;
    (!answer.body.contains("<html")).then(|| answer.parameter("error").unwrap_or_else(|| "none".to_owned()))
}

on_both_stores! {
    async fn a_hint_of_whoever_is_signed_in_changes_nothing_even_when_it_has_expired(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (mut ada, hint) = signed_in(&server, "ada").await;
        let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
        assert_eq!(error(&server, &mut ada, &silent).await.as_deref(), Some("none"));
        server.clock.advance(Duration::from_secs(2 * 3600));
        assert_eq!(error(&server, &mut ada, &silent).await.as_deref(), Some("none"));
        let answer = ada.get(&server, &web().authorize(&silent)).await;
        let tokens = redeemed(&server, &web(), &answer).await;
        assert_eq!(claims(tokens.id())["auth_time"], claims(&hint)["auth_time"]);
    }

    async fn a_hint_of_somebody_else_never_yields_the_tokens_of_whoever_is_there(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let (_, hint) = signed_in(&server, "bob").await;
        let (mut ada, _) = signed_in(&server, "ada").await;
        let silent = [("prompt", "none"), ("id_token_hint", hint.as_str())];
        assert_eq!(error(&server, &mut ada, &silent).await.as_deref(), Some("login_required"));
        let sub = claims(&hint)["sub"].as_str().expect("text").to_owned();
        let asked = json!({"id_token": {"sub": {"value": sub}}}).to_string();
        let silent = [("prompt", "none"), ("claims", asked.as_str())];
        assert_eq!(error(&server, &mut ada, &silent).await.as_deref(), Some("login_required"));
        // with pages, the other person may sign in; whoever signs in as themselves again is told that it will not do
        let page = ada.get(&server, &web().authorize(&[("id_token_hint", &hint)])).await;
        let page = ada.follow(&server, page).await;
        assert!(page.body.contains("id=\"login-submit\""), "{page:?}");
        server.clock.advance(Duration::from_secs(1));
        let refused = ada.sign_in(&server, &page, "ada").await;
        assert_eq!(refused.parameter("error").as_deref(), Some("login_required"));
        let page = ada.get(&server, &web().authorize(&[("id_token_hint", &hint)])).await;
        let page = ada.follow(&server, page).await;
        server.clock.advance(Duration::from_secs(1));
        let answer = ada.sign_in(&server, &page, "bob").await;
        let tokens = redeemed(&server, &web(), &answer).await;
        assert_eq!(claims(tokens.id())["sub"], sub.as_str());
    }

    /// Threat 128: whom a hint means that cannot be verified is unknown, and so nobody is served silently.
    async fn a_hint_by_a_key_that_is_gone_is_no_leave_to_be_silent(database: TestDatabase) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let server = TestServer::start(&database).await;
        let (mut ada, hint) = signed_in(&server, "ada").await;
        let (_, rest) = hint.split_once('.').expect("three segments");
        let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT","kid":"gone"}"#));
        let silent = [("prompt", "none"), ("id_token_hint", forged.as_str())];
        assert_eq!(error(&server, &mut ada, &silent).await.as_deref(), Some("login_required"));
        assert_eq!(error(&server, &mut ada, &[("id_token_hint", forged.as_str())]).await.as_deref(), Some("none"));
    }

    /// Threats 51, 65, 71, 74: what is no ID token of this server for this client is refused, with or without pages.
    async fn what_is_no_id_token_for_this_client_is_no_hint(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (mut ada, hint) = signed_in(&server, "ada").await;
        let others = tokens_of(&server, &RelyingParty::new("spa", "openid"), &[]).await;
        let (head, signature) = hint.rsplit_once('.').expect("three segments");
        let (_, payload) = head.split_once('.').expect("three segments");
        for wrong in [
            others.id().to_owned(),
            others.access().to_owned(),
            "x".to_owned(),
            format!("{head}."),
            format!("{head}.{}", signature.chars().rev().collect::<String>()),
            format!("eyJhbGciOiJub25lIn0.{payload}."),
            format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{payload}.{signature}"),
        ] {
            for prompt in ["none", "login"] {
                let changes = [("prompt", prompt), ("id_token_hint", wrong.as_str())];
                assert_eq!(error(&server, &mut ada, &changes).await.as_deref(), Some("invalid_request"), "{wrong}");
            }
        }
        let contradicting = json!({"id_token": {"sub": {"value": "usr_somebody"}}}).to_string();
        let changes = [("id_token_hint", hint.as_str()), ("claims", contradicting.as_str())];
        assert_eq!(error(&server, &mut ada, &changes).await.as_deref(), Some("invalid_request"));
    }
}
