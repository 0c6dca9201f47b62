//! A code is bound to client, redirect URI, PKCE challenge and resource. An attempt that fails any binding changes nothing.

use super::assert_refused;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{Method, RelyingParty, Tokens};
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;

const PHOTOS: &str = "https://api.example.com/photos";
const MAIL: &str = "https://api.example.com/mail";
const TOO_LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

on_both_stores! {
    /// RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 8707 §2.2; threats 11, 17, 33, 35, 43; decisions 11, 18, 30.
    async fn a_code_that_fails_any_binding_is_still_there_for_the_right_request(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("post", "openid offline_access photos.read");
        let code = app.code(&server, &mut Browser::new()).await;
        let cut = &code[..code.len() - 1];
        let extended = format!("{code}A");
        let other_case = code.to_ascii_uppercase();
        assert_eq!(TOO_LONG.len(), 129);
        let refusals: &[(&str, &str, &str)] = &[
            ("code", "", "invalid_request"),
            ("code", cut, "invalid_grant"),
            ("code", &extended, "invalid_grant"),
            ("code", &other_case, "invalid_grant"),
            ("code", "%", "invalid_grant"),
            ("redirect_uri", "", "invalid_grant"),
            ("redirect_uri", "https://post.example.com/other?x=1", "invalid_grant"),
            ("redirect_uri", "https://post.example.com/callback/", "invalid_grant"),
            ("redirect_uri", "https://post.example.com/CALLBACK", "invalid_grant"),
            ("redirect_uri", "https://evil.example/callback", "invalid_grant"),
            ("code_verifier", "", "invalid_grant"),
            ("code_verifier", "another-verifier-of-the-tests-that-is-long-enough-0123", "invalid_grant"),
            ("code_verifier", &app.challenge(), "invalid_grant"),
            ("code_verifier", "a-verifier-of-the-tests-that-is-too-short4", "invalid_grant"),
            ("code_verifier", TOO_LONG, "invalid_grant"),
            ("code_verifier", "a+verifier+with+characters+that+none+may+have+0123456789", "invalid_grant"),
            ("code_verifier", "a-verifier-of-the-tests-that-is-long-enough-0123456789=", "invalid_grant"),
            ("code_verifier", "ä-verifier-of-the-tests-that-is-long-enough-0123456789", "invalid_grant"),
            ("resource", MAIL, "invalid_target"),
            ("resource", "https://api.example.com/photos/", "invalid_target"),
            ("resource", "https://unknown.example", "invalid_target"),
            ("resource", "https://api.example.com/photos#x", "invalid_target"),
            ("resource", "photos", "invalid_target"),
            ("grant_type", "", "invalid_request"),
            ("grant_type", "password", "unsupported_grant_type"),
            ("grant_type", "implicit", "unsupported_grant_type"),
            ("grant_type", "client_credentials", "unauthorized_client"),
        ];
        for (name, value, error) in refusals {
            assert_refused(&app.redeem(&server, &code, &[(name, value)]).await, error);
        }
        let two = app.redeem(&server, &code, &[("resource", PHOTOS), ("resource", MAIL)]).await;
        assert_refused(&two, "invalid_target");
        let right = app.redeem(&server, &code, &[("resource", PHOTOS)]).await;
        assert_eq!(right.status, StatusCode::OK, "{right:?}");
        assert_eq!(claims(Tokens(right.json()).access())["aud"], PHOTOS);
    }

    /// RFC 6749 §4.1.3: the URI is repeated when the request named it, and need not be when it was left to the registration.
    async fn a_redirect_uri_that_was_not_asked_for_need_not_be_repeated_but_never_differs(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "photos.read");
        let mut browser = Browser::new();
        for repeated in ["", "https://web.example.com/callback"] {
            let code = app.visit(&server, &mut browser, &[("redirect_uri", "")]).await.parameter("code");
            let code = code.expect("a code");
            for other in ["https://web.example.com/callback/", "https://evil.example/", "null"] {
                assert_refused(&app.redeem(&server, &code, &[("redirect_uri", other)]).await, "invalid_grant");
            }
            let answer = app.redeem(&server, &code, &[("redirect_uri", repeated)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }

    /// RFC 9700 §2.1.1, §4.8.2; threat 33.
    async fn a_verifier_without_a_challenge_and_a_challenge_without_a_verifier_are_both_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("legacy", "openid photos.read");
        let mut browser = Browser::new();
        let stripped = [("code_challenge", ""), ("code_challenge_method", "")];
        let code = app.visit(&server, &mut browser, &stripped).await.parameter("code").expect("a code");
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_grant");
        let answer = app.redeem(&server, &code, &[("code_verifier", "")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.json().get("refresh_token").is_none(), "the client is not registered for refreshing");
        let code = app.code(&server, &mut browser).await;
        assert_refused(&app.redeem(&server, &code, &[("code_verifier", "")]).await, "invalid_grant");
        assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
        let strict = RelyingParty::new("web", "openid");
        let refused = strict.visit(&server, &mut browser, &stripped).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_request"));
    }

    /// RFC 6749 §4.1.3, §10.5; threats 18, 19.
    async fn another_client_does_not_redeem_a_code_and_does_not_burn_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let code = app.code(&server, &mut Browser::new()).await;
        let verifier = app.verifier.clone();
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", app.redirect_uri.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        for thief in ["ours", "staff", "legacy"] {
            assert_refused(&server.post_as(thief, "/token", &parameters).await, "invalid_grant");
        }
        let public = |id| [parameters.as_slice(), &[("client_id", id)]].concat();
        for thief in ["spa", "native"] {
            assert_refused(&server.post("/token", None, &public(thief)).await, "invalid_grant");
        }
        // The code's own client, without proof: the method that is registered is enforced.
        assert_refused(&server.post("/token", None, &public("web")).await, "invalid_client");
        assert_refused(&server.post_as("service", "/token", &parameters).await, "unauthorized_client");
        let nobody = RelyingParty { method: Method::None, ..app.clone() };
        assert_refused(&nobody.redeem(&server, &code, &[]).await, "invalid_client");
        server.clock.advance(std::time::Duration::from_secs(30));
        let right = app.redeem(&server, &code, &[]).await;
        assert_eq!(right.status, StatusCode::OK, "{right:?}");
    }

    /// RFC 8707 §2.2, threat 43: a token is for one of the resources that were granted, with the scopes that it serves.
    async fn a_code_for_two_resources_opens_one_of_them_at_a_time(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read mail.read");
        let both = [("resource", PHOTOS), ("resource", MAIL)];
        let code = app.visit(&server, &mut Browser::new(), &both).await.parameter("code").expect("a code");
        assert_refused(&app.redeem(&server, &code, &[]).await, "invalid_target");
        assert_refused(&app.redeem(&server, &code, &both).await, "invalid_target");
        let tokens = app.redeem(&server, &code, &[("resource", MAIL)]).await;
        assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
        let tokens = Tokens(tokens.json());
        let access = claims(tokens.access());
        assert_eq!(access["aud"], MAIL);
        assert_eq!(access["scope"], "openid offline_access mail.read");
        assert_refused(&app.refresh(&server, tokens.refresh(), &[]).await, "invalid_target");
        assert_refused(&app.refresh(&server, tokens.refresh(), &both).await, "invalid_target");
        let other = Tokens(app.refresh(&server, tokens.refresh(), &[("resource", PHOTOS)]).await.json());
        assert_eq!(claims(other.access())["aud"], PHOTOS);
        assert_eq!(claims(other.access())["scope"], "openid offline_access photos.read");
    }
}
