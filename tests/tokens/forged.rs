//! Access tokens that nobody issued (RFC 8725, RFC 9068 §4; threats 65–71): each good in every way but one. The verifier's
//! own tables are beside it in `jose`; here whole requests are refused, the same way every time.

use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, claims, header_of};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use portreeve::jose::jwt_type::JwtType;
use portreeve::jose::sign::SigningKey;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Value, json};
use sha2::Sha256;

fn encode(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn with(json: &Value, name: &str, value: Value) -> Value {
    let mut json = json.clone();
    json[name] = value;
    json
}

fn without(json: &Value, name: &str) -> Value {
    let mut json = json.clone();
    json.as_object_mut().expect("an object").remove(name);
    json
}

/// Signs what is given with a key of the server itself, as an issuer gone wrong would.
fn signed(server: &TestServer, algorithm: SigningAlgorithm, typ: JwtType, claims: &Value) -> String {
    server.app.keys.ring().signer(algorithm).expect("a key").sign(typ, claims).expect("signed")
}

fn by_hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let text = format!("{}.{}", encode(header), encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

async fn assert_nothing(server: &TestServer, what: &str, token: &str) {
    assert_eq!(server.introspect_as("photos-api", token).await, json!({"active": false}), "{what}");
    let answer = server.get_as("/userinfo", token).await;
    assert!(matches!(answer.status.as_u16(), 400 | 401), "{what}: {answer:?}");
    assert!(!answer.body.contains("ada"), "{what}");
}

on_both_stores! {
    /// Threats 65, 66, 67, 68, 69: the header decides nothing.
    async fn a_header_that_promises_something_else_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = RelyingParty::new("web", "openid photos.read").tokens(&server, &mut Browser::new()).await;
        let (header, claims) = (header_of(tokens.access()), claims(tokens.access()));
        let signature = tokens.access().rsplit('.').next().expect("a signature").to_owned();
        for none in ["none", "None", "nOnE", "NONE", "", "HS256", "ES384", "RS512", "PS256", "dir"] {
            let forged = format!("{}.{}", encode(&with(&header, "alg", none.into())), encode(&claims));
            for ending in [".", "", &format!(".{signature}")] {
                assert_nothing(&server, none, &format!("{forged}{ending}")).await;
            }
        }
        let jwks = server.jwks().await;
        for key in jwks["keys"].as_array().expect("keys") {
            let header = with(&with(&header, "alg", "HS256".into()), "kid", key["kid"].clone());
            let n = key.get("n").or(key.get("x")).and_then(Value::as_str).expect("a key").to_owned();
            let raw = URL_SAFE_NO_PAD.decode(&n).expect("base64url");
            for secret in [key.to_string().as_bytes(), n.as_bytes(), &raw, server.secret().as_bytes(), b""] {
                assert_nothing(&server, "HS256", &by_hmac(&header, &claims, secret)).await;
            }
        }
        // an attacker's own good key, offered in every way that a header has
        let (key, _) = SigningKey::generate(SigningAlgorithm::Es256).expect("a key");
        let foreign = key.sign(JwtType::AccessToken, &claims).expect("signed");
        assert_nothing(&server, "a foreign key", &foreign).await;
        let body = foreign.split('.').nth(1).expect("a payload");
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
        for (name, value) in [
            ("jwk", jwk.clone()),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("kid", json!("../../../../dev/null")),
            ("kid", json!("' OR 1=1--")),
            ("kid", json!("k".repeat(10_000))),
            ("kid", json!(["a"])),
            ("kid", json!(null)),
            ("typ", json!("JWT")),
            ("typ", json!(null)),
        ] {
            let header = encode(&with(&header, name, value));
            assert_nothing(&server, name, &format!("{header}.{body}.{signature}")).await;
        }
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
    }

    /// Threats 51, 70, 71: even under this server's own signature a token is an access token in every claim, or nothing.
    async fn claims_of_another_kind_are_refused_under_our_own_signature(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = RelyingParty::new("web", "openid photos.read").tokens(&server, &mut Browser::new()).await;
        let good = claims(tokens.access());
        let access = |claims: &Value| signed(&server, SigningAlgorithm::Es256, JwtType::AccessToken, claims);
        let genuine = access(&good);
        assert_eq!(server.get_as("/userinfo", &genuine).await.status, StatusCode::OK, "the forge works");
        for typ in JwtType::ALL.into_iter().filter(|typ| *typ != JwtType::AccessToken) {
            let forged = signed(&server, SigningAlgorithm::Es256, typ, &good);
            assert_nothing(&server, typ.as_str(), &forged).await;
        }
        for name in ["iss", "sub", "aud", "exp", "jti", "client_id"] {
            assert_nothing(&server, name, &access(&without(&good, name))).await;
        }
        let now = good["iat"].as_i64().expect("a number");
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("iss", json!("https://auth.example.com/")),
            ("iss", json!(["https://auth.example.com"])),
            ("sub", json!("usr_somebody_else")),
            ("sub", json!(7)),
            ("sub", json!("web")),
            ("aud", json!(["https://api.example.com/photos", 7])),
            ("aud", json!({"a": 1})),
            ("exp", json!((now + 600).to_string())),
            ("exp", json!(now)),
            ("exp", json!(-1)),
            ("exp", json!({})),
            ("iat", json!("now")),
            ("nbf", json!(now + 3_600)),
            ("client_id", json!("spa")),
            ("client_id", json!("nobody")),
            ("client_id", json!(["web"])),
            ("jti", json!("")),
            ("jti", json!("without-a-grant")),
            ("jti", json!(7)),
            ("jti", json!("grant.of.nobody")),
        ] {
            let what = format!("{name} = {value}");
            assert_nothing(&server, &what, &access(&with(&good, name, value))).await;
        }
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
    }

    /// Threats 72, 158, 194: what is large, deep or costly to read is refused at little cost.
    #[allow(clippy::disallowed_methods)] // a stopwatch
    async fn a_hostile_token_costs_little(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = RelyingParty::new("web", "openid photos.read").tokens(&server, &mut Browser::new()).await;
        let [header, payload, signature] =
            <[&str; 3]>::try_from(tokens.access().split('.').collect::<Vec<_>>()).expect("three parts");
        let deep = URL_SAFE_NO_PAD.encode(format!("{}1{}", "{\"a\":".repeat(8_000), "}".repeat(8_000)));
        let brackets = URL_SAFE_NO_PAD.encode("[".repeat(40_000));
        let (long, pbes2) = ("A".repeat(60_000), json!({"alg": "PBES2-HS512+A256KW", "p2c": 2_147_483_647}));
        let hostile = [
            format!("{deep}.{payload}.{signature}"),
            format!("{header}.{deep}.{signature}"),
            format!("{header}.{brackets}.{signature}"),
            format!("{long}.{payload}.{signature}"),
            format!("{header}.{payload}.{long}"),
            format!("{}.{long}.{signature}.{signature}.{signature}", encode(&pbes2)),
            ".".repeat(60_000),
            format!("prt_{long}"),
        ];
        let start = std::time::Instant::now();
        for token in hostile.iter().cycle().take(80) {
            assert_eq!(server.introspect_as("photos-api", token).await, json!({"active": false}));
        }
        assert!(start.elapsed().as_millis() < 80 * 50, "{:?} for 80 tokens", start.elapsed());
        assert_eq!(server.introspect_as("photos-api", tokens.access()).await["active"], true);
    }
}
