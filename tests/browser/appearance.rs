//! How every page looks, measured: nothing runs over the edge of a narrow phone, text can be read in light and in dark,
//! what is pressed is large enough for a thumb, and nothing is loaded from elsewhere.

use super::playground::{CLIENT, walk_to_the_end, walk_to_the_tokens};
use super::stage::{Setting, Stage};
use crate::account::recovery::{self, MAIL};
use crate::flows::steps::signed_in;
use crate::support::database::TestDatabase;
use crate::support::server::PASSWORD;
use portreeve::http::app::Mode;
use serde_json::json;

/// A name without a place to break it, as long as a client's may be.
const LONG_NAME: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
const LONG_USERNAME: &str = "a.person.whose.name.has.no.end.and.no.place.to.break.it.anywhere";

/// Shows every page there is, and calls `look` at each.
async fn tour(look: impl AsyncFn(&Stage, &str)) {
    tour_in("en", look).await;
}

/// Shows every page in a browser of this language.
async fn tour_in(language: &str, look: impl AsyncFn(&Stage, &str)) {
    let setting = Setting {
        mode: Mode::Dev,
        album_name: LONG_NAME,
        more_clients: CLIENT,
        more_settings: MAIL.to_owned(),
        ..Setting::default()
    };
    let stage = Stage::set_with(TestDatabase::sqlite(), setting).await;
    let chromium = &stage.chromium;
    let agent = chromium.read("return navigator.userAgent").await;
    let accepting = json!({"userAgent": agent, "acceptLanguage": language});
    chromium.devtools("Emulation.setUserAgentOverride", accepting).await;
    stage.server.add_person(LONG_USERNAME, json!({"name": LONG_NAME})).await;
    let whole = "openid profile email address phone offline_access groups photos.read photos.write";

    stage.begin(&stage.album, &[("scope", whole)]).await;
    look(&stage, "login").await;
    stage.submit_login(LONG_USERNAME, "not the password").await;
    chromium.find("login-message").await;
    look(&stage, "login, refused").await;
    stage.submit_login(LONG_USERNAME, PASSWORD).await;
    chromium.find("consent-allow").await;
    look(&stage, "consent").await;
    stage.come_back(&stage.album, "consent-allow", 1).await;
    stage.begin(&stage.album, &[("prompt", "select_account")]).await;
    chromium.find("account-1").await;
    look(&stage, "account choice").await;
    chromium.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    stage.begin(&stage.album, &[("response_mode", "form_post"), ("state", &"s".repeat(600))]).await;
    chromium.follow("consent-allow").await;
    chromium.find("form-post-submit").await;
    look(&stage, "form post").await;
    chromium.devtools("Emulation.setScriptExecutionDisabled", json!({"value": false})).await;
    look_at_the_account(&stage, &look).await;
    for (path, id) in [("/account", "account-logout"), ("/logout", "logout-confirm")] {
        chromium.open(&stage.url(path)).await;
        chromium.find(id).await;
        look(&stage, path).await;
    }
    chromium.follow("logout-all").await;
    chromium.find("login-again").await;
    look(&stage, "signed out").await;
    chromium.open(&stage.url(&stage.album.party.authorize(&[("client_id", "nobody")]))).await;
    chromium.find("error-code").await;
    look(&stage, "error").await;
    chromium.open(&stage.url("/playground")).await;
    chromium.wait_until("return document.getElementById('start')?.disabled === false").await;
    look(&stage, "playground").await;
    walk_to_the_tokens(&stage).await;
    walk_to_the_end(&stage).await;
    look(&stage, "playground, after the walk").await;
}

