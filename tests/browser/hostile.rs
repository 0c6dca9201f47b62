//! Texts that strangers chose, on pages that people trust: shown as they are, never run; and what the pages' policies keep
//! out when something gets in all the same.

use super::stage::{Setting, Stage};
use crate::support::chromium::Chromium;
use crate::support::database::TestDatabase;
use crate::support::server::PASSWORD;
use fantoccini::Locator;
use serde_json::json;

/// As a client's name, with markup for a text and for an attribute.
const NAME: &str = r#"<script>owned=1</script>"><img src=x onerror=owned=1>"#;
/// As a username: without spaces, of ASCII.
const USERNAME: &str = r#""><script>owned=1</script>"#;
/// As `state`, `login_hint` and whatever else a request holds.
const TEXT: &str =
    r#"'"></title></script><script>owned=1</script><svg/onload=owned=1><a href="javascript:owned=1">"#;

/// Nothing of these texts became an element or ran; the page's own script, if it has one, is named.
async fn assert_inert(chromium: &Chromium, own_scripts: u64) {
    let found = chromium
        .read(
            "const all = [...document.querySelectorAll('*')];
             return {
               owned: 'owned' in window,
               scripts: document.scripts.length,
               handlers: all.filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length,
               strangers: document.querySelectorAll('svg, iframe, object, embed, base, style').length,
               links: [...document.links].filter(a => a.protocol === 'javascript:').length,
             }",
        )
        .await;
    let clean = json!({"owned": false, "scripts": own_scripts, "handlers": 0, "strangers": 0, "links": 0});
    assert_eq!(found, clean, "{}", chromium.address().await);
}

/// Threat 152
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_text_is_shown_as_it_is_and_runs_nothing() {
    let setting = Setting { album_name: NAME, ..Setting::default() };
    let stage = Stage::set_with(TestDatabase::sqlite(), setting).await;
    stage.server.add_person(USERNAME, json!({"name": TEXT})).await;
    let hostile = [("state", TEXT), ("login_hint", TEXT), ("nonce", TEXT), ("ui_locales", "en")];

    stage.begin(&stage.album, &hostile).await;
    let shown = stage.chromium.client.find(Locator::Css("main")).await.expect("the page");
    assert!(shown.text().await.expect("a text").contains(NAME));
    assert_eq!(stage.chromium.read("return document.getElementById('username').value").await, TEXT);
    assert_inert(&stage.chromium, 0).await;

    stage.submit_login(TEXT, TEXT).await;
    assert_eq!(stage.chromium.read("return document.getElementById('username').value").await, TEXT);
    assert_inert(&stage.chromium, 0).await;

    stage.sign_in(USERNAME).await;
    assert_eq!(stage.chromium.text("consent-client").await, NAME);
    assert_eq!(stage.chromium.text("consent-person").await, TEXT);
    assert_inert(&stage.chromium, 0).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    assert_eq!(received.get("state"), Some(TEXT));
    stage.redeem(&stage.album, &received).await;

    stage.begin(&stage.album, &[("prompt", "select_account"), ("state", TEXT)]).await;
    assert!(stage.chromium.text("account-1").await.contains(USERNAME));
    assert_inert(&stage.chromium, 0).await;
    for page in ["/account", "/logout"] {
        stage.chromium.open(&stage.url(page)).await;
        assert_inert(&stage.chromium, 0).await;
    }
    for (name, value) in [("client_id", TEXT), ("redirect_uri", TEXT), ("redirect_uri", "javascript:owned=1")]
    {
        stage.chromium.open(&stage.url(&stage.album.party.authorize(&[(name, value)]))).await;
        stage.chromium.find("error-code").await;
        assert_inert(&stage.chromium, 0).await;
    }
}

/// Threats 26, 152: the page that holds what the app sent sends it on unchanged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_state_goes_through_the_form_post_page_unchanged() {
    let stage = Stage::set().await;
    stage.begin(&stage.album, &[("response_mode", "form_post"), ("state", TEXT)]).await;
    stage.sign_in("ada").await;
    // the form is held back, so that its page can be looked at
    let off = json!({"value": true});
    stage.chromium.devtools("Emulation.setScriptExecutionDisabled", off).await;
    stage.chromium.follow("consent-allow").await;
    stage.chromium.find("form-post-submit").await;
    assert_inert(&stage.chromium, 1).await;
    stage.chromium.devtools("Emulation.setScriptExecutionDisabled", json!({"value": false})).await;
    let received = stage.come_back(&stage.album, "form-post-submit", 1).await;
    assert_eq!(received.get("state"), Some(TEXT));
    stage.redeem(&stage.album, &received).await;
}

