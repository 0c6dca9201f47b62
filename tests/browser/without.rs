//! Without a mouse, without JavaScript, without anything from elsewhere.

use super::stage::{Setting, Stage};
use crate::support::callback_app::By;
use crate::support::chromium::JavaScript;
use crate::support::database::TestDatabase;
use crate::support::server::PASSWORD;
use fantoccini::key::Key;

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// Tabs on until the focus is where `there` says; each stop on the way shows that it has the focus (WCAG 2.2 §2.4.7).
async fn tab_to(stage: &Stage, there: &str) {
    let visible = "const e = document.activeElement, style = getComputedStyle(e);
        return e === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)";
    for _ in 0..30 {
        assert_eq!(
            stage.chromium.read(visible).await,
            true,
            "the focus on {}",
            stage.chromium.focused().await
        );
        if stage.chromium.read(&format!("return document.activeElement.matches('{there}')")).await == true {
            return;
        }
        stage.chromium.type_keys([TAB]).await;
    }
    panic!("the keyboard does not reach {there}");
}

/// WCAG 2.2 §2.1.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_is_enough() {
    assert_eq!((TAB, ENTER), (Key::Tab.into(), Key::Enter.into()));
    let stage = Stage::set().await;
    stage.begin(&stage.album, &[]).await;
    stage.chromium.find("login-submit").await;
    // the form is ready to be typed into
    assert_eq!(stage.chromium.focused().await, "username");
    stage.chromium.type_keys("ada".chars()).await;
    tab_to(&stage, "#password").await;
    stage.chromium.type_keys(PASSWORD.chars().chain([ENTER])).await;
    stage.chromium.find("consent-allow").await;
    tab_to(&stage, "[value=\"photos.write\"]").await;
    stage.chromium.type_keys([' ']).await;
    tab_to(&stage, "#consent-allow").await;
    stage.chromium.type_keys([ENTER]).await;
    stage.chromium.find("back-at-the-app").await;
    let received = stage.album.response(1).await;
    let tokens = stage.redeem(&stage.album, &received).await;
    assert_eq!(tokens.0["scope"], "openid profile email offline_access photos.read");

    stage.chromium.open(&stage.url("/account")).await;
    tab_to(&stage, "#account-logout").await;
    stage.chromium.type_keys([ENTER]).await;
    stage.chromium.find("logout-confirm").await;
    tab_to(&stage, "#logout-confirm").await;
    stage.chromium.type_keys([ENTER]).await;
    stage.chromium.find("login-again").await;
}

/// Product.md: "Pages work without JavaScript"; OAuth 2.0 Form Post Response Mode §2: then a button sends the form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_with_javascript_switched_off() {
    let setting = Setting { javascript: JavaScript::Off, ..Setting::default() };
    let stage = Stage::set_with(TestDatabase::sqlite(), setting).await;
    // it is really off
    let probe = "data:text/html,<title>off</title><script>document.title='on'</script>";
    stage.chromium.open(probe).await;
    assert_eq!(stage.chromium.client.title().await.expect("a title"), "off");

    stage.begin(&stage.album, &[]).await;
    stage.submit_login("ada", "not her password").await;
    stage.chromium.find("login-message").await;
    stage.sign_in("ada").await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;

    stage.begin(&stage.album, &[("response_mode", "form_post"), ("prompt", "select_account")]).await;
    stage.chromium.follow("account-1").await;
    stage.chromium.follow("consent-allow").await;
    let received = stage.come_back(&stage.album, "form-post-submit", 2).await;
    assert_eq!((received.by, received.get("state")), (By::Form, Some("the state")));
    stage.redeem(&stage.album, &received).await;

    stage.chromium.open(&stage.url("/logout")).await;
    stage.chromium.follow("logout-confirm").await;
    stage.chromium.find("login-again").await;
}
