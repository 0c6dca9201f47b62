use super::*;
use crate::http::app::Mode;
use crate::http::operations::tests::{Signing, config, get_text, server, text_of};
use crate::http::{cross_origin, jwks, security_headers};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn_with_state;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

async fn public(issuer: &str) -> (Router, App, TempDir) {
    let (app, folder) = server(config(issuer), Mode::Serve, Signing::Now).await;
    let issuer = Issuer::parse(issuer).expect("valid");
    let router = routes(&issuer)
        .route(&format!("{}{}", issuer.path(), path::JWKS), get(jwks::jwks))
        .layer(from_fn_with_state(app.clone(), cross_origin::share))
        .layer(from_fn_with_state(app.clone(), security_headers::add))
        .with_state(app.clone());
    (router, app, folder)
}

async fn asked(router: &Router, path: &str, headers: &[(&str, &str)]) -> (axum::response::Response, String) {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    text_of(router.clone().oneshot(request).await.expect("an answer")).await
}

// RFC 8414 §3.1, OpenID Discovery §4.1
#[tokio::test]
async fn the_document_is_where_each_standard_looks_for_it() {
    for (issuer, paths) in [
        (
            "https://auth.example.com",
            &["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"][..],
        ),
        (
            "https://auth.example.com/realm",
            &[
                "/realm/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/realm",
                "/realm/.well-known/oauth-authorization-server",
            ],
        ),
    ] {
        let (router, app, _folder) = public(issuer).await;
        let expected = metadata_json(&app.snapshot.load().config);
        for path in paths {
            let (response, body) = get_text(&router, path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.headers()["cache-control"], "public, max-age=300");
            assert_eq!(body, expected, "{path}");
        }
        for elsewhere in ["/.well-known/openid-configuration/realm", "/.well-known/openid-configuration/"] {
            assert_eq!(get_text(&router, elsewhere).await.0.status(), StatusCode::NOT_FOUND, "{elsewhere}");
        }
    }
}

// threat 170
#[tokio::test]
async fn scopes_claims_and_algorithms_are_those_of_the_configuration() {
    let document: Value = serde_json::from_str(&metadata_json(&config("https://a.example"))).expect("JSON");
    let scopes = json!(["openid", "profile", "email", "address", "phone", "offline_access", "groups"]);
    assert_eq!(document["scopes_supported"], scopes);
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256"]));
    let claims = document["claims_supported"].as_array().expect("a list");
    for claim in ["sub", "auth_time", "groups"] {
        assert_eq!(claims.iter().filter(|found| *found == claim).count(), 1, "{claim}");
    }
    assert!(!claims.contains(&json!("phone_number")), "no scope of this configuration gives it");
}

// threats 162, 163
#[tokio::test]
async fn no_header_of_a_request_changes_a_byte() {
    let (router, _, _folder) = public("https://auth.example.com").await;
    let path = "/.well-known/openid-configuration";
    let (_, plain) = asked(&router, path, &[]).await;
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-proto", "http"),
        ("accept-language", "fr"),
    ];
    let (response, body) = asked(&router, path, &headers).await;
    assert_eq!(body, plain);
    assert!(!format!("{:?}", response.headers()).contains("evil"));
}

// threats 164, 168; RFC 9110 §13.1.2
#[tokio::test]
async fn public_documents_may_be_read_by_everybody_and_kept() {
    let (router, _, _folder) = public("https://auth.example.com").await;
    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        let (response, body) = asked(&router, path, &[("origin", "https://anyone.example")]).await;
        assert_eq!(response.headers()["access-control-allow-origin"], "*", "{path}");
        assert_eq!(response.headers()["cross-origin-resource-policy"], "cross-origin", "{path}");
        assert_eq!(response.headers()["cache-control"], "public, max-age=300", "{path}");
        assert!(!response.headers().contains_key("access-control-allow-credentials"), "{path}");
        assert!(!response.headers().contains_key("vary"), "the same for everybody: {path}");
        let etag = response.headers()["etag"].to_str().expect("text");
        let (kept, nothing) = asked(&router, path, &[("if-none-match", etag)]).await;
        assert_eq!((kept.status(), nothing.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        let (other, again) = asked(&router, path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!((other.status(), again), (StatusCode::OK, body), "{path}");
    }
}

// RFC 7517 §5; conformance: every key has a name and nothing private
#[tokio::test]
async fn the_keys_are_public_ones() {
    let (router, _, _folder) = public("https://auth.example.com").await;
    let (response, body) = get_text(&router, "/.well-known/jwks.json").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let document: Value = serde_json::from_str(&body).expect("JSON");
    let keys = document["keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 1);
    assert!(keys[0]["kid"].is_string() && keys[0].get("d").is_none());
}

// threat 163
#[tokio::test]
async fn a_reload_changes_the_document_and_its_tag() {
    let (router, app, _folder) = public("https://auth.example.com").await;
    let path = "/.well-known/openid-configuration";
    let (before, _) = get_text(&router, path).await;
    let mut changed = config("https://auth.example.com");
    changed.scopes.clear();
    app.snapshot.store(Arc::new(Snapshot::of(changed)));
    let (after, body) = get_text(&router, path).await;
    assert!(!body.contains("groups"), "{body}");
    assert_ne!(before.headers()["etag"], after.headers()["etag"]);
}

// threats 164, 166
#[tokio::test]
async fn a_preflight_request_for_a_public_document_is_answered() {
    let (router, _, _folder) = public("https://auth.example.com").await;
    let preflight = Request::options("/.well-known/openid-configuration")
        .header("origin", "https://anyone.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "mcp-protocol-version")
        .body(Body::empty())
        .expect("a request");
    let response = router.clone().oneshot(preflight).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["access-control-allow-headers"], "*");
    let post = Request::post("/.well-known/openid-configuration").body(Body::empty()).expect("a request");
    let response = router.oneshot(post).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn an_issuer_with_a_path_is_entered_with_its_last_slash_and_without() {
    let (app, _folder) = server(config("https://auth.example.com/realm"), Mode::Serve, Signing::NotYet).await;
    let router = crate::http::router::router(app);
    for path in ["/realm", "/realm/"] {
        let (response, _) = get_text(&router, path).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(response.headers()["location"], "/realm/account");
    }
    for path in ["/", "/realm//", "/realms/", "/realm/realm/"] {
        assert_eq!(get_text(&router, path).await.0.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
