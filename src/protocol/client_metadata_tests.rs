//! The rules of client metadata, one refusal after another.

use super::*;
use serde_json::json;

fn read(value: Value) -> Result<ClientMetadata, Vec<MetadataProblem>> {
    let Value::Object(members) = value else { panic!("an object") };
    ClientMetadata::from_members(&members, Deployment::Production)
}

#[test]
fn what_is_left_out_has_the_defaults_of_rfc_7591() {
    let metadata = read(json!({"redirect_uris": ["https://app.example/cb"]})).expect("valid");
    assert_eq!(metadata.token_endpoint_auth_method, ClientAuthenticationMethod::ClientSecretBasic);
    assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(metadata.id_token_signed_response_alg, SigningAlgorithm::Rs256);
    assert!(metadata.scope.is_empty() && !metadata.is_public());
}

#[test]
fn every_problem_is_reported_at_once() {
    let problems = read(json!({
        "redirect_uris": ["https://app.example/cb#x", 7, "javascript:x"],
        "grant_types": ["implicit"],
        "response_types": ["token"],
        "token_endpoint_auth_method": "client_secret_jwt",
        "scope": "a\"b",
        "client_name": "a\u{202e}b",
        "client_uri": "http://app.example",
        "application_type": "desktop",
        "id_token_signed_response_alg": "none",
        "default_max_age": -1,
        "subject_type": "secret",
    }))
    .expect_err("all wrong");
    let mut members: Vec<&str> = problems.iter().map(|problem| problem.member.as_str()).collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(members.len(), 11, "{problems:?}");
    assert_eq!(problems.iter().filter(|problem| problem.member == "redirect_uris").count(), 3);
}

#[test]
fn members_that_contradict_one_another_are_refused() {
    for wrong in [
        json!({}),
        json!({"grant_types": []}),
        json!({"grant_types": ["refresh_token"]}),
        json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}),
        json!({"grant_types": ["client_credentials"], "response_types": ["code"]}),
        json!({"redirect_uris": ["https://app.example/cb", "https://app.example/cb"]}),
        json!({"redirect_uris": "https://app.example/cb"}),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_name_shows_what_it_is() {
    // threat 116
    for name in ["", "  ", "a\u{200b}b", "a\nb", &"x".repeat(81), "a\u{2066}b"] {
        assert!(
            read(json!({"redirect_uris": ["https://a.example/cb"], "client_name": name})).is_err(),
            "{name:?}"
        );
    }
    assert!(read(json!({"redirect_uris": ["https://a.example/cb"], "client_name": "写真 <b>"})).is_ok());
}

#[test]
fn what_client_metadata_says_of_keys_sectors_and_logout_must_fit_together() {
    // threats 73, 87, 92, 93, 114
    let base = json!({"redirect_uris": ["https://app.example/cb", "https://other.example/cb"]});
    for wrong in [
        json!({"jwks": {"keys": [{"kty": "EC"}]}, "jwks_uri": "https://app.example/jwks"}),
        json!({"jwks": {"keys": []}}),
        json!({"jwks": {"keys": ["x"]}}),
        json!({"jwks": "{}"}),
        json!({"jwks_uri": "http://app.example/jwks"}),
        json!({"jwks_uri": "https://user:word@app.example/jwks"}),
        json!({"jwks_uri": "https://app.example/jwks#x"}),
        json!({"jwks_uri": "https://0x7f.1/jwks"}),
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        json!({"token_endpoint_auth_signing_alg": "HS256", "jwks_uri": "https://app.example/jwks"}),
        json!({"request_object_signing_alg": "none", "jwks_uri": "https://app.example/jwks"}),
        json!({"request_object_signing_alg": "RS256"}),
        json!({"require_signed_request_object": true}),
        json!({"request_uris": ["https://app.example/request"]}),
        json!({"request_uris": ["ftp://app.example/r"], "jwks_uri": "https://app.example/jwks"}),
        json!({"subject_type": "pairwise"}),
        json!({"sector_identifier_uri": "http://app.example/sector"}),
        json!({"frontchannel_logout_uri": "https://third.example/logout"}),
        json!({"frontchannel_logout_uri": "https://app.example:8443/logout"}),
        json!({"backchannel_logout_uri": "http://app.example/logout"}),
        json!({"initiate_login_uri": "http://app.example/login"}),
        json!({"logo_uri": "data:image/png;base64,AAAA"}),
        json!({"userinfo_signed_response_alg": "none"}),
        json!({"client_name#d e": "x"}),
        json!({"client_name#de": "a\u{202e}b"}),
        json!({"contacts": ["a\nb"]}),
    ] {
        let mut members = base.as_object().expect("an object").clone();
        members.extend(wrong.as_object().expect("an object").clone());
        assert!(read(Value::Object(members)).is_err(), "{wrong}");
    }
    let signs = json!({
        "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "jwks_uri": "https://app.example/jwks",
    });
    assert_eq!(
        read(signs).expect("valid").token_endpoint_auth_signing_alg,
        Some(VerificationAlgorithm::Ps256)
    );
    let one = json!({"redirect_uris": ["https://app.example/cb"], "subject_type": "pairwise"});
    assert_eq!(read(one).expect("one host is a sector").subject_type, SubjectType::Pairwise);
}
