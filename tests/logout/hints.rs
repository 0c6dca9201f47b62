//! threats 65–71, 74, 172: what is no ID token of this server's own says nothing about anybody.

use super::{AFTER, app, assert_error_page, is_signed_in, logout, start};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{claims, header_of};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve::jose::jwt_type::JwtType;
use portreeve::jose::sign::SigningKey;
use portreeve::keys::rotation::Rotation;
use portreeve::protocol::identifiers::KeyId;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::tasks::rotate_keys;
use serde_json::{Value, json};
use std::time::Duration;

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with another header, and a signature that is its own or none.
fn with_header(token: &str, header: &Value, keep_signature: bool) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    format!("{}.{}.{}", encoded(header), parts[1], if keep_signature { parts[2] } else { "" })
}

on_both_stores! {
    /// …-modified-id-token-hint, …-bad-id-token-hint; threats 65, 66, 69, 71, 172
    async fn a_forged_or_changed_hint_leads_nowhere_and_ends_nothing(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let (id, said) = (tokens.id(), claims(tokens.id()));
        let header = header_of(id);
        let kid = header["kid"].clone();
        let mut other_sub = said.clone();
        other_sub["sub"] = json!("usr_AAAAAAAAAAAAAAAAAAAAAA");
        let parts: Vec<&str> = id.split('.').collect();
        let mut hints = vec![
            format!("{}.{}.{}", parts[0], encoded(&other_sub), parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{id}.{}", parts[2]),
            "not a token".to_owned(),
            "..".to_owned(),
        ];
        for alg in ["none", "None", "nOnE", "", "HS256", "RS512"] {
            hints.push(with_header(id, &json!({"alg": alg, "kid": kid}), false));
            hints.push(with_header(id, &json!({"alg": alg, "kid": kid, "typ": "JWT"}), true));
        }
        for more in [json!({"crit": ["exp"]}), json!({"b64": false}), json!({"kid": ["a"]}), json!({"typ": "at+jwt"})] {
            let mut changed = header.clone();
            changed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            hints.push(with_header(id, &changed, true));
        }
        for hint in &hints {
            let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
            let answer = logout(&server, &mut browser, &parameters).await;
            assert_error_page(&answer, "id_token_hint is not an ID token that this server issued");
            // beside a good client_id too
            let named = [("id_token_hint", hint.as_str()), ("client_id", "app"), ("post_logout_redirect_uri", AFTER)];
            assert_error_page(&logout(&server, &mut browser, &named).await, "id_token_hint is not");
        }
        assert!(is_signed_in(&server, &mut browser).await);
        let good = [("id_token_hint", id), ("post_logout_redirect_uri", AFTER)];
        assert_eq!(logout(&server, &mut browser, &good).await.location(), AFTER);
    }

    /// …-bad-id-token-hint: signed by a client, `iss` and `aud` swapped; threats 67, 68
    async fn a_hint_that_another_key_signed_is_a_hint_of_nobody(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let said = claims(tokens.id());
        let (foreign, _) = SigningKey::generate(SigningAlgorithm::Rs256).expect("a key");
        let mut swapped = said.clone();
        (swapped["iss"], swapped["aud"]) = (said["aud"].clone(), said["iss"].clone());
        for claims in [&swapped, &said] {
            let hint = foreign.sign(JwtType::Jwt, claims).expect("signed");
            let own_kid = with_header(&hint, &header_of(tokens.id()), true);
            let mut jwk = header_of(&hint);
            jwk["jwk"] = serde_json::to_value(foreign.public_jwk()).unwrap();
            jwk["jku"] = json!("https://evil.example/jwks");
            for (hint, words) in [
                (&hint, "post_logout_redirect_uri needs an id_token_hint"),
                (&with_header(&hint, &jwk, true), "post_logout_redirect_uri needs an id_token_hint"),
                (&own_kid, "id_token_hint is not an ID token that this server issued"),
            ] {
                let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
                assert_error_page(&logout(&server, &mut browser, &parameters).await, words);
            }
            // it proves nothing beside a client_id either: the person is asked
            let named = [("id_token_hint", hint.as_str()), ("client_id", "app")];
            assert!(crate::logout::asks(&logout(&server, &mut browser, &named).await));
        }
        for kid in ["../../dev/null", "' OR 1=1--", ""] {
            let mut header = header_of(tokens.id());
            header["kid"] = json!(kid);
            let hint = with_header(tokens.id(), &header, true);
            let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", AFTER)];
            assert_eq!(logout(&server, &mut browser, &parameters).await.status, StatusCode::BAD_REQUEST, "{kid}");
        }
        assert!(is_signed_in(&server, &mut browser).await);
    }

    /// threat 74: this server signs other things, and they are no hints
    async fn what_else_this_server_signed_is_no_hint(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let said = claims(tokens.id());
        let (logout_token, plain, wrong) = {
            let ring = server.app.keys.ring();
            let signer = ring.signer(SigningAlgorithm::Rs256).expect("a key");
            let sign = |typ, claims: &Value| signer.sign(typ, claims).expect("signed");
            let mut several = said.clone();
            several["aud"] = json!(["app", "third"]);
            let mut elsewhere = said.clone();
            elsewhere["iss"] = json!("https://evil.example");
            let mut early = said.clone();
            early["iat"] = json!(said["iat"].as_i64().unwrap() + 3600);
            let userinfo = json!({"iss": said["iss"], "aud": "app", "sub": said["sub"]});
            (
                sign(JwtType::LogoutToken, &said),
                sign(JwtType::Jwt, &userinfo),
                [sign(JwtType::Jwt, &several), sign(JwtType::Jwt, &elsewhere), sign(JwtType::Jwt, &early)],
            )
        };
        for hint in [tokens.access(), &logout_token, &plain, &wrong[0], &wrong[1], &wrong[2]] {
            let parameters = [("id_token_hint", hint), ("post_logout_redirect_uri", AFTER)];
            assert_error_page(&logout(&server, &mut browser, &parameters).await, "id_token_hint is not");
        }
        assert!(is_signed_in(&server, &mut browser).await);
    }

    /// RP-Initiated Logout §2: an expired hint is a hint
    async fn an_expired_hint_still_ends_its_session(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        server.clock.advance(Duration::from_secs(11 * 3600));
        assert!(claims(tokens.id())["exp"].as_i64().unwrap() < portreeve::model::clock::Clock::now(&server.clock).seconds());
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        let answer = logout(&server, &mut browser, &parameters).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, &*format!("{AFTER}?state=x")));
        assert!(!is_signed_in(&server, &mut browser).await);
    }

    /// A key that retired long ago, and is shown no more, still tells whose hint it was; one that was taken out does not.
    async fn a_retired_key_still_vouches_for_its_hints_and_one_that_was_taken_out_does_not(database: TestDatabase) {
        let (server, _receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let kid = header_of(tokens.id())["kid"].as_str().unwrap().to_owned();
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER)];
        for days in [31, 1, 5] {
            server.clock.advance(Duration::from_secs(days * 86_400));
            rotate_keys::run_once(&server.app).await.expect("rotated");
        }
        assert!(!server.jwks().await.to_string().contains(&kid), "it is shown no more");
        let answer = logout(&server, &mut browser, &parameters).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, AFTER), "nobody is signed in, and the hint is genuine");
        // a key that an operator took out vouches for nothing, however young the token
        let tokens = app("app").tokens(&server, &mut browser).await;
        let kid = header_of(tokens.id())["kid"].as_str().unwrap().to_owned();
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER)];
        let rotation = Rotation {
            store: server.app.store.clone(),
            sealing: server.app.secrets.sealing.clone(),
            entropy: server.app.entropy.clone(),
            trail: server.app.trail.clone(),
            token_life: Duration::from_secs(3600),
        };
        rotation.retire(&KeyId::parse(&kid).unwrap(), &server.app.circumstances("")).await.expect("taken out");
        rotate_keys::run_once(&server.app).await.expect("read again");
        assert_error_page(&logout(&server, &mut browser, &parameters).await, "post_logout_redirect_uri needs");
    }
}
