//! What a request may say, and how it is answered when it says something else (RFC 6749 §3.1, §4.1, RFC 7636 §4.3, RFC 9207,
//! OpenID Connect Core §3.1.2).

use crate::flows::steps::{
    begin, code, error_page, is_login, post_from_elsewhere, refused, response, still_works,
};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, encode};
use axum::http::{Method, StatusCode};

fn web() -> RelyingParty {
    RelyingParty::new("web", "openid photos.read")
}

/// What is wrong with a request whose client and redirect URI are known good, and the code that says so.
const WRONG: [(&[(&str, &str)], &str); 46] = [
    (&[("response_type", "")], "invalid_request"),
    (&[("response_type", "token")], "unsupported_response_type"),
    (&[("response_type", "id_token")], "unsupported_response_type"),
    (&[("response_type", "code token")], "unsupported_response_type"),
    (&[("response_type", "token code")], "unsupported_response_type"),
    (&[("response_type", "code id_token")], "unsupported_response_type"),
    (&[("response_type", "none")], "unsupported_response_type"),
    (&[("response_type", "CODE")], "unsupported_response_type"),
    (&[("response_type", "code code")], "unsupported_response_type"),
    (&[("response_mode", "fragment")], "invalid_request"),
    (&[("response_mode", "web_message")], "invalid_request"),
    (&[("response_mode", "QUERY")], "invalid_request"),
    (&[("response_mode", "jwt")], "invalid_request"),
    (&[("response_mode", "query.jwt")], "invalid_request"),
    (&[("response_mode", "fragment.jwt")], "invalid_request"),
    (&[("response_mode", "form_post.jwt")], "invalid_request"),
    (&[("code_challenge", "")], "invalid_request"),
    (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
    (&[("code_challenge_method", "")], "invalid_request"),
    (&[("code_challenge_method", "plain")], "invalid_request"),
    (&[("code_challenge_method", "s256")], "invalid_request"),
    (&[("code_challenge_method", "S512")], "invalid_request"),
    (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")], "invalid_request"),
    (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM")], "invalid_request"),
    (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")], "invalid_request"),
    (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")], "invalid_request"),
    (&[("code_challenge", "é9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")], "invalid_request"),
    (&[("prompt", "none login")], "invalid_request"),
    (&[("prompt", "None")], "invalid_request"),
    (&[("prompt", "ask \"me\" \\ é")], "invalid_request"),
    (&[("max_age", "-1")], "invalid_request"),
    (&[("max_age", "abc")], "invalid_request"),
    (&[("max_age", "1.5")], "invalid_request"),
    (&[("max_age", "١")], "invalid_request"),
    (&[("max_age", "18446744073709551616")], "invalid_request"),
    (&[("request", "e30.e30.")], "request_not_supported"),
    (&[("request_uri", "https://web.example.com/request.jwt")], "request_uri_not_supported"),
    (&[("registration", "{}")], "registration_not_supported"),
    (&[("scope", "openid bogus")], "invalid_scope"),
    (&[("scope", "openid \"photos.read\"")], "invalid_scope"),
    (&[("scope", "openid é")], "invalid_scope"),
    (&[("scope", "photos.read mail.read")], "invalid_target"),
    (&[("resource", "https://api.example.com/unknown")], "invalid_target"),
    (&[("resource", "https://api.example.com/photos#x")], "invalid_target"),
    (&[("resource", "photos")], "invalid_target"),
    (&[("prompt", "none")], "login_required"),
];

on_both_stores! {
    /// RFC 6749 §4.1.2.1, RFC 9207 §2. threats 15, 24, 25, 33, 34, 35, 126, 127
    async fn a_wrong_request_is_told_to_the_app_with_its_state_and_the_issuer(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        for (changes, wrong) in WRONG {
            let answer = Browser::new().get(&server, &app.authorize(changes)).await;
            assert_eq!(refused(&server, &answer, &app, wrong)["state"], "the state", "{changes:?}");
            assert_eq!(answer.header("set-cookie"), None, "{changes:?}");
            let stateless: Vec<_> = changes.iter().copied().chain([("state", "")]).collect();
            let answer = Browser::new().get(&server, &app.authorize(&stateless)).await;
            assert_eq!(refused(&server, &answer, &app, wrong).get("state"), None, "{changes:?}");
            if changes.iter().all(|(name, _)| *name != "response_mode") {
                let posted: Vec<_> = changes.iter().copied().chain([("response_mode", "form_post")]).collect();
                let answer = Browser::new().get(&server, &app.authorize(&posted)).await;
                assert_eq!(answer.status, StatusCode::OK);
                assert_eq!(refused(&server, &answer, &app, wrong)["state"], "the state", "{changes:?}");
            }
        }
        let spa = RelyingParty::new("spa", "openid mail.read");
        let answer = Browser::new().get(&server, &spa.authorize(&[])).await;
        refused(&server, &answer, &spa, "invalid_scope");
        let legacy = RelyingParty::new("legacy", "openid");
        let answer = Browser::new().get(&server, &legacy.authorize(&[("code_challenge", "")])).await;
        refused(&server, &answer, &legacy, "invalid_request");
        still_works(&server).await;
    }

    /// RFC 6749 §3.1. threats 9, 156
    async fn a_parameter_that_is_there_twice_gets_a_page(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let good = app.authorize(&[]);
        for twice in [
            "client_id=web",
            "client_id=spa",
            "redirect_uri=https%3A%2F%2Fweb.example.com%2Fcallback",
            "redirect_uri=https%3A%2F%2Fevil.example%2Fcb",
            "state=the+state",
            "state=",
            "scope=openid",
            "%73tate=x",
            "response_type=code",
            "code_challenge=x",
            "nonce=x",
            "prompt=none&prompt=none",
            "unknown=1&unknown=2",
        ] {
            let answer = Browser::new().get(&server, &format!("{good}&{twice}")).await;
            error_page(&answer, 400, "invalid_request");
            let (_, query) = good.split_once('?').expect("a query");
            let answer = Browser::new().get(&server, &format!("/authorize?{twice}&{query}")).await;
            error_page(&answer, 400, "invalid_request");
            // in the body, and in both
            let answer = server.post_raw("/authorize", None, format!("{query}&{twice}")).await;
            error_page(&answer, 400, "invalid_request");
            if !twice.starts_with("unknown") && !twice.starts_with("prompt") {
                let answer = server.post_raw(&format!("/authorize?{twice}"), None, query.to_owned()).await;
                error_page(&answer, 400, "invalid_request");
            }
        }
        still_works(&server).await;
    }

    /// RFC 6749 Appendix B. threats 157, 158
    async fn nul_foreign_encodings_and_too_much_get_a_page_on_both_stores(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let names = [
            "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge",
            "code_challenge_method", "prompt", "max_age", "login_hint", "resource", "marker", "unknown",
        ];
        for name in names {
            for bytes in ["%00", "a%00b", "%ff", "%C0%80", "%ED%A0%80", "%", "%4", "%zz"] {
                let good = web().authorize(&[(name, "")]);
                let answer = Browser::new().get(&server, &format!("{good}&{name}={bytes}")).await;
                error_page(&answer, 400, "invalid_request");
                let (_, query) = good.split_once('?').expect("a query");
                let answer = server.post_raw("/authorize", None, format!("{query}&{name}={bytes}")).await;
                error_page(&answer, 400, "invalid_request");
            }
        }
        let many: String = (0..101).map(|n| format!("&p{n}=1")).collect();
        error_page(&server.get(&format!("{}{many}", web().authorize(&[]))).await, 400, "invalid_request");
        let long = web().authorize(&[("state", &"s".repeat(16 * 1024))]);
        error_page(&server.get(&long).await, 414, "invalid_request");
        still_works(&server).await;
    }

    /// OpenID Connect Core §3.1.2.1: POST is served too, and is the same as GET; a cross-site one brings no Lax cookie.
    async fn a_posted_request_becomes_a_get_before_any_cookie_is_read_or_set(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let request = app.request(&[]);
        let headers = [("origin", "https://web.example.com"), ("sec-fetch-site", "cross-site")];
        let mut browser = Browser::new();
        let answer = browser.request(&server, Method::POST, "/authorize", Some(request.clone()), &headers).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, app.authorize(&[]).as_str()));
        assert_eq!(answer.header("set-cookie"), None);
        let page = browser.follow(&server, answer).await;
        assert!(is_login(&page), "{page:?}");

        let too_long = app.request(&[("state", &"s".repeat(17 * 1024))]);
        error_page(&server.post_raw("/authorize", None, too_long).await, 414, "invalid_request");
        let far_too_long = app.request(&[("state", &"s".repeat(65 * 1024))]);
        error_page(&server.post_raw("/authorize", None, far_too_long).await, 413, "invalid_request");
        for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded; charset=utf-16"]
        {
            let typed = axum::http::Request::post("/authorize").header("content-type", kind);
            let answer = server.send(typed.body(request.clone().into()).expect("a request")).await;
            error_page(&answer, 400, "invalid_request");
        }
        // an unregistered redirect URI is judged after the redirect, and leads nowhere
        let evil = [("client_id", "web"), ("redirect_uri", "https://evil.example/cb"), ("response_type", "code")];
        let answer = post_from_elsewhere(&server, "/authorize", &evil).await;
        assert!(answer.location().starts_with("/authorize?"), "{answer:?}");
        error_page(&Browser::new().get(&server, answer.location()).await, 400, "invalid_request");
        still_works(&server).await;
    }

    /// RFC 6749 §4.1.2: the exact value received. threats 10, 26, 155
    async fn state_comes_back_byte_for_byte_by_either_mode_on_success_and_on_failure(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        let long = "0123456789abcdef".repeat(8);
        for state in [
            long.as_str(),
            "ünï¢ødé – 日本語 🦀",
            "a\r\nSet-Cookie: x=1\r\n\r\n<html>",
            "x&code=y&iss=https://evil.example#z",
            "+ %2B%20 %",
            "\"><svg onload=alert(1)>",
            "</form><script>alert(1)</script>",
            "\u{202e}rtl\u{feff}",
            " leading and trailing ",
            "' & &amp; &lt; &#38;",
        ] {
            for mode in ["query", "form_post"] {
                let asked = [("state", state), ("response_mode", mode)];
                let answer = browser.get(&server, &app.authorize(&asked)).await;
                let parameters = response(&answer, &app);
                assert_eq!(parameters["state"], state, "{mode}");
                assert!(parameters.contains_key("code") && parameters["iss"] == server.issuer());
                let asked = [("state", state), ("response_mode", mode), ("scope", "bogus")];
                let answer = browser.get(&server, &app.authorize(&asked)).await;
                assert_eq!(refused(&server, &answer, &app, "invalid_scope")["state"], state, "{mode}");
                assert!(!answer.body.contains("<svg") && !answer.body.contains("<script>alert"), "{answer:?}");
                assert!(answer.headers.get("x").is_none());
            }
        }
    }

    /// OpenID Connect Core §3.1.2.1: what is not understood is ignored, the names of this server's own parameters too.
    async fn unknown_parameters_are_ignored(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web();
        let mut browser = Browser::new();
        app.tokens(&server, &mut browser).await;
        for unknown in [
            ("extra", "foobar"), ("display", "popup"), ("ui_locales", "se"), ("claims_locales", "se"),
            ("acr_values", "1 2"), ("account", "other"), ("marker", "AAAA"), ("form_token", "x"),
            ("next", "//evil.example"), ("", "x"), ("code", "mine"), ("iss", "https://evil.example"),
        ] {
            let answer = browser.get(&server, &format!("{}&{}", app.authorize(&[]), encode(&[unknown]))).await;
            code(&server, &answer, &app);
            // and nobody has to sign in twice for them
            let asked = format!("{}&{}", app.authorize(&[("prompt", "login")]), encode(&[unknown]));
            let answer = browser.get(&server, &asked).await;
            let page = browser.follow(&server, answer).await;
            assert!(is_login(&page), "{unknown:?}: {page:?}");
            server.clock.advance(crate::flows::steps::SECOND);
            let answer = browser.sign_in(&server, &page, "ada").await;
            assert!(!is_login(&answer), "{unknown:?}");
            code(&server, &answer, &app);
        }
        let page = begin(&server, &mut Browser::new(), &app, &[("account", "other")]).await;
        assert!(is_login(&page), "{page:?}");
    }

    /// RFC 6749 §4.1.2.1. threat 113
    async fn a_client_without_the_code_flow_has_no_business_here(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for uri in ["https://web.example.com/callback", ""] {
            let asked = [("client_id", "service"), ("redirect_uri", uri), ("scope", "photos.read")];
            error_page(&server.get(&web().authorize(&asked)).await, 400, "invalid_request");
        }
        still_works(&server).await;
    }
}
