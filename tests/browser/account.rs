//! A person's own account in a real browser, JavaScript switched off: several people, what is taken back, another password, and a
//! forgotten one, with the mail between.

use super::stage::{Setting, Stage};
use crate::support::chromium::JavaScript;
use crate::support::database::TestDatabase;
use crate::support::server::PASSWORD;
use crate::support::smtp_server::{SmtpServer, SmtpSetting};
use axum::http::StatusCode;
use portreeve::tasks::deliver_outbox::run_once;
use portreeve::tasks::delivery_pace::Pace;
use portreeve::users::lifecycle::Change;

const NEW: &str = "a password that will be remembered";

async fn without_scripts() -> Stage {
    let setting = Setting { javascript: JavaScript::Off, ..Setting::default() };
    Stage::set_with(TestDatabase::sqlite(), setting).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_take_turns_in_one_browser_and_leave_together() {
    let stage = without_scripts().await;
    let chromium = &stage.chromium;
    chromium.open(&stage.url("/account")).await;
    stage.sign_in("ada").await;
    assert!(!chromium.has("account-switch").await);
    chromium.follow("login-other").await;
    stage.sign_in("grace").await;
    assert_eq!(chromium.text("account-name").await, "Grace Hopper");
    chromium.follow("account-switch").await;
    assert!(chromium.text("account-1").await.contains("Grace Hopper"));
    stage.pause();
    chromium.follow("account-2").await;
    assert_eq!(chromium.text("account-name").await, "Ada Lovelace");
    // an app that lets people choose offers both
    stage.begin(&stage.album, &[("prompt", "select_account")]).await;
    assert!(chromium.text("account-2").await.contains("Grace Hopper"));
    stage.pause();
    chromium.follow("account-2").await;
    assert_eq!(chromium.text("consent-person").await, "Grace Hopper");
    // the back button shows nobody anything that is over
    chromium.open(&stage.url("/logout")).await;
    chromium.follow("logout-all").await;
    chromium.find("login-again").await;
    chromium.open(&stage.url("/account")).await;
    chromium.find("login-submit").await;
    assert!(!chromium.has("account-1").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_app_was_given_is_taken_back_by_a_button() {
    let stage = without_scripts().await;
    let chromium = &stage.chromium;
    stage.begin_and_sign_in(&stage.album).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    let tokens = stage.redeem(&stage.album, &received).await;
    chromium.open(&stage.url("/account")).await;
    assert!(chromium.text("grant-1").await.contains("Photo album"));
    chromium.follow("grant-1-revoke").await;
    chromium.find("account-done").await;
    chromium.find("no-grants").await;
    assert_eq!(stage.server.get_as("/userinfo", tokens.access()).await.status, StatusCode::UNAUTHORIZED);
    stage.begin(&stage.album, &[]).await;
    chromium.find("consent-allow").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_given_is_changed_on_the_way_to_the_app() {
    let stage = without_scripts().await;
    let chromium = &stage.chromium;
    let change = Change { must_change_password: true, ..Change::default() };
    let people = stage.server.people();
    people.change(&crate::grants::ada(), change, &stage.server.app.circumstances("")).await.expect("changed");
    stage.begin(&stage.album, &[]).await;
    stage.sign_in("ada").await;
    chromium.find("password-forced").await;
    chromium.fill("old-password", PASSWORD).await;
    chromium.fill("new-password", PASSWORD).await;
    chromium.follow("password-submit").await;
    assert!(chromium.text("password-message").await.contains("must not be the old one"));
    chromium.fill("old-password", PASSWORD).await;
    chromium.fill("new-password", NEW).await;
    stage.pause();
    chromium.follow("password-submit").await;
    chromium.find("consent-allow").await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// Threats 147, 150
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_replaced_by_the_link_of_a_mail() {
    let mut smtp = SmtpServer::start(SmtpSetting { security: "starttls", ..SmtpSetting::default() }).await;
    let setting = Setting {
        javascript: JavaScript::Off,
        more_settings: smtp.settings("starttls"),
        ..Setting::default()
    };
    let stage = Stage::set_with(TestDatabase::sqlite(), setting).await;
    let chromium = &stage.chromium;
    stage.begin(&stage.album, &[]).await;
    chromium.follow("forgot-password").await;
    chromium.fill("username", "ada@example.com").await;
    chromium.follow("recovery-submit").await;
    chromium.find("recovery-sent").await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while run_once(&stage.server.app, &Pace::default()).await.expect("a round").delivered == 0 {
        assert!(tokio::time::Instant::now() < deadline, "no mail leaves");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let link = smtp.mail().await.link();
    assert!(link.starts_with(&stage.url("/recovery/new-password?ui_locales=en&token=")), "{link}");
    chromium.open(&link).await;
    assert_eq!(chromium.text("recovery-person").await, "ada");
    chromium.fill("new-password", NEW).await;
    chromium.follow("password-submit").await;
    chromium.find("recovery-done").await;
    // back at the app, with the new password and not with the old
    stage.begin(&stage.album, &[]).await;
    stage.sign_in("ada").await;
    chromium.find("login-message").await;
    stage.submit_login("ada", NEW).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
    chromium.open(&link).await;
    chromium.find("error-code").await;
}
