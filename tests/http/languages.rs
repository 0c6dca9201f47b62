//! In which language a person is spoken to: `ui_locales` before `Accept-Language` (OpenID Connect Core §3.1.2.1, RFC 9110
//! §12.5.4), on every page there is, and never a failure because of it (threat 152).

use super::send;
use crate::support::browser::{Browser, attribute, form};
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, PASSWORD, TestServer, basic, encode};
use axum::http::{Method, StatusCode};
use serde_json::json;

const MORE_SETTINGS: &str = "
[scopes.\"albums\"]
description = \"See your albums\"
\"description#de\" = \"Ihre Alben sehen\"
\"description#it\" = \"Vedere i suoi album\"
";

const MORE_CLIENTS: &str = r#"
[[client]]
client_id = "albums"
client_name = "Albums"
"client_name#de" = "Fotoalben"
"client_name#it" = "Gli album"
policy_uri = "https://albums.example.com/policy"
"policy_uri#de" = "https://albums.example.com/datenschutz"
redirect_uris = ["https://albums.example.com/callback"]
grant_types = ["authorization_code"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid email albums"
"#;

/// A server, and the database that it goes with.
async fn server() -> (TestServer, TestDatabase) {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::with(&database, ISSUER, MORE_SETTINGS, MORE_CLIENTS);
    (TestServer::with(&database, configuration).await, database)
}

fn albums(changes: &[(&str, &str)]) -> String {
    let mut app = RelyingParty::new("web", "openid email albums");
    app.client_id = "albums";
    app.redirect_uri = "https://albums.example.com/callback".to_owned();
    app.authorize(changes)
}

/// Goes somewhere as a person whose browser says what they read, and follows.
async fn get(browser: &mut Browser, server: &TestServer, path: &str, accept_language: &str) -> Answer {
    let mut path = path.to_owned();
    for _ in 0..5 {
        let headers = [("accept-language", accept_language)];
        let answer = browser.request(server, Method::GET, &path, None, &headers).await;
        match answer.status {
            StatusCode::SEE_OTHER if answer.location().starts_with('/') => {
                path = answer.location().to_owned()
            }
            _ => return answer,
        }
    }
    panic!("round and round: {path}");
}

/// The language that a page is in, by all that say so.
fn language_of(answer: &Answer) -> String {
    let (_, after) = answer.body.split_once("<html lang=\"").unwrap_or_else(|| panic!("no page: {answer:?}"));
    let language = after.split('"').next().expect("a tag").to_owned();
    assert_eq!(answer.header("content-language"), Some(language.as_str()), "{answer:?}");
    let varies = answer.headers.get_all("vary").iter().any(|value| value == "accept-language");
    assert!(varies, "{answer:?}");
    language
}

/// OpenID Connect Core §3.1.2.1; the certification's module `oidcc-ui-locales` asks for `se`.
#[tokio::test]
async fn the_sign_in_page_is_in_the_language_asked_for_before_the_one_accepted() {
    let (server, _database) = server().await;
    for (ui_locales, accepted, language, button) in [
        (None, "", "en", "Sign in"),
        (None, "de-AT, en;q=0.5", "de", "Anmelden"),
        (Some("fr"), "de", "fr", "Se connecter"),
        (Some("se es-MX de"), "ja", "es", "Iniciar sesión"),
        (Some("se"), "", "en", "Sign in"),
        (Some("se"), "pt-BR", "pt", "Iniciar sessão"),
        (Some("ja"), "*", "ja", "サインイン"),
        (Some("xx yy zz"), "tlh", "en", "Sign in"),
    ] {
        let changes: Vec<(&str, &str)> = ui_locales.map(|tags| ("ui_locales", tags)).into_iter().collect();
        let url = albums(&changes);
        let page = get(&mut Browser::new(), &server, &url, accepted).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(language_of(&page), language, "{ui_locales:?} {accepted:?}");
        assert!(
            page.body.contains(&format!("type=\"submit\">{button}</button>")),
            "{language}: {}",
            page.body
        );
    }
}

// threat 152
#[tokio::test]
async fn a_hostile_ui_locales_or_header_is_neither_an_error_nor_shown_outside_the_request() {
    let (server, _database) = server().await;
    let long = "de-".repeat(1_000);
    let many = "sv ".repeat(2_000) + "de";
    for hostile in
        ["\"><svg onload=1>", "</script><script>1", "../../de", "de\u{202e}", "{{ 7*7 }}", "𝔡𝔢", &long, &many]
    {
        let url = albums(&[("ui_locales", hostile)]);
        let page = get(&mut Browser::new(), &server, &url, "").await;
        assert_eq!((page.status, language_of(&page).as_str()), (StatusCode::OK, "en"), "{hostile}");
        assert!(!page.body.contains("<svg") && !page.body.contains("<script>1"), "{hostile}");
    }
    for header in ["\"><svg onload=1>, de;q=0.1", "de;q=1e9, de;q=0.1", ", , ,de;q=0.1"] {
        let page = get(&mut Browser::new(), &server, &albums(&[]), header).await;
        assert_eq!(language_of(&page), "de", "{header}");
        assert!(!page.body.contains("<svg"));
    }
}

/// RFC 9126 §2: what was pushed counts, though no URL says it; RFC 9101 §6.3: what stands beside it does not.
#[tokio::test]
async fn what_is_asked_for_in_a_pushed_request_counts() {
    let (server, _database) = server().await;
    let web = RelyingParty::new("web", "openid");
    let proof = basic("web", server.secret());
    let pushed = server.post_raw("/par", Some(&proof), web.request(&[("ui_locales", "ja")])).await;
    let uri = pushed.json()["request_uri"].as_str().expect("a request_uri").to_owned();
    let query = encode(&[("client_id", "web"), ("request_uri", &uri)]);
    let page = get(&mut Browser::new(), &server, &format!("/authorize?{query}"), "de").await;
    assert_eq!(language_of(&page), "ja");
    let query = encode(&[("client_id", "web"), ("request_uri", &uri), ("ui_locales", "fr")]);
    let page = get(&mut Browser::new(), &server, &format!("/authorize?{query}"), "de").await;
    assert_eq!(language_of(&page), "ja");
}

/// RFC 7591 §2.2: `client_name#de`, `policy_uri#de`; ours: `"description#de"` of a scope.
#[tokio::test]
async fn names_links_and_scopes_come_in_the_language_of_the_person() {
    let (server, _database) = server().await;
    for (ui_locales, page_language, told, untold) in [
        (
            "de-CH",
            "de",
            ["Fotoalben", "Ihre Alben sehen", "/datenschutz", "Ihre E-Mail-Adresse sehen"],
            "See your",
        ),
        ("fr", "fr", ["Albums", "See your albums", "/policy", "Voir votre adresse e-mail"], "Fotoalben"),
        ("it", "en", ["Gli album", "Vedere i suoi album", "/policy", "See your e-mail address"], "Fotoalben"),
        ("se", "en", ["Albums", "See your albums", "/policy", "See your e-mail address"], "Gli album"),
    ] {
        let url = albums(&[("ui_locales", ui_locales)]);
        let mut browser = Browser::new();
        let page = get(&mut browser, &server, &url, "").await;
        assert!(page.body.contains(told[0]), "{ui_locales}: {}", page.body);
        let refused = browser.submit_login(&server, &page, "ada", "wrong").await;
        assert_eq!(
            (refused.status, language_of(&refused).as_str()),
            (StatusCode::BAD_REQUEST, page_language)
        );
        let consent = browser.sign_in(&server, &refused, "ada").await;
        assert_eq!(language_of(&consent), page_language);
        for told in told {
            assert!(consent.body.contains(told), "{ui_locales}: {told}: {}", consent.body);
        }
        assert!(!consent.body.contains(untold), "{ui_locales}: {}", consent.body);
        let forged = browser.post(&server, &form(&consent).action, &[("decision", "allow")]).await;
        assert_eq!((forged.status, language_of(&forged).as_str()), (StatusCode::FORBIDDEN, page_language));
        let by_form = albums(&[("ui_locales", ui_locales), ("response_mode", "form_post"), ("scope", "x")]);
        let by_form = get(&mut browser, &server, &by_form, "").await;
        assert!(language_of(&by_form) == page_language && by_form.body.contains(told[0]), "{}", by_form.body);
    }
}

#[tokio::test]
async fn every_page_and_every_error_page_speaks_the_person_s_language() {
    let (server, _database) = server().await;
    server.add_person("grace", json!({"name": "Grace"})).await;
    let mut browser = Browser::new();
    let account = get(&mut browser, &server, "/account", "de").await;
    assert_eq!(language_of(&account), "de", "the sign-in form of one's own account");
    browser.submit_login(&server, &account, "grace", PASSWORD).await;
    let long = format!("/authorize?x={}", "x".repeat(17_000));
    let nobody = albums(&[("client_id", "nobody")]);
    for (path, words) in [
        ("/account", "Ihr Konto"),
        ("/logout", "Abmelden?"),
        (nobody.as_str(), "Diese Anfrage kann nicht ausgeführt werden"),
        ("/authorize?client_id=web&client_id=web", "Diese Anfrage kann nicht ausgeführt werden"),
        (&long, "Diese Anfrage kann nicht ausgeführt werden"),
    ] {
        let page = get(&mut browser.clone(), &server, path, "sv, de;q=0.8").await;
        assert_eq!(language_of(&page), "de", "{path:.40}");
        assert!(page.body.contains(words), "{path:.40}: {}", page.body);
        if !path.starts_with("/authorize?x=") {
            let with = format!("{path}{}ui_locales=ja", if path.contains('?') { "&" } else { "?" });
            let page = get(&mut browser.clone(), &server, &with, "de").await;
            assert_eq!(
                language_of(&page),
                if path.contains("client_id=web&") { "de" } else { "ja" },
                "{path}"
            );
        }
    }
    let asked = browser.get(&server, "/logout").await;
    let action = form(&asked).action;
    let fields = form(&asked).hidden;
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let french = [("accept-language", "fr"), ("origin", ISSUER), ("sec-fetch-site", "same-origin")];
    let done = browser.request(&server, Method::POST, &action, Some(encode(&fields)), &french).await;
    assert_eq!(language_of(&done), "fr");
    assert!(done.body.contains("Votre session est fermée"), "{}", done.body);
}

/// RFC 8414 §2
#[tokio::test]
async fn the_metadata_names_the_languages_of_the_pages_and_what_no_person_reads_has_none() {
    let (server, _database) = server().await;
    let answer =
        send(&server, "GET", "/.well-known/openid-configuration", &[("accept-language", "de")]).await;
    assert_eq!(answer.json()["ui_locales_supported"], json!(["en", "de", "fr", "es", "pt", "ja"]));
    assert_eq!(answer.json().get("claims_locales_supported"), None);
    assert_eq!(answer.header("content-language"), None);
    for tag in answer.json()["ui_locales_supported"].as_array().expect("a list") {
        let url = albums(&[("ui_locales", tag.as_str().expect("a tag"))]);
        let page = get(&mut Browser::new(), &server, &url, "").await;
        assert_eq!(language_of(&page), tag.as_str().expect("a tag"), "advertised, and so");
    }
}

/// What the person asked for goes with them from page to page of this server's own; a language alone is no request of an app.
#[tokio::test]
async fn a_language_goes_from_page_to_page() {
    let (server, _database) = server().await;
    for path in ["/", "/login?ui_locales=de", "/account?ui_locales=de", "/account/password?ui_locales=de"] {
        let path = if path == "/" { "/?ui_locales=de" } else { path };
        let mut browser = Browser::new();
        let page = get(&mut browser, &server, path, "fr").await;
        assert_eq!((page.status, language_of(&page).as_str()), (StatusCode::OK, "de"), "{path}");
        let wrong = browser.submit_login(&server, &page, "ada", "wrong").await;
        assert_eq!((wrong.status, language_of(&wrong).as_str()), (StatusCode::BAD_REQUEST, "de"), "{path}");
        let account = browser.submit_login(&server, &wrong, "ada", PASSWORD).await;
        let account = get(&mut browser, &server, account.location(), "fr").await;
        assert_eq!(language_of(&account), "de", "{path}");
        for id in ["account-password", "login-other", "account-logout"] {
            let (before, _) = account.body.split_once(&format!("id=\"{id}\"")).expect("a link");
            let tag = &account.body[before.rfind('<').expect("its tag")..];
            let href = attribute(tag, "href").expect("where it leads");
            let page = get(&mut browser.clone(), &server, &href, "fr").await;
            assert_eq!((page.status, language_of(&page).as_str()), (StatusCode::OK, "de"), "{href}");
        }
        let logout = get(&mut browser, &server, "/logout?ui_locales=de", "fr").await;
        let fields = form(&logout);
        let fields: Vec<(&str, &str)> =
            fields.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let out = browser.post(&server, &form(&logout).action, &fields).await;
        assert_eq!(language_of(&out), "de", "{path}");
    }
}
