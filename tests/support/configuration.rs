//! The configuration that tests run under: written to a folder of its own and loaded like any other. Secrets are made here.

use crate::support::database::TestDatabase;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve::config::{self, Config, Environment};
use portreeve::model::entropy::{Entropy, SystemEntropy};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

/// A folder with a configuration in it, and what a test has to know of it.
pub struct TestConfiguration {
    /// The folder; gone when this is dropped.
    pub folder: TempDir,
    /// The secret of every confidential client.
    pub client_secret: String,
    /// `portreeve.toml`, as it was written.
    pub settings: String,
    /// `clients/clients.toml`, as it was written.
    pub clients: String,
}

/// A secret of 256 random bits.
pub fn random_secret() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The issuer of every test server that does not say otherwise.
pub const ISSUER: &str = "https://auth.example.com";

impl TestConfiguration {
    /// The usual configuration on `database`.
    pub fn new(database: &TestDatabase) -> Self {
        Self::with(database, ISSUER, "", "")
    }

    /// The usual configuration under `issuer`, with more settings and more clients.
    pub fn with(database: &TestDatabase, issuer: &str, more_settings: &str, more_clients: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("portreeve-test-config-").tempdir().expect("a folder");
        let client_secret = random_secret();
        let hash: String = Sha256::digest(&client_secret).iter().map(|byte| format!("{byte:02x}")).collect();
        let settings = SETTINGS
            .replace("{issuer}", issuer)
            .replace("{database}", database.url())
            .replace("{more}", more_settings);
        let clients = format!("{CLIENTS}\n{more_clients}").replace("{hash}", &hash);
        std::fs::create_dir(folder.path().join("clients")).expect("a folder");
        let configuration = Self { folder, client_secret, settings, clients };
        configuration.write_private("secret.key", &random_secret());
        configuration.write();
        configuration
    }

    /// Writes the files as they are now.
    pub fn write(&self) {
        self.write_private("portreeve.toml", &self.settings);
        self.write_private("clients/clients.toml", &self.clients);
    }

    fn write_private(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    }

    /// The file's path.
    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("portreeve.toml")
    }

    /// Loads it.
    pub fn load(&self) -> Config {
        let environment = Environment::new(BTreeMap::<String, String>::new(), self.folder.path());
        match config::load(&self.path(), &environment) {
            Ok(loaded) => loaded.config,
            Err(problems) => {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("the test's configuration is wrong:\n{}", told.join("\n"));
            }
        }
    }
}

const SETTINGS: &str = r#"
issuer = "{issuer}"
secret_key = { file = "secret.key" }

[database]
url = "{database}"
max_connections = 8

[pages]
name = "Example"

[scopes."photos.read"]
description = "See your photos"
[scopes."photos.write"]
description = "Add and delete photos"
[scopes."mail.read"]
description = "Read your mail"
[scopes.groups]
description = "See which groups you are in"
claims = ["groups"]

[resources."https://api.example.com/photos"]
scopes = ["photos.read", "photos.write"]
introspection_clients = ["photos-api"]
[resources."https://api.example.com/mail"]
scopes = ["mail.read"]

{more}
"#;

/// One client of each kind. `web` is confidential and does not rotate, `spa` public and rotates, `native` public on a
/// loopback address, `legacy` without PKCE, `ours` first-party, `staff` for a group, `service` acts for itself.
const CLIENTS: &str = r#"
[[client]]
client_id = "web"
client_name = "Photo editor"
redirect_uris = ["https://web.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile email address phone offline_access groups photos.read photos.write mail.read"

[[client]]
client_id = "post"
redirect_uris = ["https://post.example.com/callback", "https://post.example.com/other?x=1"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_post"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile email offline_access photos.read"
refresh_token_rotation = true
id_token_signed_response_alg = "ES256"

[[client]]
client_id = "spa"
client_name = "Photo browser"
redirect_uris = ["https://spa.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid profile email offline_access photos.read photos.write"

[[client]]
client_id = "native"
application_type = "native"
redirect_uris = ["http://127.0.0.1/callback", "com.example.app:/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid profile offline_access photos.read"

[[client]]
client_id = "legacy"
redirect_uris = ["https://legacy.example.com/callback"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid photos.read"
require_pkce = false

[[client]]
client_id = "ours"
redirect_uris = ["https://ours.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile offline_access"
first_party = true

[[client]]
client_id = "staff"
redirect_uris = ["https://staff.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid groups offline_access"
first_party = true
allowed_groups = ["staff"]

[[client]]
client_id = "service"
grant_types = ["client_credentials"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "photos.read photos.write"

[[client]]
client_id = "photos-api"
grant_types = ["client_credentials"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "photos.read"
"#;
