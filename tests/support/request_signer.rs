//! An app's own signing key: what it registers of it, and what it signs with it.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve::jose::jwt_type::JwtType;
use portreeve::jose::sign::SigningKey;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Map, Value, json};

/// A key of a client's own.
pub struct RequestSigner {
    key: SigningKey,
    pkcs8: Vec<u8>,
}

impl RequestSigner {
    /// A fresh key.
    pub fn new(algorithm: SigningAlgorithm) -> Self {
        let (key, pkcs8) = SigningKey::generate(algorithm).expect("a key");
        Self { key, pkcs8: pkcs8.to_vec() }
    }

    /// The key set that its client registers, as a TOML value.
    pub fn jwks_in_toml(&self) -> String {
        let jwk = serde_json::to_value(self.key.public_jwk()).expect("a key");
        let members = jwk.as_object().expect("members").iter();
        let members: Vec<String> = members.map(|(name, value)| format!("{name} = {value}")).collect();
        format!("{{ keys = [{{ {} }}] }}", members.join(", "))
    }

    /// The key set as JSON.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [serde_json::to_value(self.key.public_jwk()).expect("a key")] })
    }

    /// The whole key of P-256 as JSON, for a program that signs by itself.
    pub fn private_jwk(&self) -> Value {
        // RFC 5915 §3: version 1, then the private key as an octet string of 32 bytes
        let before = [0x02, 0x01, 0x01, 0x04, 0x20];
        let at = self.pkcs8.windows(before.len()).position(|window| window == before).expect("a P-256 key");
        let secret = &self.pkcs8[at + before.len()..][..32];
        let mut jwk = serde_json::to_value(self.key.public_jwk()).expect("a key");
        jwk["d"] = json!(URL_SAFE_NO_PAD.encode(secret));
        jwk
    }

    /// Signs claims under a type.
    pub fn sign(&self, typ: JwtType, claims: &Value) -> String {
        self.key.sign(typ, claims).expect("signed")
    }

    /// A request object of `client_id` for the usual issuer, with these parameters, valid for five minutes from `now`.
    pub fn request_object(&self, client_id: &str, now: i64, parameters: &[(&str, Value)]) -> String {
        let mut claims: Map<String, Value> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for (name, value) in [
            ("iss", json!(client_id)),
            ("aud", json!(crate::support::configuration::ISSUER)),
            ("client_id", json!(client_id)),
            ("nbf", json!(now)),
            ("exp", json!(now + 300)),
        ] {
            claims.entry(name.to_owned()).or_insert(value);
        }
        claims.retain(|_, value| *value != json!("(absent)"));
        self.sign(JwtType::RequestObject, &Value::Object(claims))
    }
}

/// What a push yields.
pub fn request_uri(answer: &crate::support::server::Answer) -> String {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()["request_uri"].as_str().expect("a request_uri").to_owned()
}
