//! What the operator allows: scope, grants, PKCE, audience; an update never goes beyond it, and a narrower policy counts at
//! once (threats 45, 114).

use super::{OPEN, post, register, spa, web};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::model::client::{AssertionAudience, PkcePolicy, Provenance};
use portreeve::protocol::identifiers::ClientId;
use serde_json::json;

on_both_stores! {
    /// RFC 7591 §2, threat 114: more than the policy allows is refused, at an update as well.
    async fn nobody_gets_more_than_the_policy_allows(database: TestDatabase) {
        let settings = "[registration]\nscope = \"openid photos.read\"\ngrant_types = [\"authorization_code\"]\n";
        let server = TestServer::start_with(&database, settings, "").await;
        let mut said = spa();
        said["grant_types"] = json!(["authorization_code"]);
        let client = register(&server, &said).await;
        assert_eq!(client.0["scope"], "openid photos.read");
        for changes in [
            json!({"scope": "openid profile"}),
            json!({"scope": "openid photos.read photos.write"}),
            json!({"grant_types": ["authorization_code", "refresh_token"]}),
            json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic", "redirect_uris": null}),
            json!({"id_token_signed_response_alg": "PS512"}),
        ] {
            let mut more = said.clone();
            for (name, value) in changes.as_object().expect("an object") {
                more[name] = value.clone();
            }
            for answer in [post(&server, &more).await, client.put(&server, &client.with(&changes)).await] {
                assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_client_metadata"), "{changes}");
            }
        }
        let less = client.put(&server, &client.with(&json!({"scope": "openid"}))).await;
        assert_eq!((less.status, &less.json()["scope"]), (StatusCode::OK, &json!("openid")));
        let refused = Browser::new().get(&server, &client.app("openid photos.read").authorize(&[("prompt", "none")])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_scope"));
        let back = client.put(&server, &client.with(&json!({"scope": null}))).await;
        assert_eq!(back.json()["scope"], "openid photos.read", "left out is back at its default");
    }

    /// Threat 45: what the operator takes back, registered clients have lost with the next request.
    async fn a_narrower_policy_counts_at_once(database: TestDatabase) {
        let server = TestServer::start_with(&database, OPEN, "").await;
        let client = register(&server, &spa()).await;
        let app = client.app("openid profile");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let settings = server.configuration.settings.replace(
            "[registration]\n",
            "[registration]\nscope = \"openid\"\ngrant_types = [\"authorization_code\"]\n",
        );
        server.reload(&settings, &server.configuration.clients);
        let refused = app.refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(refused.error(), "unauthorized_client");
        let refused = Browser::new().get(&server, &app.authorize(&[("prompt", "none")])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_scope"));
        let read = client.get(&server).await.json();
        assert_eq!((&read["scope"], &read["grant_types"]), (&json!("openid"), &json!(["authorization_code"])));
        server.reload(&server.configuration.settings, &server.configuration.clients);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
    }

    /// RFC 9700 §2.1.1: PKCE, unless the operator excuses clients with a secret; public ones never.
    async fn pkce_is_required_unless_the_operator_says_otherwise(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[registration]\nrequire_pkce = false\nclient_assertion_audience = \"token_endpoint\"\n", "").await;
        let (confidential, public) = (register(&server, &web()).await, register(&server, &spa()).await);
        let ids = [&confidential, &public].map(|one| ClientId::parse(one.id()).expect("an id"));
        let snapshot = server.app.snapshot.load_full().naming(&server.app.store, &ids).await.expect("a read");
        let [confidential, public] = ids.map(|id| snapshot.registry.find(&id).expect("a client").clone());
        assert_eq!((confidential.pkce, public.pkce), (PkcePolicy::Excused, PkcePolicy::Required));
        assert_eq!(confidential.assertion_audience, AssertionAudience::TokenEndpoint);
        assert_eq!(public.provenance, Provenance::Registered);
        assert!(confidential.allowed_origins.is_empty());
    }
}
