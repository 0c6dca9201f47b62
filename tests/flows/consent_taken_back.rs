//! What a "no" on the consent page takes back: what is remembered, and with a scope that was unticked the grants that hold it
//! (OpenID Connect Core §3.1.2.4; threat 45).

use crate::flows::steps::{begin, code, is_consent, refused, still_works};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;

const SCOPE: &str = "openid email offline_access photos.read";

on_both_stores! {
    /// Who says no to what they agreed to before is asked again, and no code is given behind their back.
    async fn saying_no_takes_back_what_was_remembered(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", SCOPE);
        for (decision, ticked) in [("deny", &["openid", "email", "photos.read"][..]), ("deny", &[]), ("allow", &[])] {
            let scope = if decision == "allow" { "email offline_access photos.read" } else { SCOPE };
            let app = RelyingParty { scope: scope.to_owned(), ..app.clone() };
            let mut browser = Browser::new();
            let tokens = app.visit(&server, &mut browser, &[]).await;
            code(&server, &tokens, &app);
            let page = begin(&server, &mut browser, &app, &[("prompt", "consent")]).await;
            let answer = browser.decide_with(&server, &page, decision, ticked).await;
            refused(&server, &answer, &app, "access_denied");
            let silent = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
            refused(&server, &silent, &app, "consent_required");
            assert!(is_consent(&begin(&server, &mut browser, &app, &[]).await));
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM consents").await, 0);
        let denied = "SELECT COUNT(*) FROM audit_events WHERE event = 'consent.denied'";
        assert_eq!(database.number(denied).await, 3);
        still_works(&server).await;
    }

    /// What the page did not show stays agreed to.
    async fn saying_no_takes_back_no_more_than_was_shown(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid email profile");
        let mut browser = Browser::new();
        code(&server, &app.visit(&server, &mut browser, &[]).await, &app);
        let page = begin(&server, &mut browser, &app, &[("scope", "openid email"), ("prompt", "consent")]).await;
        refused(&server, &browser.decide(&server, &page, "deny").await, &app, "access_denied");
        let silent = |scope| [("scope", scope), ("prompt", "none")];
        code(&server, &browser.get(&server, &app.authorize(&silent("profile"))).await, &app);
        let answer = browser.get(&server, &app.authorize(&silent("email"))).await;
        refused(&server, &answer, &app, "consent_required");
    }

    /// Threat 45: else the app would go on with its older token as if nothing had been said.
    async fn unticking_a_scope_ends_the_grants_that_hold_it_and_no_others(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", SCOPE);
        let mut browser = Browser::new();
        let holding = app.tokens(&server, &mut browser).await;
        let without = RelyingParty::new("web", "openid offline_access photos.read").tokens(&server, &mut browser).await;
        let other_app = RelyingParty::new("post", "openid email offline_access photos.read");
        let of_other_app = other_app.tokens(&server, &mut browser).await;
        let page = begin(&server, &mut browser, &app, &[("prompt", "consent")]).await;
        let ticked = ["openid", "offline_access", "photos.read"];
        let answer = browser.decide_with(&server, &page, "allow", &ticked).await;
        let answer = app.redeem(&server, &code(&server, &answer, &app), &[]).await;
        assert_eq!(answer.json()["scope"], "openid offline_access photos.read");
        assert_eq!(app.refresh(&server, holding.refresh(), &[]).await.error(), "invalid_grant");
        server.assert_dead("photos-api", holding.access()).await;
        assert_eq!(app.refresh(&server, without.refresh(), &[]).await.status, StatusCode::OK);
        assert_eq!(other_app.refresh(&server, of_other_app.refresh(), &[]).await.status, StatusCode::OK);
        let silent = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &silent, &app, "consent_required");
    }

    /// "No" answers this request; what the app was given before goes on until the person ends it.
    async fn saying_no_to_more_ends_nothing_that_was_given_before(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let page = begin(&server, &mut browser, &app, &[("scope", "openid offline_access photos.read photos.write")]).await;
        refused(&server, &browser.decide(&server, &page, "deny").await, &app, "access_denied");
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }
}
