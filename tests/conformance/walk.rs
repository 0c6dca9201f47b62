//! A visit as the plans make it: the same module by query and by form_post.

use crate::flows::steps::response;
use crate::registration::register;
use crate::support::browser::Browser;
use crate::support::relying_party::{Method, RelyingParty, Tokens};
use crate::support::server::{Answer, TestServer, claims};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The `response_mode` parameter of each plan; absent in the Basic plan.
pub const MODES: [&str; 2] = ["", "form_post"];
/// A state of 128 characters, as several modules send it.
pub const LONG_STATE: &str = concat!(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_",
    ".~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
);

/// The settings under which a client that registers itself gets what the configured one has.
pub const SETTINGS: &str = "[registration]\nrequire_pkce = false\n\
     scope = \"openid profile email address phone offline_access\"\n";

/// The plans' client: client_secret_basic, PKCE left out as the plans leave it out.
pub const CLIENTS: &str = r#"
[[client]]
client_id = "basic"
redirect_uris = ["https://suite.example.com/test/a/portreeve/callback"]
grant_types = ["authorization_code", "refresh_token"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile email address phone offline_access"
require_pkce = false

[[client]]
client_id = "basic2"
redirect_uris = ["https://suite.example.com/test/a/portreeve/callback"]
grant_types = ["authorization_code", "refresh_token"]
refresh_token_rotation = true
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile email address phone offline_access"
require_pkce = false

[[client]]
client_id = "posting"
redirect_uris = ["https://suite.example.com/test/a/portreeve/callback"]
token_endpoint_auth_method = "client_secret_post"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid"
require_pkce = false
"#;

/// A run of the plan against one server, by one client.
pub struct Plan<'a> {
    pub server: &'a TestServer,
    pub app: RelyingParty,
    pub mode: &'static str,
}

impl<'a> Plan<'a> {
    pub fn of(server: &'a TestServer, client_id: &'static str, mode: &'static str) -> Self {
        let method = if client_id == "posting" { Method::Post } else { Method::Basic };
        let app = RelyingParty {
            client_id,
            redirect_uri: "https://suite.example.com/test/a/portreeve/callback".to_owned(),
            method,
            ..RelyingParty::new("web", "openid")
        };
        Self { server, app, mode }
    }

    /// The same by a client that registered itself (the plans' variant `dynamic_client`).
    pub async fn registered(server: &'a TestServer, mode: &'static str) -> Self {
        let said = json!({
            "client_name": "The suite",
            "redirect_uris": ["https://suite.example.com/test/a/portreeve/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
        });
        let client = register(server, &said).await;
        let method = Method::BasicWith(client.text("client_secret").to_owned());
        Self { server, app: RelyingParty { method, ..client.app("openid") }, mode }
    }

    /// The plan by each mode and each kind of client.
    pub async fn of_each(server: &'a TestServer) -> Vec<Self> {
        let mut plans = Vec::new();
        for mode in MODES {
            plans.extend([Self::of(server, "basic", mode), Self::registered(server, mode).await]);
        }
        plans
    }

    /// The request as the plans send it, changed.
    pub fn url(&self, changes: &[(&str, &str)]) -> String {
        self.app.authorize(&self.all(changes))
    }

    fn all<'c>(&self, changes: &[(&'c str, &'c str)]) -> Vec<(&'c str, &'c str)> {
        let usual = [("code_challenge", ""), ("code_challenge_method", ""), ("response_mode", self.mode)];
        let usual = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        usual.chain(changes.iter().copied()).collect()
    }

    /// Goes where the request leads, signs in and agrees as far as each is asked for; says whether a password was.
    pub async fn visit(&self, browser: &mut Browser, changes: &[(&str, &str)]) -> (Answer, bool) {
        let answer = browser.get(self.server, &self.url(changes)).await;
        let mut answer = browser.follow(self.server, answer).await;
        let asked = answer.body.contains("id=\"login-submit\"");
        if asked {
            // a person takes a moment to type
            self.server.clock.advance(std::time::Duration::from_secs(1));
            answer = browser.sign_in(self.server, &answer, "ada").await;
        }
        if answer.body.contains("id=\"consent-allow\"") {
            answer = browser.decide(self.server, &answer, "allow").await;
        }
        (answer, asked)
    }

    /// The parameters of the response, which comes by the plan's mode.
    pub fn came_back(&self, answer: &Answer) -> BTreeMap<String, String> {
        let by_post = answer.status == StatusCode::OK;
        assert_eq!(by_post, self.mode == "form_post", "{answer:?}");
        response(answer, &self.app)
    }

    /// Redeems the code that came back, and judges what every module judges.
    pub async fn tokens(&self, answer: &Answer) -> Tokens {
        let came = self.came_back(answer);
        let code = came.get("code").unwrap_or_else(|| panic!("no code: {came:?}"));
        assert_unguessable(code);
        assert_eq!(came["iss"], self.server.issuer());
        let answer = self.app.redeem(self.server, code, &[("code_verifier", "")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.header("cache-control").is_some_and(|value| value.contains("no-store")));
        let tokens = Tokens(answer.json());
        assert!(tokens.0["expires_in"].as_u64().is_some_and(|seconds| (1..=31_536_000).contains(&seconds)));
        assert!(tokens.0["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")));
        self.judge_id_token(&claims(tokens.id()), tokens.access());
        tokens
    }

    /// Also that nothing is missing that apps may take for absent by mistake (threat 76).
    fn judge_id_token(&self, said: &Value, access_token: &str) {
        assert_eq!(
            (said["iss"].as_str(), said["aud"].as_str()),
            (Some(self.server.issuer().as_str()), Some(self.app.client_id))
        );
        assert!(said["sub"].as_str().is_some_and(|sub| !sub.is_empty()) && said["acr"].as_str() != Some(""));
        let lawful =
            ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid"];
        let members = said.as_object().expect("claims").keys();
        let foreign: Vec<&String> = members.filter(|name| !lawful.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        let half = &Sha256::digest(access_token)[..16];
        assert_eq!(said["at_hash"], URL_SAFE_NO_PAD.encode(half), "OpenID Connect Core §3.1.3.6");
    }

    /// A visit to its tokens.
    pub async fn walk(&self, browser: &mut Browser, changes: &[(&str, &str)]) -> Tokens {
        let (answer, _) = self.visit(browser, changes).await;
        self.tokens(&answer).await
    }

    /// What userinfo says.
    pub async fn userinfo(&self, tokens: &Tokens) -> Value {
        let answer = self.server.get_as("/userinfo", tokens.access()).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, Some("application/json"))
        );
        let said = answer.json();
        assert_eq!(said["sub"], claims(tokens.id())["sub"]);
        let members = said.as_object().expect("claims").values();
        assert!(members.clone().all(|value| !value.is_null() && value != "" && value != "null"), "{said}");
        said
    }
}

/// What every module asks of a code and of a refresh token: VSCHAR (RFC 6749 appendix A), 128 bits, entropy.
pub fn assert_unguessable(token: &str) {
    assert!(token.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{token}");
    assert!(token.len() >= 43 && entropy(token) > 96.0, "{token}");
}

/// Shannon entropy of a text, in bits in all.
fn entropy(text: &str) -> f64 {
    let mut counts: BTreeMap<char, f64> = BTreeMap::new();
    text.chars().for_each(|c| *counts.entry(c).or_default() += 1.0);
    let length = text.chars().count() as f64;
    counts.values().map(|count| -count * (count / length).log2()).sum()
}
