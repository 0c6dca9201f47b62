//! What goes out: whatever an app sends along comes back byte for byte, and nothing of it becomes a header, a parameter or a
//! piece of a page (security.md §3.3, targets 21, 22; threats 10, 26, 155).

use super::hold;
use crate::support::browser::{Browser, attribute};
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer};
use axum::http::{HeaderValue, StatusCode};
use portreeve::authorization::target::AuthorizationResponse;
use portreeve::model::username::CanonicalUsername;
use portreeve::protocol::response_mode::ResponseMode;
use portreeve::users::lifecycle::Change;
use proptest::prelude::*;
use tokio::runtime::Runtime;
use url::Url;

/// Texts that somebody may have chosen with care.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "\\PC{0,8}",
        2 => "[\"'<>&;=#?%+/\\\\ ]{1,4}",
        1 => "(</form>|<script>|\\]\\]>|<!--|&lt;|&#38;|&amp;|javascript:|%0d%0a|code=x|&iss=evil|\u{202e}|\u{feff}|\u{2028})",
        1 => "[\r\n\t]{1,2}",
    ];
    let texts = proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    // an empty parameter is as good as none (RFC 6749 §3.1)
    texts.prop_filter("not empty", |text| !text.is_empty())
}

/// Invariants 24–26: one `code`, one `state`, one `iss`, at the registered address, in a header that can be sent.
#[test]
fn a_redirect_carries_its_parameters_once_each_and_as_they_were() {
    let uris =
        ["https://a.example/cb", "https://a.example/cb?x=1", "https://a.example/cb?", "com.example.app:/cb"];
    let strategy = (proptest::sample::select(uris.to_vec()), hostile(), hostile());
    hold(512, &strategy, |(uri, code, state)| {
        let parameters =
            vec![("code", code), ("state", state), ("iss", "https://auth.example.com".to_owned())];
        let response_mode = ResponseMode::Query;
        let response = AuthorizationResponse { uri: uri.to_owned(), response_mode, parameters };
        let location = response.location();
        prop_assert!(HeaderValue::from_str(&location).is_ok() && location.starts_with(uri));
        let (registered, led) = (Url::parse(uri).unwrap(), Url::parse(&location).unwrap());
        prop_assert_eq!((registered.host(), registered.path()), (led.host(), led.path()));
        prop_assert_eq!(led.fragment(), Some("")); // its own, so that none passes to the app (threat 5)
        let kept = registered.query_pairs().count();
        let added: Vec<(String, String)> =
            led.query_pairs().skip(kept).map(|(n, v)| (n.into(), v.into())).collect();
        let sent: Vec<(String, String)> =
            response.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        prop_assert_eq!(added, sent);
        Ok(())
    });
}

/// Threats 26, 155: by redirect and by form, through the whole server; the form differs in the app's texts and nowhere else.
#[test]
fn a_state_comes_back_as_it_was_sent_and_changes_nothing_else() {
    let runtime = Runtime::new().unwrap();
    let database = TestDatabase::sqlite();
    let server = runtime.block_on(TestServer::start(&database));
    let app = RelyingParty::new("web", "openid");
    let answer = |state: &str, mode: &str| -> Answer {
        let asked = [("state", state), ("response_mode", mode), ("prompt", "none")];
        runtime.block_on(Browser::new().get(&server, &app.authorize(&asked)))
    };
    let plain = answer("plain", "form_post");
    hold(192, &hostile(), |state| {
        let redirected = answer(&state, "query");
        prop_assert_eq!(redirected.status, StatusCode::SEE_OTHER);
        prop_assert_eq!(redirected.parameter("state"), Some(state.clone()));
        prop_assert_eq!(redirected.parameter("error"), Some("login_required".to_owned()));
        prop_assert!(redirected.location().starts_with(&app.redirect_uri));
        let posted = answer(&state, "form_post");
        let field =
            posted.body.split("<input").find(|tag| tag.contains(" name=\"state\"")).unwrap_or_default();
        prop_assert_eq!(attribute(field, "value"), Some(state.clone()));
        // Everything around the one value is what it is for a harmless state.
        let around = |page: &Answer| -> (String, String) {
            let (before, rest) = page.body.split_once(" name=\"state\" value=\"").expect("the field");
            (before.to_owned(), rest.split_once('"').expect("its end").1.to_owned())
        };
        prop_assert_eq!(around(&posted), around(&plain));
        prop_assert_eq!(posted.header("content-security-policy"), plain.header("content-security-policy"));
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        prop_assert_eq!(names(&posted), names(&plain));
        Ok(())
    });
}

/// The tags of a page, without what they hold: `<` and `>` stand in no text and no attribute that was escaped.
fn skeleton(page: &Answer) -> Vec<String> {
    let tags = page.body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let names = tags.map(|tag| {
        let mut attributes: Vec<&str> = tag.split('"').step_by(2).map(str::trim).collect();
        attributes.retain(|attribute| !attribute.is_empty());
        attributes.join(" ")
    });
    names.collect()
}

/// Target 21, threat 152: a person's name and what an app suggests are text on every page, and never a piece of it.
#[test]
fn whatever_somebody_is_called_the_pages_keep_their_shape() {
    let runtime = Runtime::new().unwrap();
    let database = TestDatabase::sqlite();
    let server = runtime.block_on(TestServer::start(&database));
    let app = RelyingParty::new("web", "openid profile");
    let mut browser = Browser::new();
    let ada = CanonicalUsername::parse("ada").expect("a username");
    runtime.block_on(async {
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        browser.sign_in(&server, &page, "ada").await;
    });
    let pages = |name: &str, hint: &str| -> Option<[Answer; 4]> {
        let change = Change { set: vec![("name".to_owned(), name.into())], ..Change::default() };
        runtime.block_on(async {
            server.people().change(&ada, change, &server.app.circumstances("")).await.ok()?;
            let consent = browser.clone().get(&server, &app.authorize(&[])).await;
            let consent = browser.clone().follow(&server, consent).await;
            let mut stranger = Browser::new();
            let login = stranger.get(&server, &app.authorize(&[("login_hint", hint)])).await;
            let login = stranger.follow(&server, login).await;
            let (account, logout) = (
                browser.clone().get(&server, "/account").await,
                browser.clone().get(&server, "/logout").await,
            );
            Some([consent, login, account, logout])
        })
    };
    let plain = pages("Ada", "ada").expect("a name").map(|page| skeleton(&page));
    assert!(plain.iter().all(
        |page| page.len() > 10 && page.iter().any(|tag| tag.starts_with("form") || tag.starts_with('a'))
    ));
    hold(96, &(hostile(), hostile()), |(name, hint)| {
        let Some(pages) = pages(&name, &hint) else { return Ok(()) };
        let shapes = pages.each_ref().map(skeleton);
        prop_assert_eq!(&shapes, &plain);
        prop_assert!(pages[1].body.contains("id=\"username\""));
        let field =
            pages[1].body.split("<input").find(|tag| tag.contains(" id=\"username\"")).unwrap_or_default();
        prop_assert_eq!(attribute(field, "value"), Some(hint));
        Ok(())
    });
}
