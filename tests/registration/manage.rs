//! Managing a registration (RFC 7592): reading, replacing, deleting, and who may.

use super::{open, register, send, spa, web};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::Tokens;
use crate::support::server::{TestServer, basic};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

on_both_stores! {
    /// RFC 7592 §2.2: what is left out is reset, what is wrong changes nothing.
    async fn a_put_replaces_all_of_the_metadata(database: TestDatabase) {
        let server = open(&database).await;
        let mut said = spa();
        said["policy_uri"] = json!("https://notes.example.com/policy");
        said["contacts"] = json!(["ops@notes.example.com"]);
        said["client_name#de"] = json!("Notizen");
        let client = register(&server, &said).await;
        let body = json!({
            "client_id": client.id(),
            "redirect_uris": ["https://notes.example.com/other"],
            "token_endpoint_auth_method": "none",
            "contacts": null,
        });
        let answer = client.put(&server, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let read = client.get(&server).await.json();
        assert_eq!(answer.json(), read);
        assert_eq!(read["redirect_uris"], json!(["https://notes.example.com/other"]));
        assert_eq!(read["grant_types"], json!(["authorization_code"]));
        for gone in ["client_name", "client_name#de", "policy_uri", "contacts"] {
            assert!(read.get(gone).is_none(), "{gone}: {read}");
        }
        let old = server.get(&client.app("openid").authorize(&[])).await;
        assert_eq!(old.status, StatusCode::BAD_REQUEST, "the old redirect URI is none any more");
        let wrong = client.put(&server, &json!({"client_id": client.id(), "redirect_uris": ["http://evil.example/"]})).await;
        assert_eq!((wrong.status, wrong.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_redirect_uri"));
        assert_eq!(client.get(&server).await.json(), read);
    }

    /// RFC 7592 §2.2: the body names the client, and the secret that it has.
    async fn a_put_for_another_client_or_with_another_secret_is_refused(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &web()).await;
        let other = register(&server, &web()).await;
        for changes in [
            json!({"client_id": null}),
            json!({"client_id": other.id()}),
            json!({"client_id": 7}),
            json!({"client_secret": "another"}),
            json!({"client_secret": 7}),
        ] {
            let answer = client.put(&server, &client.with(&changes)).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"), "{changes}");
        }
        for changes in [json!({}), json!({"client_secret": null})] {
            let answer = client.put(&server, &client.with(&changes)).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            assert!(answer.json().get("client_secret").is_none(), "it was shown once");
        }
        let probe = server.post("/token", Some(&basic(client.id(), client.text("client_secret"))), &[("grant_type", "refresh_token"), ("refresh_token", "x")]).await;
        assert_eq!(probe.error(), "invalid_grant", "the secret is still the same");
    }

    /// A secret comes with a method that needs one, and goes with it.
    async fn a_secret_comes_and_goes_with_the_method(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let answer = client.put(&server, &client.with(&json!({"token_endpoint_auth_method": "client_secret_post"}))).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let secret = answer.json()["client_secret"].as_str().expect("a secret").to_owned();
        assert_eq!(answer.json()["client_secret_expires_at"], 0);
        let ask = |secret: Option<String>| {
            let mut parameters = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", "x".to_owned()), ("client_id", client.id().to_owned())];
            parameters.extend(secret.map(|secret| ("client_secret", secret)));
            let server = &server;
            async move {
                let pairs: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
                server.post("/token", None, &pairs).await.error()
            }
        };
        assert_eq!(ask(Some(secret.clone())).await, "invalid_grant");
        assert_eq!(ask(None).await, "invalid_client");
        assert_eq!(client.put(&server, &client.with(&json!({}))).await.status, StatusCode::OK);
        assert_eq!(ask(Some(secret)).await, "invalid_client", "a public client has no secret");
        assert_eq!(ask(None).await, "invalid_grant");
    }

    /// RFC 7592 §2, threat 49: a wrong token and an unknown client are alike.
    async fn a_wrong_token_and_an_unknown_client_are_alike(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let other = register(&server, &spa()).await;
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let mut answers = Vec::new();
            for (path, token) in [
                (client.uri(), other.token()),
                (client.uri(), "x"),
                ("/register/reg_BwcHBwcHBwcHBwcHBwcHBw", client.token()),
                ("/register/web", client.token()),
                ("/register/%00", client.token()),
                ("/register/a%20b", client.token()),
            ] {
                let answer = send(&server, method.clone(), path, Some(token), Some(&spa())).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                answers.push((answer.body, answer.headers.get("www-authenticate").cloned()));
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{answers:?}");
            assert!(answers[0].0.contains("invalid_token"));
            let nobody = send(&server, method, client.uri(), None, Some(&spa())).await;
            assert_eq!((nobody.status, nobody.body.as_str()), (StatusCode::UNAUTHORIZED, "{}"));
        }
        assert_eq!(client.get(&server).await.status, StatusCode::OK);
    }

    /// RFC 7592 §2.3, threats 45, 119: with the client goes all that it had, at once.
    async fn what_a_deleted_client_had_is_dead(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let app = client.app("openid offline_access");
        let mut browser = Browser::new();
        let tokens = app.tokens(&server, &mut browser).await;
        let pending = app.code(&server, &mut browser).await;
        assert_eq!(client.delete(&server).await.status, StatusCode::NO_CONTENT);
        assert_eq!(client.delete(&server).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(client.get(&server).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(server.introspect_as("web", tokens.access()).await, json!({"active": false}));
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.error(), "invalid_client");
        assert_eq!(app.redeem(&server, &pending, &[]).await.error(), "invalid_client");
        let page = browser.get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{page:?}");
        assert_eq!(rows_of(&server, client.id()).await, [0, 0, 0, 0]);
        let good = register(&server, &spa()).await;
        let Tokens(again) = good.app("openid").tokens(&server, &mut browser).await;
        assert!(again["access_token"].is_string());
    }

    /// Product: clients in files beat registered ones of the same id; their registration is an operator's matter then.
    async fn a_client_of_the_files_beats_a_registered_one_of_its_name(database: TestDatabase) {
        let server = open(&database).await;
        let client = register(&server, &spa()).await;
        let id = client.id();
        let (settings, clients) = (&server.configuration.settings, &server.configuration.clients);
        let taken_over = format!(
            "{clients}\n[[client]]\nclient_id = \"{id}\"\nredirect_uris = [\"https://ours.notes.example.com/callback\"]\n\
             token_endpoint_auth_method = \"none\"\nscope = \"openid\"\n"
        );
        server.reload(settings, &taken_over);
        assert_eq!(server.get(&client.app("openid").authorize(&[])).await.status, StatusCode::BAD_REQUEST);
        let mut ours = client.app("openid");
        ours.redirect_uri = "https://ours.notes.example.com/callback".into();
        assert!(server.get(&ours.authorize(&[])).await.location().starts_with("/login"));
        for answer in [client.get(&server).await, client.put(&server, &client.with(&json!({}))).await, client.delete(&server).await] {
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::FORBIDDEN, "access_denied"));
        }
        server.reload(settings, clients);
        assert_eq!(client.get(&server).await.status, StatusCode::OK, "nothing was deleted");
    }
}

/// How many rows of each kind are left of a client.
async fn rows_of(server: &TestServer, id: &str) -> [i64; 4] {
    let mut rows = [0; 4];
    let tables = ["grants", "consents", "registered_clients", "registered_origins"];
    for (index, table) in tables.into_iter().enumerate() {
        let column = if table == "registered_clients" { "id" } else { "client_id" };
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = '{id}'");
        rows[index] = crate::registration::expiry::count(server, &sql).await;
    }
    rows
}

#[test]
fn a_member_that_is_taken_away_is_not_sent() {
    let registration = super::Registration(json!({"a": 1, "b": 2}).as_object().expect("an object").clone());
    assert_eq!(registration.with(&json!({"a": null, "c": 3})), json!({"b": 2, "c": 3}) as Value);
}
