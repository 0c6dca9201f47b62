//! Secrets that a person chose, several of them live: product.md "rotation without an outage" (RFC 6749 §2.3.1; threat 52).

use crate::support::configuration::random_secret;
use crate::support::database::on_both_stores;
use crate::support::server::{Answer, TestServer, basic};
use axum::http::StatusCode;
use portreeve::model::entropy::SystemEntropy;
use portreeve::model::secret::Secret;
use portreeve::users::password::PasswordHasher;
use std::sync::Arc;

/// A server with the client `rotating`, which has two live secrets: the older and the newer.
async fn start(database: &crate::support::database::TestDatabase) -> (TestServer, [String; 2]) {
    let hasher = PasswordHasher::new(Arc::new(SystemEntropy));
    let secrets = [random_secret(), random_secret()];
    let mut hashes = Vec::new();
    for secret in &secrets {
        let hash = hasher.hash(Secret::new(secret.as_str())).await.expect("hashes");
        hashes.push(format!("{{ argon2 = \"{hash}\" }}"));
    }
    let client = format!(
        "[[client]]\nclient_id = \"rotating\"\ngrant_types = [\"client_credentials\"]\nscope = \"photos.read\"\nclient_secrets = [{}]\n",
        hashes.join(", ")
    );
    (TestServer::start_with(database, "", &client).await, secrets)
}

async fn present(server: &TestServer, address: &str, secret: &str) -> Answer {
    let authorization = basic("rotating", secret);
    server.post_from(address, "/token", Some(&authorization), &[("grant_type", "client_credentials")]).await
}

on_both_stores! {
    /// The newer secret is as good as the older: using it counts no failure, however often and however many at once.
    async fn every_live_secret_is_right_also_many_times_at_once(database: TestDatabase) {
        let (server, secrets) = start(&database).await;
        let server = Arc::new(server);
        for secret in &secrets {
            let running: Vec<_> = (0..20)
                .map(|_| {
                    let (server, secret) = (server.clone(), secret.clone());
                    tokio::spawn(async move { present(&server, "198.51.100.1", &secret).await.status })
                })
                .collect();
            for answer in running {
                assert_eq!(answer.await.expect("no panic"), StatusCode::OK);
            }
        }
    }

    /// Threat 52: one wrong secret is one failure; the sixth is the first that is told to wait, and nobody elsewhere is.
    async fn a_wrong_secret_counts_once_however_many_are_live(database: TestDatabase) {
        let (server, secrets) = start(&database).await;
        for number in 1..=5 {
            let answer = present(&server, "198.51.100.1", "wrong").await;
            assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::UNAUTHORIZED, None), "{number}");
        }
        let answer = present(&server, "198.51.100.1", "wrong").await;
        assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::UNAUTHORIZED, Some("1")));
        for secret in &secrets {
            assert_eq!(present(&server, "198.51.100.2", secret).await.status, StatusCode::OK);
        }
    }
}
