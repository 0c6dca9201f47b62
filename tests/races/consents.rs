//! Answers on the consent page beside one another: none brings back what another took (threats 121, 124).

use super::{on_every_fleet, together};
use crate::account::Pressed;
use crate::support::browser::Browser;
use crate::support::relying_party::RelyingParty;
use axum::http::StatusCode;

const PHOTOS: &str = "https://api.example.com/photos";

on_every_fleet! {
    /// One page takes the tick from a scope while others, which do not show it, allow what they show.
    async fn a_scope_that_is_unticked_stays_so_whatever_is_allowed_meanwhile(servers: Fleet) {
        let app = RelyingParty::new("web", "openid");
        let mut browser = Browser::new();
        for round in 0..4 {
            let whole = [("scope", "openid email photos.read"), ("resource", PHOTOS), ("prompt", "consent")];
            let answer = app.visit(&servers[0], &mut browser, &whole).await;
            assert!(answer.parameter("code").is_some(), "{answer:?}");
            let asked = |narrows: bool| match narrows {
                true => [("scope", "openid photos.read"), ("resource", PHOTOS), ("prompt", "consent")],
                false => [("scope", "openid email"), ("resource", PHOTOS), ("prompt", "consent")],
            };
            let outcomes = together(12, |number| {
                let (server, app, mut browser) = (servers[number % servers.len()].clone(), app.clone(), browser.clone());
                async move {
                    let narrows = number == 5 + round;
                    let page = browser.get(&server, &app.authorize(&asked(narrows))).await;
                    let page = browser.follow(&server, page).await;
                    assert!(page.body.contains("consent-allow"), "{page:?}");
                    let ticked: &[&str] = if narrows { &["openid"] } else { &["openid", "email"] };
                    browser.decide_with(&server, &page, "allow", ticked).await
                }
            })
            .await;
            for answer in outcomes {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
                assert!(answer.parameter("code").is_some(), "{answer:?}");
            }
            let silent = |scope| [("scope", scope), ("resource", PHOTOS), ("prompt", "none")];
            let answer = browser.get(&servers[0], &app.authorize(&silent("openid photos.read"))).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("consent_required"), "{answer:?}");
            let answer = browser.get(&servers[0], &app.authorize(&silent("openid email"))).await;
            assert!(answer.parameter("code").is_some(), "{answer:?}");
        }
    }

    /// Threat 45, invariant 21: what is taken back stays so, whatever the app asks for silently at that moment.
    async fn what_is_taken_back_is_not_renewed_by_a_silent_visit_under_way(servers: Fleet) {
        let app = RelyingParty::new("web", "openid offline_access");
        let mut browser = Browser::new();
        for round in 0..4 {
            app.code(&servers[0], &mut browser).await;
            let page = browser.get(&servers[0], "/account").await;
            let taking_back = Pressed::of(&page, "grant-1-revoke");
            let codes = together(12, |number| {
                let (server, app) = (servers[number % servers.len()].clone(), app.clone());
                let (mut browser, taking_back) = (browser.clone(), taking_back.clone());
                async move {
                    if number == 3 + round {
                        let answer = taking_back.send(&server, &mut browser).await;
                        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account?done=taken-back"));
                        return None;
                    }
                    let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
                    let answer = browser.follow(&server, answer).await;
                    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
                    let code = answer.parameter("code");
                    assert!(code.is_some() || answer.parameter("error").as_deref() == Some("consent_required"), "{answer:?}");
                    code
                }
            })
            .await;
            for code in codes.into_iter().flatten() {
                assert_eq!(app.redeem(&servers[0], &code, &[]).await.error(), "invalid_grant");
            }
        }
    }
}
