//! Step-up (RFC 9470): a resource server reads how and how long ago a person signed in, sends them back for more, and the next
//! token says so.

use super::redeemed;
use super::signed_answers::{SIGNED, app, introspect};
use crate::flows::steps::{begin, code, is_login, refused};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::Tokens;
use crate::support::server::{TestServer, claims};
use portreeve::model::clock::Clock as _;
use portreeve::model::session::ACR_PASSWORD;
use serde_json::{Value, json};
use std::time::Duration;

/// Asserts that the token, and introspection in either form and to either of its readers, tell of a sign-in at `auth_time`.
async fn assert_told(server: &TestServer, tokens: &Tokens, auth_time: i64) {
    let expected = (json!(auth_time), json!(ACR_PASSWORD));
    let said = |claims: &Value| (claims["auth_time"].clone(), claims["acr"].clone());
    assert_eq!(said(&claims(tokens.access())), expected, "RFC 9470 §6.1");
    for caller in ["signed", "photos-api"] {
        let plain = server.introspect_as(caller, tokens.access()).await;
        assert_eq!(
            (&plain["active"], said(&plain)),
            (&json!(true), expected.clone()),
            "RFC 9470 §6.2: {caller}"
        );
        let signed = introspect(server, caller, tokens.access(), "application/token-introspection+jwt").await;
        assert_eq!(claims(&signed.body)["token_introspection"], plain, "RFC 9701 §5: {caller}");
    }
}

on_both_stores! {
    /// RFC 9470 §3 to §6; OpenID Connect Core §3.1.2.1.
    async fn a_token_after_a_step_up_says_when_its_person_signed_in_again(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", SIGNED).await;
        let (app, mut browser) = (app(), Browser::new());
        let first = server.clock.now().seconds();
        let tokens = app.tokens(&server, &mut browser).await;
        assert_told(&server, &tokens, first).await;
        // time passes, and a token of the same session still says when that began
        server.clock.advance(Duration::from_secs(301));
        let later = app.tokens(&server, &mut browser).await;
        assert_told(&server, &later, first).await;
        assert_told(&server, &tokens, first).await;
        // what the resource server asks for: nobody comes by without signing in again
        let asked = [("max_age", "300"), ("acr_values", ACR_PASSWORD)];
        let silent = [("prompt", "none"), ("max_age", "300"), ("acr_values", ACR_PASSWORD)];
        refused(&server, &browser.get(&server, &app.authorize(&silent)).await, &app, "login_required");
        let page = begin(&server, &mut browser, &app, &asked).await;
        assert!(is_login(&page), "{page:?}");
        let wrong = browser.submit_login(&server, &page, "ada", "not her password").await;
        assert!(wrong.header("location").is_none_or(|location| !location.contains("code=")), "{wrong:?}");
        refused(&server, &browser.get(&server, &app.authorize(&silent)).await, &app, "login_required");
        server.clock.advance(Duration::from_secs(20));
        let second = server.clock.now().seconds();
        assert_eq!(second, first + 321);
        let answer = browser.sign_in(&server, &page, "ada").await;
        code(&server, &answer, &app);
        let stepped_up = redeemed(&server, &app, &answer).await;
        assert_told(&server, &stepped_up, second).await;
        // the ID token says the same, under the same session
        let (before, after) = (claims(tokens.id()), claims(stepped_up.id()));
        assert_eq!((&after["auth_time"], &after["acr"]), (&json!(second), &json!(ACR_PASSWORD)));
        assert_eq!((&before["sub"], &before["sid"]), (&after["sub"], &after["sid"]));
        // a token of before keeps to what was true when it was given
        assert_told(&server, &later, first).await;
        // now the same request needs nobody, until it is too long ago again
        server.clock.advance(Duration::from_secs(299));
        code(&server, &browser.get(&server, &app.authorize(&silent)).await, &app);
        server.clock.advance(Duration::from_secs(2));
        refused(&server, &browser.get(&server, &app.authorize(&silent)).await, &app, "login_required");
    }
}
