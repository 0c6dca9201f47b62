//! The server is killed while it works, at moments that nobody chose, and started again (F-01): what it had acknowledged
//! stands, and what it had not is whole or has not happened (invariants 1, 4, 5, 15; security.md §0.13).

use crate::logout::{Receiver, app, clients};
use crate::support::browser::Browser;
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::on_both_stores;
use crate::support::process::{Process, beside, eventually};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, basic, claims};
use axum::http::StatusCode;
use portreeve::model::clock::{Clock as _, SystemClock};
use portreeve::model::entropy::{Entropy as _, SystemEntropy};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often it is killed on each store.
const ROUNDS: usize = 6;
/// How many work at once.
const WORKERS: usize = 4;

/// What one client learnt until the server was gone.
#[derive(Default)]
struct Learnt {
    /// The last refresh token that it was given.
    refresh_token: String,
    /// The codes it was given tokens for, and those it was given no answer for.
    redeemed: Vec<(String, Tokens)>,
    unknown: Vec<String>,
    /// The grants whose end it was told of.
    revoked: Vec<Tokens>,
}

/// Works until there is no answer any more: rotates, redeems and revokes in turn.
async fn work(
    server: Arc<Process>,
    secret: String,
    refresh_token: String,
    mut codes: Vec<String>,
    mut grants: Vec<Tokens>,
) -> Learnt {
    let (spa, ours) = (RelyingParty::new("spa", ""), RelyingParty::new("ours", ""));
    let authorization = basic("ours", &secret);
    let mut learnt = Learnt { refresh_token, ..Learnt::default() };
    loop {
        let token = learnt.refresh_token.clone();
        let asked =
            [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", "spa")];
        let Some(answer) = server.post("/token", None, &asked).await else { return learnt };
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        learnt.refresh_token = Tokens(answer.json()).refresh().to_owned();
        if let Some(code) = codes.pop() {
            let asked = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", ours.redirect_uri.as_str()),
                ("code_verifier", spa.verifier.as_str()),
            ];
            match server.post("/token", Some(&authorization), &asked).await {
                Some(answer) => {
                    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                    learnt.redeemed.push((code, Tokens(answer.json())));
                }
                None => learnt.unknown.push(code),
            }
        }
        if let Some(tokens) = grants.pop() {
            let asked = [("token", tokens.refresh())];
            if let Some(answer) = server.post("/revoke", Some(&authorization), &asked).await {
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                learnt.revoked.push(tokens);
            }
        }
    }
}

/// Holds what a client learnt against the server that was started again.
async fn assert_stands(server: &TestServer, learnt: &Learnt) {
    let (spa, ours) = (RelyingParty::new("spa", ""), RelyingParty::new("ours", ""));
    for (code, tokens) in &learnt.redeemed {
        assert_eq!(server.introspect_as("ours", tokens.access()).await["active"], true, "G3: acknowledged");
        assert_eq!(ours.refresh(server, tokens.refresh(), &[]).await.status, StatusCode::OK);
        assert_eq!(ours.redeem(server, code, &[]).await.error(), "invalid_grant", "G1: spent twice");
    }
    for code in &learnt.unknown {
        let answers = [ours.redeem(server, code, &[]).await, ours.redeem(server, code, &[]).await];
        let successes = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert!(successes <= 1, "G1: spent twice");
    }
    for tokens in &learnt.revoked {
        assert_eq!(server.introspect_as("ours", tokens.refresh()).await, json!({"active": false}), "G4");
        assert_eq!(ours.refresh(server, tokens.refresh(), &[]).await.error(), "invalid_grant", "G4");
        server.assert_dead("ours", tokens.access()).await;
    }
    let refreshed = spa.refresh(server, &learnt.refresh_token, &[]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "G3: an acknowledged token works: {refreshed:?}");
}

async fn prepare(server: &TestServer) -> (Vec<Tokens>, Vec<Vec<String>>, Vec<Vec<Tokens>>) {
    let mut browser = Browser::new();
    let (spa, ours) = (
        RelyingParty::new("spa", "openid offline_access"),
        RelyingParty::new("ours", "openid offline_access"),
    );
    let (mut families, mut codes, mut grants) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WORKERS {
        families.push(spa.tokens(server, &mut browser).await);
        let mut own = Vec::new();
        for _ in 0..10 {
            own.push(ours.code(server, &mut browser).await);
        }
        codes.push(own);
        grants.push(super::grants(server, &mut browser, 10).await);
    }
    (families, codes, grants)
}

