//! threats 128, 135, 171: nobody is signed out by another site, by a stranger's link, or by a form they were not shown.

use super::{
    AFTER, app, asks, assert_error_page, assert_logged_out_page, confirm, is_signed_in, logout, start,
};
use crate::support::browser::{Browser, form};
use crate::support::database::on_both_stores;
use crate::support::server::encode;
use axum::http::{Method, StatusCode};
use serde_json::json;

on_both_stores! {
    /// threat 171
    async fn another_sites_link_asks_and_ends_nothing(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let cross_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let page = browser.request(&server, Method::GET, "/logout", None, &cross_site).await;
        assert!(asks(&page));
        // as an image, a frame or a request in the background it is not even shown
        for mode in ["no-cors", "cors"] {
            let part = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode)];
            let answer = browser.request(&server, Method::GET, "/logout", None, &part).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
        // HEAD would end a session where GET does
        let head = browser.request(&server, Method::HEAD, "/logout", None, &[]).await;
        assert_eq!(head.status, StatusCode::METHOD_NOT_ALLOWED);
        assert!(is_signed_in(&server, &mut browser).await);
        assert_logged_out_page(&confirm(&server, &mut browser, &page).await);
    }

    /// threats 128, 171: a hint that the attacker holds is one of the attacker's session
    async fn a_hint_of_another_session_asks_the_person(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        server.add_person("bob", json!({})).await;
        let (mut ada, mut elsewhere) = (Browser::new(), Browser::new());
        app("app").tokens(&server, &mut ada).await;
        let attackers = app("app").tokens(&server, &mut elsewhere).await;
        let parameters = [("id_token_hint", attackers.id()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        let page = logout(&server, &mut ada, &parameters).await;
        assert!(asks(&page) && page.body.contains("another sign-in"), "{page:?}");
        assert!(is_signed_in(&server, &mut ada).await && is_signed_in(&server, &mut elsewhere).await);
        // staying is a link, and the person may still agree
        assert!(page.body.contains("id=\"logout-cancel\""));
        let answer = confirm(&server, &mut ada, &page).await;
        assert_eq!(answer.location(), format!("{AFTER}?state=x"));
        assert!(!is_signed_in(&server, &mut ada).await);
        assert!(is_signed_in(&server, &mut elsewhere).await, "the hint's own session goes on: its browser was not here");
        // with nobody signed in there is nothing to ask, and nothing ends elsewhere
        let answer = logout(&server, &mut ada, &parameters).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, &*format!("{AFTER}?state=x")));
        assert!(is_signed_in(&server, &mut elsewhere).await);
    }

    /// threats 124, 135
    async fn a_form_that_this_browser_was_not_shown_for_this_request_ends_nothing(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let (mut ada, mut other) = (Browser::new(), Browser::new());
        app("app").tokens(&server, &mut ada).await;
        app("app").tokens(&server, &mut other).await;
        let page = logout(&server, &mut ada, &[]).await;
        let token = form(&page).hidden[0].1.clone();
        let foreign = form(&logout(&server, &mut other, &[]).await).hidden[0].1.clone();
        let own = [("origin", "https://auth.example.com"), ("sec-fetch-site", "same-origin")];
        let post = |token: &str| Some(encode(&[("form_token", token)]));
        for (url, token) in [
            ("/logout", foreign.as_str()),
            ("/logout", "AAAA"),
            ("/logout?state=x", token.as_str()),
            ("/logout?client_id=third&post_logout_redirect_uri=https%3A%2F%2Fthird.example.com%2F", token.as_str()),
        ] {
            let answer = ada.request(&server, Method::POST, url, post(token), &own).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{url}: {answer:?}");
            assert!(answer.body.contains("the form is not the one"), "{answer:?}");
        }
        // a browser without its own cookie
        let mut bare = ada.clone();
        bare.cookies.retain(|name, _| name.contains("session"));
        assert_eq!(bare.request(&server, Method::POST, "/logout", post(&token), &own).await.status, StatusCode::FORBIDDEN);
        // the right form, from elsewhere
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
        ] {
            let answer = ada.request(&server, Method::POST, "/logout", post(&token), headers).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        }
        let text = ada.request(&server, Method::POST, "/logout", Some("{}".into()), &[("content-type", "text/plain")]).await;
        assert_eq!(text.status, StatusCode::BAD_REQUEST);
        assert!(is_signed_in(&server, &mut ada).await);
        // `Origin: null` alone is no reason: pages are no-referrer
        let answer = ada.request(&server, Method::POST, "/logout", post(&token), &[("origin", "null")]).await;
        assert_logged_out_page(&answer);
    }

    /// A form that was shown is good for its own session only.
    async fn a_form_outlives_neither_its_session_nor_its_person(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        server.add_person("bob", json!({})).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let stale = logout(&server, &mut browser, &[]).await;
        let fresh = logout(&server, &mut browser, &[]).await;
        assert_logged_out_page(&confirm(&server, &mut browser, &fresh).await);
        // pressed again after it is done
        assert_logged_out_page(&confirm(&server, &mut browser, &stale).await);
        let page = browser.get(&server, &app("third").authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        browser.sign_in(&server, &page, "bob").await;
        let answer = confirm(&server, &mut browser, &stale).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "ada's form signs bob out of nothing");
        assert!(is_signed_in(&server, &mut browser).await);
    }

    /// A request that is refused after the page was shown, as the configuration changed, is refused.
    async fn the_request_is_judged_anew_when_the_button_is_pressed(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let parameters = [("client_id", "app"), ("post_logout_redirect_uri", AFTER)];
        let page = logout(&server, &mut browser, &parameters).await;
        let (registered, moved) = (format!("\"{AFTER}\""), "\"https://app.example.com/moved\"");
        let clients = server.configuration.clients.replace(&registered, moved);
        server.reload(&server.configuration.settings, &clients);
        let answer = confirm(&server, &mut browser, &page).await;
        assert_error_page(&answer, "not one that the client registered");
        assert!(is_signed_in(&server, &mut browser).await);
    }
}
