//! Chosen secrets, which are dear to check, while there is too much to do: nothing is said of the secret (threat 144).

use crate::support::configuration::random_secret;
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, basic};
use axum::http::StatusCode;
use portreeve::model::entropy::SystemEntropy;
use portreeve::model::secret::Secret;
use portreeve::users::password::{PasswordError, PasswordHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const REQUEST: [(&str, &str); 1] = [("grant_type", "client_credentials")];

on_both_stores! {
    /// RFC 6749 §5.2: `invalid_client` would tell a client with the right secret to throw it away.
    async fn a_right_secret_that_cannot_be_checked_now_is_told_to_come_back(database: TestDatabase) {
        let secret = random_secret();
        let hash = PasswordHasher::new(Arc::new(SystemEntropy)).hash(Secret::new(secret.clone())).await.unwrap();
        let client = format!(
            "[[client]]\nclient_id = \"chosen\"\ngrant_types = [\"client_credentials\"]\nscope = \"photos.read\"\n\
             token_endpoint_auth_method = \"client_secret_basic\"\nclient_secrets = [{{ argon2 = \"{hash}\" }}]\n");
        let server = TestServer::start_with(&database, "", &client).await;
        let authorization = basic("chosen", &secret);
        assert_eq!(server.post("/token", Some(&authorization), &REQUEST).await.status, StatusCode::OK);

        let is_over = Arc::new(AtomicBool::new(false));
        let crowd: Vec<_> = (0..160).map(|_| {
            let (passwords, is_over) = (server.app.passwords.clone(), is_over.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    if let Err(PasswordError::Busy { .. }) = passwords.hash(Secret::new("a password")).await {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            })
        }).collect();
        let mut turned_away = 0;
        while turned_away < 3 {
            let answer = server.post("/token", Some(&authorization), &REQUEST).await;
            if answer.status == StatusCode::OK {
                continue;
            }
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            assert!(answer.header("www-authenticate").is_none(), "{answer:?}");
            turned_away += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        for one in crowd {
            one.await.unwrap();
        }
        assert_eq!(server.post("/token", Some(&authorization), &REQUEST).await.status, StatusCode::OK);
        let wrong = server.post("/token", Some(&basic("chosen", &random_secret())), &REQUEST).await;
        assert_eq!((wrong.status, wrong.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
    }
}
