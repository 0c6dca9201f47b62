//! Clients that register themselves (RFC 7591, RFC 7592, OpenID Connect Registration 1.0): who may, what they get, what they
//! never get, and what is left of them.

mod advertised;
mod expiry;
mod hostile;
mod interstitial;
mod logos;
mod manage;
mod policy;
mod races;
mod register;
mod replicas;
mod round_trip;
mod sector;
mod standing;
mod strangers;

use crate::support::configuration::random_secret;
use crate::support::database::TestDatabase;
use crate::support::relying_party::{Method as Proof, RelyingParty};
use crate::support::server::{Answer, TestServer};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Open to everybody, with the usual policy.
const OPEN: &str = "[registration]\n";
/// Open to everybody, with everything that the test's configuration has.
const GENEROUS: &str = "[registration]\nscope = \"openid profile email offline_access photos.read\"\n\
     grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]\n";

/// A server under which anybody may register.
async fn open(database: &TestDatabase) -> TestServer {
    TestServer::start_with(database, OPEN, "").await
}

/// Settings under which only whoever has the token may register, and the token.
fn guarded() -> (String, String) {
    let token = random_secret();
    let hash: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("[registration]\ninitial_access_tokens = [{{ sha256 = \"{hash}\" }}]\n"), token)
}

/// Sends JSON with a Bearer token.
async fn send(
    server: &TestServer,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let path = path.strip_prefix(&server.issuer()).unwrap_or(path);
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = match body {
        None => Body::empty(),
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
    };
    server.send(request.body(body).expect("a request")).await
}

/// POSTs to `/register`.
async fn post(server: &TestServer, members: &Value) -> Answer {
    send(server, Method::POST, "/register", None, Some(members)).await
}

/// A registration, as the client remembers it.
#[derive(Clone, Debug)]
pub struct Registration(Map<String, Value>);

impl Registration {
    pub fn text(&self, member: &str) -> &str {
        self.0.get(member).and_then(Value::as_str).unwrap_or_else(|| panic!("no {member}: {self:?}"))
    }

    fn id(&self) -> &str {
        self.text("client_id")
    }

    fn token(&self) -> &str {
        self.text("registration_access_token")
    }

    fn uri(&self) -> &str {
        self.text("registration_client_uri")
    }

    async fn get(&self, server: &TestServer) -> Answer {
        send(server, Method::GET, self.uri(), Some(self.token()), None).await
    }

    async fn put(&self, server: &TestServer, body: &Value) -> Answer {
        send(server, Method::PUT, self.uri(), Some(self.token()), Some(body)).await
    }

    /// What the client would send to keep everything, changed by `changes`; null takes a member away.
    fn with(&self, changes: &Value) -> Value {
        let mut body = self.0.clone();
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::Null => drop(body.remove(name)),
                value => drop(body.insert(name.clone(), value.clone())),
            }
        }
        Value::Object(body)
    }

    async fn delete(&self, server: &TestServer) -> Answer {
        send(server, Method::DELETE, self.uri(), Some(self.token()), None).await
    }

    /// The app behind it, as a public client.
    pub fn app(&self, scope: &str) -> RelyingParty {
        RelyingParty {
            client_id: Box::leak(self.id().to_owned().into_boxed_str()),
            redirect_uri: self.0["redirect_uris"][0].as_str().expect("a redirect URI").to_owned(),
            verifier: "a-verifier-of-the-tests-that-is-long-enough-0123456789".to_owned(),
            scope: scope.to_owned(),
            method: Proof::None,
        }
    }
}

/// Registers, which must succeed.
pub async fn register(server: &TestServer, members: &Value) -> Registration {
    let answer = post(server, members).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{members}: {answer:?}");
    let Value::Object(information) = answer.json() else { panic!("an object") };
    Registration(information)
}

/// What a single-page app says of itself.
fn spa() -> Value {
    json!({
        "client_name": "Notes",
        "redirect_uris": ["https://notes.example.com/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
}

/// What a web application with a secret says of itself.
fn web() -> Value {
    json!({
        "client_name": "Notes on the web",
        "redirect_uris": ["https://web.notes.example.com/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
    })
}