/// The pages of a person's own account, full: an app, another browser, another person; and those of recovery.
async fn look_at_the_account(stage: &Stage, look: &impl AsyncFn(&Stage, &str)) {
    let chromium = &stage.chromium;
    stage.server.add_person("elsewhere", json!({"name": LONG_NAME})).await;
    signed_in(&stage.server, LONG_USERNAME).await;
    chromium.open(&stage.url("/account")).await;
    chromium.follow("login-other").await;
    stage.sign_in("elsewhere").await;
    chromium.follow("account-switch").await;
    look(stage, "account choice of two").await;
    stage.pause();
    chromium.follow("account-2").await;
    chromium.find("grant-1-revoke").await;
    chromium.find("session-2-end").await;
    look(stage, "account, full").await;
    chromium.follow("session-2-end").await;
    chromium.find("account-done").await;
    look(stage, "account, something done").await;
    chromium.follow("account-password").await;
    look(stage, "password").await;
    chromium.fill("old-password", "not the password").await;
    chromium.fill("new-password", "long enough for all").await;
    chromium.follow("password-submit").await;
    chromium.find("password-message").await;
    look(stage, "password, refused").await;
    chromium.open(&stage.url("/recovery")).await;
    look(stage, "recovery").await;
    chromium.fill("username", "ada").await;
    chromium.follow("recovery-submit").await;
    chromium.find("recovery-sent").await;
    look(stage, "recovery, sent").await;
    stage.server.clock.advance(std::time::Duration::from_secs(120));
    let token = recovery::token(&stage.server).await;
    chromium.open(&stage.url(&format!("/recovery/new-password?token={token}"))).await;
    chromium.find("password-submit").await;
    look(stage, "new password").await;
    chromium.open(&stage.url("/recovery/done")).await;
    look(stage, "recovery, done").await;
}

/// WCAG 2.2 §1.4.10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_runs_over_the_edge_of_a_narrow_phone() {
    tour(async |stage, page| {
        stage.chromium.resize(320, 640).await;
        let width = stage.chromium.read(OVER).await;
        let (content, window) = (width[0].as_u64(), width[1].as_u64());
        assert_eq!(window, Some(320), "{page}");
        assert!(content <= window, "{page}: {width}");
        stage.chromium.resize(1280, 800).await;
    })
    .await;
}

/// WCAG 2.2 §1.4.10, §3.1.1: the words of some languages are longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_language_fits_on_a_narrow_phone_and_its_buttons_keep_their_words_whole() {
    for language in ["de", "fr", "es", "pt", "ja"] {
        tour_in(language, async |stage, page| {
            stage.chromium.resize(320, 640).await;
            let spoken = stage.chromium.read("return document.documentElement.lang").await;
            assert_eq!(spoken, if page.starts_with("playground") { "en" } else { language }, "{page}");
            let over = stage.chromium.read(OVER).await;
            assert_eq!(over, json!([320, 320]), "{page} in {language}");
            let broken = stage.chromium.read(BROKEN).await;
            assert_eq!(broken, json!([]), "{page} in {language}");
            stage.chromium.resize(1280, 800).await;
        })
        .await;
    }
}

/// No page is written from right to left yet; each could be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_run_from_right_to_left() {
    tour(async |stage, page| {
        let places = stage.chromium.read(PLACES).await;
        let turned = stage.chromium.read(&format!("document.documentElement.dir = 'rtl'; {PLACES}")).await;
        let (places, turned) = (places.as_array().expect("a list"), turned.as_array().expect("a list"));
        assert!(!places.is_empty() && places.len() == turned.len(), "{page}: {places:?} {turned:?}");
        for (place, turned) in places.iter().zip(turned) {
            // the distance from the left is now that from the right
            let apart =
                place["left"].as_f64().zip(turned["right"].as_f64()).map(|(one, other)| (one - other).abs());
            assert!(apart.is_some_and(|apart| apart <= 1.0), "{page}: {place} {turned}");
        }
        stage.chromium.resize(320, 640).await;
        let over = stage.chromium.read(OVER).await;
        assert_eq!(over, json!([320, 320]), "{page}");
        stage.chromium.resize(1280, 800).await;
    })
    .await;
}

