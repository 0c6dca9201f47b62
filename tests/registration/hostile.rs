//! Hostile metadata, one refusal after another (threats 4–10, 73, 87, 93, 114, 116, 152). Nothing of it is kept.

use super::{GENEROUS, post, register, spa};
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use serde_json::{Value, json};

const URI: &str = "invalid_redirect_uri";
const METADATA: &str = "invalid_client_metadata";

/// Members that replace those of a lawful registration, and the code of RFC 7591 §3.2.2 that they are refused with.
fn cases() -> Vec<(Value, &'static str)> {
    let mut cases = Vec::new();
    // threats 4–6, 8, 10
    for uri in [
        "http://app.example/cb",
        "https://app.example/cb#fragment",
        "https://app.example/cb#",
        "https://user@app.example/cb",
        "https://user:word@app.example/cb",
        "https://app.example\\@evil.example/cb",
        "https:/app.example/cb",
        "https:app.example/cb",
        "https:///cb",
        "//app.example/cb",
        "/cb",
        "",
        "app.example/cb",
        "https://аpp.example/cb",
        "https://app。example/cb",
        "https://app.example/c b",
        "https://app.example/cb\u{0}",
        "https://app.example/\u{202e}cb",
        "https://*.app.example/cb",
        "https://app.example/cb?code=x",
        "https://app.example/cb?state=x&y=1",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "\u{1}javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://app.example/x",
        "file:///etc/passwd",
        "about:blank",
        "intent:x",
        "com.example.app:/cb",
    ] {
        cases.push((json!({"redirect_uris": [uri]}), URI));
        cases.push((json!({"redirect_uris": ["https://app.example/cb", uri]}), URI));
    }
    for uris in [json!([]), json!("https://app.example/cb"), json!([7]), json!([null]), json!({}), json!(7)] {
        cases.push((json!({ "redirect_uris": uris }), URI));
    }
    cases.push((json!({"redirect_uris": vec!["https://app.example/cb"; 2]}), URI));
    let many: Vec<String> = (0..101).map(|one| format!("https://app.example/{one}")).collect();
    cases.push((json!({ "redirect_uris": many }), URI));
    cases.push((json!({"post_logout_redirect_uris": ["javascript:alert(1)"]}), METADATA));
    // threats 116, 152
    for name in [
        "a\u{202e}b",
        "a\u{200b}b",
        "a\u{2066}b",
        "a\u{0}b",
        "a\nb",
        "\u{feff}a",
        "",
        "   ",
        &"x".repeat(81),
        &"x".repeat(10_000),
    ] {
        cases.push((json!({ "client_name": name }), METADATA));
        cases.push((json!({ "client_name#de": name }), METADATA));
    }
    cases.push((json!({"client_name#not a tag": "x"}), METADATA));
    cases.push((json!({"client_name": ["x"]}), METADATA));
    // threats 87, 93, 152
    for member in [
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "initiate_login_uri",
        "jwks_uri",
        "sector_identifier_uri",
    ] {
        for url in [
            "http://app.example/x",
            "javascript:alert(1)",
            "data:image/svg+xml,<svg/>",
            "https://user@app.example/x",
            "https://app.example/x\r\nX: y",
            "https:\\\\app.example/x",
            "ftp://app.example/x",
            "",
        ] {
            cases.push((json!({ member: url }), METADATA));
        }
    }
    for member in ["jwks_uri", "logo_uri", "backchannel_logout_uri", "sector_identifier_uri"] {
        for url in [
            "https://localhost/x",
            "https://127.0.0.1/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::1]/x",
            "https://[::ffff:7f00:1]/x",
            "https://0x7f.1/x",
            "https://2130706433/x",
            "https://app.example:22/x",
        ] {
            cases.push((json!({ member: url }), METADATA));
        }
    }
    cases.push((json!({"request_uris": ["https://10.0.0.1/x"], "jwks": {"keys": [key()]}}), METADATA));
    // threat 114
    for changes in [
        json!({"scope": "openid photos.write"}),
        json!({"scope": "admin"}),
        json!({"scope": "a\"b"}),
        json!({"scope": ["openid"]}),
        json!({"grant_types": ["implicit"]}),
        json!({"grant_types": ["password"]}),
        json!({"grant_types": []}),
        json!({"grant_types": ["refresh_token"]}),
        json!({"grant_types": ["client_credentials"]}),
        json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic", "scope": "openid"}),
        json!({"response_types": ["token"]}),
        json!({"response_types": ["code id_token"]}),
        json!({"token_endpoint_auth_method": "client_secret_jwt"}),
        json!({"token_endpoint_auth_method": "tls_client_auth"}),
        json!({"token_endpoint_auth_method": ""}),
        json!({"id_token_signed_response_alg": "none"}),
        json!({"id_token_signed_response_alg": "HS256"}),
        json!({"userinfo_signed_response_alg": "none"}),
        json!({"id_token_encrypted_response_alg": "RSA-OAEP"}),
        json!({"userinfo_encrypted_response_enc": "A128GCM"}),
        json!({"request_object_encryption_alg": "dir"}),
        json!({"introspection_encrypted_response_alg": "RSA-OAEP"}),
        json!({"tls_client_certificate_bound_access_tokens": true}),
        json!({"authorization_details_types": ["payment"]}),
        json!({"application_type": "desktop"}),
        json!({"subject_type": "secret"}),
        json!({"default_max_age": -1}),
        json!({"default_max_age": "60"}),
        json!({"default_acr_values": vec!["x"; 21]}),
        json!({"default_acr_values": ["\u{0}"]}),
        json!({"require_auth_time": "true"}),
        json!({"contacts": vec!["x"; 11]}),
        json!({"contacts": ["a\nb"]}),
        json!({"software_id": "x".repeat(201)}),
    ] {
        cases.push((changes, METADATA));
    }
    // threat 73
    let mut private = key();
    private["d"] = json!("AAAA");
    let weak = json!({"kty": "RSA", "n": "AQAB".repeat(30), "e": "AQAB"});
    let off_the_curve = json!({"kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43)});
    for keys in [
        json!({"keys": []}),
        json!({"keys": [private]}),
        json!({"keys": [weak]}),
        json!({"keys": [off_the_curve]}),
        json!({"keys": [{"kty": "oct", "k": "AAAA"}]}),
        json!({"keys": [{"kty": "LMS"}]}),
        json!({"keys": "x"}),
        json!([key()]),
    ] {
        cases.push((json!({ "jwks": keys }), METADATA));
    }
    cases.push((json!({"jwks": {"keys": [key()]}, "jwks_uri": "https://app.example/jwks"}), METADATA));
    // RFC 7591 §2.3
    for statement in [json!(""), json!("bogus"), json!("a.b"), json!(7), json!({"a": 1}), json!("a.b.c d")] {
        cases.push((json!({ "software_statement": statement }), "invalid_software_statement"));
    }
    cases.push((json!({"software_statement": "eyJhbGciOiJub25lIn0.e30."}), "unapproved_software_statement"));
    cases
}

/// A public key that is good enough.
fn key() -> Value {
    let (key, _) = portreeve::jose::sign::SigningKey::generate(
        portreeve::protocol::signing_algorithm::SigningAlgorithm::Es256,
    )
    .expect("a key");
    serde_json::to_value(key.public_jwk()).expect("JSON")
}

on_both_stores! {
    async fn hostile_metadata_is_refused_at_registration_and_at_an_update(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let client = register(&server, &spa()).await;
        let before = client.get(&server).await.json();
        let mut wrong = Vec::new();
        for (index, (changes, code)) in cases().iter().enumerate() {
            let mut said = spa();
            for (name, value) in changes.as_object().expect("an object") {
                said[name] = value.clone();
            }
            // one address may not register so often
            if index % 50 == 0 {
                server.clock.advance(std::time::Duration::from_secs(3600));
            }
            for answer in [post(&server, &said).await, client.put(&server, &client.with(changes)).await] {
                let told = answer.json();
                if (answer.status, &told["error"]) != (StatusCode::BAD_REQUEST, &json!(code)) {
                    wrong.push(format!("{changes}: {} {}", answer.status, answer.body));
                    continue;
                }
                let description = told["error_description"].as_str().expect("a description");
                let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
                assert!(!description.is_empty() && description.bytes().all(allowed), "{description}");
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(client.get(&server).await.json(), before);
        let rows = crate::registration::expiry::count(&server, "SELECT COUNT(*) FROM registered_clients").await;
        assert_eq!(rows, 1, "nothing of it is kept");
        register(&server, &spa()).await;
    }

    /// Threat 8: native applications have loopback and private-use redirect URIs, and still no others.
    async fn native_applications_have_their_own_redirect_uris(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let native = |uris: Value| {
            let mut said = spa();
            said["application_type"] = json!("native");
            said["redirect_uris"] = uris;
            said
        };
        register(&server, &native(json!(["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"]))).await;
        for uri in ["http://app.example/cb", "javascript:alert(1)", "app:/cb", "http://127.0.0.2/cb", "http://localhost.evil.example/cb"] {
            let answer = post(&server, &native(json!([uri]))).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, URI), "{uri}");
        }
    }

    /// Threat 116: what looks the same is the same.
    async fn a_name_is_kept_in_the_form_that_it_looks_like(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let mut said = spa();
        said["client_name"] = json!("\u{ff2e}otes\u{2122} \u{fb01}le");
        let client = register(&server, &said).await;
        assert_eq!(client.0["client_name"], "NotesTM file");
    }

    /// Threat 152: a name in the letters of HTML is shown as what it is.
    async fn a_name_in_html_is_text(database: TestDatabase) {
        let server = TestServer::start_with(&database, GENEROUS, "").await;
        let mut said = spa();
        said["client_name"] = json!("<img src=x onerror=alert(1)>");
        let client = register(&server, &said).await;
        let mut browser = crate::support::browser::Browser::new();
        let page = browser.get(&server, &client.app("openid").authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        assert!(page.body.contains("to continue to") && !page.body.contains("<img src=x"), "{}", page.body);
    }
}