on_both_stores! {
    /// G1 to G5, threats 47, 184.
    async fn what_a_killed_server_had_acknowledged_stands(database: TestDatabase) {
        let configuration = Arc::new(TestConfiguration::new(&database));
        let judge = beside(&configuration).await;
        judge.add_person("ada", json!({"name": "Ada Lovelace"})).await;
        let mut acknowledged = 0;
        for round in 0..ROUNDS {
            judge.clock.set(SystemClock.now());
            let (families, codes, grants) = prepare(&judge).await;
            let server = Arc::new(Process::ready(&configuration).await);
            let mut workers = JoinSet::new();
            for ((family, codes), grants) in families.iter().zip(codes).zip(grants) {
                let (server, secret) = (server.clone(), judge.secret().to_owned());
                workers.spawn(work(server, secret, family.refresh().to_owned(), codes, grants));
            }
            let mut moment = [0];
            SystemEntropy.fill(&mut moment);
            tokio::time::sleep(Duration::from_millis(30 + u64::from(moment[0]))).await;
            server.signal("KILL");
            let learnt = workers.join_all().await;
            let mut server = Arc::into_inner(server).expect("nobody works any more");
            server.kill();
            let again = Process::ready(&configuration).await;
            judge.clock.set(SystemClock.now());
            for learnt in &learnt {
                acknowledged += learnt.redeemed.len() + learnt.revoked.len();
                assert_stands(&judge, learnt).await;
            }
            assert!(again.get("/.well-known/jwks.json").await.is_some(), "round {round}");
            let revoked = "SELECT COUNT(*) FROM grants WHERE revocation_reason = 'revoked_by_client'";
            let events = "SELECT COUNT(*) FROM audit_events WHERE event = 'grant.revoked'";
            assert_eq!(database.number(revoked).await, database.number(events).await, "threat 184: no fact without its event");
        }
        assert!(acknowledged > ROUNDS * WORKERS, "it was killed before it did anything: {acknowledged}");
    }

    /// threat 174: the news is in the store before the answer is, whoever dies then
    async fn a_logout_that_was_answered_is_told_though_the_server_is_killed_at_once(database: TestDatabase) {
        let receiver = Receiver::start().await;
        let (settings, clients) = (receiver.server.settings(), clients(&receiver.server.url("")));
        let configuration = Arc::new(TestConfiguration::with(&database, ISSUER, &settings, &clients));
        let judge = beside(&configuration).await;
        judge.add_person("ada", json!({"name": "Ada Lovelace"})).await;
        for round in 1..=ROUNDS {
            judge.clock.set(SystemClock.now());
            let mut browser = Browser::new();
            let tokens = app("app").tokens(&judge, &mut browser).await;
            let sid = claims(tokens.id())["sid"].clone();
            let before = receiver.tokens().len();
            let cookies: Vec<String> =
                browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut server = Process::ready(&configuration).await;
            let path = format!("/logout?id_token_hint={}", tokens.id());
            let answer = server.get_with(&path, &cookies.join("; ")).await.expect("an answer");
            server.kill();
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            assert!(answer.body.contains("id=\"login-again\"") || answer.body.contains("id=\"logout-continue\""), "{answer:?}");
            assert!(!crate::logout::is_signed_in(&judge, &mut browser).await, "acknowledged");
            // it may have died with the news in its hand: the minute for which that keeps others away passes
            let held = "SELECT COUNT(*) FROM outbox WHERE state = 'pending' AND held_until > 0";
            let was_held = database.number(held).await == 1;
            database.execute("UPDATE outbox SET held_until = 0 WHERE state = 'pending'").await;
            let _again = Process::ready(&configuration).await;
            eventually("the news is delivered", async || {
                database.number("SELECT COUNT(*) FROM outbox WHERE state = 'delivered'").await == round as i64
            })
            .await;
            assert_eq!(database.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'").await, 0);
            let heard: Vec<Value> = receiver.tokens()[before..].iter().map(|token| claims(token)).collect();
            assert!(heard.iter().all(|token| token["sid"] == sid), "{heard:?}");
            let names: BTreeSet<String> = heard.iter().map(|token| token["jti"].to_string()).collect();
            assert_eq!(names.len(), 1, "round {round}: one piece of news");
            // only what the dead one had handed over and not noted comes again, under the same name (§2.6)
            assert!(heard.len() == 1 || (was_held && heard.len() == 2), "round {round}: {heard:?}");
            let delivered = "SELECT COUNT(*) FROM audit_events WHERE event = 'logout_token.delivered'";
            assert_eq!(database.number(delivered).await, round as i64, "threat 184");
        }
    }
}
