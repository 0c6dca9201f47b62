//! What is swept, and what must not be yet (threat 193).

use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use portreeve::protocol::identifiers::ClientId;
use portreeve::storage::revoked_tokens::{NotBefore, set_not_before};
use portreeve::tasks::sweep_expired;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

on_both_stores! {
    /// A not-before stays for as long as a token that it is held against may live, and not for ever.
    async fn a_not_before_is_swept_once_what_it_ended_has_expired(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[lifetimes]\naccess_token = \"20h\"", "").await;
        let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        server.clock.advance(Duration::from_secs(1));
        let (client, moment) = (ClientId::parse("service").unwrap(), server.app.circumstances("").now);
        server.app.store.write_one(move |connection| {
            let client = client.clone();
            Box::pin(async move { set_not_before(connection, NotBefore::Client(&client), moment).await })
        }).await.unwrap();
        let kept = async || database.number("SELECT COUNT(*) FROM not_before").await;
        for _ in 0..2 {
            server.clock.advance(9 * HOUR);
            sweep_expired::run_once(&server.app).await.unwrap();
            assert_eq!(kept().await, 1);
            assert_eq!(server.introspect_as("service", &token).await, json!({"active": false}));
        }
        server.clock.advance(5 * HOUR);
        sweep_expired::run_once(&server.app).await.unwrap();
        assert_eq!(kept().await, 0);
    }
}
