//! A configuration that changes under a running server: whatever kind of change it is, it is seen (F-21), and nothing is signed with
//! a key that nobody can know yet.

use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::process::eventually;
use crate::support::server::{Answer, TestServer, header_of};
use axum::http::StatusCode;
use portreeve::config::Environment;
use portreeve::keys::key_ring::ANNOUNCED_FOR;
use portreeve::tasks::reload_configuration::{self, Report, Source};
use portreeve::tasks::rotate_keys;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

fn source(configuration: &TestConfiguration) -> Source {
    let environment = Environment::new(BTreeMap::<String, String>::new(), configuration.folder.path());
    Source { path: configuration.path(), environment }
}

/// Lets a server watch its files.
fn watch(server: &TestServer) -> JoinHandle<()> {
    let hangup = signal(SignalKind::hangup()).expect("signals can be heard");
    let source = source(&server.configuration);
    tokio::spawn(reload_configuration::run(server.app.clone(), source, None, hangup))
}

async fn until_named(server: &TestServer, name: &str) {
    eventually(name, async || server.app.snapshot.load().config.pages.name == name).await;
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("it can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_comes_later_is_seen_and_so_is_what_happens_in_it() {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::new(&database);
    let (folder, clients) = (configuration.folder.path().to_owned(), configuration.clients.clone());
    std::fs::remove_dir_all(folder.join("clients")).unwrap();
    let lonely = configuration.settings.replace("introspection_clients = [\"photos-api\"]", "");
    write(&configuration.path(), &lonely);
    let server = TestServer::with(&database, configuration).await;
    let running = watch(&server);
    let count = || server.app.snapshot.load().config.clients.len();
    assert_eq!(count(), 0);
    std::fs::create_dir(folder.join("clients")).unwrap();
    write(&folder.join("clients/clients.toml"), &clients);
    eventually("the clients are there", async || count() > 0).await;
    std::fs::remove_file(folder.join("clients/clients.toml")).unwrap();
    eventually("the clients are gone", async || count() == 0).await;
    running.abort();
}

/// A mounted ConfigMap: files are links into `..data`, which is itself a link that is swapped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_link_is_seen_each_time() {
    let database = TestDatabase::sqlite();
    let configuration = TestConfiguration::new(&database);
    let folder = configuration.folder.path().to_owned();
    let lay = |text: &str, version: &str, name: &str| {
        let real = folder.join(version);
        std::fs::create_dir(&real).unwrap();
        write(&real.join("portreeve.toml"), &text.replace("\"Example\"", &format!("\"{name}\"")));
        symlink(version, folder.join("..next")).unwrap();
        std::fs::rename(folder.join("..next"), folder.join("..data")).unwrap();
    };
    let settings = configuration.settings.clone();
    lay(&settings, "..1", "First");
    std::fs::remove_file(configuration.path()).unwrap();
    symlink("..data/portreeve.toml", configuration.path()).unwrap();
    let server = TestServer::with(&database, configuration).await;
    assert_eq!(server.app.snapshot.load().config.pages.name, "First");
    let running = watch(&server);
    for (version, name) in [("..2", "Second"), ("..3", "Third")] {
        lay(&settings, version, name);
        until_named(&server, name).await;
    }
    running.abort();
}

/// A wrong configuration names a file that is not there yet; when it comes, that is a change too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_looked_for_in_vain_is_waited_for() {
    let database = TestDatabase::sqlite();
    let server = TestServer::with(&database, TestConfiguration::new(&database)).await;
    let running = watch(&server);
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join("deep/api.secret");
    let client = format!(
        "{}\n[[client]]\nclient_id = \"late\"\ngrant_types = [\"client_credentials\"]\nscope = \"photos.read\"\n\
         client_secrets = [{{ file = \"{}\" }}]\n",
        server.configuration.clients,
        secret.display()
    );
    write(&server.configuration.folder.path().join("clients/clients.toml"), &client);
    std::fs::create_dir(secret.parent().unwrap()).unwrap();
    write(&secret, &crate::support::configuration::random_secret());
    let has_late = || {
        let snapshot = server.app.snapshot.load();
        snapshot.config.clients.iter().any(|client| client.id.as_str() == "late")
    };
    eventually("the client is there", async || has_late()).await;
    running.abort();
}

fn signed_by(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let header = header_of(answer.json()["access_token"].as_str().expect("a token"));
    let text = |name: &str| header[name].as_str().expect("text").to_owned();
    (text("alg"), text("kid"))
}

on_both_stores! {
    /// Threat 181: a new first algorithm waits until everybody can know its key, and nobody is refused meanwhile.
    async fn a_new_first_algorithm_signs_once_its_key_was_announced(database: TestDatabase) {
        let alone = "[signing_keys]\nalgorithms = [\"RS256\"]";
        let mut configuration = TestConfiguration::with(&database, ISSUER, alone, "");
        configuration.clients = configuration.clients.replace("id_token_signed_response_alg = \"ES256\"", "");
        configuration.write();
        let server = TestServer::with(&database, configuration).await;
        let ask = async || server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        let (before, old) = signed_by(&ask().await);
        assert_eq!(before, "RS256");
        server.clock.advance(ANNOUNCED_FOR);
        let settings = server.configuration.settings.replace("[\"RS256\"]", "[\"ES256\", \"RS256\"]");
        write(&server.configuration.path(), &settings);
        let (report, _) = reload_configuration::reload(&server.app, &source(&server.configuration)).await;
        assert_eq!(report, Report::Reloaded { changes: 1 });
        assert_eq!(signed_by(&ask().await), ("RS256".to_owned(), old));
        let jwks = server.jwks().await;
        let announced = jwks["keys"].as_array().unwrap().iter().find(|key| key["alg"] == "ES256");
        let announced = announced.expect("it is announced at once")["kid"].as_str().unwrap().to_owned();
        // Nor does another round, or another replica, hurry.
        rotate_keys::run_once(&server.app).await.unwrap();
        let replica = server.replica().await;
        let asked = replica.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        assert_eq!(signed_by(&asked).0, "RS256");
        server.clock.advance(ANNOUNCED_FOR);
        rotate_keys::run_once(&server.app).await.unwrap();
        assert_eq!(signed_by(&ask().await), ("ES256".to_owned(), announced));
    }
}
