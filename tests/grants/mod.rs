//! The token endpoint's grants: what each is bound to, when it ends, and that a refusal changes nothing.

mod authorization_code_bindings;
mod authorization_code_life;
mod authorization_code_secrecy;
mod busy_hasher;
mod client_credentials;
mod client_secrets;
mod clocks;
mod late_bodies;
mod refresh_token_bounds;
mod refresh_token_ends;
mod refresh_token_rotation;
mod swept;

use crate::support::browser::{Browser, form};
use crate::support::server::{Answer, TestServer};
use axum::http::StatusCode;
use portreeve::model::username::CanonicalUsername;

/// Ada's name.
pub fn ada() -> CanonicalUsername {
    CanonicalUsername::parse("ada").expect("a username")
}

/// Signs the browser's person out by the page for it.
pub async fn sign_out(server: &TestServer, browser: &mut Browser) {
    let page = browser.get(server, "/logout").await;
    let form = form(&page);
    let fields: Vec<(&str, &str)> =
        form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post(server, &form.action, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

/// Asserts a refusal in the words of RFC 6749 §5.2: JSON with `error`, not to be kept.
pub fn assert_refused(answer: &Answer, error: &str) {
    let status = if error == "invalid_client" { 401 } else { 400 };
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.error(), error, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}
