//! The modules of the Basic and the Form Post plan that take two visits in one browser.

use super::walk::{CLIENTS, LONG_STATE, Plan, SETTINGS};
use crate::flows::steps::is_login;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, claims};
use std::time::Duration;

on_both_stores! {
    /// oidcc-prompt-login, oidcc-max-age-1
    async fn a_fresh_sign_in_is_asked_for_and_told(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for plan in Plan::of_each(&server).await {
            for again in [("prompt", "login"), ("max_age", "1")] {
                let mut browser = Browser::new();
                let first = claims(plan.walk(&mut browser, &[]).await.id());
                server.clock.advance(Duration::from_secs(2));
                let page = browser.get(&server, &plan.url(&[again])).await;
                assert!(is_login(&browser.follow(&server, page).await), "{again:?}");
                server.clock.advance(Duration::from_secs(1));
                let (answer, asked) = plan.visit(&mut browser, &[again]).await;
                assert!(asked);
                let second = claims(plan.tokens(&answer).await.id());
                assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64(), "{again:?}");
                assert_eq!(second["sub"], first["sub"]);
            }
        }
    }

    /// oidcc-prompt-none-not-logged-in, oidcc-prompt-none-logged-in, oidcc-id-token-hint
    async fn a_silent_visit_succeeds_when_it_can_and_tells_why_when_not(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for plan in Plan::of_each(&server).await {
            let mut browser = Browser::new();
            let silent = [("prompt", "none"), ("state", LONG_STATE)];
            let answer = browser.get(&server, &plan.url(&silent)).await;
            let came = plan.came_back(&answer);
            assert_eq!((came["error"].as_str(), came["state"].as_str()), ("login_required", LONG_STATE));
            let tokens = plan.walk(&mut browser, &[]).await;
            server.clock.advance(Duration::from_secs(2));
            for hint in ["", tokens.id()] {
                let answer = browser.get(&server, &plan.url(&[("prompt", "none"), ("id_token_hint", hint)])).await;
                let (first, second) = (claims(tokens.id()), claims(plan.tokens(&answer).await.id()));
                assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
            }
        }
    }

    /// oidcc-max-age-10000
    async fn a_sign_in_that_is_recent_enough_is_not_asked_for_again(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for plan in Plan::of_each(&server).await {
            let mut browser = Browser::new();
            let first = claims(plan.walk(&mut browser, &[("max_age", "15000")]).await.id());
            server.clock.advance(Duration::from_secs(2));
            let (answer, asked) = plan.visit(&mut browser, &[("max_age", "10000")]).await;
            assert!(!asked);
            let second = claims(plan.tokens(&answer).await.id());
            assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
        }
    }
}
