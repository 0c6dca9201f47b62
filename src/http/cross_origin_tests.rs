use super::*;
use crate::clients::registry::Registry;
use crate::model::client::{
    AssertionAudience, Client, ConsentPolicy, PkcePolicy, Provenance, RefreshTokenRotation, SignatureKeys,
};
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::identifiers::ClientId;
use crate::protocol::redirect_uri::Deployment;
use serde_json::json;

const CLIENTS: Sharing = Sharing::Clients { methods: "POST" };

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).expect("valid")
}

fn registry() -> Registry {
    let members = json!({ "redirect_uris": ["https://app.example/callback"] });
    let metadata =
        ClientMetadata::from_members(members.as_object().expect("an object"), Deployment::Production);
    Registry::new(&[Client {
        id: ClientId::parse("app").expect("valid"),
        metadata: metadata.expect("valid"),
        keys: SignatureKeys::None,
        secrets: Vec::new(),
        pkce: PkcePolicy::Required,
        consent: ConsentPolicy::Asked,
        allowed_groups: Vec::new(),
        refresh_token_rotation: RefreshTokenRotation::EveryUse,
        assertion_audience: AssertionAudience::Issuer,
        allowed_origins: vec!["https://app.example".to_owned(), "http://localhost:3000".to_owned()],
        provenance: Provenance::Configured,
    }])
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

fn allowed(sharing: Sharing, origin: &str) -> Option<HeaderValue> {
    let registry = registry();
    allowed_origin(sharing, &headers(&[("origin", origin)]), |origin| registry.allows_origin(origin))
}

// threat 164
#[test]
fn only_the_exact_origin_of_a_client_may_read_what_is_the_clients() {
    for origin in ["https://app.example", "http://localhost:3000"] {
        assert_eq!(allowed(CLIENTS, origin).expect("allowed"), origin);
    }
    for foreign in [
        "https://evil.example",
        "null",
        "",
        "*",
        "https://sub.app.example",
        "https://app.example.evil",
        "https://evilapp.example",
        "https://app.example:8443",
        "https://app.example:443",
        "https://app.example/",
        "https://app.example.",
        "https://APP.example",
        "http://app.example",
        "app.example",
        "https://app.example https://evil.example",
        "https://app.example, https://evil.example",
        "https://evil.example#https://app.example",
        "https://app.example@evil.example",
        "http://localhost:3001",
        "http://localhost",
    ] {
        assert_eq!(allowed(CLIENTS, foreign), None, "{foreign}");
        assert_eq!(allowed(Sharing::Nobody, foreign), None, "{foreign}");
        assert_eq!(allowed(Sharing::Everybody, foreign).expect("public"), "*");
    }
    let registry = registry();
    let is_registered = |origin: &str| registry.allows_origin(origin);
    let twice = headers(&[("origin", "https://app.example"), ("origin", "https://evil.example")]);
    assert_eq!(allowed_origin(CLIENTS, &twice, is_registered), None);
    assert_eq!(allowed_origin(CLIENTS, &HeaderMap::new(), is_registered), None);
    assert_eq!(
        allowed_origin(CLIENTS, &headers(&[("origin", "null")]), |_| true),
        None,
        "whatever is registered"
    );
    assert_eq!(
        allowed_origin(Sharing::Nobody, &headers(&[("origin", "https://app.example")]), |_| true),
        None
    );
}

// threat 164
#[test]
fn the_table_shares_public_documents_with_everybody_and_pages_with_nobody() {
    let plain = issuer("https://auth.example.com");
    let realm = issuer("https://auth.example.com/realm");
    for (path, at) in [
        ("/.well-known/openid-configuration", &plain),
        ("/.well-known/oauth-authorization-server", &plain),
        ("/.well-known/jwks.json", &plain),
        ("/.well-known/oauth-authorization-server/realm", &realm),
        ("/realm/.well-known/openid-configuration", &realm),
    ] {
        assert_eq!(Sharing::of(path, at), Sharing::Everybody, "{path}");
    }
    for (path, at) in
        [("/token", &plain), ("/userinfo", &plain), ("/revoke", &plain), ("/realm/token", &realm)]
    {
        assert!(matches!(Sharing::of(path, at), Sharing::Clients { .. }), "{path}");
    }
    for path in [
        "/introspect",
        "/authorize",
        "/login",
        "/consent",
        "/logout",
        "/account",
        "/",
        "/token/",
        "//token",
        "/Token",
        "/token/x",
        "/assets/portreeve.css",
        "/nothing",
    ] {
        assert_eq!(Sharing::of(path, &plain), Sharing::Nobody, "{path}");
    }
    assert_eq!(Sharing::of("/token", &realm), Sharing::Nobody);
}

// threats 163, 164
#[test]
fn no_answer_ever_shares_credentials_and_what_depends_on_the_origin_says_so() {
    let origin = HeaderValue::from_static("https://app.example");
    for sharing in [CLIENTS, Sharing::Everybody, Sharing::Nobody] {
        for exchange in [Exchange::Preflight, Exchange::Actual] {
            for allowed in [None, Some(origin.clone())] {
                let mut marked = headers(&[("vary", "accept-encoding")]);
                mark(&mut marked, sharing, exchange, allowed.clone());
                assert!(!marked.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
                assert_eq!(marked.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), allowed.as_ref());
                let varies = marked.get_all(header::VARY).iter().any(|value| value == "origin");
                assert_eq!(varies, sharing == CLIENTS, "{sharing:?} {exchange:?} {allowed:?}");
                assert!(marked.get_all(header::VARY).iter().any(|value| value == "accept-encoding"));
                if allowed.is_none() {
                    let cors = |name: &HeaderName| name.as_str().starts_with("access-control-");
                    assert!(!marked.keys().any(cors), "{marked:?}");
                }
            }
        }
    }
}

// Fetch Standard §3.3; RFC 6750 §3
#[test]
fn a_preflight_request_is_told_methods_and_headers_and_the_answer_itself_its_challenge() {
    let origin = HeaderValue::from_static("https://app.example");
    let mut told = HeaderMap::new();
    mark(&mut told, CLIENTS, Exchange::Preflight, Some(origin.clone()));
    assert_eq!(told[header::ACCESS_CONTROL_ALLOW_METHODS], "POST");
    assert_eq!(told[header::ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type");
    assert_eq!(told[header::ACCESS_CONTROL_MAX_AGE], "7200");
    let mut answered = HeaderMap::new();
    mark(&mut answered, CLIENTS, Exchange::Actual, Some(origin));
    assert_eq!(answered[header::ACCESS_CONTROL_EXPOSE_HEADERS], "www-authenticate");
    assert_eq!(answered.get(header::ACCESS_CONTROL_ALLOW_METHODS), None);
    assert_eq!(no_content().status(), StatusCode::NO_CONTENT);
}

// Fetch Standard §3.3.2; threat 166
#[test]
fn an_options_request_that_is_no_preflight_is_left_to_the_router() {
    let whole = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    assert_eq!(Exchange::of(&Method::OPTIONS, &headers(&whole)), Exchange::Preflight);
    for (method, present) in [
        (Method::OPTIONS, &whole[..1]),
        (Method::OPTIONS, &whole[1..]),
        (Method::OPTIONS, &[]),
        (Method::POST, &whole[..]),
        (Method::GET, &whole[..]),
    ] {
        assert_eq!(Exchange::of(&method, &headers(present)), Exchange::Actual, "{method} {present:?}");
    }
}

// threat 165
#[test]
fn another_site_may_lead_to_a_page_and_not_load_it() {
    let load = |pairs: &[(&'static str, &str)]| admit_load(&headers(pairs));
    for refused in [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")][..],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "websocket")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "no-cors")],
        &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ] {
        assert_eq!(load(refused), Err(ForeignRequest::Load), "{refused:?}");
    }
    assert_eq!(ForeignRequest::Load.status(), StatusCode::FORBIDDEN);
    assert_eq!(load(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]), Ok(()));
    assert_eq!(load(&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]), Ok(()));
    assert_eq!(load(&[]), Ok(()), "older browsers, and programs");
}

// threats 28, 135: product.md, "Forms"
#[test]
fn a_form_of_another_site_or_origin_is_refused_and_an_opaque_origin_alone_is_not() {
    let own = issuer("https://auth.example.com/realm");
    let form = |pairs: &[(&'static str, &str)]| admit_form(&headers(pairs), &own);
    for refused in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://auth.example.com")][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "null")],
    ] {
        assert_eq!(form(refused), Err(ForeignRequest::Form), "{refused:?}");
    }
    for foreign in [
        "https://evil.example",
        "http://auth.example.com",
        "https://auth.example.com:8443",
        "https://auth.example.com.evil",
        "https://sub.auth.example.com",
        "https://auth.example.com/realm",
        "",
        "Null",
    ] {
        assert_eq!(form(&[("origin", foreign)]), Err(ForeignRequest::Origin), "{foreign}");
        assert_eq!(
            form(&[("origin", "null"), ("origin", foreign)]),
            Err(ForeignRequest::Origin),
            "{foreign}"
        );
    }
    assert_eq!(form(&[("sec-fetch-site", "same-origin"), ("origin", "https://auth.example.com")]), Ok(()));
    assert_eq!(form(&[("sec-fetch-site", "same-origin"), ("origin", "null")]), Ok(()));
    assert_eq!(form(&[("origin", "null")]), Ok(()));
    assert_eq!(form(&[]), Ok(()));
}
