//! The playground of `dev`: every step of the code flow, with its result on the page.

use super::stage::{Setting, Stage};
use crate::support::chromium::Chromium;
use crate::support::database::TestDatabase;
use fantoccini::Locator;
use portreeve::http::app::Mode;

/// The public client that the page plays, as in the demo.
pub const CLIENT: &str = r#"
[[client]]
client_id = "photo-spa"
client_name = "Photo browser"
redirect_uris = ["{issuer}/playground"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid profile email offline_access photos.read photos.write"
"#;

pub async fn set() -> Stage {
    let setting = Setting { mode: Mode::Dev, more_clients: CLIENT, ..Setting::default() };
    Stage::set_with(TestDatabase::sqlite(), setting).await
}

/// Presses a button of the page once it is ready.
async fn press(chromium: &Chromium, id: &str) {
    chromium.wait_until(&format!("return document.getElementById('{id}')?.disabled === false")).await;
    chromium.press(id).await;
}

/// What is written in a box of the page, as soon as something is.
async fn written(chromium: &Chromium, id: &str) -> String {
    chromium.wait_until(&format!("return document.getElementById('{id}')?.textContent.length > 0")).await;
    let text = chromium.read(&format!("return document.getElementById('{id}').textContent")).await;
    text.as_str().expect("a text").to_owned()
}

/// From the first button to tokens on the page.
pub async fn walk_to_the_tokens(stage: &Stage) {
    let chromium = &stage.chromium;
    chromium.open(&stage.url("/playground")).await;
    press(chromium, "start").await;
    chromium.find("login-submit").await;
    stage.sign_in("ada").await;
    stage.pause();
    chromium.follow("consent-allow").await;
    written(chromium, "verification").await;
}

/// From the tokens to the last answer.
pub async fn walk_to_the_end(stage: &Stage) {
    for (button, answer) in [
        ("call-userinfo", "userinfo-response"),
        ("refresh", "refresh-response"),
        ("revoke", "revoked-userinfo-response"),
    ] {
        stage.pause();
        press(&stage.chromium, button).await;
        written(&stage.chromium, answer).await;
    }
}

async fn assert_no_problem(chromium: &Chromium) {
    assert_eq!(chromium.read("return document.getElementById('problem').hidden").await, true);
    let failed = chromium.client.find_all(Locator::Css(".failed")).await.expect("a page");
    assert!(failed.is_empty(), "{}", written(chromium, "verification").await);
}

/// RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9068, OpenID Connect Core, RFC 7009
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_playground_walks_every_step_and_shows_its_result() {
    let stage = set().await;
    let chromium = &stage.chromium;
    chromium.open(&stage.url("/playground")).await;
    let request = written(chromium, "authorization-request").await;
    for part in
        ["response_type=code", "client_id=photo-spa", "code_challenge_method=S256", "state=", "nonce="]
    {
        assert!(request.contains(part), "{request}");
    }
    walk_to_the_tokens(&stage).await;
    // a code has no place in the address or the history
    assert_eq!(chromium.address().await.as_str(), stage.url("/playground"));
    for (id, part) in [
        ("callback", "code="),
        ("callback-checks", "✓ iss is the issuer"),
        ("token-request", "grant_type=authorization_code"),
        ("token-response", "HTTP 200"),
        ("access-token-header", "at+jwt"),
        ("access-token-claims", "\"client_id\": \"photo-spa\""),
        ("id-token-claims", "\"nonce\""),
        ("verification", "✓ ID token: at_hash belongs to this access token"),
    ] {
        let text = written(chromium, id).await;
        assert!(text.contains(part), "{id}: {text}");
    }
    assert_no_problem(chromium).await;
    let checks = chromium.client.find_all(Locator::Css("#verification .passed")).await.expect("checks");
    assert!(checks.len() >= 11, "{}", checks.len());

    let before = written(chromium, "access-token").await;
    walk_to_the_end(&stage).await;
    for (id, part) in [
        ("userinfo-response", "Ada Lovelace"),
        ("refresh-response", "HTTP 200"),
        ("revoke-response", "HTTP 200"),
        ("revoked-userinfo-response", "HTTP 401"),
    ] {
        let text = written(chromium, id).await;
        assert!(text.contains(part), "{id}: {text}");
    }
    assert_ne!(written(chromium, "access-token").await, before, "the refresh brought another");
    assert_no_problem(chromium).await;

    // a reload keeps what was got, and "Start over" does not
    chromium.client.refresh().await.expect("a reload");
    assert!(written(chromium, "token-response").await.contains("HTTP 200"));
    press(chromium, "again").await;
    chromium.wait_until("return document.getElementById('access-token')?.textContent === ''").await;
    chromium.wait_until("return document.getElementById('start')?.disabled === false").await;
    assert_eq!(chromium.read("return sessionStorage.length").await, 0);
}

/// RFC 6749 §4.1.2.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_playground_says_so_when_the_person_says_no() {
    let stage = set().await;
    stage.chromium.open(&stage.url("/playground")).await;
    press(&stage.chromium, "start").await;
    stage.sign_in("ada").await;
    stage.chromium.follow("consent-deny").await;
    let told = written(&stage.chromium, "problem").await;
    assert!(told.contains("access_denied"), "{told}");
    assert!(stage.chromium.has("start").await);
    assert_eq!(stage.chromium.read("return document.getElementById('token-request').textContent").await, "");
    walk_again(&stage).await;
}

/// RFC 6749 §10.12, RFC 9207: an answer that this tab did not ask for, or of another issuer, is thrown away unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_playground_throws_away_an_answer_that_is_not_its_own() {
    let stage = set().await;
    for forged in
        ["code=x&state=y", "code=<script>owned=1</script>&state=&iss=https://evil.example", "error=x"]
    {
        stage.chromium.open(&format!("{}?{forged}", stage.url("/playground"))).await;
        let told = written(&stage.chromium, "problem").await;
        assert!(told.contains("does not belong"), "{forged}: {told}");
        let sent = stage.chromium.read("return document.getElementById('token-request').textContent").await;
        assert_eq!(sent, "", "{forged}");
        assert_eq!(stage.chromium.read("return 'owned' in window || document.scripts.length").await, 1);
    }
    walk_to_the_tokens(&stage).await;
    assert_no_problem(&stage.chromium).await;
}

/// After a refusal the same page begins anew.
async fn walk_again(stage: &Stage) {
    press(&stage.chromium, "start").await;
    stage.pause();
    stage.chromium.find("consent-allow").await;
    stage.chromium.follow("consent-allow").await;
    written(&stage.chromium, "verification").await;
    assert_no_problem(&stage.chromium).await;
}
