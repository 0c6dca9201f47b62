//! What was revoked stays revoked, whatever races it (threats 45, 47; invariants 4, 7, 20).

use super::{on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::Answer;
use axum::http::StatusCode;
use portreeve::model::username::CanonicalUsername;

on_every_fleet! {
    /// RFC 7009 §2.1; threat 47: a 200 from `/revoke` is never undone by a refresh that raced it.
    async fn a_revocation_that_races_refreshes_ends_everything_they_yield(servers: Fleet) {
        for (client_id, round) in [("post", 0), ("web", 1), ("post", 2), ("spa", 3)] {
            let app = RelyingParty::new(client_id, "openid offline_access photos.read");
            let tokens = app.tokens(&servers[0], &mut Browser::new()).await;
            let answers: Vec<Answer> = together(32, |number| {
                let (server, app) = (servers[number % servers.len()].clone(), app.clone());
                let token = tokens.refresh().to_owned();
                async move {
                    match number == 7 + round {
                        true => app.post(&server, "/revoke", &[("token", &token)]).await,
                        false => app.refresh(&server, &token, &[]).await,
                    }
                }
            })
            .await;
            assert_eq!(answers[7 + round].status, StatusCode::OK);
            let refreshed = answers.iter().filter(|answer| answer.status == StatusCode::OK && !answer.body.is_empty());
            let mut yielded = vec![tokens];
            yielded.extend(refreshed.map(|answer| Tokens(answer.json())));
            for tokens in &yielded {
                for server in servers {
                    assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], false);
                    assert_eq!(app.refresh(server, tokens.refresh(), &[]).await.error(), "invalid_grant");
                }
            }
        }
    }

    /// Threat 45, invariant 20: who is disabled in the middle of everything keeps nothing, also once enabled again.
    async fn disabling_a_person_in_the_middle_of_everything_ends_everything(servers: Fleet) {
        let name = CanonicalUsername::parse("ada").expect("a username");
        let app = RelyingParty::new("ours", "openid offline_access");
        let mut signed_in = Browser::new();
        let tokens = app.tokens(&servers[0], &mut signed_in).await;
        let browsers = together(16, |number| {
            let (server, app, name) = (servers[number % servers.len()].clone(), app.clone(), name.clone());
            let (token, mut signed_in) = (tokens.refresh().to_owned(), signed_in.clone());
            async move {
                let mut browser = Browser::new();
                match number {
                    0 => drop(server.people().disable(&name, &server.app.circumstances("")).await.expect("disabled")),
                    1..5 => drop(app.refresh(&server, &token, &[]).await),
                    5..10 => {
                        let answer = app.visit(&server, &mut signed_in, &[]).await;
                        if let Some(code) = answer.header("location").and_then(|_| answer.parameter("code")) {
                            app.redeem(&server, &code, &[]).await;
                        }
                        browser = signed_in;
                    }
                    _ => drop(app.visit(&server, &mut browser, &[]).await),
                }
                browser
            }
        })
        .await;
        servers[0].people().enable(&name, &servers[0].app.circumstances("")).await.expect("enabled");
        for (number, mut browser) in browsers.into_iter().enumerate() {
            let answer = browser.get(&servers[0], &app.authorize(&[("prompt", "none")])).await;
            assert_eq!(
                answer.parameter("error").as_deref(),
                Some("login_required"),
                "the session of browser {number} lives again"
            );
        }
        assert_eq!(servers[0].introspect_as("ours", tokens.access()).await["active"], false);
        assert_eq!(app.refresh(&servers[0], tokens.refresh(), &[]).await.error(), "invalid_grant");
    }
}
