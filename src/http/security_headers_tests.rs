use super::*;

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).expect("valid")
}

fn headers_of(class: RouteClass, transport: Transport, page: Option<&PagePolicy>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    apply(&mut headers, class, transport, page);
    headers
}

fn policy_of(page: &PagePolicy) -> String {
    let headers = headers_of(RouteClass::Page, Transport::Https, Some(page));
    headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned()
}

const CLASSES: [RouteClass; 4] =
    [RouteClass::Page, RouteClass::Asset, RouteClass::PublicDocument, RouteClass::Protocol];

// threats 154, 163, 165, 168
#[test]
fn every_answer_of_every_class_carries_the_security_headers() {
    for class in CLASSES {
        let headers = headers_of(class, Transport::Https, None);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(headers[name], value, "{class:?}");
        }
        assert!(headers["permissions-policy"].to_str().expect("text").contains("camera=()"));
        let policy = headers["content-security-policy"].to_str().expect("text");
        for demand in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(demand), "{class:?}: {policy}");
        }
        assert!(!policy.contains("script-src"));
        let resource_policy =
            if class == RouteClass::PublicDocument { "cross-origin" } else { "same-origin" };
        assert_eq!(headers["cross-origin-resource-policy"], resource_policy, "{class:?}");
    }
}

// threat 168, RFC 6797 §7.2
#[test]
fn a_server_on_http_does_not_promise_https() {
    for class in CLASSES {
        assert!(!headers_of(class, Transport::Http, None).contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
    assert_eq!(Transport::of(&issuer("http://localhost:8080")), Transport::Http);
    assert_eq!(Transport::of(&issuer("https://auth.example.com")), Transport::Https);
}

// threat 163
#[test]
fn only_the_cache_control_is_the_handlers_own() {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src *"));
    apply(&mut headers, RouteClass::PublicDocument, Transport::Https, None);
    assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=300");
    assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
    assert_eq!(headers[header::CONTENT_SECURITY_POLICY], NOTHING);
    assert_eq!(headers.get_all(header::CONTENT_SECURITY_POLICY).iter().count(), 1);
}

// threat 153: product.md, "Forms"
#[test]
fn a_form_leads_to_this_server_https_and_where_the_request_goes() {
    for (redirect_uri, source) in [
        ("https://app.example.com/callback", ""),
        ("http://localhost:3000/callback", " http://localhost:3000"),
        ("http://127.0.0.1:49152/", " http://127.0.0.1:49152"),
        ("http://127.0.0.1/cb", " http://127.0.0.1"),
        ("http://[::1]:3000/", " http:"), // CSP has no host-source for IPv6
        ("com.example.app:/callback", " com.example.app:"),
        ("com.example.app://callback", " com.example.app:"),
        ("not a URL; script-src *", ""),
    ] {
        let expected = format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https:{source}; frame-ancestors \
             'none'; base-uri 'none'"
        );
        assert_eq!(policy_of(&PagePolicy::leading_to(redirect_uri)), expected, "{redirect_uri}");
    }
}

// threat 153
#[test]
fn a_redirect_uri_adds_no_directive_and_no_wildcard() {
    for hostile in [
        "http://localhost:3000/;script-src%20*",
        "http://localhost:3000/?a;script-src *",
        "http://localhost;script-src *",
        "com.example.app:;script-src *",
        "http://localhost:3000/\r\nSet-Cookie: a=b",
        "javascript:alert(1)//; script-src 'unsafe-inline'",
    ] {
        let policy = policy_of(&PagePolicy::leading_to(hostile));
        for foreign in ["script-src", "*", "javascript"] {
            assert!(!policy.contains(foreign), "{policy}");
        }
        assert_eq!(policy.matches(';').count(), 5, "{policy}");
    }
}

// threat 153
#[test]
fn a_script_runs_only_when_the_page_names_it() {
    assert!(!policy_of(&PagePolicy::own_forms()).contains("script-src"));
    assert!(policy_of(&PagePolicy::own_forms()).contains("form-action 'self';"));
    assert!(policy_of(&PagePolicy::no_forms()).contains("form-action 'none';"));
    let hash = crate::pages::form_post_script_hash();
    let form_post = PagePolicy::leading_to("https://a.example/cb").with_script(Script::Hash(hash.clone()));
    assert!(policy_of(&form_post).ends_with(&format!("; script-src '{hash}'")));
    for wrong in ["unsafe-inline", "sha256-x'; script-src *", "", "sha256-"] {
        let page = PagePolicy::own_forms().with_script(Script::Hash(wrong.to_owned()));
        assert!(!policy_of(&page).contains("script-src"), "{wrong}");
    }
    let playground = PagePolicy {
        form_action: FormAction::None,
        script: Script::SelfOrigin,
        connect: Connect::SelfOrigin,
        frames: Vec::new(),
    };
    assert!(policy_of(&playground).ends_with("; script-src 'self'; connect-src 'self'"));
}

// threat 175
#[test]
fn a_page_frames_the_origins_that_it_names_and_no_other() {
    let policy =
        |origins: &[&str]| policy_of(&PagePolicy::framing(origins.iter().map(ToString::to_string).collect()));
    assert!(!policy(&[]).contains("frame-src"), "nothing is framed by default");
    let two = policy(&["https://a.example", "https://b.example:8443"]);
    assert!(two.ends_with("; frame-src https://a.example https://b.example:8443"), "{two}");
    for hostile in [
        "https:",
        "*",
        "https://*.example",
        "https://a.example;script-src",
        "https://a.example,b",
        "https://'self'",
        "https://a.example/x",
        "https://a.example; script-src *",
        "data:",
    ] {
        let policy = policy(&[hostile]);
        assert!(!policy.contains("frame-src") && !policy.contains("script-src"), "{policy}");
    }
}

// threats 163, 167
#[test]
fn a_path_that_only_looks_like_a_public_one_is_not_public() {
    let plain = issuer("https://auth.example.com");
    let realm = issuer("https://auth.example.com/realm");
    for (path, at, class) in [
        ("/.well-known/openid-configuration", &plain, RouteClass::PublicDocument),
        ("/.well-known/oauth-authorization-server", &plain, RouteClass::PublicDocument),
        ("/.well-known/jwks.json", &plain, RouteClass::PublicDocument),
        ("/realm/.well-known/openid-configuration", &realm, RouteClass::PublicDocument),
        ("/.well-known/oauth-authorization-server/realm", &realm, RouteClass::PublicDocument),
        ("/realm/.well-known/oauth-authorization-server", &realm, RouteClass::PublicDocument),
        ("/realm/.well-known/jwks.json", &realm, RouteClass::PublicDocument),
        ("/realm/login", &realm, RouteClass::Page),
        ("/assets/portreeve.css", &plain, RouteClass::Asset),
        ("/.well-known/openid-configuration", &realm, RouteClass::Protocol),
        ("/.well-known/oauth-authorization-server/other", &realm, RouteClass::Protocol),
        ("/.well-known/oauth-authorization-server/", &plain, RouteClass::Protocol),
        ("/.well-known/jwks.json/", &plain, RouteClass::Protocol),
        ("/realms/login", &realm, RouteClass::Protocol),
        ("/login", &realm, RouteClass::Protocol),
        ("/authorize/x.css", &plain, RouteClass::Protocol),
        ("/Login", &plain, RouteClass::Protocol),
        ("//login", &plain, RouteClass::Protocol),
        ("/token", &plain, RouteClass::Protocol),
        ("", &plain, RouteClass::Protocol),
    ] {
        assert_eq!(RouteClass::of(path, at), class, "{path}");
    }
}
