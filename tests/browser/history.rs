//! The back button, reloads and tabs: the request travels in the address, so none of them is a dead end.

use super::stage::Stage;
use crate::support::server::PASSWORD;
use fantoccini::wd::WindowHandle;

/// Product.md: "Tabs, the back button and reloads all work."
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_after_sign_in_leads_on_to_consent() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    stage.chromium.back().await;
    // to the form they signed in with: it knows that they have
    stage.chromium.arrive_at(&stage.url("/consent")).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// Threats 29, 125: going back and agreeing again makes another code; the first stays what it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_after_consent_asks_again_and_gives_another_code() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let first = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &first).await;
    stage.chromium.back().await;
    stage.chromium.find("consent-allow").await;
    let second = stage.come_back(&stage.album, "consent-allow", 2).await;
    assert_ne!(first.code(), second.code());
    assert_eq!(first.get("state"), second.get("state"));
    stage.redeem(&stage.album, &second).await;

    // and after a no, yes
    stage.begin(&stage.album, &[("state", "another")]).await;
    let denied = stage.come_back(&stage.album, "consent-deny", 3).await;
    stage.assert_refused(&denied, "access_denied", "another");
    stage.chromium.back().await;
    stage.chromium.find("consent-allow").await;
    let allowed = stage.come_back(&stage.album, "consent-allow", 4).await;
    assert_eq!(allowed.get("state"), Some("another"));
    stage.redeem(&stage.album, &allowed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_a_visit_can_be_reloaded() {
    let stage = Stage::set().await;
    stage.begin(&stage.album, &[]).await;
    stage.chromium.client.refresh().await.expect("a reload");
    stage.submit_login("ada", "not her password").await;
    // a reload of the answer to a form sends it again
    stage.chromium.client.refresh().await.expect("a reload");
    stage.chromium.find("login-message").await;
    stage.sign_in("ada").await;
    stage.chromium.client.refresh().await.expect("a reload");
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

async fn new_tab(stage: &Stage) -> WindowHandle {
    let tab = stage.chromium.client.new_window(true).await.expect("a tab").handle;
    show(stage, &tab).await;
    tab
}

async fn show(stage: &Stage, tab: &WindowHandle) {
    stage.chromium.client.switch_to_window(tab.clone()).await.expect("the tab");
}

/// Threat 37: each tab's request goes its own way, whatever happens in the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_finish_two_requests_each_its_own() {
    let stage = Stage::set().await;
    let first = stage.chromium.client.window().await.expect("a window");
    stage.begin(&stage.album, &[("state", "of the album")]).await;
    let second = new_tab(&stage).await;
    stage.begin(&stage.notes, &[("state", "of the notes")]).await;

    show(&stage, &first).await;
    stage.sign_in("ada").await;
    show(&stage, &second).await;
    // this form was shown before the sign-in of the other tab
    stage.sign_in("ada").await;
    assert_eq!(stage.chromium.text("consent-client").await, "Notes");
    let notes = stage.come_back(&stage.notes, "consent-allow", 1).await;
    show(&stage, &first).await;
    assert_eq!(stage.chromium.text("consent-client").await, "Photo album");
    let album = stage.come_back(&stage.album, "consent-allow", 1).await;

    assert_eq!(notes.get("state"), Some("of the notes"));
    assert_eq!(album.get("state"), Some("of the album"));
    stage.redeem(&stage.notes, &notes).await;
    stage.redeem(&stage.album, &album).await;
}

/// Threats 37, 125: a consent counts for the person whom the page showed, not for who signed in meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_page_of_somebody_else_grants_nothing_and_leads_on() {
    let stage = Stage::set().await;
    let first = stage.chromium.client.window().await.expect("a window");
    stage.begin_and_sign_in(&stage.album).await;
    new_tab(&stage).await;
    stage.begin(&stage.notes, &[("prompt", "login")]).await;
    stage.submit_login("grace", PASSWORD).await;
    assert_eq!(stage.chromium.text("consent-person").await, "Grace Hopper");

    show(&stage, &first).await;
    stage.chromium.follow("consent-allow").await;
    assert_eq!(stage.chromium.text("error-code").await, "invalid_request");
    assert!(stage.album.received().is_empty());
    stage.chromium.follow("error-way-on").await;
    assert_eq!(stage.chromium.text("consent-person").await, "Grace Hopper");
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// Clear Site Data §3.1: nothing of a signed-in page is kept for whoever uses the browser next. `no-store` alone does not
/// see to it: Chromium keeps such pages for the back button too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_after_sign_out_shows_nothing_of_the_account() {
    let stage = Stage::set().await;
    stage.chromium.open(&stage.url("/account")).await;
    stage.sign_in("ada").await;
    assert_eq!(stage.chromium.text("account-name").await, "Ada Lovelace");
    stage.chromium.follow("account-logout").await;
    stage.chromium.follow("logout-confirm").await;
    stage.chromium.find("login-again").await;
    stage.chromium.back().await;
    stage.chromium.back().await;
    stage.chromium.find("login-submit").await;
    assert!(!stage.chromium.has("account-name").await);
}
