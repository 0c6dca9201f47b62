//! OpenID Connect beyond the main road: single claims, hints, subjects by sector, signed answers.

mod claims_request;
mod id_token_hint;
mod signed_answers;
mod step_up;
mod subjects;

use crate::support::browser::Browser;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer};
use axum::http::StatusCode;
use serde_json::Value;

/// Redeems the code that the answer carries.
async fn redeemed(server: &TestServer, app: &RelyingParty, answer: &Answer) -> Tokens {
    let code = answer.parameter("code").unwrap_or_else(|| panic!("no code: {answer:?}"));
    let answer = app.redeem(server, &code, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    Tokens(answer.json())
}

/// What userinfo says to the holder of these tokens.
async fn userinfo(server: &TestServer, tokens: &Tokens) -> Value {
    let answer = server.get_as("/userinfo", tokens.access()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// A whole visit of Ada's in a browser of her own, with changes to the request.
async fn tokens_of(server: &TestServer, app: &RelyingParty, changes: &[(&str, &str)]) -> Tokens {
    let answer = app.visit(server, &mut Browser::new(), changes).await;
    redeemed(server, app, &answer).await
}
