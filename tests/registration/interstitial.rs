//! An error that anyone can force does not lead to a client that nobody vouches for, unless the person says so (threat 14,
//! RFC 9700 §4.11.2).

use super::{Registration, open, register, spa};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer};
use axum::http::StatusCode;

/// Requests that anyone can write, and what is wrong with them.
const FORCED: [(&str, &str, &str); 5] = [
    ("scope", "bogus", "invalid_scope"),
    ("response_type", "token", "unsupported_response_type"),
    ("request", "x", "request_not_supported"),
    ("resource", "https://nobody.example", "invalid_target"),
    ("code_challenge_method", "plain", "invalid_request"),
];

fn assert_asked(answer: &Answer, client: &Registration, error: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(answer.header("location"), None);
    assert!(answer.body.contains("id=\"continue\""), "{}", answer.body);
    let at = answer.body.find("id=\"continue\"").expect("a link");
    let href = crate::support::browser::attribute(&answer.body[at - 60..], "href").expect("a link");
    let wanted = format!("{}?error={error}", client.0["redirect_uris"][0].as_str().expect("a URI"));
    assert!(href.starts_with(&wanted), "{href}");
    assert!(href.contains("state=the+state") && href.contains("iss="), "{href}");
}

async fn consented(server: &TestServer, client: &Registration, browser: &mut Browser) {
    let answer = client.app("openid").visit(server, browser, &[]).await;
    assert!(answer.parameter("code").is_some(), "{answer:?}");
}

on_both_stores! {
    async fn a_forced_error_shows_a_page_before_it_leads_to_a_registered_client(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let app = client.app("openid");
        let mut stranger = Browser::new();
        let mut signed_in = Browser::new();
        RelyingParty::new("web", "openid").code(&server, &mut signed_in).await;
        for (name, value, error) in FORCED {
            for browser in [&mut stranger, &mut signed_in] {
                let answer = browser.get(&server, &app.authorize(&[(name, value)])).await;
                assert_asked(&answer, &client, error);
            }
        }
    }

    async fn with_prompt_none_the_app_always_hears_of_it(database: TestDatabase) {
        let server = open(&database).await;
        let app = register(&server, &spa()).await.app("openid");
        for (name, value, error) in FORCED {
            let answer = Browser::new().get(&server, &app.authorize(&[(name, value), ("prompt", "none")])).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
            assert_eq!(answer.parameter("error").as_deref(), Some(error));
        }
        let answer = Browser::new().get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
    }

    async fn once_the_person_agreed_to_the_client_errors_lead_there_at_once(database: TestDatabase) {
        let server = open(&database).await;
        let (client, other) = (register(&server, &spa()).await, register(&server, &spa()).await);
        let mut browser = Browser::new();
        consented(&server, &client, &mut browser).await;
        for (name, value, error) in FORCED {
            let answer = browser.get(&server, &client.app("openid").authorize(&[(name, value)])).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
            assert_eq!(answer.parameter("error").as_deref(), Some(error));
            let answer = Browser::new().get(&server, &client.app("openid").authorize(&[(name, value)])).await;
            assert_asked(&answer, &client, error);
            let answer = browser.get(&server, &other.app("openid").authorize(&[(name, value)])).await;
            assert_asked(&answer, &other, error);
        }
    }

    async fn who_says_no_goes_back_at_once(database: TestDatabase) {
        let server = open(&database).await;
        let app = register(&server, &spa()).await.app("openid");
        let mut browser = Browser::new();
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        let answer = browser.decide(&server, &page, "deny").await;
        assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"), "{answer:?}");
    }

    async fn an_essential_acr_that_nobody_reaches_is_a_forced_error_as_well(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let claims = "{\"id_token\":{\"acr\":{\"essential\":true,\"values\":[\"gold\"]}}}";
        let answer = Browser::new().get(&server, &client.app("openid").authorize(&[("claims", claims)])).await;
        assert_asked(&answer, &client, "unmet_authentication_requirements");
    }

    /// OpenID Connect Core §4: where the app begins a sign-in is a way out, of clients that somebody vouches for.
    async fn an_error_page_leads_back_to_where_the_operators_client_begins_a_sign_in(database: TestDatabase) {
        let begins = "initiate_login_uri = \"https://begins.example.com/login?a=1\"";
        let more = format!(
            "[[client]]\nclient_id = \"begins\"\nredirect_uris = [\"https://begins.example.com/callback\"]\n\
             token_endpoint_auth_method = \"none\"\nscope = \"openid\"\n{begins}\n"
        );
        let server = TestServer::start_with(&database, "[registration]\n", &more).await;
        let path = "/authorize?response_type=code&redirect_uri=https%3A%2F%2Fevil.example%2F&client_id=";
        let page = server.get(&format!("{path}begins")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        let href = "https://begins.example.com/login?a=1&#38;iss=https%3A%2F%2Fauth.example.com";
        assert!(page.body.contains(&format!("href=\"{href}\"")), "{}", page.body);
        let mut said = spa();
        said["initiate_login_uri"] = serde_json::json!("https://notes.example.com/login");
        let client = register(&server, &said).await;
        let page = server.get(&format!("{path}{}", client.id())).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(!page.body.contains("notes.example.com"), "{}", page.body);
    }

    async fn errors_lead_to_the_operators_clients_at_once(database: TestDatabase) {
        let server = open(&database).await;
        let app = RelyingParty::new("spa", "openid");
        for (name, value, error) in FORCED {
            let answer = Browser::new().get(&server, &app.authorize(&[(name, value)])).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
            assert_eq!(answer.parameter("error").as_deref(), Some(error));
        }
    }
}
