//! `sector_identifier_uri` (OpenID Connect Registration §5, threat 92; oidcc-registration-sector-uri, -sector-bad).

use super::{OPEN, post, register, web};
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::server::TestServer;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A host whose document says what the test wants.
async fn host(document: &Arc<Mutex<String>>) -> HttpsServer {
    let document = document.clone();
    let json = [(header::CONTENT_TYPE, "application/json")];
    let answer = move || {
        let document = document.lock().expect("a document").clone();
        async move { (json, document) }
    };
    let slow = || async {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        "[]"
    };
    let elsewhere = || async { (StatusCode::FOUND, [(header::LOCATION, "/sector.json")]) };
    let router = Router::new().route("/sector.json", get(answer)).route("/slow", get(slow));
    HttpsServer::start(router.route("/elsewhere", get(elsewhere))).await
}

fn pairwise(uri: &str) -> Value {
    let mut said = web();
    said["subject_type"] = json!("pairwise");
    said["sector_identifier_uri"] = json!(uri);
    said
}

on_both_stores! {
    async fn the_document_lists_every_redirect_uri_at_registration_and_at_update(database: TestDatabase) {
        let document = Arc::new(Mutex::new(json!(["https://web.notes.example.com/callback", "https://x.example/"]).to_string()));
        let host = host(&document).await;
        let server = TestServer::start_with(&database, &format!("{OPEN}{}", host.settings()), "").await;
        let said = pairwise(&host.url("/sector.json"));
        let client = register(&server, &said).await;
        assert_eq!(client.put(&server, &client.with(&json!({}))).await.status, StatusCode::OK);
        let more = client.with(&json!({"redirect_uris": ["https://web.notes.example.com/callback", "https://other.example.com/callback"]}));
        let refused = client.put(&server, &more).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"));
        for wrong in [
            json!([]).to_string(),
            json!(["https://web.notes.example.com/callback/"]).to_string(),
            json!(["https://x.example/"]).to_string(),
            json!({"redirect_uris": ["https://web.notes.example.com/callback"]}).to_string(),
            json!(["https://web.notes.example.com/callback", 7]).to_string(),
            "not JSON".to_owned(),
            format!("[{}]", "\"x\",".repeat(40_000)),
        ] {
            *document.lock().expect("a document") = wrong.clone();
            for answer in [post(&server, &said).await, client.put(&server, &client.with(&json!({}))).await] {
                assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"), "{}", &wrong[..wrong.len().min(80)]);
            }
        }
        assert_eq!(client.get(&server).await.status, StatusCode::OK, "what was registered stays");
    }

    /// Threats 89–91: what cannot be had is told in one text, whatever the reason.
    async fn a_document_that_cannot_be_had_is_refused_in_one_text(database: TestDatabase) {
        let document = Arc::new(Mutex::new("[]".to_owned()));
        let host = host(&document).await;
        let server = TestServer::start_with(&database, &format!("{OPEN}{}", host.settings()), "").await;
        let mut told = Vec::new();
        let closed = format!("https://localhost:{}/x", host.address.port());
        for uri in [host.url("/missing"), host.url("/elsewhere"), host.url("/slow"), closed.replace("localhost", "nobody.invalid")] {
            let answer = post(&server, &pairwise(&uri)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}: {answer:?}");
            told.push(answer.body);
        }
        told.dedup();
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
