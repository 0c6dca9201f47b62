//! What a person gave to whom, and that what is taken back is dead (RFC 6749 §10.3; threat 45).

use super::{Pressed, add_account, events};
use crate::flows::steps::{SECOND, begin, disable, is_consent, is_login, open, signed_in, still_works};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::{Method, StatusCode};
use portreeve::model::audit_event::EventName;
use serde_json::json;
use std::time::Duration;

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read offline_access")
}

on_both_stores! {
    async fn the_page_tells_what_each_app_has_since_when_and_when_it_was_used(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = signed_in(&server, "ada").await;
        let page = open(&server, &mut browser, "/account").await;
        assert!(page.body.contains("id=\"no-grants\""), "{page:?}");
        let tokens = web().tokens(&server, &mut browser).await;
        server.clock.advance(Duration::from_secs(86_400));
        let refreshed = web().refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
        let mut browser = signed_in(&server, "ada").await;
        let page = open(&server, &mut browser, "/account").await;
        for told in [
            "Photo editor", "See your photos", "https://api.example.com/photos", "2027-01-15, 08:00 UTC",
            "2027-01-16, 08:00 UTC",
        ] {
            assert!(page.body.contains(told), "{told}: {page:?}");
        }
        assert!(!page.body.contains("id=\"grant-2\"") && !page.body.contains("Add and delete"), "{page:?}");
        // another person sees nothing of it
        server.add_person("bob", json!({})).await;
        let page = open(&server, &mut signed_in(&server, "bob").await, "/account").await;
        assert!(!page.body.contains("Photo editor"), "{page:?}");
    }

    async fn what_is_taken_back_is_dead_at_once_and_has_to_be_asked_for_again(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let spa = RelyingParty::new("spa", "openid photos.read offline_access");
        let mut browser = signed_in(&server, "ada").await;
        let taken = web().tokens(&server, &mut browser).await;
        let kept = spa.tokens(&server, &mut browser).await;
        let mut bob = signed_in(&server, "bob").await;
        let bobs = web().tokens(&server, &mut bob).await;
        let page = open(&server, &mut browser, "/account").await;
        let number = if page.body.find("Photo editor") < page.body.find("Photo browser") { 1 } else { 2 };
        let pressed = Pressed::of(&page, &format!("grant-{number}-revoke"));
        assert_eq!(pressed.fields.last().expect("a button").1, "web");
        let answer = pressed.send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        let page = browser.follow(&server, answer).await;
        assert!(page.body.contains("id=\"account-done\"") && !page.body.contains("Photo editor"), "{page:?}");
        server.assert_dead("web", taken.access()).await;
        assert_eq!(web().refresh(&server, taken.refresh(), &[]).await.error(), "invalid_grant");
        assert!(is_consent(&begin(&server, &mut browser, &web(), &[]).await));
        assert_eq!(events(&database, EventName::ConsentTakenBack).await, 1);
        // nobody else's is touched
        assert_eq!(server.get_as("/userinfo", kept.access()).await.status, StatusCode::OK);
        assert_eq!(server.get_as("/userinfo", bobs.access()).await.status, StatusCode::OK);
        assert_eq!(web().refresh(&server, bobs.refresh(), &[]).await.status, StatusCode::OK);
        // again is as once, and says nothing of whether there was anything
        let again = pressed.send(&server, &mut browser).await;
        assert_eq!(again.location(), "/account?done=taken-back");
        let never = pressed.clone().with("client", "native").send(&server, &mut browser).await;
        assert_eq!(never.location(), "/account?done=taken-back");
        assert_eq!(events(&database, EventName::ConsentTakenBack).await, 1);
        still_works(&server).await;
    }

    /// Threats 28, 135, 149.
    async fn nothing_is_taken_back_by_a_form_that_is_not_this_person_s(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut browser = signed_in(&server, "ada").await;
        let tokens = web().tokens(&server, &mut browser).await;
        let pressed = Pressed::of(&open(&server, &mut browser, "/account").await, "grant-1-revoke");
        pressed.assert_guarded(&server, &browser).await;
        for wrong in ["", "\u{1f}"] {
            let answer = pressed.clone().with("client", wrong).send(&server, &mut browser).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        }
        let answer = pressed.clone().without("client").send(&server, &mut browser).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        // in this browser, but by another person than the page was for
        let mut bob = browser.clone();
        add_account(&server, &mut bob, "bob").await;
        assert_eq!(pressed.send(&server, &mut bob).await.status, StatusCode::FORBIDDEN);
        // bob's own form takes back what bob gave, and no more
        let mut other = signed_in(&server, "bob").await;
        let own = Pressed::of(&open(&server, &mut other, "/account").await, "sign-out-everywhere");
        let answer = Pressed { action: "/account/grants".to_owned(), ..own }.with("client", "web");
        assert_eq!(answer.send(&server, &mut other).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.get(&server, "/account/grants").await.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        assert_eq!(events(&database, EventName::ConsentTakenBack).await, 0);
        // signed out, or kept out, the form is worth nothing
        let mut late = browser.clone();
        disable(&server, "ada").await;
        let answer = pressed.send(&server, &mut late).await;
        assert_eq!(answer.location(), "/account");
        assert!(is_login(&late.follow(&server, answer).await));
        let nobody = Browser::new().request(&server, Method::POST, "/account/grants", Some(pressed.body()), &[]).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER);
    }

    /// What is not remembered any more stays taken back when the app was in the middle of a refresh.
    async fn a_grant_that_ended_by_itself_is_not_shown(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("ours", "openid");
        let mut browser = signed_in(&server, "ada").await;
        app.tokens(&server, &mut browser).await;
        assert!(open(&server, &mut browser, "/account").await.body.contains("id=\"grant-1\""));
        // without offline_access it goes with its session
        let page = open(&server, &mut browser, "/logout").await;
        Pressed::of(&page, "logout-confirm").send(&server, &mut browser).await;
        server.clock.advance(SECOND);
        let mut browser = signed_in(&server, "ada").await;
        assert!(open(&server, &mut browser, "/account").await.body.contains("id=\"no-grants\""));
        // with it it stays until it is idle for too long
        let page = open(&server, &mut browser, "/account").await;
        assert!(page.body.contains("id=\"no-grants\""), "{page:?}");
        RelyingParty::new("ours", "openid offline_access").tokens(&server, &mut browser).await;
        assert!(open(&server, &mut browser, "/account").await.body.contains("id=\"grant-1\""));
        server.clock.advance(Duration::from_secs(31 * 86_400));
        let mut browser = signed_in(&server, "ada").await;
        assert!(open(&server, &mut browser, "/account").await.body.contains("id=\"no-grants\""));
    }
}
