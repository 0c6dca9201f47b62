//! How clients prove who they are, at every endpoint of theirs: by the registered method and no other, never two at once. Of
//! keys of their own: what is accepted, everything that is not, and where the keys come from.

mod assertion_claims;
mod assertion_forms;
mod assertion_keys;
mod assertion_life;
mod assertion_use;
mod authentication;
mod fetched_keys;
mod methods;
mod refusals;

use crate::support::assertion::{Signer, client_with, presenting};
use crate::support::database::TestDatabase;
use crate::support::server::{Answer, TestServer};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// The endpoints where a client proves who it is, and what it may well ask there.
const ENDPOINTS: [(&str, &[(&str, &str)]); 4] = [
    ("/token", &[("grant_type", "client_credentials"), ("scope", "photos.read")]),
    ("/revoke", &[("token", "nobody's")]),
    ("/introspect", &[("token", "nobody's")]),
    (
        "/par",
        &[
            ("response_type", "code"),
            ("redirect_uri", "https://signed.example.com/callback"),
            ("scope", "openid"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ],
    ),
];

/// A server with a client `signed` that has a key.
struct Signed {
    server: TestServer,
    signer: Signer,
}

impl Signed {
    async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, Signer::new("one"), "").await
    }

    /// The client has this key, and `more` lines in its table.
    async fn start_with(database: &TestDatabase, signer: Signer, more: &str) -> Self {
        let clients = client_with("signed", &[signer.jwk()], more);
        Self { server: TestServer::start_with(database, "", &clients).await, signer }
    }

    /// The claims of a good assertion.
    fn claims(&self) -> Value {
        self.signer.claims(&self.server, "signed")
    }

    /// An assertion whose claim `name` is another, or none.
    fn with_claim(&self, name: &str, value: Option<Value>) -> String {
        let mut claims = self.claims();
        set(&mut claims, name, value);
        self.signer.sign(&self.signer.header(), &claims)
    }

    /// An assertion whose header parameter `name` is another, or none.
    fn with_header(&self, name: &str, value: Option<Value>) -> String {
        let mut header = self.signer.header();
        set(&mut header, name, value);
        self.signer.sign(&header, &self.claims())
    }

    async fn present(&self, assertion: &str) -> Answer {
        present(&self.server, "/token", assertion).await
    }

    /// Asserts that an assertion is taken.
    async fn assert_taken(&self, assertion: &str, why: &str) {
        let answer = self.present(assertion).await;
        assert_eq!(answer.status, StatusCode::OK, "{why}: {answer:?}");
    }

    /// Asserts that assertions like these, one for each endpoint, are refused everywhere alike, and that a good one is not.
    async fn assert_refused(&self, why: &str, assertion: impl Fn() -> String) {
        for (path, _) in ENDPOINTS {
            assert_unknown(&present(&self.server, path, &assertion()).await, why);
        }
        self.assert_taken(&self.signer.assertion(&self.server, "signed"), why).await;
    }
}

fn set(members: &mut Value, name: &str, value: Option<Value>) {
    match value {
        Some(value) => members[name] = value,
        None => drop(members.as_object_mut().expect("an object").remove(name)),
    }
}

/// Presents an assertion at an endpoint, with a request that is good otherwise.
async fn present(server: &TestServer, path: &str, assertion: &str) -> Answer {
    let (_, request) = ENDPOINTS.iter().find(|(known, _)| *known == path).expect("an endpoint");
    server.post(path, None, &[*request, &presenting(assertion)].concat()).await
}

/// Asserts that the client is known and gets what it asked for.
fn assert_answered(answer: &Answer, why: &str) {
    assert!(matches!(answer.status, StatusCode::OK | StatusCode::CREATED), "{why}: {answer:?}");
}

/// Asserts that the client is not known for who it says, in the one text that tells nothing more (threat 91).
fn assert_unknown(answer: &Answer, why: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{why}: {answer:?}");
    let told =
        json!({"error": "invalid_client", "error_description": "the client could not be authenticated"});
    assert_eq!(answer.json(), told, "{why}");
    assert_eq!(answer.header("www-authenticate"), None, "{why}: Basic was not tried");
}
