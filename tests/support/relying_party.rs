//! An app: it sends people to the server and redeems what they come back with.

use crate::support::assertion::{Signer, presenting};
use crate::support::browser::Browser;
use crate::support::server::{Answer, TestServer, basic, encode};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// An app that is registered as one of the test's clients.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// Its identifier.
    pub client_id: &'static str,
    /// Where it wants people back.
    pub redirect_uri: String,
    /// The verifier of its requests.
    pub verifier: String,
    /// What it asks for.
    pub scope: String,
    /// How it proves who it is.
    pub method: Method,
}

/// How an app proves who it is.
#[derive(Clone, Debug)]
pub enum Method {
    /// Not at all.
    None,
    /// By `client_secret_basic`.
    Basic,
    /// By `client_secret_basic`, with the secret that it got when it registered itself.
    BasicWith(String),
    /// By `client_secret_post`.
    Post,
    /// By `private_key_jwt`, with a new assertion for every request.
    PrivateKeyJwt(Arc<Signer>),
}

/// What an app got for a code or a refresh token.
#[derive(Clone, Debug)]
pub struct Tokens(pub Value);

impl Tokens {
    /// The access token.
    pub fn access(&self) -> &str {
        self.0["access_token"].as_str().expect("an access token")
    }

    /// The refresh token.
    pub fn refresh(&self) -> &str {
        self.0["refresh_token"].as_str().expect("a refresh token")
    }

    /// The ID token.
    pub fn id(&self) -> &str {
        self.0["id_token"].as_str().expect("an ID token")
    }
}

impl RelyingParty {
    /// The app behind one of the test's clients, asking for `scope`.
    pub fn new(client_id: &'static str, scope: &str) -> Self {
        let (redirect_uri, method) = match client_id {
            "spa" => ("https://spa.example.com/callback", Method::None),
            "native" => ("http://127.0.0.1:49152/callback", Method::None),
            "post" => ("https://post.example.com/callback", Method::Post),
            "web" => ("https://web.example.com/callback", Method::Basic),
            "legacy" => ("https://legacy.example.com/callback", Method::Basic),
            "ours" => ("https://ours.example.com/callback", Method::Basic),
            "staff" => ("https://staff.example.com/callback", Method::Basic),
            other => panic!("no app behind {other}"),
        };
        Self {
            client_id,
            redirect_uri: redirect_uri.to_owned(),
            verifier: "a-verifier-of-the-tests-that-is-long-enough-0123456789".to_owned(),
            scope: scope.to_owned(),
            method,
        }
    }

    /// The app behind a client that signs, as `assertion::client` writes its table.
    pub fn signing(client_id: &'static str, scope: &str, signer: Arc<Signer>) -> Self {
        let redirect_uri = format!("https://{client_id}.example.com/callback");
        Self { client_id, redirect_uri, method: Method::PrivateKeyJwt(signer), ..Self::new("web", scope) }
    }

    /// The challenge of its verifier (RFC 7636 §4.2).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }

    /// The parameters of its request, changed by `changes`: a value replaces or adds, an empty one takes away.
    pub fn request(&self, changes: &[(&str, &str)]) -> String {
        let challenge = self.challenge();
        let base = [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("scope", self.scope.as_str()),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
        let kept = base.into_iter().filter(|(name, _)| !changed(name));
        let added = changes.iter().copied().filter(|(_, value)| !value.is_empty());
        encode(&kept.chain(added).collect::<Vec<_>>())
    }

    /// The URL it sends people to.
    pub fn authorize(&self, changes: &[(&str, &str)]) -> String {
        format!("/authorize?{}", self.request(changes))
    }

    /// Walks a person through sign-in and consent, as far as each is asked for, and yields where the browser is led.
    pub async fn visit(
        &self,
        server: &TestServer,
        browser: &mut Browser,
        changes: &[(&str, &str)],
    ) -> Answer {
        let answer = browser.get(server, &self.authorize(changes)).await;
        let mut answer = browser.follow(server, answer).await;
        if answer.body.contains("id=\"login-submit\"") {
            answer = browser.sign_in(server, &answer, "ada").await;
        }
        if answer.body.contains("id=\"consent-allow\"") {
            answer = browser.decide(server, &answer, "allow").await;
        }
        answer
    }

    /// Gets a code.
    pub async fn code(&self, server: &TestServer, browser: &mut Browser) -> String {
        let answer = self.visit(server, browser, &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        answer.parameter("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    /// POSTs to an endpoint, proving who it is.
    pub async fn post(&self, server: &TestServer, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut parameters = parameters.to_vec();
        let secret = server.secret().to_owned();
        let assertion;
        match &self.method {
            Method::Basic => {
                return server.post(path, Some(&basic(self.client_id, &secret)), &parameters).await;
            }
            Method::BasicWith(own) => {
                return server.post(path, Some(&basic(self.client_id, own)), &parameters).await;
            }
            Method::None => parameters.push(("client_id", self.client_id)),
            Method::Post => {
                parameters.extend([("client_id", self.client_id), ("client_secret", secret.as_str())])
            }
            Method::PrivateKeyJwt(signer) => {
                assertion = signer.assertion(server, self.client_id);
                parameters.extend(presenting(&assertion));
            }
        }
        server.post(path, None, &parameters).await
    }

    /// Redeems a code, changed as in [`RelyingParty::request`].
    pub async fn redeem(&self, server: &TestServer, code: &str, changes: &[(&str, &str)]) -> Answer {
        let base = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", self.verifier.as_str()),
        ];
        let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
        let kept = base.into_iter().filter(|(name, _)| !changed(name));
        let added = changes.iter().copied().filter(|(_, value)| !value.is_empty());
        self.post(server, "/token", &kept.chain(added).collect::<Vec<_>>()).await
    }

    /// Refreshes.
    pub async fn refresh(&self, server: &TestServer, refresh_token: &str, more: &[(&str, &str)]) -> Answer {
        let mut parameters = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        parameters.extend_from_slice(more);
        self.post(server, "/token", &parameters).await
    }

    /// A whole flow, to the tokens.
    pub async fn tokens(&self, server: &TestServer, browser: &mut Browser) -> Tokens {
        let code = self.code(server, browser).await;
        let answer = self.redeem(server, &code, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Tokens(answer.json())
    }
}
