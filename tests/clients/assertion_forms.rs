//! Tokens that are no assertions, whoever signed them (threats 65 to 69, 72, 74).

use super::*;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::RelyingParty;
use aws_lc_rs::hmac;
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use std::sync::Arc;

on_both_stores! {
    // threat 65
    async fn an_assertion_without_a_signature_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for alg in ["none", "None", "NONE", "nOnE", "", "es256", "ES384", "HS256", "ES256\0"] {
            let kept = || signed.with_header("alg", Some(json!(alg)));
            signed.assert_refused(alg, kept).await;
            let bare = || format!("{}.", kept().rsplit_once('.').expect("a signature").0);
            signed.assert_refused(alg, bare).await;
        }
        for alg in [None, Some(json!(null)), Some(json!(["ES256"])), Some(json!(256))] {
            signed.assert_refused("alg", || signed.with_header("alg", alg.clone())).await;
        }
        let good = || signed.signer.assertion(&signed.server, "signed");
        for signature in ["".to_owned(), URL_SAFE_NO_PAD.encode([0; 64]), URL_SAFE_NO_PAD.encode([255; 64])] {
            let forged = || format!("{}.{signature}", good().rsplit_once('.').expect("a signature").0);
            signed.assert_refused(&signature, forged).await;
        }
        let elsewhere = || {
            let (one, other) = (good(), good());
            format!("{}.{}", one.rsplit_once('.').expect("two").0, other.rsplit_once('.').expect("two").1)
        };
        signed.assert_refused("the signature of another", elsewhere).await;
    }

    // threat 66
    async fn a_public_key_as_a_shared_secret_opens_nothing(database: TestDatabase) {
        let signer = Signer::of(VerificationAlgorithm::Rs256, Some("one"));
        let signed = Signed::start_with(&database, signer, "").await;
        let jwk = signed.signer.jwk().clone();
        let (text, secret) = (jwk.to_string(), signed.server.secret().to_owned());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&text));
        for key in [text.as_bytes(), pem.as_bytes(), jwk["n"].as_str().expect("n").as_bytes(), secret.as_bytes(), b""] {
            for alg in ["HS256", "RS256"] {
                let forged = || {
                    let header = json!({"alg": alg, "typ": "JWT", "kid": "one"}).to_string();
                    let claims = signed.claims().to_string();
                    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
                    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
                    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
                };
                signed.assert_refused(alg, forged).await;
            }
        }
    }

    // threat 67
    async fn a_kid_selects_among_the_keys_of_the_client_and_does_nothing_else(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for kid in [
            json!("two"),
            json!("ONE"),
            json!("one "),
            json!(""),
            json!("../../dev/null"),
            json!("' OR 1=1--"),
            json!("https://evil.example/jwks"),
            json!(["one"]),
            json!({"kid": "one"}),
            json!(1),
            json!(null),
            json!("k".repeat(257)),
            json!("k".repeat(10_000)),
        ] {
            let assertion = || signed.with_header("kid", Some(kid.clone()));
            signed.assert_refused(&kid.to_string().chars().take(40).collect::<String>(), assertion).await;
        }
        let (header, twice) = (signed.signer.header().to_string(), "{\"kid\":\"two\",");
        let assertion = || signed.signer.sign_text(&format!("{twice}{}", &header[1..]), &signed.claims().to_string());
        signed.assert_refused("two names", assertion).await;
        let huge = signed.with_header("kid", Some(json!("k".repeat(100_000))));
        let answer = signed.present(&huge).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
    }

    // threat 68
    async fn a_key_that_the_assertion_brings_or_points_to_is_not_looked_at(database: TestDatabase) {
        let attacker = Signer::new("one");
        let keys = json!({"keys": [attacker.jwk()]}).to_string();
        let evil = HttpsServer::start(Router::new().fallback(get(move || async move { keys }))).await;
        let signer = Signer::new("one");
        let clients = client_with("signed", &[signer.jwk()], "");
        let server = TestServer::start_with(&database, &evil.settings(), &clients).await;
        let signed = Signed { server, signer };
        for (name, value) in [
            ("jwk", attacker.jwk().clone()),
            ("jku", json!(evil.url("/jwks"))),
            ("x5u", json!(evil.url("/chain.pem"))),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("AAAA")),
        ] {
            for kid in [Some(json!("one")), None] {
                let forged = || {
                    let mut header = attacker.header();
                    set(&mut header, "kid", kid.clone());
                    header[name] = value.clone();
                    attacker.sign(&header, &signed.claims())
                };
                signed.assert_refused(name, forged).await;
            }
            signed.assert_taken(&signed.with_header(name, Some(value)), "it harms no good assertion").await;
        }
        assert_eq!(evil.connections.accepted(), 0, "nobody was asked");
    }

    // threat 69
    async fn what_is_critical_is_not_understood(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("crit", json!([])),
            ("crit", json!(null)),
            ("b64", json!(false)),
            ("b64", json!(true)),
        ] {
            signed.assert_refused(name, || signed.with_header(name, Some(value.clone()))).await;
        }
    }

    // threat 72
    async fn what_is_encrypted_nested_or_no_token_at_all_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let good = || signed.signer.assertion(&signed.server, "signed");
        let bomb = json!({"alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "p2s": "AAAA", "p2c": 2_000_000_000_u32});
        let header = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
        for token in [
            format!("{}.AAAA.AAAA.AAAA.AAAA", header(bomb)),
            format!("{}..AAAA.AAAA.AAAA", header(json!({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}))),
            format!("{}.AAAA.AAAA.AAAA.AAAA", header(json!({"alg": "ECDH-ES", "enc": "A128GCM"}))),
            "a.b".into(),
            "..".into(),
            ".".into(),
            "null".into(),
            "{}".into(),
            signed.claims().to_string(),
            "x".repeat(20_000),
            "é.é.é".into(),
        ] {
            signed.assert_refused(&token.chars().take(60).collect::<String>(), || token.clone()).await;
        }
        for damage in [
            (|token| format!("{token}.")) as fn(String) -> String,
            |token| format!(".{token}"),
            |token| format!("{token}="),
            |token| format!("{token}.AAAA.AAAA"),
            |token| format!(" {token}"),
            |token| format!("Bearer {token}"),
            |token| format!("\"{token}\""),
            |token| token.to_uppercase(),
            |token| token[1..].to_owned(),
            |token| token[..token.len() - 1].to_owned(),
        ] {
            signed.assert_refused("damage", || damage(good())).await;
        }
        let nested = || signed.signer.sign_text(&signed.signer.header().to_string(), &good());
        signed.assert_refused("a token in a token", nested).await;
        let padded = signed.with_header("x", Some(json!("x".repeat(20_000))));
        signed.assert_refused("20 kB", || padded.clone()).await;
    }

    /// RFC 8725 §3.11, threat 74: what was signed for another purpose is no assertion.
    async fn a_token_of_another_type_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for typ in [
            json!("at+jwt"),
            json!("application/at+jwt"),
            json!("logout+jwt"),
            json!("dpop+jwt"),
            json!("oauth-authz-req+jwt"),
            json!("token-introspection+jwt"),
            json!("secevent+jwt"),
            json!("JWS"),
            json!(""),
            json!(" JWT"),
            json!(null),
            json!(1),
            json!(["JWT"]),
        ] {
            signed.assert_refused(&typ.to_string(), || signed.with_header("typ", Some(typ.clone()))).await;
        }
    }

    /// Threats 61, 74: this server's own tokens, even those about the client itself, prove nothing to it.
    async fn the_servers_own_tokens_are_no_assertions(database: TestDatabase) {
        let signer = Arc::new(Signer::new("one"));
        let server = TestServer::start_with(&database, "", &client_with("signed", &[signer.jwk()], "")).await;
        let app = RelyingParty::signing("signed", "openid offline_access photos.read", signer.clone());
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let own = app.post(&server, "/token", ENDPOINTS[0].1).await.json();
        let own = own["access_token"].as_str().expect("a token");
        for token in [tokens.access(), tokens.id(), tokens.refresh(), own] {
            for (path, _) in ENDPOINTS {
                assert_unknown(&present(&server, path, token).await, "a token of the server's own");
            }
        }
        assert_eq!(present(&server, "/token", &signer.assertion(&server, "signed")).await.status, StatusCode::OK);
    }
}
