//! One living branch of refresh tokens, whatever the parallelism (RFC 9700 §4.14.2; threats 38–41; invariants 5, 6, 16).

use super::{CROWD, on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer};
use axum::http::StatusCode;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Every `crowd`-th server refreshes one of `tokens`, all at once.
async fn refresh_together(servers: &[Arc<TestServer>], app: &RelyingParty, tokens: &[String]) -> Vec<Answer> {
    together(CROWD, |number| {
        let (server, app) = (servers[number % servers.len()].clone(), app.clone());
        let token = tokens[number % tokens.len()].clone();
        async move { app.refresh(&server, &token, &[]).await }
    })
    .await
}

fn successors(answers: &[Answer]) -> BTreeSet<String> {
    let won = answers.iter().filter(|answer| answer.status == StatusCode::OK);
    won.map(|answer| Tokens(answer.json()).refresh().to_owned()).collect()
}

async fn is_usable(server: &TestServer, app: &RelyingParty, token: &str) -> bool {
    app.post(server, "/introspect", &[("token", token)]).await.json()["active"] == true
}

async fn usable(server: &TestServer, app: &RelyingParty, tokens: &BTreeSet<String>) -> usize {
    let mut usable = 0;
    for token in tokens {
        usable += usize::from(is_usable(server, app, token).await);
    }
    usable
}

on_every_fleet! {
    /// Threats 38, 40: every success carries the same successor, and it alone is usable afterwards.
    async fn parallel_rotations_of_one_token_all_yield_the_same_successor(servers: Fleet) {
        for client_id in ["post", "spa"] {
            let app = RelyingParty::new(client_id, "openid offline_access photos.read");
            let first = app.tokens(&servers[0], &mut Browser::new()).await;
            let mut current = first.refresh().to_owned();
            let mut all = BTreeSet::from([current.clone()]);
            for _ in 0..3 {
                let answers = refresh_together(servers, &app, &[current.clone()]).await;
                assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:?}");
                let successors = successors(&answers);
                assert_eq!(successors.len(), 1, "one successor");
                current = successors.into_iter().next().expect("one");
                assert!(all.insert(current.clone()), "the successor is another token");
            }
            if client_id == "post" {
                assert_eq!(usable(&servers[0], &app, &all).await, 1);
                assert!(is_usable(&servers[0], &app, &current).await);
            }
            servers[0].clock.advance(Duration::from_secs(61));
            let last = app.refresh(&servers[0], &current, &[]).await;
            assert_eq!(last.status, StatusCode::OK, "{last:?}");
            assert_eq!(app.refresh(&servers[0], first.refresh(), &[]).await.error(), "invalid_grant");
            let dead = app.refresh(&servers[0], Tokens(last.json()).refresh(), &[]).await;
            assert_eq!(dead.error(), "invalid_grant", "threat 39: a replay ends the grant");
        }
    }

    /// Threats 38–40: a predecessor racing its successor never leaves two living branches.
    async fn a_predecessor_that_races_its_successor_leaves_one_branch_or_none(servers: Fleet) {
        let app = RelyingParty::new("post", "openid offline_access photos.read");
        for _ in 0..4 {
            let first = app.tokens(&servers[0], &mut Browser::new()).await.refresh().to_owned();
            let second = app.refresh(&servers[0], &first, &[]).await;
            let second = Tokens(second.json()).refresh().to_owned();
            let answers = refresh_together(servers, &app, &[first.clone(), second.clone()]).await;
            for answer in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
                assert_eq!(answer.error(), "invalid_grant", "{answer:?}");
            }
            let mut all = successors(&answers);
            all.extend([first, second]);
            assert!(usable(&servers[0], &app, &all).await <= 1, "two living branches");
        }
    }

    /// FAPI 2.0 §5.3.2.1: what does not rotate stays what it is, for everyone at once.
    async fn parallel_refreshes_of_a_token_that_does_not_rotate_all_succeed(servers: Fleet) {
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let token = app.tokens(&servers[0], &mut Browser::new()).await.refresh().to_owned();
        for hours in 0..2 {
            // After two hours the use is stamped in the row, by all of them at once.
            servers[0].clock.advance(Duration::from_secs(hours * 7200));
            let answers = refresh_together(servers, &app, std::slice::from_ref(&token)).await;
            assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:?}");
            assert_eq!(successors(&answers), BTreeSet::from([token.clone()]));
        }
    }
}
