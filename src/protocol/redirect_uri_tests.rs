//! Threats 1–8 and 10, at the value itself; the endpoint's side is in the flows.

use super::*;

fn web(text: &str) -> Result<RedirectUri, RedirectUriError> {
    RedirectUri::register(text, ApplicationType::Web, Deployment::Production)
}

fn native(text: &str) -> Result<RedirectUri, RedirectUriError> {
    RedirectUri::register(text, ApplicationType::Native, Deployment::Production)
}

#[test]
fn a_redirect_uri_matches_byte_for_byte() {
    // threats 1, 3, 4
    let registered = web("https://app.example/cb").expect("valid");
    assert!(registered.matches("https://app.example/cb"));
    for presented in [
        "https://evil.example/cb",
        "https://app.example/cb/../evil",
        "https://app.example/cb/..;/",
        "https://app.example/cb%2f..",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb.evil",
        "https://app.example/cb?x=1",
        "https://app.example/cb;jsessionid",
        "https://app.example//cb",
        "https://app.example./cb",
        "https://app.example/cb ",
        "https://app.example/cb%20",
        "https://app.example/c\tb",
        "https://app.example/cb\n",
        "https://app.example/%252e%252e/cb",
        "https://app.example/%63b",
        "https://app.example:443/cb",
        "https://app.example:444/cb",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example@evil/cb",
        "https://app.example:443@evil",
        "https://evil#@app.example/cb",
        "https://evil\\@app.example/cb",
        "https:/app.example/cb",
        "https:app.example/cb",
        "///app.example/cb",
        "//app.example/cb",
        "http://app.example/cb",
        "https://app.example/cb#",
        "https://app.example/cb#x",
        "https://app.example/cb?",
        "",
        " https://app.example/cb",
        "https://app.example/cb\u{0}",
        "https://app\u{3002}example/cb",
        "https://app.example/cb&x",
        "https://sub.app.example/cb",
        "https://app.example.evil/cb",
        "https://app.examp\u{00ad}le/cb",
        "app.example/cb",
    ] {
        assert!(!registered.matches(presented), "{presented:?}");
    }
}

#[test]
fn what_browsers_and_parsers_read_differently_is_not_registered() {
    // threats 4, 5, 6
    for (text, why) in [
        ("https://u@app.example/cb", RedirectUriError::UserInformation),
        ("https://@app.example/cb", RedirectUriError::UserInformation),
        ("https://app.example:443@evil/cb", RedirectUriError::UserInformation),
        ("https://app.example/cb#x", RedirectUriError::Fragment),
        ("https://evil#@app.example/cb", RedirectUriError::Fragment),
        ("https://evil\\@app.example/cb", RedirectUriError::Character),
        ("https://\u{430}pp.example/cb", RedirectUriError::Character),
        ("https://app\u{3002}example/cb", RedirectUriError::Character),
        ("https://app.example/c b", RedirectUriError::Character),
        ("https://app.example/c\tb", RedirectUriError::Character),
        ("\u{1}javascript:alert(1)", RedirectUriError::Character),
        ("https:/app.example/cb", RedirectUriError::NotPlain),
        ("https:app.example/cb", RedirectUriError::NotPlain),
        ("https://APP.example/cb", RedirectUriError::NotPlain),
        ("https://app.example:443/cb", RedirectUriError::NotPlain),
        ("https://app.example/a/../cb", RedirectUriError::NotPlain),
        ("https://app.example/*", RedirectUriError::Ambiguous),
        ("https://*.app.example/cb", RedirectUriError::Ambiguous),
        ("https://app.example/x%2fcb", RedirectUriError::Ambiguous),
        ("https://app.example/%252e%252e/cb", RedirectUriError::Ambiguous),
        ("https:///", RedirectUriError::NotAUri),
        ("///evil", RedirectUriError::NotAUri),
        ("", RedirectUriError::NotAUri),
    ] {
        assert_eq!(web(text), Err(why), "{text:?}");
    }
}

#[test]
fn a_scheme_is_https_or_a_native_applications_own() {
    // threat 8
    for text in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://app.example/x",
        "file:///etc/passwd",
        "about:blank",
        "intent://x",
        "myapp://cb",
        "ftp://app.example/cb",
        "ws://app.example/cb",
    ] {
        assert_eq!(native(text), Err(RedirectUriError::Scheme), "{text}");
        assert_eq!(web(text), Err(RedirectUriError::Scheme), "{text}");
    }
    assert_eq!(web("com.example.app:/cb"), Err(RedirectUriError::Scheme));
    let own = native("com.example.app:/cb").expect("valid");
    assert!(own.is_spoofable() && own.matches("com.example.app:/cb"));
    assert!(!own.matches("com.example.app:/cb2") && !own.matches("com.example.app://cb"));
}

#[test]
fn http_is_for_the_loopback_of_native_applications_and_of_development() {
    assert_eq!(web("http://localhost:3000/cb"), Err(RedirectUriError::NotSecure));
    for text in [
        "http://app.example/cb",
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://localhost.evil/cb",
    ] {
        assert_eq!(native(text), Err(RedirectUriError::NotSecure), "{text}");
    }
    assert!(
        RedirectUri::register("http://localhost:3000/cb", ApplicationType::Web, Deployment::Development)
            .is_ok()
    );
    assert!(native("http://localhost:3000/cb").expect("valid").is_spoofable());
}

#[test]
fn the_port_of_a_native_loopback_address_is_free_and_nothing_else() {
    // threat 7
    let registered = native("http://127.0.0.1/cb").expect("valid");
    assert!(registered.matches("http://127.0.0.1:49152/cb"));
    assert!(native("http://[::1]:5000/cb").expect("valid").matches("http://[::1]:49152/cb"));
    for presented in [
        "http://127.0.0.1:49152/cb?x=1",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.1:49152/cb",
        "http://0.0.0.0:49152/cb",
        "http://[::ffff:127.0.0.1]:49152/cb",
        "http://localhost:49152/cb",
        "http://2130706433/cb",
        "http://127.0.0.1:80@evil/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1.evil/cb",
        "http://127.0.0.1:49152/CB",
        "http://127.0.0.1:49152",
        "http://[::1]:49152/cb",
    ] {
        assert!(!registered.matches(presented), "{presented}");
    }
    let named = native("http://localhost:3000/cb").expect("valid");
    assert!(!named.matches("http://localhost:3001/cb"));
    let web =
        RedirectUri::register("http://127.0.0.1:3000/cb", ApplicationType::Web, Deployment::Development);
    assert!(!web.expect("valid").matches("http://127.0.0.1:3001/cb"));
    assert!(!self::web("https://app.example/cb").expect("valid").matches("http://127.0.0.1/cb"));
}

#[test]
fn a_query_may_not_hold_what_a_response_holds() {
    // threat 10
    for name in RESERVED_PARAMETERS {
        assert_eq!(
            web(&format!("https://app.example/cb?{name}=x")),
            Err(RedirectUriError::ReservedParameter),
            "{name}"
        );
    }
    assert_eq!(web("https://app.example/cb?c%6fde=x"), Err(RedirectUriError::ReservedParameter));
    assert!(web("https://app.example/cb?dummy1=lorem&dummy2=ipsum").is_ok());
}
