//! An assertion is used once, whatever the parallelism and whichever replica (threat 57; RFC 7523 §3 (7)).

use super::{on_every_fleet, together};
use crate::support::assertion::{Signer, client_with, presenting};
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::server::TestServer;
use axum::http::StatusCode;
use portreeve::tasks::reload_configuration::Report;
use std::sync::Arc;

/// How many use one assertion at once.
const USES: usize = 32;

/// A request that is pushed, with the challenge of RFC 7636's appendix B.
const PUSHED: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("redirect_uri", "https://signed.example.com/callback"),
    ("scope", "photos.read"),
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
];

/// Registers a client that signs, at every replica; they share their files.
fn register(servers: &[Arc<TestServer>]) -> Signer {
    let signer = Signer::new("one");
    let TestConfiguration { settings, clients, .. } = &*servers[0].configuration;
    let clients = format!("{clients}\n{}", client_with("signed", &[signer.jwk()], ""));
    for server in servers {
        assert!(matches!(server.reload(settings, &clients), Report::Reloaded { .. }));
    }
    signer
}

on_every_fleet! {
    async fn of_many_uses_of_one_assertion_exactly_one_succeeds(servers: Fleet) {
        let signer = register(servers);
        assert_eq!(servers[0].issuer(), ISSUER);
        for round in 0..4 {
            let assertion = signer.assertion(&servers[0], "signed");
            let answers = together(USES, |number| {
                let (server, assertion) = (servers[number % servers.len()].clone(), assertion.clone());
                // At the same endpoint, or spread over all of them.
                let (path, request): (&str, &[(&str, &str)]) = match (round % 2) * number % 4 {
                    0 => ("/token", &[("grant_type", "client_credentials"), ("scope", "photos.read")]),
                    1 => ("/introspect", &[("token", "nobody's")]),
                    2 => ("/par", &PUSHED),
                    _ => ("/revoke", &[("token", "nobody's")]),
                };
                async move { server.post(path, None, &[request, &presenting(&assertion)].concat()).await }
            })
            .await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
            assert_eq!(won.len(), 1, "exactly one use succeeds: {answers:?}");
            for answer in lost {
                assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
            }
        }
    }

    /// The other way round: many at once, each with an assertion of its own, all succeed.
    async fn many_assertions_at_once_all_succeed(servers: Fleet) {
        let signer = Arc::new(register(servers));
        let answers = together(USES, |number| {
            let (server, signer) = (servers[number % servers.len()].clone(), signer.clone());
            async move {
                let assertion = signer.assertion(&server, "signed");
                let request = [("grant_type", "client_credentials"), ("scope", "photos.read")];
                server.post("/token", None, &[&request[..], &presenting(&assertion)].concat()).await
            }
        })
        .await;
        for answer in answers {
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }
}
