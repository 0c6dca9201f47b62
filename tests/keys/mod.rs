//! The signing keys of a server: their successors, taking one out, and what comes of it.

mod retiring;
mod rotating;

use crate::support::server::{TestServer, header_of};
use axum::http::StatusCode;
use portreeve::keys::key_ring::ANNOUNCED_FOR;
use portreeve::keys::rotation::{Due, Rotation};
use portreeve::protocol::identifiers::KeyId;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::tasks::rotate_keys;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The rotation of a server, as its own loop and `portreeve key` have it.
fn rotation(server: &TestServer) -> Rotation {
    Rotation {
        store: server.app.store.clone(),
        sealing: server.app.secrets.sealing.clone(),
        entropy: server.app.entropy.clone(),
        trail: server.app.trail.clone(),
        token_life: HOUR,
    }
}

/// The name of the key that signs an access token now.
async fn signer(server: &TestServer) -> String {
    rotate_keys::run_once(&server.app).await.expect("a round");
    let answer = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
    header_of(&token)["kid"].as_str().expect("a name").to_owned()
}

/// The names of the keys that the JWKS shows.
async fn shown(server: &TestServer) -> Vec<String> {
    rotate_keys::run_once(&server.app).await.expect("a round");
    let jwks = server.jwks().await;
    let keys = jwks["keys"].as_array().expect("keys").iter();
    keys.map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

/// Gives the key of access tokens a successor, and lets that begin. Yields its name.
async fn succeed(server: &TestServer) -> String {
    let made =
        rotation(server).ensure(&[SigningAlgorithm::Es256], Due::Now, &server.app.circumstances("")).await;
    let made = made.expect("a key");
    server.clock.advance(ANNOUNCED_FOR);
    assert_eq!(signer(server).await, made[0].as_str());
    made[0].as_str().to_owned()
}

fn named(kid: &str) -> KeyId {
    KeyId::parse(kid).expect("a name")
}
