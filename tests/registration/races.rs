//! Changes at the same moment, on two replicas: one outcome, and no secret that opens nothing.

use super::{Registration, open, register, spa, web};
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, basic};
use axum::http::StatusCode;
use futures_util::future::join_all;
use portreeve::clients::registration::MOST_CLIENTS;
use portreeve::model::registered_client::RegisteredClient;
use portreeve::protocol::identifiers::ClientId;
use portreeve::storage::registered_clients;
use serde_json::json;

/// Puts and deletes at once, here and there.
async fn storm(here: &TestServer, there: &TestServer, client: &Registration) -> Vec<StatusCode> {
    let body = client.with(&json!({"client_name": "Changed"}));
    let puts = (0..8).map(|index| client.put(if index % 2 == 0 { here } else { there }, &body));
    let deletes = (0..4).map(|index| client.delete(if index % 2 == 0 { there } else { here }));
    let (puts, deletes) = tokio::join!(join_all(puts), join_all(deletes));
    for answer in &puts {
        assert!([StatusCode::OK, StatusCode::UNAUTHORIZED].contains(&answer.status), "{answer:?}");
    }
    deletes.iter().map(|answer| answer.status).collect()
}

on_both_stores! {
    /// Threat 119: whatever a PUT beside it does, a deleted client is gone, once.
    async fn of_puts_and_deletes_at_once_one_delete_wins(database: TestDatabase) {
        let here = open(&database).await;
        let there = here.replica().await;
        for _ in 0..5 {
            let client = register(&here, &spa()).await;
            let deleted = storm(&here, &there, &client).await;
            assert_eq!(deleted.iter().filter(|status| **status == StatusCode::NO_CONTENT).count(), 1, "{deleted:?}");
            assert!(deleted.iter().all(|status| [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED].contains(status)));
            for replica in [&here, &there] {
                assert_eq!(client.get(replica).await.status, StatusCode::UNAUTHORIZED);
            }
        }
        for table in ["registered_clients", "registered_origins"] {
            assert_eq!(crate::registration::expiry::count(&here, &format!("SELECT COUNT(*) FROM {table}")).await, 0);
        }
    }

    /// RFC 7592 §2.2: of several requests that would each bring a secret, one does.
    async fn of_several_puts_that_want_a_secret_one_gets_it(database: TestDatabase) {
        let here = open(&database).await;
        let there = here.replica().await;
        let client = register(&here, &spa()).await;
        let body = client.with(&json!({"token_endpoint_auth_method": "client_secret_basic"}));
        let answers = join_all((0..8).map(|index| client.put(if index % 2 == 0 { &here } else { &there }, &body))).await;
        let mut secrets = Vec::new();
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            secrets.extend(answer.json().get("client_secret").cloned());
        }
        let [secret] = secrets.as_slice() else { panic!("one secret: {secrets:?}") };
        let ask = [("grant_type", "refresh_token"), ("refresh_token", "x")];
        let credentials = basic(client.id(), secret.as_str().expect("text"));
        assert_eq!(here.post("/token", Some(&credentials), &ask).await.error(), "invalid_grant");
    }

    /// Threat 114: there are never more than the cap.
    async fn there_are_as_many_clients_as_there_may_be_and_no_more(database: TestDatabase) {
        let server = open(&database).await;
        let last = register(&server, &web()).await;
        let now = server.app.clock.now();
        let fill = MOST_CLIENTS - 1;
        server.app.store.write(move |connection| {
            Box::pin(async move {
                for number in 0..fill {
                    let mut bytes = [0; 16];
                    bytes[..8].copy_from_slice(&number.to_be_bytes());
                    let client = RegisteredClient {
                        id: ClientId::from_random(bytes),
                        members: serde_json::Map::new(),
                        secret_hash: None,
                        token_hash: [0; 32],
                        created_at: now,
                        used_at: now,
                    };
                    registered_clients::insert(connection, &client).await?;
                }
                Ok(())
            })
        }).await.expect("rows");
        let refused = crate::registration::post(&server, &spa()).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
        assert_eq!(last.delete(&server).await.status, StatusCode::NO_CONTENT);
        register(&server, &spa()).await;
    }
}
