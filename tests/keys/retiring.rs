//! A key that is taken out, by hand in an emergency or because its time is over, and keys that nobody can open.

use super::{named, rotation, shown, signer, succeed};
use crate::support::clock::ManualClock;
use crate::support::configuration::{TestConfiguration, random_secret};
use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use portreeve::cli::composition::{Ingredients, compose};
use portreeve::http::app::Mode;
use portreeve::model::entropy::SystemEntropy;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::storage::Store;
use portreeve::tasks::{rotate_keys, sweep_expired};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Puts another secret key into the configuration's files; the old one goes on opening if it is kept.
fn replace_secret_key(configuration: &mut TestConfiguration, keep_the_old: bool) {
    let folder = configuration.folder.path().to_owned();
    std::fs::rename(folder.join("secret.key"), folder.join("old.key")).expect("the key is there");
    std::fs::write(folder.join("secret.key"), random_secret()).expect("the file can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.join("secret.key"), mode).expect("its mode can be set");
    if keep_the_old {
        let both = "secret_key = { file = \"secret.key\" }\nprevious_secret_keys = [{ file = \"old.key\" }]";
        let settings = configuration.settings.replace("secret_key = { file = \"secret.key\" }", both);
        configuration.settings = settings;
    }
    configuration.write();
}

/// Starts a server on what is there, or says why it does not start.
async fn start(configuration: &TestConfiguration, clock: &ManualClock) -> anyhow::Result<()> {
    let config = configuration.load();
    let store = Store::open(config.database.url.expose(), 4).await.expect("a store");
    let clock = Arc::new(clock.clone());
    let entropy = Arc::new(SystemEntropy);
    compose(Ingredients { config, store, clock, entropy, mode: Mode::Serve }).await.map(drop)
}

on_both_stores! {
    /// Threat 181: what was retired for weeks does not sign again because its successor leaked.
    async fn taking_the_signer_out_brings_no_older_key_back(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let first = signer(&server).await;
        let second = succeed(&server).await;
        server.clock.advance(20 * DAY);
        assert!(!shown(&server).await.contains(&first));
        let made = rotation(&server).retire(&named(&second), &server.app.circumstances("")).await.unwrap();
        assert_eq!(made.len(), 1, "its replacement comes with it");
        let third = signer(&server).await;
        assert_eq!(third, made[0].as_str());
        let shown = shown(&server).await;
        assert!(!shown.contains(&first) && !shown.contains(&second) && shown.contains(&third), "{shown:?}");
        let replica = server.replica().await;
        assert_eq!(signer(&replica).await, third);
    }

    /// A retired key is no signer: to take it out makes no other.
    async fn taking_out_what_signs_no_more_makes_no_key(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let first = signer(&server).await;
        let second = succeed(&server).await;
        assert!(super::shown(&server).await.contains(&first));
        let made = rotation(&server).retire(&named(&first), &server.app.circumstances("")).await.unwrap();
        assert!(made.is_empty());
        assert_eq!(signer(&server).await, second);
        assert!(!shown(&server).await.contains(&first));
    }

    /// Threat 181: a row that cannot be opened keeps no other key in the JWKS, and keeps no server from starting.
    async fn a_retired_key_that_nobody_can_open_keeps_no_other_from_being_taken_out(database: TestDatabase) {
        let mut configuration = TestConfiguration::new(&database);
        let clock = ManualClock::new();
        {
            let old = TestServer::compose(Arc::new(configuration), clock.clone(), Mode::Serve).await;
            signer(&old).await;
            configuration = Arc::into_inner(old.configuration).expect("nobody else has it");
        }
        replace_secret_key(&mut configuration, true);
        let server = TestServer::compose(Arc::new(configuration), clock.clone(), Mode::Serve).await;
        for algorithm in SigningAlgorithm::ALL {
            let due = portreeve::keys::rotation::Due::Now;
            rotation(&server).ensure(&[algorithm], due, &server.app.circumstances("")).await.unwrap();
        }
        clock.advance(portreeve::keys::key_ring::ANNOUNCED_FOR);
        let second = signer(&server).await;
        // The retired ones are still to be shown, and the secret that opened them is gone.
        let forgotten = server.configuration.settings.replace("previous_secret_keys = [{ file = \"old.key\" }]", "");
        std::fs::write(server.configuration.path(), forgotten).unwrap();
        start(&server.configuration, &clock).await.expect("it starts without them");
        let made = rotation(&server).retire(&named(&second), &server.app.circumstances("")).await.unwrap();
        let replica = server.replica().await;
        for server in [&server, &replica] {
            assert_eq!(signer(server).await, made[0].as_str());
            assert!(!shown(server).await.contains(&second));
        }
    }

    /// F-23
    async fn a_server_whose_signing_key_cannot_be_opened_does_not_start(database: TestDatabase) {
        let mut configuration = TestConfiguration::new(&database);
        let clock = ManualClock::new();
        {
            let server = TestServer::compose(Arc::new(configuration), clock.clone(), Mode::Serve).await;
            configuration = Arc::into_inner(server.configuration).expect("nobody else has it");
        }
        let before = database.number("SELECT COUNT(*) FROM signing_keys").await;
        replace_secret_key(&mut configuration, false);
        let refused = start(&configuration, &clock).await.expect_err("it must not start");
        assert!(format!("{refused:#}").contains("secret_key"), "{refused:#}");
        assert_eq!(database.number("SELECT COUNT(*) FROM signing_keys").await, before);
    }

    /// Threat 193: the table does not grow with the years; what a key signed last has expired long before it goes.
    async fn keys_that_outlived_their_tokens_are_taken_out_and_swept(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let first = signer(&server).await;
        succeed(&server).await;
        let removed = "SELECT COUNT(*) FROM signing_keys WHERE removed_at IS NOT NULL";
        // What has expired is a hint for a while yet.
        server.clock.advance(89 * DAY);
        rotate_keys::run_once(&server.app).await.unwrap();
        assert_eq!(database.number(removed).await, 0);
        server.clock.advance(2 * DAY);
        let report = rotate_keys::run_once(&server.app).await.unwrap();
        assert_eq!(report.removed, [named(&first)]);
        assert_eq!(database.number(removed).await, 1);
        assert!(rotate_keys::run_once(&server.app).await.unwrap().removed.is_empty());
        let told = format!("SELECT COUNT(*) FROM audit_events WHERE event = 'key.removed' AND reason LIKE '%{first}%'");
        assert_eq!(database.number(&told).await, 1);
        server.clock.advance(91 * DAY);
        sweep_expired::run_once(&server.app).await.unwrap();
        assert_eq!(database.number(&format!("SELECT COUNT(*) FROM signing_keys WHERE id = '{first}'")).await, 0);
    }
}
