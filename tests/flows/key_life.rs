//! How long keys are shown: until the last token they signed has expired, whatever the configuration has said meanwhile.

use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use portreeve::keys::key_ring::ANNOUNCED_FOR;
use portreeve::keys::rotation::{Due, Rotation};
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::tasks::reload_configuration::Report;
use portreeve::tasks::rotate_keys;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// Whether the JWKS still shows the key that was the first to sign access tokens.
async fn shows(server: &TestServer, kid: &str) -> bool {
    rotate_keys::run_once(&server.app).await.expect("a round");
    let jwks = server.jwks().await;
    jwks["keys"].as_array().expect("keys").iter().any(|key| key["kid"] == kid)
}

async fn replace_the_key(server: &TestServer) {
    let rotation = Rotation {
        store: server.app.store.clone(),
        sealing: server.app.secrets.sealing.clone(),
        entropy: server.app.entropy.clone(),
        trail: server.app.trail.clone(),
        token_life: HOUR,
    };
    let made = rotation.ensure(&[SigningAlgorithm::Es256], Due::Now, &server.app.circumstances("")).await;
    assert_eq!(made.expect("a key").len(), 1);
    server.clock.advance(ANNOUNCED_FOR);
}

on_both_stores! {
    /// Threat 181: a reload may lengthen what keys sign, and a restart may shorten it again; the keys remember.
    async fn a_key_is_shown_as_long_as_the_longest_life_that_was_ever_promised_by_it(database: TestDatabase) {
        let server = TestServer::start_with(&database, "[lifetimes]\nid_token = \"1h\"", "").await;
        let kid = server.jwks().await["keys"].as_array().expect("keys").iter()
            .find(|key| key["alg"] == "ES256").expect("a key")["kid"].as_str().expect("a name").to_owned();
        let settings = server.configuration.settings.replace("id_token = \"1h\"", "id_token = \"12h\"");
        let report = server.reload(&settings, &server.configuration.clients.clone());
        assert_eq!(report, Report::Reloaded { changes: 1 });
        rotate_keys::run_once(&server.app).await.expect("a round");
        replace_the_key(&server).await;
        assert!(shows(&server, &kid).await);
        server.clock.advance(11 * HOUR);
        assert!(shows(&server, &kid).await, "a token of eleven hours ago cannot be verified any more");
        // The shorter life is back: what was signed before still lives.
        let report = server.reload(&server.configuration.settings.clone(), &server.configuration.clients.clone());
        assert_eq!(report, Report::Reloaded { changes: 1 });
        let replica = server.replica().await;
        assert!(shows(&replica, &kid).await && shows(&server, &kid).await);
        server.clock.advance(2 * HOUR);
        assert!(!shows(&server, &kid).await && !shows(&replica, &kid).await);
    }
}
