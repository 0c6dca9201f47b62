//! Answers that are signed: userinfo (OpenID Connect Core §5.3.2) and introspection (RFC 9701).

use super::tokens_of;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{Method, RelyingParty};
use crate::support::server::{Answer, TestServer, basic, claims, encode, header_of};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use portreeve::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use portreeve::jose::jwt_type::JwtType;
use portreeve::jose::verify::verify;
use portreeve::model::clock::Clock as _;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::json;

pub const SIGNED: &str = r#"
[[client]]
client_id = "signed"
redirect_uris = ["https://signed.example.com/callback"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile photos.read"
userinfo_signed_response_alg = "RS256"
introspection_signed_response_alg = "ES256"
"#;

pub fn app() -> RelyingParty {
    RelyingParty {
        client_id: "signed",
        redirect_uri: "https://signed.example.com/callback".to_owned(),
        method: Method::Basic,
        ..RelyingParty::new("web", "openid profile photos.read")
    }
}

pub async fn introspect(server: &TestServer, client_id: &str, token: &str, accept: &str) -> Answer {
    let request = Request::post("/introspect")
        .header("authorization", basic(client_id, server.secret()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", accept);
    server.send(request.body(Body::from(encode(&[("token", token)]))).expect("a request")).await
}

/// Verifies with the keys that the server shows, as a strict reader would.
fn verified(server: &TestServer, token: &str, typ: JwtType, audience: &str) {
    let expectation = Expectation {
        typ: ExpectedType::Only(typ),
        issuer: Some("https://auth.example.com"),
        audience: Audience::Exactly(audience),
        algorithms: &VerificationAlgorithm::OWN,
        now_seconds: server.clock.now().seconds(),
        leeway_seconds: 0,
        expiry: Expiry::Ignored,
        maximum_age_seconds: Some(60),
    };
    verify(token, server.app.keys.ring().verification(), &expectation).expect("a good signature");
}

on_both_stores! {
    async fn userinfo_is_signed_for_a_client_that_wants_it_so(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", SIGNED).await;
        let tokens = tokens_of(&server, &app(), &[]).await;
        let answer = server.get_as("/userinfo", tokens.access()).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("application/jwt")));
        verified(&server, &answer.body, JwtType::Jwt, "signed");
        assert_eq!(header_of(&answer.body)["alg"], "RS256");
        let said = claims(&answer.body);
        assert_eq!((&said["sub"], &said["name"]), (&claims(tokens.id())["sub"], &json!("Ada Lovelace")));
        // nothing that a reader of ID tokens would take for one
        for absent in ["nonce", "exp", "auth_time", "at_hash"] {
            assert_eq!(said.get(absent), None, "{absent}");
        }
        let silent = app().authorize(&[("prompt", "none"), ("id_token_hint", &answer.body)]);
        let refused = server.get(&silent).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_request"), "threat 74");
        // refusals stay JSON, and other clients get JSON
        assert_eq!(server.get_as("/userinfo", "x").await.status, StatusCode::UNAUTHORIZED);
        let plain = tokens_of(&server, &RelyingParty::new("web", "openid"), &[]).await;
        let answer = server.get_as("/userinfo", plain.access()).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }

    /// RFC 9701 §4, §5.
    async fn introspection_is_signed_for_whoever_asks_for_it_so(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", SIGNED).await;
        let tokens = tokens_of(&server, &app(), &[]).await;
        let media_type = "application/token-introspection+jwt";
        for (caller, algorithm) in [("signed", "ES256"), ("photos-api", "RS256")] {
            let answer = introspect(&server, caller, tokens.access(), &format!("application/json, {media_type};q=0.9")).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some(media_type)), "{answer:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            verified(&server, &answer.body, JwtType::TokenIntrospection, caller);
            assert_eq!(header_of(&answer.body)["alg"], algorithm);
            let said = claims(&answer.body);
            assert_eq!(said["token_introspection"], server.introspect_as(caller, tokens.access()).await);
            assert_eq!((said.get("exp"), said.get("sub")), (None, None));
        }
        // of what is none of the caller's business no more than that it is not active
        let answer = introspect(&server, "web", tokens.access(), media_type).await;
        assert_eq!(claims(&answer.body)["token_introspection"], json!({"active": false}), "threat 49");
        // threat 74: a signed answer is no access token
        assert_eq!(server.introspect_as("web", &answer.body).await, json!({"active": false}));
        let plain = introspect(&server, "signed", tokens.access(), "*/*").await;
        assert_eq!(plain.header("content-type"), Some("application/json"));
        let refused = introspect(&server, "signed", "", media_type).await;
        assert!(refused.status.as_u16() < 500);
    }
}
