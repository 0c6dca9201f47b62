//! oidcc-rp-initiated-logout-certification-test-plan, module by module, and what its modules leave out.

use super::{
    AFTER, app, asks, assert_error_page, assert_logged_out_page, confirm, is_signed_in, logout, start,
};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{claims, encode};
use axum::http::{Method, StatusCode};

/// 128 characters, as the plan's modules send.
fn long_state() -> String {
    crate::support::configuration::random_secret().repeat(3)[..128].to_owned()
}

on_both_stores! {
    /// oidcc-rp-initiated-logout
    async fn an_app_with_the_hint_of_this_session_signs_out_and_gets_people_back(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        for state in [long_state(), "a b+c&d=é%/?".to_owned()] {
            let tokens = app("app").tokens(&server, &mut browser).await;
            let parameters =
                [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER), ("state", state.as_str())];
            let answer = logout(&server, &mut browser, &parameters).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
            assert_eq!(answer.location(), format!("{AFTER}?{}", encode(&[("state", &state)])), "only state (§3)");
            assert!(!is_signed_in(&server, &mut browser).await);
        }
    }

    /// oidcc-rp-initiated-logout, by POST (§2); threats 20, 135: the app's own cross-site POST is the same as a GET
    async fn an_apps_post_is_the_same_as_a_get_before_any_cookie_is_read(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let body = encode(&[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER), ("state", "x")]);
        let headers = [("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")];
        // a cross-site POST brings no Lax cookie, and none is set
        let answer =
            Browser::new().request(&server, Method::POST, "/logout", Some(body.clone()), &headers).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert!(answer.header("set-cookie").is_none());
        assert!(is_signed_in(&server, &mut browser).await, "the POST itself ends nothing");
        let answer = browser.follow(&server, answer).await;
        assert_eq!(answer.location(), format!("{AFTER}?state=x"));
        assert!(!is_signed_in(&server, &mut browser).await);
        // what is in both parts is named twice, and what is too long is said to be
        let twice = browser.request(&server, Method::POST, "/logout?state=a", Some(body), &headers).await;
        assert_error_page(&twice, "state");
        let long = encode(&[("state", &"x".repeat(17 * 1024))]);
        let answer = browser.request(&server, Method::POST, "/logout", Some(long), &headers).await;
        assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
    }

    /// …-bad-post-logout-redirect-uri, …-query-added-to-post-logout-redirect-uri; threats 12, 176
    async fn a_redirect_uri_that_is_not_registered_byte_for_byte_leads_nowhere(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        for uri in [
            "https://evil.example/",
            "https://app.example.com/post_logout_redirect?foo=bar",
            "https://app.example.com/post_logout_redirect/",
            "https://app.example.com/post_logout_redirect#x",
            "https://app.example.com/Post_logout_redirect",
            "https://app.example.com:443/post_logout_redirect",
            "https://app.example.com/x/../post_logout_redirect",
            "https://app.example.com/post_logout_redirect%20",
            "https://app.example.com@evil.example/post_logout_redirect",
            "http://app.example.com/post_logout_redirect",
            "https://app.example.com/callback", // a redirect URI, but not one for this
            "https://third.example.com/",       // threat 12: another client's
            "javascript:alert(1)",
        ] {
            let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", uri), ("state", "x")];
            let answer = logout(&server, &mut browser, &parameters).await;
            assert_error_page(&answer, "post_logout_redirect_uri is not one that the client registered");
            let named = [("client_id", "app"), ("post_logout_redirect_uri", uri)];
            assert_error_page(&logout(&server, &mut browser, &named).await, "not one that the client registered");
        }
        assert!(is_signed_in(&server, &mut browser).await, "a refused request ends nothing");
        // a registered query stays
        let parameters = [
            ("id_token_hint", tokens.id()),
            ("post_logout_redirect_uri", "https://app.example.com/out?a=1"),
            ("state", "x"),
        ];
        let answer = logout(&server, &mut browser, &parameters).await;
        assert_eq!(answer.location(), "https://app.example.com/out?a=1&state=x");
    }

    /// …-no-id-token-hint; threat 12: without a client there is no redirect
    async fn a_redirect_uri_of_nobody_leads_nowhere(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let parameters = [("post_logout_redirect_uri", AFTER), ("state", "x")];
        let answer = logout(&server, &mut browser, &parameters).await;
        assert_error_page(&answer, "post_logout_redirect_uri needs an id_token_hint or a client_id");
        assert_error_page(&logout(&server, &mut Browser::new(), &parameters).await, "whose it is");
        assert!(is_signed_in(&server, &mut browser).await);
    }

    /// …-no-params, …-only-state
    async fn without_a_hint_the_person_is_asked_and_then_signed_out(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        for parameters in [&[][..], &[("state", "x")], &[("ui_locales", "fr"), ("logout_hint", "ada")]] {
            let mut browser = Browser::new();
            app("app").tokens(&server, &mut browser).await;
            let page = logout(&server, &mut browser, parameters).await;
            assert!(is_signed_in(&server, &mut browser).await, "asking ends nothing");
            let answer = confirm(&server, &mut browser, &page).await;
            assert_logged_out_page(&answer);
            assert!(!is_signed_in(&server, &mut browser).await);
            // again: there is nothing to end
            assert_logged_out_page(&logout(&server, &mut browser, parameters).await);
        }
    }

    /// …-no-post-logout-redirect-uri
    async fn with_a_hint_and_nowhere_to_go_people_read_that_they_are_signed_out(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let parameters = [("id_token_hint", tokens.id()), ("state", "x")];
        assert_logged_out_page(&logout(&server, &mut browser, &parameters).await);
        assert!(!is_signed_in(&server, &mut browser).await);
    }

    /// …-no-state
    async fn a_state_that_was_not_sent_does_not_come_back(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        for more in [None, Some(("state", ""))] {
            let mut browser = Browser::new();
            let tokens = app("app").tokens(&server, &mut browser).await;
            let mut parameters = vec![("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER)];
            parameters.extend(more);
            let answer = logout(&server, &mut browser, &parameters).await;
            assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, AFTER));
            assert!(!is_signed_in(&server, &mut browser).await);
        }
    }

    /// …-discovery-endpoint-verification; Back-Channel Logout §2.1: both true. threat 175: no session management
    async fn the_metadata_says_what_there_is(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let document = server.get("/.well-known/openid-configuration").await.json();
        assert_eq!(document["end_session_endpoint"], "https://auth.example.com/logout");
        assert_eq!(document["backchannel_logout_supported"], true);
        assert_eq!(document["backchannel_logout_session_supported"], true);
        for absent in ["frontchannel_logout_supported", "frontchannel_logout_session_supported", "check_session_iframe"] {
            assert!(document.get(absent).is_none(), "{absent}");
        }
        for nothing in ["/check_session_iframe", "/checksession", "/logout/"] {
            assert_eq!(server.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
        }
    }

    /// RP-Initiated Logout §2: with client_id only, the person is asked, and then goes on
    async fn with_a_client_id_alone_the_person_is_asked_and_then_goes_on(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        let parameters = [("client_id", "app"), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        let page = logout(&server, &mut browser, &parameters).await;
        assert!(asks(&page) && page.body.contains("The App") && page.body.contains("app.example.com"), "{page:?}");
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("form-action 'self' https:"), "the redirect that follows is allowed: {policy}");
        let answer = confirm(&server, &mut browser, &page).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, &*format!("{AFTER}?state=x")));
        assert!(!is_signed_in(&server, &mut browser).await);
        // nobody is signed in, and anybody could have made the link: a button leads on, nothing else does
        let page = logout(&server, &mut browser, &parameters).await;
        assert_logged_out_page(&page);
        assert!(page.body.contains("id=\"logout-continue\"") && page.body.contains(AFTER), "{page:?}");
    }

    /// §2: client_id must be whom the hint was issued to
    async fn a_client_id_that_is_not_the_hints_is_refused(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        for client_id in ["third", "nobody", "APP"] {
            let parameters = [
                ("id_token_hint", tokens.id()),
                ("client_id", client_id),
                ("post_logout_redirect_uri", "https://third.example.com/"),
            ];
            assert_error_page(&logout(&server, &mut browser, &parameters).await, "client_id is not the client");
        }
        let unknown = logout(&server, &mut browser, &[("client_id", "nobody")]).await;
        assert_error_page(&unknown, "there is no client of this client_id");
        assert!(is_signed_in(&server, &mut browser).await);
        let good = [("id_token_hint", tokens.id()), ("client_id", "app"), ("post_logout_redirect_uri", AFTER)];
        assert_eq!(logout(&server, &mut browser, &good).await.location(), AFTER);
    }

    /// threats 9, 157
    async fn repeated_and_unreadable_parameters_are_refused_on_a_page(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        for query in ["state=a&state=b", "post_logout_redirect_uri=a&post_logout_redirect_uri=b", "state=%00", "state=%ff"] {
            let answer = browser.get(&server, &format!("/logout?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            assert!(answer.body.contains("id=\"error-reason\""));
        }
        assert!(is_signed_in(&server, &mut browser).await);
    }

    /// threat 173: codes, and grants that do not outlive the session
    async fn signing_out_ends_unspent_codes_and_grants_without_offline_access(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let online = app("app").tokens(&server, &mut browser).await;
        let offline = crate::logout::app_asking("app", "openid offline_access").tokens(&server, &mut browser).await;
        let unspent = app("app").code(&server, &mut browser).await;
        let other = app("other").code(&server, &mut browser).await;
        let parameters = [("id_token_hint", online.id()), ("post_logout_redirect_uri", AFTER)];
        assert_eq!(logout(&server, &mut browser, &parameters).await.location(), AFTER);
        assert_eq!(app("app").redeem(&server, &unspent, &[]).await.error(), "invalid_grant");
        assert_eq!(app("other").redeem(&server, &other, &[]).await.error(), "invalid_grant");
        assert_eq!(app("app").refresh(&server, online.refresh(), &[]).await.error(), "invalid_grant");
        server.assert_dead("app", online.access()).await;
        let outlived = app("app").refresh(&server, offline.refresh(), &[]).await;
        assert_eq!(outlived.status, StatusCode::OK, "offline_access outlives the session: {outlived:?}");
        assert_eq!(claims(offline.id())["sid"], claims(online.id())["sid"]);
    }
}
