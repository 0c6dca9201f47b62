//! A password that is changed while people sign in by the old one: what was acknowledged holds (threat 45, invariant 20).

use super::{on_every_fleet, together};
use crate::support::browser::Browser;
use crate::support::server::{PASSWORD, TestServer};
use axum::http::StatusCode;
use portreeve::model::entropy::SystemEntropy;
use portreeve::model::secret::Secret;
use portreeve::model::username::CanonicalUsername;
use portreeve::sessions::accounts::{Accounts, Former};
use portreeve::storage::error::StorageError;
use portreeve::users::lifecycle::People;
use portreeve::users::password::PasswordHasher;
use portreeve::users::sign_in::{Presented, SignIn};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const NEW_PASSWORD: &str = "another password of ada's";

fn ada() -> CanonicalUsername {
    CanonicalUsername::parse("ada").expect("a username")
}

/// An operator at a terminal of their own: their hash does not queue with the server's.
fn operator(server: &TestServer) -> People {
    People { passwords: PasswordHasher::new(Arc::new(SystemEntropy)), ..server.people() }
}

on_every_fleet! {
    /// However late a sign-in ends that found the old password right, it opens nothing once the new one is set.
    async fn a_sign_in_by_the_old_password_opens_nothing_after_the_new_one_is_set(servers: Fleet) {
        let server = &servers[0];
        let desk = SignIn {
            store: &server.app.store,
            passwords: &server.app.passwords,
            throttle: &server.app.throttle,
            devices: &server.app.secrets.devices,
            trail: &server.app.trail,
        };
        let circumstances = server.app.circumstances("");
        let presented = |password| Presented { username: "ada", password: Secret::new(password), address_key: "", device: None };
        let sessions = server.app.sessions(&server.app.snapshot.load().config);
        let early = desk.check(presented(PASSWORD), &circumstances).await.expect("the old password");
        let secret = sessions.sign_in(&early, &Accounts::default(), Former::Leaves, &circumstances).await.expect("a session");
        let before = sessions.accounts(&secret, circumstances.now).await.expect("a store");
        assert!(before.active().is_some());
        for known in [&Accounts::default(), &before] {
            let late = desk.check(presented(PASSWORD), &circumstances).await.expect("the old password");
            operator(server).set_password(&ada(), Secret::new(NEW_PASSWORD), &circumstances).await.expect("set");
            let refused = sessions.sign_in(&late, known, Former::Leaves, &circumstances).await;
            assert!(matches!(refused, Err(StorageError::Conflict(_))), "{refused:?}");
            operator(server).set_password(&ada(), Secret::new(PASSWORD), &circumstances).await.expect("set");
        }
        let again = desk.check(presented(PASSWORD), &circumstances).await.expect("the password");
        sessions.sign_in(&again, &Accounts::default(), Former::Leaves, &circumstances).await.expect("a session");
    }

    /// The same over HTTP: the logins wait for the hasher while an operator changes the password.
    async fn logins_that_wait_for_the_hasher_while_the_password_changes_sign_nobody_in(servers: Fleet) {
        let pages = together(5, |number| {
            let server = servers[number % servers.len()].clone();
            async move {
                let mut browser = Browser::new();
                let page = browser.get(&server, "/account").await;
                (browser.clone(), browser.follow(&server, page).await)
            }
        })
        .await;
        let busy: Vec<_> = servers
            .iter()
            .flat_map(|server| (0..40).map(move |_| server.app.passwords.clone()))
            .map(|passwords| tokio::spawn(async move { passwords.verify(Secret::new("a guess"), None).await }))
            .collect();
        let waiting = |servers: &[Arc<TestServer>]| servers.iter().map(|server| server.app.passwords.waiting()).sum::<usize>();
        let others = servers.len() * 30;
        until(|| waiting(servers) >= others).await;
        let logins: Vec<_> = pages
            .into_iter()
            .enumerate()
            .map(|(number, (mut browser, page))| {
                let server = servers[number % servers.len()].clone();
                tokio::spawn(async move {
                    let answer = browser.submit_login(&server, &page, "ada", PASSWORD).await;
                    (browser, answer)
                })
            })
            .collect();
        let circumstances = servers[0].app.circumstances("");
        operator(&servers[0]).set_password(&ada(), Secret::new(NEW_PASSWORD), &circumstances).await.expect("set");
        for login in logins {
            let (mut browser, answer) = login.await.expect("no panic");
            assert_ne!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
            let account = browser.get(&servers[0], "/account").await;
            assert!(browser.follow(&servers[0], account).await.body.contains("login-submit"), "signed in by the old password");
        }
        for guess in busy {
            guess.await.expect("no panic").expect("a verdict");
        }
    }

    /// Threat 145: a stronger hash of the same password is no change of it, however many sign in meanwhile.
    async fn people_whose_hash_is_made_stronger_meanwhile_are_signed_in(servers: Fleet) {
        let server = &servers[0];
        let user = server.add_person("weak", json!({})).await;
        weaken(server, &user).await;
        let outcomes = together(4, |number| {
            let server = servers[number % servers.len()].clone();
            async move {
                let mut browser = Browser::new();
                let page = browser.get(&server, "/account").await;
                let page = browser.follow(&server, page).await;
                browser.submit_login(&server, &page, "weak", PASSWORD).await.status
            }
        })
        .await;
        assert_eq!(outcomes, [StatusCode::SEE_OTHER; 4]);
    }
}

/// Gives a person a hash of the same password that takes less work, as an import would.
async fn weaken(server: &TestServer, user: &portreeve::model::user::User) {
    use argon2::PasswordHasher as _;
    use portreeve::model::user::PasswordHash;
    let params = argon2::Params::new(4_096, 1, 1, Some(32)).expect("lawful");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let weak =
        argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").expect("hashes").to_string();
    let (id, before, after) =
        (user.id.clone(), user.password_hash.clone().expect("a hash"), PasswordHash(weak));
    let written = server.app.store.write_one(move |connection| {
        let (id, before, after) = (id.clone(), before.clone(), after.clone());
        Box::pin(async move { portreeve::storage::users::rehash(connection, &id, &before, &after).await })
    });
    assert!(written.await.expect("a store"));
}

/// Waits for a condition, ten seconds at most.
async fn until(holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), polled).await.expect("it never came to that");
}
