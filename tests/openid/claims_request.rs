//! The `claims` parameter (OpenID Connect Core §5.5), `acr_values` and `claims_locales`.

use super::{redeemed, tokens_of, userinfo};
use crate::support::browser::{Browser, form};
use crate::support::configuration::TestConfiguration;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;
use serde_json::{Value, json};

fn web(scope: &str) -> RelyingParty {
    RelyingParty::new("web", scope)
}

const NAME: &str = r#"{"userinfo":{"name":{"essential":true}}}"#;

on_both_stores! {
    /// OpenID Connect Core §5.5: where it was asked for, and nowhere else.
    async fn a_claim_goes_where_it_was_asked_for(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = tokens_of(&server, &web("openid"), &[("claims", NAME)]).await;
        assert_eq!(userinfo(&server, &tokens).await["name"], "Ada Lovelace");
        assert_eq!(claims(tokens.id()).get("name"), None);
        assert_eq!(tokens.0["scope"], "openid", "a claim is not its scope");
        assert_eq!(userinfo(&server, &tokens).await.get("preferred_username"), None);

        let asked = r#"{"id_token":{"email":null,"email_verified":{"value":true}}}"#;
        let tokens = tokens_of(&server, &web("openid"), &[("claims", asked)]).await;
        let said = claims(tokens.id());
        assert_eq!((&said["email"], &said["email_verified"]), (&json!("ada@example.com"), &json!(true)));
        assert_eq!(userinfo(&server, &tokens).await.get("email"), None);
        // §12.2: a refreshed ID token says the same
        let refreshed = web("openid").refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(claims(refreshed.json()["id_token"].as_str().expect("an ID token"))["email"], "ada@example.com");
    }

    /// Threat 129: only what the client is registered for, and only what it was granted.
    async fn a_claim_of_a_scope_that_is_not_the_clients_is_never_told(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let asked = r#"{"id_token":{"groups":{"essential":true},"phone_number":null,"password_hash":null,"unheard":null},
                       "userinfo":{"groups":null,"address":null}}"#;
        let app = RelyingParty::new("post", "openid");
        let tokens = tokens_of(&server, &app, &[("claims", asked)]).await;
        let said = claims(tokens.id());
        for absent in ["groups", "phone_number", "password_hash", "unheard", "address"] {
            assert_eq!(said.get(absent), None, "{absent}");
            assert_eq!(userinfo(&server, &tokens).await.get(absent), None, "{absent}");
        }
        // without openid the parameter means nothing
        let tokens = tokens_of(&server, &web("photos.read"), &[("claims", NAME)]).await;
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::FORBIDDEN);
    }

    /// Threat 75: what the server says itself cannot be asked to be something else.
    async fn what_the_server_says_itself_is_not_changed_by_asking(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let asked = r#"{"id_token":{"iss":{"value":"https://evil.example"},"aud":{"value":"evil"},"exp":{"value":9999999999},
                       "acr":null,"auth_time":{"essential":true},"nonce":{"value":"evil"}},"userinfo":{"sub":null}}"#;
        let said = claims(tokens_of(&server, &web("openid"), &[("claims", asked)]).await.id());
        assert_eq!((&said["iss"], &said["aud"]), (&json!("https://auth.example.com"), &json!("web")));
        assert_eq!(said["nonce"], "the nonce");
        assert!(said["exp"].as_i64().expect("seconds") < 2_000_000_000 && said["auth_time"].is_i64());
    }

    /// Threats 121, 129: a claim is shown, may be unticked, is remembered, and is asked about when it is new.
    async fn the_person_is_asked_about_a_claim_and_may_leave_it_out(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web("openid email");
        let mut browser = Browser::new();
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        assert_eq!(form(&page).scopes, ["email"]);
        browser.decide(&server, &page, "allow").await;
        // remembered without the claim: it is new
        let answer = browser.get(&server, &app.authorize(&[("claims", NAME), ("prompt", "none")])).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("consent_required"));
        let page = browser.get(&server, &app.authorize(&[("claims", NAME)])).await;
        let page = browser.follow(&server, page).await;
        assert_eq!(form(&page).scopes, ["email", "profile"]);
        assert!(page.body.contains("your name"), "{page:?}");
        let answer = browser.decide_with(&server, &page, "allow", &["email"]).await;
        let tokens = redeemed(&server, &app, &answer).await;
        assert_eq!(userinfo(&server, &tokens).await.get("name"), None);
        assert_eq!(tokens.0["scope"], "openid email");
        // agreed to once, it needs no page any more
        let page = browser.get(&server, &app.authorize(&[("claims", NAME)])).await;
        let page = browser.follow(&server, page).await;
        browser.decide(&server, &page, "allow").await;
        let answer = browser.get(&server, &app.authorize(&[("claims", NAME), ("prompt", "none")])).await;
        assert_eq!(userinfo(&server, &redeemed(&server, &app, &answer).await).await["name"], "Ada Lovelace");
    }

    /// OpenID Connect Core §5.5.1: with the value that was asked for, or not at all.
    async fn a_claim_of_another_value_than_was_asked_for_is_left_out(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let asked = r#"{"userinfo":{"email":{"value":"bob@example.com"},"name":{"values":["Bob","Ada Lovelace"]}}}"#;
        let said = userinfo(&server, &tokens_of(&server, &web("openid"), &[("claims", asked)]).await).await;
        assert_eq!((said.get("email"), &said["name"]), (None, &json!("Ada Lovelace")));
    }

    /// Threats 45, 121: what is unticked later is not told through an older grant either, by scope or by claim.
    async fn what_is_taken_back_ends_the_grants_that_had_it_one_by_one(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = Browser::new();
        let asked = r#"{"userinfo":{"email":null}}"#;
        let app = web("openid offline_access");
        let answer = app.visit(&server, &mut browser, &[("claims", asked)]).await;
        let tokens = redeemed(&server, &app, &answer).await;
        assert_eq!(userinfo(&server, &tokens).await["email"], "ada@example.com");
        let app = web("openid email");
        let page = browser.get(&server, &app.authorize(&[("prompt", "consent")])).await;
        let page = browser.follow(&server, page).await;
        server.clock.advance(std::time::Duration::from_secs(1));
        browser.decide_with(&server, &page, "allow", &[]).await;
        server.assert_dead("web", tokens.access()).await;
        let refreshed = web("openid offline_access").refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(refreshed.error(), "invalid_grant");
    }

    /// Threat 129: what was taken from the registration since is not told any more.
    async fn a_claim_that_the_client_may_no_longer_have_is_told_no_more(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let asked = r#"{"id_token":{"groups":null},"userinfo":{"groups":null}}"#;
        let app = web("openid offline_access");
        let tokens = tokens_of(&server, &app, &[("claims", asked)]).await;
        assert!(claims(tokens.id())["groups"].is_array() && userinfo(&server, &tokens).await["groups"].is_array());
        let clients = server.configuration.clients.replacen("offline_access groups photos.read", "offline_access photos.read", 1);
        server.reload(&server.configuration.settings.clone(), &clients);
        let refreshed = app.refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(claims(refreshed.json()["id_token"].as_str().expect("an ID token")).get("groups"), None);
        assert_eq!(userinfo(&server, &tokens).await.get("groups"), None);
    }

    /// Threat 127, decision: never ignored.
    async fn malformed_claims_are_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web("openid");
        for malformed in ["x", "[]", "{\"userinfo\":[]}", "{\"userinfo\":{},\"userinfo\":{}}", "{\"id_token\":{\"a\":7}}"] {
            let answer = Browser::new().get(&server, &app.authorize(&[("claims", malformed)])).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"), "{malformed}");
            assert_eq!(answer.parameter("state").as_deref(), Some("the state"));
            assert_eq!(answer.parameter("code"), None);
        }
    }

    /// OpenID Connect Core §5.5.1.1, threat 127: an essential `acr` is reached or the request fails; a voluntary one is a wish.
    async fn an_essential_acr_is_reached_or_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = web("openid");
        let essential = r#"{"id_token":{"acr":{"essential":true,"values":["urn:example:gold"]}}}"#;
        let answer = Browser::new().get(&server, &app.authorize(&[("claims", essential)])).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("unmet_authentication_requirements"));
        let known = server.get("/.well-known/openid-configuration").await.json()["acr_values_supported"].clone();
        let reachable = json!({"id_token": {"acr": {"essential": true, "values": ["urn:example:gold", known[0]]}}});
        for changes in [
            [("claims", reachable.to_string().as_str())],
            [("claims", r#"{"id_token":{"acr":{"values":["urn:example:gold"]}}}"#)],
            [("acr_values", "urn:example:gold urn:example:silver")],
            [("acr_values", known[0].as_str().expect("text"))],
        ] {
            let said = claims(tokens_of(&server, &app, &changes).await.id());
            assert_eq!((&said["acr"], &said["amr"]), (&known[0], &json!(["pwd"])), "{changes:?}");
        }
    }

    /// OpenID Connect Core §5.2.
    async fn claims_come_in_the_languages_that_were_asked_for(database: TestDatabase) {
        let server = TestServer::without_people(&database, TestConfiguration::new(&database)).await;
        server.add_person("ada", json!({"name": "Ada", "name#ja-Kana-JP": "エイダ", "name#de": "Ada"})).await;
        let app = web("openid profile");
        let said = userinfo(&server, &tokens_of(&server, &app, &[("claims_locales", "ja-kana-jp fr")]).await).await;
        assert_eq!((&said["name"], &said["name#ja-Kana-JP"], said.get("name#de")), (&json!("Ada"), &json!("エイダ"), None));
        let said = userinfo(&server, &tokens_of(&server, &app, &[]).await).await;
        assert!(said.as_object().expect("claims").keys().all(|name| !name.contains('#')), "{said}");
    }

    /// OpenID Connect Core §5.1, §5.3.2: every standard claim with its type, none of them null or empty.
    async fn every_standard_claim_has_its_type(database: TestDatabase) {
        let server = TestServer::without_people(&database, TestConfiguration::new(&database)).await;
        server.add_person("ada", json!({
            "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King", "nickname": "Ada",
            "profile": "https://ada.example/", "picture": "https://ada.example/ada.png", "website": "https://ada.example/",
            "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
            "email": "ada@example.com", "email_verified": true, "phone_number": "+442071234567", "phone_number_verified": false,
            "address": {"formatted": "12 St James's Square\nLondon", "country": "GB"},
        })).await;
        let app = web("openid profile email address phone");
        let said = userinfo(&server, &tokens_of(&server, &app, &[]).await).await;
        for text in ["sub", "name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website",
                     "gender", "birthdate", "zoneinfo", "locale", "preferred_username", "email", "phone_number"] {
            assert!(said[text].as_str().is_some_and(|text| !text.is_empty()), "{text}: {said}");
        }
        assert!(said["updated_at"].is_i64() && said["email_verified"].is_boolean() && said["phone_number_verified"].is_boolean());
        assert!(said["address"].as_object().is_some_and(|parts| parts.values().all(Value::is_string)));
    }
}
