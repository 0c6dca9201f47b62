//! Who is asked, for what, and what is remembered of the answer (OpenID Connect Core §3.1.2.4, RFC 6749 §10.2, RFC 8252 §8.6).

use crate::flows::steps::{begin, code, error_page, is_consent, refused, set_claim, signed_in, still_works};
use crate::support::browser::{Browser, form};
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;
use serde_json::json;

const PHOTOS: &str = "https://api.example.com/photos";
const MAIL: &str = "https://api.example.com/mail";

on_both_stores! {
    /// threats 121, 122
    async fn consent_is_remembered_for_person_client_resources_and_no_more_scopes_than_were_shown(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        let app = RelyingParty::new("web", "openid email photos.read");
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        for less in ["openid email photos.read", "openid photos.read", "photos.read", "photos.read openid"] {
            let answer = browser.get(&server, &app.authorize(&[("scope", less)])).await;
            code(&server, &answer, &app);
        }
        for more in [
            "openid email photos.read photos.write", "openid photos.write", "openid phone photos.read",
            "openid mail.read", "openid email photos.read offline_access", "openid groups photos.read",
        ] {
            let page = begin(&server, &mut browser, &app, &[("scope", more)]).await;
            assert!(is_consent(&page), "{more}: {page:?}");
            let silent = [("scope", more), ("prompt", "none")];
            refused(&server, &browser.get(&server, &app.authorize(&silent)).await, &app, "consent_required");
        }
        // other resources: no token for them was agreed to
        let page = begin(&server, &mut browser, &app, &[("scope", "openid email"), ("resource", MAIL)]).await;
        assert!(is_consent(&page) && page.body.contains(MAIL), "{page:?}");
        let both = format!("{}&resource=https%3A%2F%2Fapi.example.com%2Fmail", app.authorize(&[("resource", PHOTOS)]));
        let answer = browser.get(&server, &both).await;
        assert!(is_consent(&browser.follow(&server, answer).await));
        // another client with the same scopes
        let post = RelyingParty::new("post", "openid email photos.read");
        assert!(is_consent(&begin(&server, &mut browser, &post, &[]).await));
        // another person at the same client
        let mut bob = signed_in(&server, "bob").await;
        assert!(is_consent(&begin(&server, &mut bob, &app, &[]).await));
        // the same person elsewhere
        let mut elsewhere = signed_in(&server, "ada").await;
        code(&server, &elsewhere.get(&server, &app.authorize(&[])).await, &app);
        still_works(&server).await;
    }

    /// RFC 8252 §8.6. threat 123
    async fn a_redirect_that_any_program_could_receive_is_asked_about_every_time(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut app = RelyingParty::new("native", "openid");
        let mut browser = Browser::new();
        for uri in ["http://127.0.0.1:49152/callback", "com.example.app:/callback"] {
            app.redirect_uri = uri.to_owned();
            app.tokens(&server, &mut browser).await;
            for _ in 0..2 {
                let page = begin(&server, &mut browser, &app, &[]).await;
                assert!(is_consent(&page), "{page:?}");
                let silent = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
                refused(&server, &silent, &app, "consent_required");
                code(&server, &browser.decide(&server, &page, "allow").await, &app);
            }
        }
    }

    /// A first-party client has no consent page, not even for `prompt=consent`.
    async fn a_first_party_client_never_asks(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("ours", "openid profile offline_access");
        let mut browser = signed_in(&server, "ada").await;
        for changes in [&[][..], &[("prompt", "none")], &[("prompt", "consent")]] {
            code(&server, &browser.get(&server, &app.authorize(changes)).await, &app);
        }
        let more = browser.get(&server, &app.authorize(&[("scope", "openid email")])).await;
        refused(&server, &more, &app, "invalid_scope");
        refused(&server, &Browser::new().get(&server, &app.authorize(&[("prompt", "none")])).await, &app, "login_required");
    }

    /// RFC 6749 §3.3: the person may grant less, and the token response says so.
    async fn what_the_person_unticks_is_not_granted_and_the_token_response_says_so(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid profile email offline_access photos.read photos.write");
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        // openid is on the page, and is no box; everything else is one, and ticked
        assert_eq!(form(&page).scopes, ["profile", "email", "offline_access", "photos.read", "photos.write"]);
        let answer = browser.decide_with(&server, &page, "allow", &["profile", "photos.read"]).await;
        let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await.json();
        assert_eq!(redeemed["scope"], "openid profile photos.read");
        let access = redeemed["access_token"].as_str().expect("a token");
        assert_eq!((&claims(access)["scope"], &claims(access)["aud"]), (&json!("openid profile photos.read"), &json!(PHOTOS)));
        let userinfo = server.get_as("/userinfo", access).await.json();
        assert!(userinfo.get("name").is_some() && userinfo.get("email").is_none(), "{userinfo}");
        // no refresh brings back what was not granted
        let refresh = redeemed["refresh_token"].as_str().expect("a token");
        for more in ["openid email", "photos.write", "openid profile offline_access photos.read"] {
            assert_eq!(app.refresh(&server, refresh, &[("scope", more)]).await.error(), "invalid_scope", "{more}");
        }
        // asked again for what was unticked, not for the rest
        assert!(is_consent(&begin(&server, &mut browser, &app, &[]).await));
        let answer = browser.get(&server, &app.authorize(&[("scope", "openid profile photos.read")])).await;
        code(&server, &answer, &app);
        // openid cannot be unticked
        let page = begin(&server, &mut browser, &app, &[("prompt", "consent"), ("scope", "openid profile")]).await;
        let answer = browser.decide_with(&server, &page, "allow", &[]).await;
        let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await.json();
        assert_eq!(redeemed["scope"], "openid");
        assert!(redeemed["id_token"].is_string());
        // and so was taken back
        let answer = browser.get(&server, &app.authorize(&[("scope", "openid profile"), ("prompt", "none")])).await;
        refused(&server, &answer, &app, "consent_required");
    }

    /// The token is for the resource that serves the granted scopes, else for the issuer (RFC 9068 §3).
    async fn a_resource_whose_scopes_were_all_unticked_is_not_the_tokens_audience(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        let answer = browser.decide_with(&server, &page, "allow", &[]).await;
        let redeemed = app.redeem(&server, &code(&server, &answer, &app), &[]).await.json();
        assert_eq!(redeemed["scope"], "openid");
        assert_eq!(claims(redeemed["access_token"].as_str().expect("a token"))["aud"], server.issuer());
        assert!(is_consent(&begin(&server, &mut browser, &app, &[]).await));
    }

    /// RFC 6749 §3.3 has no empty scope: who unticks everything has said no.
    async fn to_allow_nothing_is_to_deny(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "profile photos.read");
        let mut browser = signed_in(&server, "ada").await;
        let page = begin(&server, &mut browser, &app, &[]).await;
        let answer = browser.decide_with(&server, &page, "allow", &[]).await;
        refused(&server, &answer, &app, "access_denied");
        assert!(is_consent(&begin(&server, &mut browser, &app, &[]).await));
        still_works(&server).await;
    }

    /// RFC 6749 §4.1.2.1.
    async fn who_says_no_is_asked_again_and_nothing_is_remembered(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = signed_in(&server, "ada").await;
        for mode in ["query", "form_post"] {
            let page = begin(&server, &mut browser, &app, &[("response_mode", mode)]).await;
            assert!(is_consent(&page));
            for nonsense in ["", "yes", "ALLOW", "allow "] {
                error_page(&browser.decide(&server, &page, nonsense).await, 400, "invalid_request");
            }
            let answer = browser.decide(&server, &page, "deny").await;
            assert_eq!(refused(&server, &answer, &app, "access_denied")["state"], "the state");
        }
        let answer = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &answer, &app, "consent_required");
        still_works(&server).await;
    }

    /// A client for some groups only: everybody else is refused, at every step. threat 138
    async fn who_is_outside_of_a_clients_groups_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({"groups": ["maths"]})).await;
        server.add_person("carol", json!({})).await;
        let app = RelyingParty::new("staff", "openid groups");
        for outsider in ["bob", "carol"] {
            let mut browser = Browser::new();
            let page = begin(&server, &mut browser, &app, &[]).await;
            let answer = browser.sign_in(&server, &page, outsider).await;
            refused(&server, &answer, &app, "access_denied");
            let again = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
            refused(&server, &again, &app, "access_denied");
        }
        let mut ada = Browser::new();
        let tokens = app.tokens(&server, &mut ada).await;
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        // and is when they leave the group
        set_claim(&server, "ada", "groups", json!(["maths"])).await;
        let answer = ada.get(&server, &app.authorize(&[("prompt", "none")])).await;
        refused(&server, &answer, &app, "access_denied");
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.error(), "invalid_grant");
        still_works(&server).await;
    }
}
