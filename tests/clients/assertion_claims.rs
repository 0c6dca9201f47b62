//! Whom an assertion is for, and whom it is about (threats 54, 58, 60, 70, 71).

use super::*;
use crate::support::database::on_both_stores;

const ISSUER: &str = "https://auth.example.com";

/// Audiences that other servers can make a client sign, or that only resemble this one's name.
fn foreign_audiences() -> Vec<Option<Value>> {
    vec![
        Some(json!("https://auth.example.com/par")),
        Some(json!("https://auth.example.com/introspect")),
        Some(json!("https://auth.example.com/revoke")),
        Some(json!("https://auth.example.com/.well-known/openid-configuration")),
        Some(json!([ISSUER])),
        Some(json!([ISSUER, "https://other.example.com"])),
        Some(json!(["https://auth.example.com/token"])),
        Some(json!([])),
        Some(json!("https://auth.example.com/")),
        Some(json!("https://AUTH.example.com")),
        Some(json!("HTTPS://auth.example.com")),
        Some(json!("https://auth.example.com:443")),
        Some(json!("http://auth.example.com")),
        Some(json!("https://auth.example.com ")),
        Some(json!("https://auth.example.com/token/")),
        Some(json!("https://auth.example.com/token?x")),
        Some(json!("https://other.example.com")),
        Some(json!("https://auth.example.com.evil.example")),
        Some(json!("signed")),
        Some(json!("")),
        Some(json!(1)),
        Some(json!(null)),
        Some(json!(true)),
        Some(json!({"aud": ISSUER})),
        None,
    ]
}

on_both_stores! {
    /// draft-ietf-oauth-rfc7523bis §4, threat 58; conformance `token-endpoint-url-as-audience-fails`, `array-as-audience`.
    async fn an_audience_other_than_the_issuer_as_one_string_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for audience in foreign_audiences().into_iter().chain([Some(json!("https://auth.example.com/token"))]) {
            let assertion = || signed.with_claim("aud", audience.clone());
            signed.assert_refused(&format!("{audience:?}"), assertion).await;
        }
    }

    /// Threat 58, conformance §5: the operator admits the token endpoint's URL, at every endpoint, and nothing else.
    async fn a_client_that_knows_no_better_may_name_the_token_endpoint(database: TestDatabase) {
        let more = "client_assertion_audience = \"token_endpoint\"";
        let signed = Signed::start_with(&database, Signer::new("one"), more).await;
        for audience in [ISSUER, "https://auth.example.com/token"] {
            for (path, _) in ENDPOINTS {
                let assertion = signed.with_claim("aud", Some(json!(audience)));
                let answer = present(&signed.server, path, &assertion).await;
                assert_answered(&answer, &format!("{audience} at {path}"));
                assert_unknown(&present(&signed.server, path, &assertion).await, "a second use");
            }
        }
        for audience in foreign_audiences() {
            let assertion = || signed.with_claim("aud", audience.clone());
            signed.assert_refused(&format!("{audience:?}"), assertion).await;
        }
    }

    /// RFC 7523 §3 (1), (2), threat 60; conformance `ClientAssertionWithNoSubFails`.
    async fn an_assertion_is_by_the_client_about_itself(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let others = [json!("web"), json!("nobody"), json!(""), json!("Signed"), json!("signed "), json!("usr_signed")];
        let mistyped = [json!(["signed"]), json!(1), json!(null), json!({"sub": "signed"}), json!(true)];
        for value in others.into_iter().chain(mistyped).map(Some).chain([None]) {
            for name in ["iss", "sub"] {
                let assertion = || signed.with_claim(name, value.clone());
                signed.assert_refused(&format!("{name}: {value:?}"), assertion).await;
            }
            let both = || {
                let mut claims = signed.claims();
                set(&mut claims, "iss", value.clone());
                set(&mut claims, "sub", value.clone());
                signed.signer.sign(&signed.signer.header(), &claims)
            };
            signed.assert_refused(&format!("both: {value:?}"), both).await;
        }
    }

    /// RFC 7523 §3 (7), made a must by OpenID Connect Core §9; threats 57, 70.
    async fn an_assertion_without_a_jti_of_a_sensible_size_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for jti in [
            None,
            Some(json!("")),
            Some(json!(1)),
            Some(json!(null)),
            Some(json!(["1"])),
            Some(json!({"jti": "1"})),
            Some(json!("x".repeat(257))),
            Some(json!("é".repeat(129))),
            Some(json!("x".repeat(8000))),
        ] {
            signed.assert_refused(&format!("{jti:?}"), || signed.with_claim("jti", jti.clone())).await;
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM spent_jtis").await, 9, "the good ones");
    }

    /// RFC 7519 §4, threat 71: a name that stands twice says two things.
    async fn claims_that_say_two_things_are_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let header = signed.signer.header().to_string();
        for again in [
            r#""aud":"https://other.example.com","#,
            r#""\u0061ud":"https://other.example.com","#,
            r#""sub":"web","#,
            r#""jti":"2","#,
            r#""exp":9999999999,"#,
            r#""x":{"a":1,"a":1},"#,
        ] {
            let before = || {
                let claims = signed.claims().to_string();
                signed.signer.sign_text(&header, &format!("{{{again}{}", &claims[1..]))
            };
            let after = || {
                let claims = signed.claims().to_string();
                let rest = again.trim_end_matches(',');
                signed.signer.sign_text(&header, &format!("{},{rest}}}", &claims[..claims.len() - 1]))
            };
            signed.assert_refused(again, before).await;
            signed.assert_refused(again, after).await;
        }
        let deep = || {
            let claims = signed.claims().to_string();
            let nested = format!("{}{}", "[".repeat(40), "]".repeat(40));
            signed.signer.sign_text(&header, &format!("{{\"x\":{nested},{}", &claims[1..]))
        };
        signed.assert_refused("depth", deep).await;
        for around in ["\u{feff}§", "§ x", "§{}", "[§]", "/**/§", "§\0"] {
            let damaged = || signed.signer.sign_text(&header, &around.replace('§', &signed.claims().to_string()));
            signed.assert_refused(around, damaged).await;
        }
    }
}
