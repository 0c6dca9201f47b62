//! People, as those who try to be somebody else meet them.

mod guessing;

use crate::grants::ada;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{Answer, PASSWORD, TestServer, claims};
use axum::http::StatusCode;
use portreeve::model::claims::PersonClaims;
use portreeve::model::username::CanonicalUsername;
use portreeve::users::lifecycle::{Change, LifecycleError, NewPassword, NewPerson};
use serde_json::{Value, json};

/// Tries to sign in from an address of its own, so that only this attempt counts.
async fn attempt(server: &TestServer, number: u8, username: &str, password: &str) -> Answer {
    let mut browser = Browser { address: Some([192, 0, 2, number].into()), ..Browser::new() };
    let page = browser.get(server, "/account").await;
    browser.submit_login(server, &page, username, password).await
}

/// The page without what is made anew for every browser.
fn normalised(answer: &Answer, username: &str) -> (StatusCode, String, Vec<String>) {
    let mut body = answer.body.replace(&format!("value=\"{username}\""), "value=\"…\"");
    if let Some(at) = body.find("name=\"form_token\" value=\"") {
        let start = at + "name=\"form_token\" value=\"".len();
        let end = start + body[start..].find('"').expect("its end");
        body.replace_range(start..end, "…");
    }
    let headers = answer.headers.keys().map(ToString::to_string).collect();
    (answer.status, body, headers)
}

async fn add(
    server: &TestServer,
    username: &str,
    claims: Value,
    password: NewPassword,
) -> Result<(), LifecycleError> {
    let Value::Object(claims) = claims else { panic!("an object") };
    let username = CanonicalUsername::parse(username).expect("a username");
    let claims = PersonClaims::from_object(claims).expect("claims");
    let person = NewPerson { username, claims, password, must_change_password: false };
    server.people().add(person, &server.app.circumstances("")).await.map(drop)
}

on_both_stores! {
    /// Threats 139, 145: unknown, disabled, without a password, wrong and empty are one answer.
    async fn every_way_to_fail_a_sign_in_looks_alike(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        add(&server, "passwordless", json!({}), NewPassword::Absent).await.unwrap();
        server.add_person("disabled", json!({})).await;
        let disabled = CanonicalUsername::parse("disabled").unwrap();
        server.people().disable(&disabled, &server.app.circumstances("")).await.unwrap();
        let mut told = Vec::new();
        for (number, (username, password)) in [
            ("ada", "wrong"),
            ("ada", ""),
            ("nobody", "wrong"),
            ("nobody", ""),
            ("disabled", PASSWORD),
            ("passwordless", ""),
            ("passwordless", "wrong"),
            ("nobody@example.com", "wrong"),
            ("no\u{200d}name", "wrong"),
        ]
        .into_iter()
        .enumerate()
        {
            let answer = attempt(&server, u8::try_from(number).unwrap(), username, password).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{username}");
            assert!(answer.headers.get("set-cookie").is_none(), "{username}");
            told.push((username, normalised(&answer, username)));
        }
        for (username, page) in &told {
            assert_eq!(page, &told[0].1, "{username}");
        }
        assert_eq!(attempt(&server, 99, "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
    }

    /// Threat 136: nobody becomes somebody by claiming an address; only a verified one signs in, and it is one person's.
    async fn an_address_that_is_not_verified_opens_no_account(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let verified = |email: &str| json!({"email": email, "email_verified": true});
        let clear = || NewPassword::Clear(portreeve::model::secret::Secret::new("mallory's own password"));
        // Mallory claims Ada's address without proof, and gets neither her sign-in nor her name.
        add(&server, "mallory", json!({"email": "ada@example.com", "email_verified": false}), clear()).await.unwrap();
        assert_eq!(attempt(&server, 1, "ada@example.com", "mallory's own password").await.status, StatusCode::BAD_REQUEST);
        assert_eq!(attempt(&server, 2, "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
        for same in ["ada@example.com", "ada@EXAMPLE.com"] {
            let taken = add(&server, "another", verified(same), clear()).await;
            assert!(matches!(taken, Err(LifecycleError::EmailTaken(_))), "{same}: {taken:?}");
            let change = Change { set: vec![("email".into(), same.into()), ("email_verified".into(), true.into())], ..Change::default() };
            let mallory = CanonicalUsername::parse("mallory").unwrap();
            let changed = server.people().change(&mallory, change, &server.app.circumstances("")).await;
            assert!(matches!(changed, Err(LifecycleError::EmailTaken(_))), "{same}: {changed:?}");
        }
        // A new address is not verified because the old one was.
        let change = Change { set: vec![("email".into(), "new@example.com".into())], ..Change::default() };
        server.people().change(&ada(), change, &server.app.circumstances("")).await.unwrap();
        assert_eq!(attempt(&server, 3, "new@example.com", PASSWORD).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(attempt(&server, 4, "ada@example.com", PASSWORD).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(attempt(&server, 5, "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
    }

    /// Threat 137, OpenID Connect Core §5.7: a subject is one person's for ever, and nobody's after them.
    async fn a_subject_stays_with_its_person_and_is_never_given_again(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let subject = async |name: &'static str| {
            let app = RelyingParty::new(name, "openid offline_access");
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            let refreshed = Tokens(app.refresh(&server, tokens.refresh(), &[]).await.json());
            let subjects = [tokens.id(), tokens.access(), refreshed.id(), refreshed.access()].map(|token| claims(token)["sub"].clone());
            assert!(subjects.iter().all(|one| *one == subjects[0]), "{subjects:?}");
            let userinfo = server.get_as("/userinfo", refreshed.access()).await.json();
            assert_eq!(userinfo["sub"], subjects[0]);
            (subjects[0].clone(), tokens)
        };
        let (before, tokens) = subject("web").await;
        assert_eq!(subject("ours").await.0, before, "public subjects: the same for every client");
        let rename = Change { set: vec![("preferred_username".into(), "countess".into())], ..Change::default() };
        server.people().change(&ada(), rename, &server.app.circumstances("")).await.unwrap();
        assert_eq!(subject("web").await.0, before);
        server.people().delete(&ada(), &server.app.circumstances("")).await.unwrap();
        server.add_person("ada", json!({"email": "ada@example.com", "email_verified": true})).await;
        let (after, _) = subject("web").await;
        assert_ne!(after, before);
        server.assert_dead("photos-api", tokens.access()).await;
        let web = RelyingParty::new("web", "openid");
        assert_eq!(web.refresh(&server, tokens.refresh(), &[]).await.error(), "invalid_grant");
    }
}
