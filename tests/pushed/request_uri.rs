//! Signed requests at an address (OpenID Connect Core §6.2, RFC 9101 §5.2; threats 87, 91): one that the client registered,
//! fetched once.

use super::{redeemed, walk};
use crate::flows::steps::error_page;
use crate::support::browser::Browser;
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::on_both_stores;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::{Method, RelyingParty};
use crate::support::request_signer::RequestSigner;
use crate::support::server::{TestServer, encode};
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

on_both_stores! {
    async fn a_request_at_a_registered_address_is_fetched_once_and_processed(database: TestDatabase) {
        let signer = RequestSigner::new(SigningAlgorithm::Rs256);
        let app = RelyingParty {
            client_id: "signer",
            redirect_uri: "https://signer.example.com/callback".to_owned(),
            method: Method::Basic,
            ..RelyingParty::new("web", "openid photos.read")
        };
        let object = signer.request_object("signer", crate::support::clock::BEGINNING.seconds(), &[
            ("response_type", json!("code")),
            ("redirect_uri", json!(app.redirect_uri)),
            ("scope", json!("openid")),
            ("state", json!("fetched state")),
            ("code_challenge", json!(app.challenge())),
            ("code_challenge_method", json!("S256")),
        ]);
        let fetched = Arc::new(AtomicUsize::new(0));
        let counted = fetched.clone();
        let served = object.clone();
        let router = Router::new()
            .route("/object", get(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                let object = served.clone();
                async move { ([(header::CONTENT_TYPE, "application/jwt")], object) }
            }))
            .route("/page", get(|| async { ([(header::CONTENT_TYPE, "text/html")], "x") }))
            .route("/elsewhere", get(|| async { ([(header::LOCATION, "/object")], axum::http::StatusCode::FOUND).into_response() }));
        let host = HttpsServer::start(router).await;
        let uris: Vec<String> = ["/object#digest", "/page", "/elsewhere", "/missing"].iter().map(|path| host.url(path)).collect();
        let client = format!(
            "[[client]]\nclient_id = \"signer\"\nredirect_uris = [\"{}\"]\nclient_secrets = [{{ sha256 = \"{{hash}}\" }}]\n\
             scope = \"openid\"\njwks = {}\nrequest_uris = {uris:?}\n",
            app.redirect_uri, signer.jwks_in_toml(),
        );
        let configuration = TestConfiguration::with(&database, ISSUER, &host.settings(), &client);
        let server = TestServer::with(&database, configuration).await;
        let url = |uri: &str, more: &[(&str, &str)]| {
            let mut pairs = vec![("client_id", "signer"), ("request_uri", uri), ("scope", "openid"), ("response_type", "code")];
            pairs.extend_from_slice(more);
            format!("/authorize?{}", encode(&pairs))
        };
        let answer = walk(&server, &mut Browser::new(), &url(&uris[0], &[])).await;
        assert_eq!(answer.parameter("state").as_deref(), Some("fetched state"));
        redeemed(&server, &app, &answer).await;
        assert_eq!(fetched.load(Ordering::SeqCst), 1, "for the whole visit, pages included");
        // what cannot be had is one and the same, whatever went wrong (threat 91)
        let mut told = Vec::new();
        for uri in &uris[1..] {
            error_page(&server.get(&url(uri, &[])).await, 400, "invalid_request_uri");
            let answer = server.get(&url(uri, &[("redirect_uri", &app.redirect_uri)])).await;
            assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request_uri"));
            told.push(answer.parameter("error_description"));
        }
        assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:?}");
        // an address that was not registered, or not with this fragment, is not asked (threat 87)
        let before = host.connections.accepted();
        for uri in [host.url("/object"), host.url("/object#other"), host.url("/other"), "https://169.254.169.254/".to_owned(), "http://localhost/".to_owned()] {
            error_page(&server.get(&url(&uri, &[])).await, 400, "invalid_request_uri");
        }
        assert_eq!(host.connections.accepted(), before);
        let answer = server.get(&format!("/authorize?{}", encode(&[
            ("client_id", "web"), ("request_uri", uris[0].as_str()), ("redirect_uri", "https://web.example.com/callback"),
        ]))).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("request_uri_not_supported"));
    }
}