/// What the page's policy says to a script of ours that tries what an injected one would.
async fn violation(stage: &Stage, attempt: &str) -> String {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), {{ once: true }});
         {attempt}"
    );
    let said = stage.chromium.client.execute_async(&script, vec![]).await;
    said.unwrap_or_else(|error| panic!("{attempt}: {error}")).as_str().expect("a directive").to_owned()
}

/// Threat 153, CSP Level 3: what got into a page all the same would not run, load, or send a password elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_of_a_page_stops_what_an_injected_text_would_do() {
    let stage = Stage::set().await;
    stage.begin(&stage.album, &[]).await;
    let elsewhere = stage.notes.party.redirect_uri.clone();
    let element = |tag: &str, rest: &str| {
        format!("const e = document.createElement('{tag}'); {rest} document.body.append(e);")
    };
    for (directive, attempt) in [
        ("script-src-elem", element("script", "e.textContent = 'owned=1';")),
        ("script-src-elem", element("script", "e.src = '/assets/playground.js';")),
        ("script-src-attr", element("p", "e.setAttribute('onclick', 'owned=1');") + "e.click();"),
        ("style-src-elem", element("style", "e.textContent = 'main { display: none }';")),
        ("img-src", element("img", &format!("e.src = '{elsewhere}?by=img';"))),
        ("frame-src", element("iframe", &format!("e.src = '{elsewhere}?by=frame';"))),
        ("connect-src", format!("fetch('{elsewhere}?by=fetch').catch(() => 0);")),
        (
            "base-uri",
            "const e = document.createElement('base'); e.href = '/x/'; document.head.append(e);".to_owned(),
        ),
        (
            "form-action",
            element("form", &format!("e.action = '{elsewhere}'; e.method = 'post';")) + "e.submit();",
        ),
    ] {
        assert_eq!(violation(&stage, &attempt).await, directive, "{attempt}");
    }
    assert_eq!(stage.chromium.read("return 'owned' in window").await, false);
    assert!(stage.notes.received().is_empty(), "{:?}", stage.notes.received());
    stage.sign_in("ada").await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// Threat 154: a page of another site cannot show ours in a frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_can_be_framed() {
    let stage = Stage::set().await;
    stage.begin_and_sign_in(&stage.album).await;
    let request = stage.album.party.authorize(&[]);
    for path in ["/account", "/logout", "/login", "/playground", &request] {
        stage.chromium.open(&stage.album.page_with_frame_of(&stage.url(path))).await;
        stage.chromium.client.enter_frame(0).await.expect("a frame");
        let shown = stage.chromium.client.find_all(Locator::Css("main, form, button")).await.expect("a page");
        // Chromium's own page of a blocked frame has none of ours
        for element in shown {
            assert_eq!(element.attr("class").await.expect("an element").as_deref(), None, "{path}");
        }
        stage.chromium.client.clone().enter_parent_frame().await.expect("the page");
    }
    // by itself it is there
    stage.chromium.open(&stage.url(&request)).await;
    let received = stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.redeem(&stage.album, &received).await;
}

/// Threats 28, 135: a form of another site's page signs nobody in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_form_on_another_site_signs_nobody_in() {
    let stage = Stage::set().await;
    stage.chromium.open(&stage.url("/account")).await;
    stage.chromium.find("login-submit").await;
    let token = stage.chromium.read("return document.querySelector('[name=form_token]').value").await;
    stage.chromium.open(&stage.album.page_with_link_to("#")).await;
    let forged = format!(
        "document.body.innerHTML = '<form method=post><input name=form_token><input name=username><input name=password></form>';
         const form = document.forms[0]; form.action = '{}';
         form.form_token.value = {token}; form.username.value = 'grace'; form.password.value = {}; form.submit();",
        stage.url("/login"),
        json!(PASSWORD)
    );
    stage.chromium.read(&forged).await;
    stage.chromium.find("error-code").await;
    assert_eq!(stage.chromium.text("error-code").await, "access_denied");
    stage.chromium.open(&stage.url("/account")).await;
    stage.sign_in("ada").await;
    assert_eq!(stage.chromium.text("account-username").await, "ada");
}
