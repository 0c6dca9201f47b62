//! From an app to sign-in, consent and back, and the ways a person may say no.

use super::stage::{EVERYTHING, Stage};
use crate::support::callback_app::By;
use crate::support::chromium::Chromium;
use crate::support::database::on_both_stores;
use crate::support::server::claims;
use axum::http::StatusCode;
use fantoccini::Locator;

on_both_stores! {
    /// RFC 6749 §4.1, RFC 7636, RFC 9207: the whole road; threat 153: its policy lets the redirect to the app through.
    async fn a_person_signs_in_agrees_and_the_app_redeems_the_code(database: TestDatabase) {
        let stage = Stage::set_with(database, Default::default()).await;
        stage.begin(&stage.album, &[]).await;
        assert_eq!(stage.chromium.address().await.path(), "/login");
        stage.sign_in("ada").await;
        assert_eq!(stage.chromium.address().await.path(), "/consent");
        assert_eq!(stage.chromium.text("consent-client").await, "Photo album");
        assert_eq!(stage.chromium.text("consent-person").await, "Ada Lovelace");
        assert!(stage.chromium.text("consent-destination").await.contains("an app on this device"));

        let received = stage.come_back(&stage.album, "consent-allow", 1).await;
        assert_eq!(received.by, By::Query);
        assert_eq!(received.get("state"), Some("the state"));
        // threat 21: the app is not told the address of the page that the person came from
        assert_eq!(received.referer, None);
        let tokens = stage.redeem(&stage.album, &received).await;
        assert_eq!(tokens.0["scope"], EVERYTHING);
        let id = claims(tokens.id());
        assert_eq!((&id["nonce"], &id["aud"]), (&"the nonce".into(), &"album".into()));
        let answer = stage.server.get_as("/userinfo", tokens.access()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.json()["name"], "Ada Lovelace");
    }
}

async fn boxes(chromium: &Chromium) -> Vec<String> {
    let boxes = chromium.client.find_all(Locator::Css("input[name=scope]")).await.expect("boxes");
    let mut scopes = Vec::new();
    for one in boxes {
        assert!(one.is_selected().await.expect("a box"), "ticked at first");
        scopes.push(one.attr("value").await.expect("a box").expect("a value"));
    }
    scopes
}

async fn untick(chromium: &Chromium, scope: &str) {
    let its_box = format!("input[name=scope][value=\"{scope}\"]");
    let its_box = chromium.client.find(Locator::Css(&its_box)).await.expect("its box");
    its_box.click().await.expect("a click");
    assert!(!its_box.is_selected().await.expect("a box"));
}

/// RFC 6749 §3.3: the token has what the person agreed to; `openid` is no box.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_is_unticked_is_not_in_the_token() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let asked: Vec<&str> = EVERYTHING.split(' ').filter(|scope| *scope != "openid").collect();
    assert_eq!(boxes(&stage.chromium).await, asked);
    untick(&stage.chromium, "photos.write").await;
    untick(&stage.chromium, "offline_access").await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    let tokens = stage.redeem(&stage.album, &received).await;
    assert_eq!(tokens.0["scope"], "openid profile email photos.read");
    assert_eq!(claims(tokens.access())["scope"], "openid profile email photos.read");

    // asked again, the person sees every box ticked, and nothing was held against the app
    stage.begin(&stage.album, &[]).await;
    assert_eq!(boxes(&stage.chromium).await, asked);
    let received = stage.come_back(&stage.album, "consent-allow", 2).await;
    assert_eq!(stage.redeem(&stage.album, &received).await.0["scope"], EVERYTHING);
}

/// RFC 6749 §4.1.2.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deny_tells_the_app_so_and_the_person_may_think_again() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let received = stage.come_back(&stage.album, "consent-deny", 1).await;
    stage.assert_refused(&received, "access_denied", "the state");

    stage.begin(&stage.album, &[]).await;
    let received = stage.come_back(&stage.album, "consent-allow", 2).await;
    stage.redeem(&stage.album, &received).await;
}

/// Threat 139: whoever is refused reads the same words, whether there is such a person or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_answered_vaguely_and_the_next_try_works() {
    let stage = Stage::set().await;
    stage.begin(&stage.album, &[]).await;
    stage.submit_login("ada", "not her password").await;
    let told = stage.chromium.text("login-message").await;
    assert_eq!(told, "That did not work. Check the username and the password and try again.");
    let field = |name| format!("return document.getElementById('{name}').value");
    assert_eq!(stage.chromium.read(&field("username")).await, "ada", "it need not be typed again");
    assert_eq!(stage.chromium.read(&field("password")).await, "");
    assert_eq!(stage.chromium.focused().await, "password");

    stage.submit_login("nobody", "not their password").await;
    assert_eq!(stage.chromium.text("login-message").await, told);
    assert!(stage.album.received().is_empty());

    stage.sign_in("ada@example.com").await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// OAuth 2.0 Form Post Response Mode §2: the one script there is sends the form; threat 26.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_post_brings_code_and_refusal_in_a_form() {
    let stage = Stage::set().await;
    let by_form = [("response_mode", "form_post"), ("state", "a=1&b=\"<2>\"'")];
    stage.begin(&stage.album, &by_form).await;
    stage.sign_in("ada").await;
    stage.chromium.press("consent-deny").await;
    let received = stage.album.response(1).await;
    assert_eq!(received.by, By::Form);
    stage.assert_refused(&received, "access_denied", "a=1&b=\"<2>\"'");

    stage.begin(&stage.album, &by_form).await;
    stage.chromium.press("consent-allow").await;
    let received = stage.album.response(2).await;
    assert_eq!((received.by, received.get("state")), (By::Form, Some("a=1&b=\"<2>\"'")));
    assert!(!stage.chromium.arrive_at(&stage.album.party.redirect_uri).await.as_str().contains("code"));
    stage.redeem(&stage.album, &received).await;
}

/// A request that is a form of the app's page: the browser sends no Lax cookie along, and the person's session counts all
/// the same (OpenID Connect Core §3.1.2.1; product.md, "POST /authorize").
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_by_post_finds_the_person_signed_in() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    stage.come_back(&stage.album, "consent-allow", 1).await;
    let request = stage.album.party.request(&[]);
    let form = format!(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '{}';
         for (const [name, value] of new URLSearchParams('{request}')) {{
           const field = document.createElement('input'); field.name = name; field.value = value; form.append(field);
         }}
         document.body.append(form); form.submit();",
        stage.url("/authorize")
    );
    stage.chromium.read(&form).await;
    stage.chromium.arrive_at(&stage.url("/consent")).await;
    let received = stage.come_back(&stage.album, "consent-allow", 2).await;
    stage.redeem(&stage.album, &received).await;
}
