//! Two replicas on one store: a client that registered here is known there at once; what changed or ended is seen there within
//! ten seconds.

use super::{open, register, spa};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use axum::http::StatusCode;
use portreeve::tasks::refresh_registry::{self, Report};
use serde_json::json;

on_both_stores! {
    async fn a_client_that_registered_here_is_known_there_at_once(database: TestDatabase) {
        let here = open(&database).await;
        let there = here.replica().await;
        let client = register(&here, &spa()).await;
        let app = client.app("openid");
        let tokens = app.tokens(&there, &mut Browser::new()).await;
        for replica in [&here, &there] {
            assert_eq!(client.get(replica).await.status, StatusCode::OK);
            assert_eq!(replica.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        }
        assert_eq!(app.refresh(&here, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }

    async fn what_changed_or_ended_here_is_seen_there_when_versions_are_compared(database: TestDatabase) {
        let here = open(&database).await;
        let there = here.replica().await;
        for replica in [&here, &there] {
            refresh_registry::run_once(&replica.app).await.expect("a round");
            assert_eq!(refresh_registry::run_once(&replica.app).await.expect("a round"), Report::Unchanged);
        }
        let client = register(&here, &spa()).await;
        assert_eq!(refresh_registry::run_once(&there.app).await.expect("a round"), Report::Unchanged, "nothing kept is stale");
        let (old, mut new) = (client.app("openid"), client.app("openid"));
        new.redirect_uri = "https://notes.example.com/new".into();
        assert_eq!(there.get(&old.authorize(&[])).await.status, StatusCode::SEE_OTHER);
        let answer = client.put(&here, &client.with(&json!({"redirect_uris": [new.redirect_uri.as_str()]}))).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(here.get(&new.authorize(&[])).await.status, StatusCode::SEE_OTHER, "here at once");
        assert_eq!(here.get(&old.authorize(&[])).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(refresh_registry::run_once(&there.app).await.expect("a round"), Report::Forgotten);
        assert_eq!(there.get(&new.authorize(&[])).await.status, StatusCode::SEE_OTHER);
        assert_eq!(there.get(&old.authorize(&[])).await.status, StatusCode::BAD_REQUEST);

        let tokens = new.tokens(&there, &mut Browser::new()).await;
        assert_eq!(client.delete(&here).await.status, StatusCode::NO_CONTENT);
        assert_eq!(client.get(&there).await.status, StatusCode::UNAUTHORIZED, "its registration is gone at once");
        assert_eq!(there.get_as("/userinfo", tokens.access()).await.status, StatusCode::UNAUTHORIZED, "its tokens too");
        assert_ne!(new.refresh(&there, tokens.refresh(), &[]).await.status, StatusCode::OK);
        refresh_registry::run_once(&there.app).await.expect("a round");
        assert_eq!(there.get(&new.authorize(&[])).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(new.refresh(&there, tokens.refresh(), &[]).await.error(), "invalid_client");
    }

    async fn a_server_without_registration_compares_nothing(database: TestDatabase) {
        let server = crate::support::server::TestServer::start(&database).await;
        let before = server.app.store.accesses();
        assert_eq!(refresh_registry::run_once(&server.app).await.expect("a round"), Report::Off);
        assert_eq!(server.app.store.accesses(), before);
    }
}
