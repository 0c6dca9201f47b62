//! The modules of the Basic and the Form Post plan that take one visit. Each test bears the name of what it shows, and its
//! comment the modules.

use super::walk::{CLIENTS, LONG_STATE, MODES, Plan, SETTINGS, assert_unguessable};
use crate::flows::steps::error_page;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::Tokens;
use crate::support::request_signer::RequestSigner;
use crate::support::server::{TestServer, claims, header_of};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use portreeve::model::clock::Clock as _;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Value, json};
use std::time::Duration;

/// Ada with every claim that the plans look for.
fn everything() -> Value {
    json!({
        "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King", "nickname": "Countess",
        "profile": "https://ada.example/", "picture": "https://ada.example/ada.png", "website": "https://ada.example/",
        "gender": "female", "birthdate": "1985-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
        "email": "ada@example.com", "email_verified": true, "phone_number": "+442071234567", "phone_number_verified": true,
        "address": {"formatted": "12 St James's Square", "country": "GB"},
    })
}

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
    "preferred_username",
];

on_both_stores! {
    /// oidcc-server, oidcc-alternate-happy-flow, oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body,
    /// oidcc-idtoken-signature
    async fn the_happy_flow_and_userinfo_by_every_lawful_method(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for plan in Plan::of_each(&server).await {
            let tokens = plan.walk(&mut Browser::new(), &[("state", LONG_STATE), ("scope", "email openid")]).await;
            assert_eq!(header_of(tokens.id())["alg"], "RS256");
            assert!(header_of(tokens.id())["kid"].is_string());
            assert_eq!(plan.userinfo(&tokens).await["email"], "ada@example.com");
            let post = Request::post("/userinfo").header("content-type", "application/x-www-form-urlencoded");
            let in_header = post.header("authorization", format!("Bearer {}", tokens.access())).body(Body::empty());
            assert_eq!(server.send(in_header.expect("a request")).await.status, StatusCode::OK);
            let in_body = server.post("/userinfo", None, &[("access_token", tokens.access())]).await;
            assert_eq!(in_body.status, StatusCode::OK);
        }
    }

    /// oidcc-response-type-missing, oidcc-ensure-registered-redirect-uri, oidcc-idtoken-unsigned,
    /// oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported,
    /// oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
    async fn what_is_refused_is_refused_where_and_how_the_plans_want_it(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", CLIENTS).await;
        for mode in MODES {
            let plan = Plan::of(&server, "basic", mode);
            let answer = server.get(&plan.url(&[("response_type", ""), ("state", LONG_STATE)])).await;
            let came = plan.came_back(&answer);
            assert_eq!((came["error"].as_str(), came["state"].as_str()), ("invalid_request", LONG_STATE));
            let answer = server.get(&plan.url(&[("redirect_uri", "https://suite.example.com/test/a/portreeve/callback/x7")])).await;
            error_page(&answer, 400, "invalid_request");
            assert!(answer.body.contains("redirect_uri"), "the page says in words what is wrong");
            let object = "eyJhbGciOiJub25lIn0.eyJzdGF0ZSI6IngifQ.";
            for (name, value, error) in [("request", object, "request_not_supported"),
                                         ("request_uri", "https://suite.example.com/object#x", "request_uri_not_supported")] {
                let came = plan.came_back(&server.get(&plan.url(&[(name, value), ("state", LONG_STATE)])).await);
                assert_eq!((came["error"].as_str(), came["state"].as_str()), (error, LONG_STATE));
            }
        }
        let metadata = server.get("/.well-known/openid-configuration").await.json();
        for list in ["id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported"] {
            assert!(!metadata[list].as_array().expect("a list").contains(&json!("none")), "those modules are skipped");
        }
    }

    /// oidcc-ensure-request-object-with-redirect-uri, for a client without keys and for one that has registered some
    async fn a_request_object_is_no_way_around_the_registered_redirect_uris(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Rs256);
        let callback = "https://suite.example.com/test/a/portreeve/callback";
        let keyed = format!(
            "[[client]]\nclient_id = \"keyed\"\nredirect_uris = [\"{callback}\"]\nrequire_pkce = false\n\
             client_secrets = [{{ sha256 = \"{{hash}}\" }}]\nscope = \"openid\"\njwks = {}\n",
            signer.jwks_in_toml()
        );
        let server = TestServer::start_with(&database, "", &format!("{CLIENTS}\n{keyed}")).await;
        let elsewhere = format!("{callback}/x7");
        for mode in MODES {
            for (client_id, error) in [("basic", "request_not_supported"), ("keyed", "invalid_request_object")] {
                let plan = Plan::of(&server, client_id, mode);
                let claims = |uri: &str| [("response_type", json!("code")), ("redirect_uri", json!(uri)), ("scope", json!("openid"))];
                let signed = |uri: &str| signer.request_object(client_id, server.clock.now().seconds(), &claims(uri));
                let good = signed(callback);
                let payload = good.split('.').nth(1).expect("claims");
                let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
                let ask = async |object: &str, outer: &str| server.get(&plan.url(&[("request", object), ("redirect_uri", outer)])).await;
                error_page(&ask(&unsigned, &elsewhere).await, 400, error);
                let came = plan.came_back(&ask(&unsigned, callback).await);
                assert_eq!(came["error"], error, "the same where the outer one is registered");
                let answer = ask(&good, &elsewhere).await;
                if client_id == "keyed" {
                    // what is signed counts, and nothing beside it
                    assert!(answer.location().starts_with("/login?"), "{answer:?}");
                    error_page(&ask(&signed(&elsewhere), callback).await, 400, "invalid_request");
                } else {
                    error_page(&answer, 400, error);
                }
            }
        }
    }

    /// oidcc-ensure-request-without-nonce-succeeds-for-code-flow, oidcc-ensure-request-with-unknown-parameter-succeeds,
    /// oidcc-display-page, oidcc-display-popup, oidcc-login-hint, oidcc-ui-locales, oidcc-claims-locales,
    /// oidcc-ensure-request-with-acr-values-succeeds, oidcc-ensure-request-with-valid-pkce-succeeds
    async fn wishes_and_unknown_parameters_never_fail_a_request(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        let acr = server.get("/.well-known/openid-configuration").await.json()["acr_values_supported"][0].clone();
        let acr = acr.as_str().expect("a value");
        for plan in Plan::of_each(&server).await {
            for change in [("nonce", ""), ("extra", "foobar"), ("display", "page"), ("display", "popup"), ("ui_locales", "se"),
                           ("login_hint", "buffy@auth.example.com"), ("claims_locales", "se"), ("acr_values", acr), ("acr_values", "1 2")] {
                let said = claims(plan.walk(&mut Browser::new(), &[change]).await.id());
                assert_eq!(said.get("nonce").is_none(), change.0 == "nonce");
                assert_eq!(said["acr"], acr);
            }
            let challenge = plan.app.challenge();
            let with_pkce = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
            let (answer, _) = plan.visit(&mut Browser::new(), &with_pkce).await;
            let code = plan.came_back(&answer)["code"].clone();
            assert_eq!(plan.app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
        }
    }

    /// oidcc-scope-profile, -email, -address, -phone, -all, oidcc-claims-essential
    async fn every_claim_of_a_scope_is_there_and_none_is_in_the_id_token(database: TestDatabase) {
        let configuration = crate::support::configuration::TestConfiguration::with(&database, "https://auth.example.com", SETTINGS, CLIENTS);
        let server = TestServer::without_people(&database, configuration).await;
        server.add_person("ada", everything()).await;
        let all: Vec<&str> = PROFILE.into_iter().chain(["email", "email_verified", "address", "phone_number", "phone_number_verified"]).collect();
        for plan in Plan::of_each(&server).await {
            for (scope, expected) in [("openid profile", &PROFILE[..]), ("openid email", &["email", "email_verified"]),
                                      ("openid address", &["address"]), ("openid phone", &["phone_number", "phone_number_verified"]),
                                      ("openid profile email address phone", &all)] {
                let said = plan.userinfo(&plan.walk(&mut Browser::new(), &[("scope", scope)]).await).await;
                let missing: Vec<_> = expected.iter().filter(|name| said.get(**name).is_none()).collect();
                assert!(missing.is_empty(), "{missing:?}");
                assert!(said["updated_at"].is_null() || said["updated_at"].is_u64());
            }
            let essential = r#"{"userinfo":{"name":{"essential":true}}}"#;
            let tokens = plan.walk(&mut Browser::new(), &[("claims", essential)]).await;
            assert_eq!(plan.userinfo(&tokens).await["name"], "Ada Lovelace");
        }
    }

    /// oidcc-ensure-post-request-succeeds, oidcc-server-client-secret-post
    async fn the_request_may_be_posted_and_so_may_the_secret(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", CLIENTS).await;
        for mode in MODES {
            let plan = Plan::of(&server, "posting", mode);
            let url = plan.url(&[]);
            let (path, query) = url.split_once('?').expect("a query");
            let mut browser = Browser::new();
            let answer = server.post_raw(path, None, query.to_owned()).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            let page = browser.follow(&server, answer).await;
            let mut answer = browser.sign_in(&server, &page, "ada").await;
            if answer.body.contains("id=\"consent-allow\"") {
                answer = browser.decide(&server, &answer, "allow").await;
            }
            plan.tokens(&answer).await;
        }
    }

    /// oidcc-codereuse, oidcc-codereuse-30seconds
    async fn a_code_that_comes_again_is_invalid_and_after_a_while_ends_its_tokens(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for plan in Plan::of_each(&server).await {
            let (answer, _) = plan.visit(&mut Browser::new(), &[]).await;
            let code = plan.came_back(&answer)["code"].clone();
            let tokens = plan.tokens(&answer).await;
            let again = plan.app.redeem(&server, &code, &[("code_verifier", "")]).await;
            assert_eq!((again.status, again.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
            server.clock.advance(Duration::from_secs(30));
            let again = plan.app.redeem(&server, &code, &[("code_verifier", "")]).await;
            assert_eq!((again.status, again.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
            assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::UNAUTHORIZED);
        }
    }

    /// oidcc-refresh-token, with two clients
    async fn a_refresh_token_refreshes_for_its_own_client_only(database: TestDatabase) {
        let server = TestServer::start_with(&database, SETTINGS, CLIENTS).await;
        for mode in MODES {
            let configured = (Plan::of(&server, "basic", mode), Plan::of(&server, "basic2", mode));
            let registered = (Plan::registered(&server, mode).await, Plan::registered(&server, mode).await);
            for (first, second) in [configured, registered] {
                let changes = [("scope", "openid offline_access"), ("prompt", "consent")];
                for (plan, more) in [(&first, &[("scope", "openid")][..]), (&second, &[])] {
                    let tokens = plan.walk(&mut Browser::new(), &changes).await;
                    server.clock.advance(Duration::from_secs(1));
                    let answer = plan.app.refresh(&server, tokens.refresh(), more).await;
                    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("application/json")));
                    assert!(answer.header("cache-control").is_some_and(|value| value.contains("no-store")));
                    let refreshed = Tokens(answer.json());
                    let vschar = |token: &str| token.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
                    assert!(vschar(refreshed.access()) && refreshed.access() != tokens.access());
                    assert_unguessable(tokens.refresh());
                    assert_unguessable(refreshed.refresh());
                    // those of the second configured client rotate
                    assert_eq!(refreshed.refresh() != tokens.refresh(), plan.app.client_id == "basic2");
                    let (before, after) = (claims(tokens.id()), claims(refreshed.id()));
                    for same in ["iss", "sub", "aud", "auth_time"] {
                        assert_eq!(before[same], after[same], "{same}");
                    }
                    assert!(after["iat"].as_i64() > before["iat"].as_i64());
                }
                let theirs = second.walk(&mut Browser::new(), &changes).await;
                let answer = first.app.refresh(&server, theirs.refresh(), &[]).await;
                assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
            }
        }
    }

    /// oidcc-discovery-endpoint-verification of the Config plan
    async fn discovery_says_what_the_config_plan_wants(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", CLIENTS).await;
        let answer = server.get("/.well-known/openid-configuration").await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("application/json")));
        let metadata = answer.json();
        assert_eq!(metadata["issuer"], server.issuer());
        for (name, value) in metadata.as_object().expect("members") {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                assert!(value.as_str().is_some_and(|url| url.starts_with("https://")), "{name}");
            }
            if name.ends_with("_supported") && name != "claims_parameter_supported" {
                assert!(value.is_boolean() || value.as_array().is_some_and(|list| !list.is_empty()), "{name}: {value}");
            }
        }
        for (list, wanted) in [("response_types_supported", "code"), ("subject_types_supported", "public"), ("scopes_supported", "openid"),
                               ("id_token_signing_alg_values_supported", "RS256"), ("request_object_signing_alg_values_supported", "RS256"),
                               ("code_challenge_methods_supported", "S256"), ("token_endpoint_auth_methods_supported", "client_secret_basic")] {
            assert!(metadata[list].as_array().is_some_and(|all| all.contains(&json!(wanted))), "{list}");
        }
        assert!(metadata["claims_supported"].is_array() && metadata["userinfo_endpoint"].is_string());
        let keys = server.jwks().await["keys"].as_array().expect("keys").clone();
        let mut ids: Vec<&str> = keys.iter().map(|key| key["kid"].as_str().expect("a kid")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), keys.len());
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(keys.iter().all(|key| key.get(private).is_none()), "{private}");
        }
    }
}

#[test]
fn the_long_state_of_the_plans_has_128_characters() {
    assert_eq!(LONG_STATE.len(), 128);
}