/// WCAG 2.2 §1.4.3: text stands out by 4.5 to 1 wherever it is, in both themes; §2.5.5: 44 pixels each way for a thumb.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_can_be_read_and_buttons_can_be_hit_in_light_and_in_dark() {
    tour(async |stage, page| {
        for (width, height) in [(390, 844), (1280, 800)] {
            stage.chromium.resize(width, height).await;
            for theme in ["light", "dark"] {
                stage.chromium.prefer(theme).await;
                let ground = stage
                    .chromium
                    .read("return getComputedStyle(document.body.parentElement).backgroundColor");
                let bright = stage.chromium.read(BRIGHT).await;
                assert_eq!(bright, theme == "light", "{page} in {theme}: {}", ground.await);
                let faint = stage.chromium.read(FAINT).await;
                assert_eq!(faint, json!([]), "{page} in {theme}, {width} wide");
            }
            let small = stage.chromium.read(SMALL).await;
            assert_eq!(small, json!([]), "{page}, {width} wide");
        }
        stage.chromium.prefer("light").await;
    })
    .await;
}

/// Product.md: pages "load nothing from elsewhere".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_loads_anything_from_elsewhere() {
    tour(async |stage, page| {
        let loaded = stage.chromium.read(LOADED).await;
        let loaded: Vec<&str> =
            loaded.as_array().expect("a list").iter().filter_map(|url| url.as_str()).collect();
        // the style sheets at least: the list is not empty because nothing was looked at
        assert!(loaded.iter().any(|url| url.contains("/assets/portreeve.css")), "{page}: {loaded:?}");
        for url in loaded {
            assert!(url.starts_with(&stage.url("/")), "{page} loads {url}");
        }
    })
    .await;
}

/// The width of what is there, and of the window.
const OVER: &str = "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]";

/// Words on buttons that are broken over two lines; a name may be.
const BROKEN: &str = "
    const broken = [];
    for (const button of document.querySelectorAll('.button')) {
      const walker = document.createTreeWalker(button, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const text = walker.currentNode;
        if (text.parentElement.closest('bdi')) continue;
        for (const word of text.data.matchAll(/\\S+/g)) {
          const range = document.createRange();
          range.setStart(text, word.index);
          range.setEnd(text, word.index + word[0].length);
          const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
          if (lines.size > 1) broken.push(word[0]);
        }
      }
    }
    return broken;";

/// How far the marks, circles, boxes and buttons of a page are from either side.
const PLACES: &str = "
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll('.brand img, .avatar, .scope input, .choices .button, .field input')]
      .map((element) => element.getBoundingClientRect())
      .filter((box) => box.width > 0)
      .map((box) => ({ left: box.left, right: width - box.right }));";

const LOADED: &str = "
    const named = [...document.querySelectorAll('link[href], script[src], img[src], iframe[src], source[src]')];
    return [
      ...performance.getEntriesByType('resource').map((entry) => entry.name),
      ...named.map((element) => element.src || element.href),
    ];";

const BRIGHT: &str = "
    const [r, g, b] = getComputedStyle(document.documentElement).backgroundColor.match(/[\\d.]+/g).map(Number);
    return r + g + b > 384;";

/// What is pressed and smaller than a thumb; links within a sentence may be (§2.5.5, \"inline\").
const SMALL: &str = "
    const targets = [...document.querySelectorAll('button, select, input:not([type=hidden]), a[href]')];
    return targets
      .filter((element) => !(element.tagName === 'A' && getComputedStyle(element).display === 'inline'))
      .map((element) => element.closest('label') ?? element)
      .map((element) => [element.id || element.textContent.trim(), element.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.width < 44 || box.height < 44))
      .map(([name, box]) => `${name}: ${box.width} x ${box.height}`);";

/// Text whose colour is too near that of what is painted behind it, after WCAG's formula. Disabled buttons are exempt.
const FAINT: &str = "
    const parse = (colour) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d');
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = parse(getComputedStyle(at).backgroundColor);
        if (colour[3] > 0.99) return colour;
      }
      return [255, 255, 255, 1];
    };
    const luminance = (colour) => {
      const [r, g, b] = colour.slice(0, 3).map((part) => {
        const c = part / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const style = getComputedStyle(element);
      if (!walker.currentNode.data.trim() || element.closest('script, noscript, :disabled')) continue;
      if (!element.checkVisibility({ visibilityProperty: true }) || element.closest('.visually-hidden')) continue;
      const [text, behind] = [luminance(parse(style.color)), luminance(ground(element))];
      const contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
      if (contrast < 4.5) faint.push(`${walker.currentNode.data.trim().slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return faint;";
