//! Steps that many visits take, and what every refusal has in common.

use crate::support::browser::{Browser, unescape};
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, encode, parameter};
use axum::http::{Method, StatusCode};
use portreeve::model::username::CanonicalUsername;
use portreeve::users::lifecycle::Change;
use std::collections::BTreeMap;
use std::time::Duration;
use url::form_urlencoded;

pub const SECOND: Duration = Duration::from_secs(1);

/// Whatever was refused before, the next good visit of somebody else succeeds.
pub async fn still_works(server: &TestServer) {
    let app = RelyingParty::new("web", "openid photos.read");
    let mut browser = Browser { address: Some([203, 0, 113, 99].into()), ..Browser::new() };
    let tokens = app.tokens(server, &mut browser).await;
    assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
}

/// A browser in which this person is signed in.
pub async fn signed_in(server: &TestServer, username: &str) -> Browser {
    let mut browser = Browser::new();
    let page = browser.get(server, "/account").await;
    let page = browser.sign_in(server, &page, username).await;
    assert!(page.body.contains("id=\"account-logout\""), "{page:?}");
    browser
}

/// Disables a person, as an operator does.
pub async fn disable(server: &TestServer, username: &str) {
    let username = CanonicalUsername::parse(username).expect("a username");
    server.people().disable(&username, &server.app.circumstances("")).await.expect("somebody");
}

/// Sets a claim of a person, as an operator does.
pub async fn set_claim(server: &TestServer, username: &str, claim: &str, value: serde_json::Value) {
    let username = CanonicalUsername::parse(username).expect("a username");
    let change = Change { set: vec![(claim.to_owned(), value)], ..Change::default() };
    server.people().change(&username, change, &server.app.circumstances("")).await.expect("somebody");
}

/// Begins a visit and yields the page or the redirect elsewhere that it comes to.
pub async fn begin(
    server: &TestServer,
    browser: &mut Browser,
    app: &RelyingParty,
    changes: &[(&str, &str)],
) -> Answer {
    let answer = browser.get(server, &app.authorize(changes)).await;
    browser.follow(server, answer).await
}

/// GETs a path and yields it with where it came to rest, redirects on the server followed.
pub async fn open(server: &TestServer, browser: &mut Browser, path: &str) -> Answer {
    let answer = browser.get(server, path).await;
    browser.follow(server, answer).await
}

/// POSTs a form as another site's page would have the browser do it: without its Lax cookies.
pub async fn post_from_elsewhere(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Answer {
    let headers = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    Browser::new().request(server, Method::POST, path, Some(encode(fields)), &headers).await
}

pub fn is_login(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.body.contains("id=\"login-submit\"")
}

pub fn is_consent(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.body.contains("id=\"consent-allow\"")
}

/// The text of the element with this id.
pub fn text_of(answer: &Answer, id: &str) -> String {
    let start = answer.body.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {answer:?}"));
    let rest = &answer.body[start..];
    let inner = &rest[rest.find('>').expect("a tag") + 1..];
    let inner = inner.strip_prefix("<bdi>").unwrap_or(inner);
    unescape(&inner[..inner.find('<').expect("an end")])
}

/// Asserts that this is an error page of this status and code that leads nowhere, and yields its id.
pub fn error_page(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("location"), None, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(text_of(answer, "error-code"), code, "{answer:?}");
    assert!(!text_of(answer, "error-reason").is_empty());
    let id = text_of(answer, "error-id");
    assert!(id.len() >= 16, "{id}");
    id
}

/// The parameters of an authorization response, by either mode; each is there once, and it goes where the app said.
pub fn response(answer: &Answer, app: &RelyingParty) -> BTreeMap<String, String> {
    let pairs: Vec<(String, String)> = if answer.status == StatusCode::SEE_OTHER {
        let location = answer.location();
        let query = location.strip_prefix(&app.redirect_uri).unwrap_or_else(|| panic!("astray: {location}"));
        // threat 5: an empty fragment of its own, and no other
        let query = query.strip_suffix('#').unwrap_or_else(|| panic!("no fragment: {location}"));
        assert!(query.starts_with(['?', '&']) && !query.contains('#'), "{location}");
        form_urlencoded::parse(&query.as_bytes()[1..]).into_owned().collect()
    } else {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.body.contains("id=\"form-post\""), "{answer:?}");
        let form = crate::support::browser::form(answer);
        assert_eq!(form.action, app.redirect_uri);
        form.hidden
    };
    let parameters: BTreeMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(parameters.len(), pairs.len(), "a parameter is there twice: {pairs:?}");
    parameters
}

/// Asserts that the app hears of this error, and of nothing else (RFC 6749 §4.1.2.1, RFC 9207 §2).
pub fn refused(
    server: &TestServer,
    answer: &Answer,
    app: &RelyingParty,
    code: &str,
) -> BTreeMap<String, String> {
    let parameters = response(answer, app);
    assert_eq!(parameters.get("error").map(String::as_str), Some(code), "{parameters:?}");
    assert_eq!(parameters["iss"], server.issuer());
    let known = ["error", "error_description", "iss", "state"];
    assert!(parameters.keys().all(|name| known.contains(&name.as_str())), "{parameters:?}");
    let description = &parameters["error_description"];
    let lawful = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    assert!(!description.is_empty() && description.chars().all(lawful), "{description}");
    parameters
}

/// Asserts that the app got a code, and yields it.
pub fn code(server: &TestServer, answer: &Answer, app: &RelyingParty) -> String {
    let parameters = response(answer, app);
    let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "iss", "state"]);
    assert_eq!(parameters["iss"], server.issuer());
    parameters["code"].clone()
}

/// The mark in the URL of a page.
pub fn marker(url: &str) -> String {
    parameter(url, "marker").unwrap_or_else(|| panic!("no marker: {url}"))
}
