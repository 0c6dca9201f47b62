//! Nobody vouches for a client that registered itself (RFC 7591 §5): people see who asks, agree to what they see, and no more
//! comes of it (threats 14, 83, 116, 119, 137).

use super::{open, post, register, spa, web};
use crate::flows::steps::error_page;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{Answer, TestServer, basic, claims, encode};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// The page that a person meets who is signed in already.
async fn page_of(server: &TestServer, browser: &mut Browser, url: &str) -> Answer {
    let answer = browser.get(server, url).await;
    let answer = browser.follow(server, answer).await;
    match answer.body.contains("id=\"login-submit\"") {
        true => browser.sign_in(server, &answer, "ada").await,
        false => answer,
    }
}

fn asks(page: &Answer) -> bool {
    page.body.contains("id=\"consent-allow\"")
}

fn several_hosts() -> Value {
    let mut said = spa();
    said["redirect_uris"] = json!(["https://www.example.org/", "https://notes.example.com/callback"]);
    said
}

on_both_stores! {
    /// OpenID Connect Core §8.1: a program on a device is no part of a host's sector.
    async fn nobody_joins_a_sector_by_a_scheme_of_their_own(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        said["application_type"] = json!("native");
        said["subject_type"] = json!("pairwise");
        said["redirect_uris"] = json!(["https://shop.example/x", "com.example.evil://shop.example/cb"]);
        let answer = post(&server, &said).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"), "{answer:?}");
        assert!(answer.body.contains("sector_identifier_uri"), "{answer:?}");
    }

    /// OpenID Connect Core §12.2: a grant's tokens are about one subject for as long as it lives.
    async fn a_client_that_moves_to_another_sector_takes_no_grant_along(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        said["subject_type"] = json!("pairwise");
        let client = register(&server, &said).await;
        let app = client.app("openid offline_access");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let moved = client.with(&json!({"redirect_uris": ["https://shop.example.com/callback"]}));
        assert_eq!(client.put(&server, &moved).await.status, StatusCode::OK);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.error(), "invalid_grant");
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::UNAUTHORIZED);
        let mut there = client.app("openid");
        there.redirect_uri = "https://shop.example.com/callback".into();
        assert!(asks(&page_of(&server, &mut browser, &there.authorize(&[])).await));
        let other = there.tokens(&server, &mut browser).await;
        assert_ne!(claims(other.id())["sub"], claims(tokens.id())["sub"]);
    }

    async fn who_leads_to_several_hosts_is_agreed_to_every_time(database: TestDatabase) {
        let server = open(&database).await;
        let one = register(&server, &spa()).await.app("openid");
        let several = register(&server, &several_hosts()).await;
        let mut app = several.app("openid");
        app.redirect_uri = "https://www.example.org/".into();
        let mut browser = Browser::new();
        one.tokens(&server, &mut browser).await;
        assert!(one.visit(&server, &mut browser, &[("prompt", "none")]).await.parameter("code").is_some());
        app.tokens(&server, &mut browser).await;
        app.redirect_uri = "https://notes.example.com/callback".into();
        for _ in 0..2 {
            let page = page_of(&server, &mut browser, &app.authorize(&[])).await;
            assert!(asks(&page) && page.body.contains("notes.example.com"), "{page:?}");
            let silent = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
            assert_eq!(silent.parameter("error").as_deref(), Some("consent_required"));
            app.tokens(&server, &mut browser).await;
        }
        // nor is an error led there without being asked
        let forced = browser.get(&server, &app.authorize(&[("scope", "admin")])).await;
        assert!(forced.status == StatusCode::BAD_REQUEST && forced.header("location").is_none(), "{forced:?}");
    }

    async fn what_was_agreed_to_counts_for_the_name_and_the_host_that_were_shown(database: TestDatabase) {
        let server = open(&database).await;
        for change in [json!({"client_name": "Bank"}), json!({"redirect_uris": ["https://evil.example.com/cb"]})] {
            let client = register(&server, &spa()).await;
            let (mut app, mut browser) = (client.app("openid offline_access"), Browser::new());
            let tokens = app.tokens(&server, &mut browser).await;
            assert!(!asks(&page_of(&server, &mut browser, &app.authorize(&[])).await));
            assert_eq!(client.put(&server, &client.with(&change)).await.status, StatusCode::OK);
            if let Some(uri) = change["redirect_uris"][0].as_str() {
                app.redirect_uri = uri.to_owned();
            }
            assert!(asks(&page_of(&server, &mut browser, &app.authorize(&[])).await), "{change}");
            assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK, "what was given stays");
        }
    }

    async fn a_yes_to_one_name_is_none_to_another(database: TestDatabase) {
        let server = open(&database).await;
        for change in ["client_name", "client_name#de"] {
            let client = register(&server, &spa()).await;
            let (app, mut browser) = (client.app("openid"), Browser::new());
            let page = page_of(&server, &mut browser, &app.authorize(&[])).await;
            assert!(asks(&page));
            assert_eq!(client.put(&server, &client.with(&json!({ change: "Bank" }))).await.status, StatusCode::OK);
            let refused = browser.decide(&server, &page, "allow").await;
            assert!(refused.status.is_client_error() && refused.header("location").is_none(), "{change}: {refused:?}");
            assert_eq!(database.number("SELECT COUNT(*) FROM grants").await, 0);
        }
    }

    /// Threat 119: no code comes of a client that is gone, on a replica that does not know it yet.
    async fn a_consent_that_comes_after_the_end_of_its_client_is_none(database: TestDatabase) {
        let here = open(&database).await;
        let there = here.replica().await;
        let client = register(&here, &spa()).await;
        let (app, mut browser) = (client.app("openid"), Browser::new());
        let page = page_of(&there, &mut browser, &app.authorize(&[])).await;
        assert!(asks(&page));
        assert_eq!(client.delete(&here).await.status, StatusCode::NO_CONTENT);
        let late = browser.decide(&there, &page, "allow").await;
        error_page(&late, 400, "invalid_request");
        for table in ["grants", "consents"] {
            assert_eq!(database.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }

    /// Threat 83: to register costs nothing, so that a secret of one's own is no reason to be let push more.
    async fn a_client_that_registered_itself_pushes_like_anybody(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &web()).await;
        let app = client.app("openid");
        let proof = basic(client.id(), client.text("client_secret"));
        let request: Vec<(String, String)> =
            url::form_urlencoded::parse(app.request(&[]).as_bytes()).into_owned().collect();
        let request: Vec<(&str, &str)> = request.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut kept = 0;
        let refused = loop {
            let answer = server.post_from("192.0.2.1", "/par", Some(&proof), &request).await;
            if answer.status != StatusCode::CREATED {
                break answer;
            }
            kept += 1;
        };
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert!((30..300).contains(&kept), "{kept}");
    }

    /// Threats 114, 193: what says the same writes nothing, and nobody says things again and again.
    async fn a_replacement_by_the_same_leaves_nothing_behind(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let events = "SELECT COUNT(*) FROM audit_events";
        let before = database.number(events).await;
        let versions = "SELECT COALESCE(MAX(version), 0) FROM versions";
        let version = database.number(versions).await;
        let same = client.get(&server).await.json();
        let mut answered = 0;
        let refused = loop {
            let answer = client.put(&server, &same).await;
            if answer.status != StatusCode::OK {
                break answer;
            }
            answered += 1;
        };
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
        assert!(refused.header("retry-after").is_some() && (10..100).contains(&answered), "{answered}");
        assert_eq!((database.number(events).await, database.number(versions).await), (before, version));
        server.clock.advance(Duration::from_secs(10));
        assert_eq!(client.put(&server, &client.with(&json!({"client_name": "Other"}))).await.status, StatusCode::OK);
        assert_eq!(database.number(events).await, before + 1);
        let told = "SELECT COUNT(*) FROM audit_events WHERE reason LIKE '%Other%' AND reason LIKE '%https://notes.example.com/callback%'";
        assert_eq!(database.number(told).await, 1, "the trail says what the client was");
    }

    /// Threat 45: people recognise what they take back.
    async fn the_account_page_names_apps_that_registered_themselves(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let mut browser = Browser::new();
        client.app("openid").tokens(&server, &mut browser).await;
        let page = browser.get(&server, "/account").await;
        assert!(page.body.contains("<bdi>Notes</bdi>"), "{page:?}");
    }

    /// Threat 14, RFC 9700 §4.11.2: who has a client has hints of it, and could send anybody anywhere.
    async fn a_hint_of_such_a_client_leads_nobody_on_by_itself(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        said["post_logout_redirect_uris"] = json!(["https://notes.example.com/bye"]);
        let client = register(&server, &said).await;
        let tokens = client.app("openid").tokens(&server, &mut Browser::new()).await;
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", "https://notes.example.com/bye")];
        let page = Browser::new().get(&server, &format!("/logout?{}", encode(&parameters))).await;
        assert_eq!(page.status, StatusCode::OK, "{page:?}");
        assert!(page.body.contains("id=\"logout-continue\"") && !page.body.contains("http-equiv"), "{page:?}");
    }

    /// Threat 116: nothing on the pages makes a stranger look like somebody else.
    async fn pages_say_that_nobody_vouches_and_show_no_host_but_where_they_lead(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        said["client_uri"] = json!("https://www.bank.example/");
        let app = register(&server, &said).await.app("openid");
        let mut browser = Browser::new();
        let login = browser.get(&server, &app.authorize(&[])).await;
        let login = browser.follow(&server, login).await;
        assert!(login.body.contains("id=\"login-unverified\""), "{login:?}");
        let consent = browser.sign_in(&server, &login, "ada").await;
        assert!(asks(&consent) && consent.body.contains("id=\"consent-unverified\""), "{consent:?}");
        assert!(!consent.body.contains("www.bank.example") && consent.body.contains("notes.example.com"), "{consent:?}");
        said["client_uri"] = json!("https://notes.example.com/about");
        let own = register(&server, &said).await.app("openid");
        let consent = page_of(&server, &mut browser, &own.authorize(&[])).await;
        assert!(consent.body.matches("notes.example.com").count() >= 2, "{consent:?}");
        let ours = crate::support::relying_party::RelyingParty::new("web", "openid");
        let login = Browser::new().get(&server, &ours.authorize(&[])).await;
        let login = Browser::new().follow(&server, login).await;
        assert!(!login.body.contains("login-unverified"), "{login:?}");
    }

    async fn a_name_that_nobody_sees_is_none(database: TestDatabase) {
        let server = open(&database).await;
        for name in ["\u{2800}", "\u{3164}", "A\u{34f}", "\u{fe0f}", "\u{301}\u{302}", "A\u{e0100}", "\u{115f}\u{1160}"] {
            let mut said = spa();
            said["client_name"] = json!(name);
            let answer = post(&server, &said).await;
            assert_eq!(answer.error(), "invalid_client_metadata", "{}", name.escape_unicode());
        }
        for name in ["写真", "Ελλάς 2", "عربي"] {
            let mut said = spa();
            said["client_name"] = json!(name);
            register(&server, &said).await;
        }
    }

    /// Threat 115: a registration that the policy has outgrown is written back as it is read, and is not more for it.
    async fn what_is_read_after_the_policy_shrank_is_no_more_when_it_is_written_back(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[registration]\nscope = \"openid photos.read\"\n", "").await;
        let mut said = spa();
        said["scope"] = json!("photos.read");
        let client = register(&server, &said).await;
        let settings = server.configuration.settings.replace("openid photos.read", "openid");
        server.reload(&settings, &server.configuration.clients);
        let read = client.get(&server).await.json();
        assert_eq!(read["scope"], "");
        let written = client.put(&server, &read).await;
        assert_eq!((written.status, &written.json()["scope"]), (StatusCode::OK, &json!("")));
    }
}
