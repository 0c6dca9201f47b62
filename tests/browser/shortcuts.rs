//! What an app may ask of a visit: another sign-in, the choice of an account, no page at all; and the way out.

use super::stage::{Setting, Stage};
use crate::support::database::TestDatabase;
use crate::support::server::{claims, parameter};

/// OpenID Connect Core §3.1.2.1, `prompt=login`; threat 127
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prompt_login_asks_again_and_only_once() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let before = stage.come_back(&stage.album, "consent-allow", 1).await;
    let before = claims(stage.redeem(&stage.album, &before).await.id())["auth_time"].as_i64();

    stage.begin(&stage.album, &[("prompt", "login")]).await;
    stage.chromium.find("login-submit").await;
    stage.submit_login("ada", "not her password").await;
    stage.chromium.find("login-message").await;
    stage.sign_in("ada").await;
    let after = stage.come_back(&stage.album, "consent-allow", 2).await;
    let after = claims(stage.redeem(&stage.album, &after).await.id())["auth_time"].as_i64();
    assert!(after > before, "{after:?} {before:?}");
}

/// OpenID Connect Core §3.1.2.1, `prompt=select_account`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn select_account_offers_who_is_signed_in_and_somebody_else() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let ada = stage.come_back(&stage.album, "consent-allow", 1).await;
    let ada = claims(stage.redeem(&stage.album, &ada).await.id())["sub"].clone();
    let choose = [("prompt", "select_account")];

    stage.begin(&stage.album, &choose).await;
    assert!(stage.chromium.text("account-1").await.contains("Ada Lovelace"));
    stage.chromium.follow("account-1").await;
    let chosen = stage.come_back(&stage.album, "consent-allow", 2).await;
    assert_eq!(claims(stage.redeem(&stage.album, &chosen).await.id())["sub"], ada);

    stage.begin(&stage.album, &choose).await;
    stage.chromium.follow("login-other").await;
    // thinking better of it is a step back
    stage.chromium.back().await;
    stage.chromium.find("account-1").await;
    stage.chromium.follow("login-other").await;
    stage.sign_in("grace").await;
    assert_eq!(stage.chromium.text("consent-person").await, "Grace Hopper");
    let grace = stage.come_back(&stage.album, "consent-allow", 3).await;
    assert_ne!(claims(stage.redeem(&stage.album, &grace).await.id())["sub"], ada);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_you_on_the_consent_page_lets_somebody_else_sign_in() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    stage.chromium.follow("consent-not-you").await;
    stage.sign_in("grace").await;
    assert_eq!(stage.chromium.text("consent-person").await, "Grace Hopper");
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    assert_eq!(received.get("state"), Some("the state"));
    stage.redeem(&stage.album, &received).await;
}

/// RP-Initiated Logout §2: asked first, then ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_asks_ends_the_session_and_offers_another_sign_in() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;

    stage.chromium.open(&stage.url("/logout")).await;
    stage.chromium.follow("logout-cancel").await;
    assert_eq!(stage.chromium.text("account-username").await, "ada");
    stage.chromium.follow("account-logout").await;
    stage.chromium.follow("logout-confirm").await;
    stage.chromium.follow("login-again").await;
    stage.chromium.find("login-submit").await;

    // nobody is signed in, and the app that asks without a page hears so
    stage.chromium.open(&stage.url(&stage.album.party.authorize(&[("prompt", "none")]))).await;
    stage.assert_refused(&stage.album.response(2).await, "login_required", "the state");
    stage.begin(&stage.album, &[]).await;
    stage.sign_in("ada").await;
    let received = stage.come_back(&stage.album, "consent-allow", 3).await;
    stage.redeem(&stage.album, &received).await;
}

const OURS: &str = r#"
[[client]]
client_id = "studio"
client_name = "Photo studio"
redirect_uris = ["{issuer}/nowhere"]
token_endpoint_auth_method = "none"
scope = "openid profile"
first_party = true
"#;

/// Threat 5: a browser carries the fragment of an address over to where it is redirected, unless that has one of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fragment_of_the_request_does_not_pass_to_the_app() {
    let setting = Setting { more_clients: OURS, ..Setting::default() };
    let stage = Stage::set_with(TestDatabase::sqlite(), setting).await;
    let refused = stage.url(&stage.album.party.authorize(&[("prompt", "none")]));
    stage.chromium.open(&stage.album.page_with_link_to(&format!("{refused}#evil"))).await;
    stage.chromium.follow("sign-in").await;
    stage.assert_refused(&stage.album.response(1).await, "login_required", "the state");
    let address = stage.chromium.address().await;
    assert!(matches!(address.fragment(), None | Some("")), "{address}");

    stage.chromium.open(&format!("{}#evil", stage.url(&stage.album.party.authorize(&[])))).await;
    stage.sign_in("ada").await;
    let received = stage.come_back(&stage.album, "consent-allow", 2).await;
    stage.redeem(&stage.album, &received).await;
    let address = stage.chromium.address().await;
    assert!(matches!(address.fragment(), None | Some("")), "{address}");

    // a success at once, without a page between
    let mut studio = stage.album.party.clone();
    studio.client_id = "studio";
    studio.redirect_uri = stage.url("/nowhere");
    studio.scope = "openid".to_owned();
    stage.chromium.open(&format!("{}#evil", stage.url(&studio.authorize(&[])))).await;
    let address = stage.chromium.arrive_at(&studio.redirect_uri).await;
    assert!(parameter(address.as_str(), "code").is_some(), "{address}");
    assert!(matches!(address.fragment(), None | Some("")), "{address}");
}
