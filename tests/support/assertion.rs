//! A client's own key, and what it signs with it: good assertions, and whatever else a test wants signed.

use crate::support::configuration::random_secret;
use crate::support::server::TestServer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve::jose::sign::SigningKey;
use portreeve::model::clock::Clock as _;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::{Value, json};

/// The one `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The parameters that present an assertion.
pub fn presenting(assertion: &str) -> [(&'static str, &str); 2] {
    [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]
}

/// A private key of a client's.
pub struct Signer {
    algorithm: VerificationAlgorithm,
    kid: Option<String>,
    pkcs8: Vec<u8>,
    jwk: Value,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({} {:?})", self.algorithm.as_str(), self.kid)
    }
}

impl Signer {
    /// A new P-256 key of this name.
    pub fn new(kid: &str) -> Self {
        Self::of(VerificationAlgorithm::Es256, Some(kid))
    }

    /// A new key for this algorithm, perhaps without a name.
    pub fn of(algorithm: VerificationAlgorithm, kid: Option<&str>) -> Self {
        let kind = match algorithm {
            VerificationAlgorithm::Es256 => SigningAlgorithm::Es256,
            VerificationAlgorithm::Rs256 | VerificationAlgorithm::Ps256 => SigningAlgorithm::Rs256,
            VerificationAlgorithm::EdDsa | VerificationAlgorithm::Ed25519 => SigningAlgorithm::EdDsa,
        };
        let (key, pkcs8) = SigningKey::generate(kind).expect("a key");
        let mut jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
        let members = jwk.as_object_mut().expect("an object");
        members.remove("kid");
        members.insert("alg".into(), json!(algorithm.as_str()));
        members.extend(kid.map(|kid| ("kid".to_owned(), json!(kid))));
        Self { algorithm, kid: kid.map(str::to_owned), pkcs8: pkcs8.to_vec(), jwk }
    }

    /// The public half.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The header that it puts before what it signs.
    pub fn header(&self) -> Value {
        let mut header = json!({"alg": self.algorithm.as_str(), "typ": "JWT"});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// The claims of a good assertion, with a `jti` of its own.
    pub fn claims(&self, server: &TestServer, client_id: &str) -> Value {
        let now = server.clock.now().seconds();
        json!({
            "iss": client_id, "sub": client_id, "aud": server.issuer(), "jti": random_secret(), "iat": now, "exp": now + 60,
        })
    }

    /// A good assertion.
    pub fn assertion(&self, server: &TestServer, client_id: &str) -> String {
        self.sign(&self.header(), &self.claims(server, client_id))
    }

    /// Signs whatever header and claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Signs whatever text, as an attacker with a good key would.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let (random, message) = (SystemRandom::new(), signed.as_bytes());
        let rsa = |scheme| {
            let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).expect("a key");
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(scheme, &random, message, &mut signature).expect("signed");
            signature
        };
        let signature = match self.algorithm {
            VerificationAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8);
                pair.expect("a key").sign(&random, message).expect("signed").as_ref().to_vec()
            }
            VerificationAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            VerificationAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            VerificationAlgorithm::EdDsa | VerificationAlgorithm::Ed25519 => {
                Ed25519KeyPair::from_pkcs8(&self.pkcs8).expect("a key").sign(message).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A JSON Web Key as a TOML value.
pub fn in_toml(jwk: &Value) -> String {
    let members = jwk.as_object().expect("an object").iter();
    let members: Vec<String> = members.map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", members.join(", "))
}

/// The table of a client that signs with one of these keys; `more` are lines of its own.
pub fn client_with(client_id: &str, keys: &[&Value], more: &str) -> String {
    let keys: Vec<String> = keys.iter().map(|jwk| in_toml(jwk)).collect();
    client(client_id, &format!("jwks = {{ keys = [{}] }}", keys.join(", ")), more)
}

/// The table of a client that signs; `keys` is its line of `jwks` or `jwks_uri`.
pub fn client(client_id: &str, keys: &str, more: &str) -> String {
    format!(
        r#"
[[client]]
client_id = "{client_id}"
redirect_uris = ["https://{client_id}.example.com/callback"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
token_endpoint_auth_method = "private_key_jwt"
scope = "openid offline_access photos.read"
{keys}
{more}
"#
    )
}
