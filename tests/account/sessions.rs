//! Where a person is signed in, and that a session they end is over everywhere (threats 133, 135).

use super::{Pressed, events};
use crate::flows::steps::{SECOND, is_login, open, signed_in, still_works, text_of};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::model::audit_event::EventName;
use serde_json::json;

const LIVING: &str = "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL";

on_both_stores! {
    async fn each_session_is_listed_this_browser_first_and_any_other_can_be_ended(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut phone = signed_in(&server, "ada").await;
        server.clock.advance(3600 * SECOND);
        let mut desk = signed_in(&server, "ada").await;
        let page = open(&server, &mut desk, "/account").await;
        assert!(page.body.contains("id=\"session-2-end\"") && !page.body.contains("id=\"session-1-end\""), "{page:?}");
        assert!(page.body.find("This browser") < page.body.find("Another browser"), "{page:?}");
        let app = RelyingParty::new("web", "openid photos.read");
        let tokens = app.tokens(&server, &mut phone).await;
        let answer = Pressed::of(&page, "session-2-end").send(&server, &mut desk).await;
        assert_eq!(answer.location(), "/account?done=session-ended");
        let page = desk.follow(&server, answer).await;
        assert!(!page.body.contains("id=\"session-2\""), "{page:?}");
        assert!(is_login(&open(&server, &mut phone, "/account").await));
        server.assert_dead("web", tokens.access()).await;
        assert_eq!(events(&database, EventName::SignedOut).await, 1);
        assert_eq!(text_of(&open(&server, &mut desk, "/account").await, "account-name"), "Ada Lovelace");
        still_works(&server).await;
    }

    /// Object by object: the session of somebody else cannot be ended, whoever names it (threats 28, 135, 149).
    async fn nobody_ends_somebody_else_s_session(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut phone = signed_in(&server, "ada").await;
        let mut desk = signed_in(&server, "ada").await;
        let mut bob = signed_in(&server, "bob").await;
        let adas = Pressed::of(&open(&server, &mut desk, "/account").await, "session-2-end");
        let sid = adas.fields.last().expect("a button").1.clone();
        let bobs = Pressed::of(&open(&server, &mut bob, "/account").await, "sign-out-everywhere");
        let bobs = bobs.without("everywhere").with("session", &sid);
        // the same answer as for one of his own that is over
        assert_eq!(bobs.send(&server, &mut bob).await.location(), "/account?done=session-ended");
        assert_eq!(adas.send(&server, &mut bob).await.status, StatusCode::FORBIDDEN);
        for wrong in ["", "ses_x", "ses_", "usr_", "\u{0}"] {
            let answer = adas.clone().with("session", wrong).send(&server, &mut desk).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {answer:?}");
        }
        adas.assert_guarded(&server, &desk).await;
        Pressed::of(&open(&server, &mut desk, "/account").await, "sign-out-everywhere")
            .assert_guarded(&server, &desk)
            .await;
        assert_eq!(database.number(LIVING).await, 3);
        assert_eq!(events(&database, EventName::SignedOut).await, 0);
        assert_eq!(text_of(&open(&server, &mut phone, "/account").await, "account-name"), "Ada Lovelace");
        still_works(&server).await;
    }

    async fn sign_out_everywhere_ends_every_session_and_what_does_not_outlive_them(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({"name": "Bob"})).await;
        let mut phone = signed_in(&server, "ada").await;
        let mut desk = signed_in(&server, "ada").await;
        let mut bob = signed_in(&server, "bob").await;
        let bound = RelyingParty::new("web", "openid photos.read").tokens(&server, &mut phone).await;
        let spa = RelyingParty::new("spa", "openid photos.read offline_access");
        let offline = spa.tokens(&server, &mut phone).await;
        let answer = Pressed::of(&open(&server, &mut desk, "/account").await, "sign-out-everywhere")
            .send(&server, &mut desk)
            .await;
        assert_eq!(answer.location(), "/account");
        assert!(!desk.cookies.contains_key("__Host-portreeve-session"));
        for browser in [&mut phone, &mut desk] {
            assert!(is_login(&open(&server, browser, "/account").await));
        }
        server.assert_dead("web", bound.access()).await;
        assert_eq!(spa.refresh(&server, offline.refresh(), &[]).await.status, StatusCode::OK);
        assert_eq!(text_of(&open(&server, &mut bob, "/account").await, "account-name"), "Bob");
        assert_eq!(events(&database, EventName::SignedOut).await, 1);
    }

    /// The session's own id, typed by hand, signs out here.
    async fn whoever_ends_their_own_session_is_signed_out_here(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut desk = signed_in(&server, "ada").await;
        let choice = open(&server, &mut desk, "/login?account=choose").await;
        let sid = Pressed::of(&choice, "account-1").fields.last().expect("a button").1.clone();
        let page = open(&server, &mut desk, "/account").await;
        let pressed = Pressed::of(&page, "sign-out-everywhere").without("everywhere").with("session", &sid);
        let answer = pressed.send(&server, &mut desk).await;
        assert_eq!(answer.location(), "/account");
        assert!(is_login(&open(&server, &mut desk, "/account").await));
        assert_eq!(database.number(LIVING).await, 0);
        // the form is spent with its session
        let mut again: Browser = desk.clone();
        assert_eq!(pressed.send(&server, &mut again).await.location(), "/account");
    }
}
