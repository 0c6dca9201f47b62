use super::*;
use serde_json::{Value, json};

fn document(issuer: &str) -> String {
    document_with(issuer, FrontChannelLogout::Off)
}

fn document_with(issuer: &str, front_channel_logout: FrontChannelLogout) -> String {
    let issuer = Issuer::parse(issuer).expect("valid");
    ServerMetadata::of(Advertised {
        issuer: &issuer,
        scopes: vec!["openid", "photos.read"],
        claims: vec!["sub", "email"],
        signing_alg_values: &[SigningAlgorithm::Es256, SigningAlgorithm::Rs256],
        acr_values: vec!["urn:example:password"],
        ui_locales: vec!["en", "pt"],
        front_channel_logout,
        registration: DynamicRegistration::Off,
    })
    .to_json()
}

// RFC 8414 §2, OpenID Discovery §3, RFC 9207 §3; threat 170
#[test]
fn metadata_golden() {
    let text = document("https://auth.example.com");
    let expected = json!({
        "issuer": "https://auth.example.com",
        "authorization_endpoint": "https://auth.example.com/authorize",
        "token_endpoint": "https://auth.example.com/token",
        "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
        "userinfo_endpoint": "https://auth.example.com/userinfo",
        "revocation_endpoint": "https://auth.example.com/revoke",
        "introspection_endpoint": "https://auth.example.com/introspect",
        "pushed_authorization_request_endpoint": "https://auth.example.com/par",
        "end_session_endpoint": "https://auth.example.com/logout",
        "scopes_supported": ["openid", "photos.read"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "introspection_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "userinfo_signing_alg_values_supported": ["ES256", "RS256"],
        "introspection_signing_alg_values_supported": ["ES256", "RS256"],
        "claims_supported": ["sub", "email"],
        "claim_types_supported": ["normal"],
        "acr_values_supported": ["urn:example:password"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "display_values_supported": ["page", "popup", "touch"],
        "ui_locales_supported": ["en", "pt"],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"],
        "require_pushed_authorization_requests": false,
    });
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), expected);
    assert!(text.starts_with(r#"{"issuer":"https://auth.example.com","authorization_endpoint":"#), "{text}");
    assert_eq!(text, document("https://auth.example.com"), "the order is stable");
}

// threat 170
#[test]
fn nothing_unsafe_and_nothing_unsupported_is_advertised() {
    let text = document("https://auth.example.com");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    for foreign in ["plain", "implicit", "password", "id_token token", "fragment", "HS256"] {
        assert!(!text.contains(&format!("\"{foreign}\"")), "{foreign}");
    }
    for absent in [
        "registration_endpoint",
        "device_authorization_endpoint",
        "check_session_iframe",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "dpop_signing_alg_values_supported",
    ] {
        assert!(document.get(absent).is_none(), "{absent}");
    }
}

// Front-Channel Logout §3
#[test]
fn front_channel_logout_is_advertised_where_it_is_on() {
    let text = document_with("https://auth.example.com", FrontChannelLogout::On);
    let document: Value = serde_json::from_str(&text).expect("JSON");
    for member in ["frontchannel_logout_supported", "frontchannel_logout_session_supported"] {
        assert_eq!(document[member], true, "{member}");
    }
}

// RFC 7662 §2.1
#[test]
fn a_public_client_is_not_told_that_it_may_introspect() {
    let document: Value = serde_json::from_str(&document("https://auth.example.com")).expect("JSON");
    let methods = &document["introspection_endpoint_auth_methods_supported"];
    assert!(!methods.as_array().expect("a list").contains(&json!("none")));
}

// RFC 8414 §3.3; threat 162
#[test]
fn every_url_begins_with_the_issuer_and_its_path() {
    let issuer = "https://auth.example.com/realm";
    let document: Value = serde_json::from_str(&document(issuer)).expect("JSON");
    assert_eq!(document["issuer"], issuer);
    for (name, value) in document.as_object().expect("an object") {
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            assert!(value.as_str().expect("a URL").starts_with("https://auth.example.com/realm/"), "{name}");
        }
    }
}
