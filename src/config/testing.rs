//! A folder with a configuration that is valid, for tests to spoil.

use super::{Environment, Loaded, Problem, load};
use crate::model::entropy::{Entropy, SystemEntropy};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(super) const MAIN: &str = r##"issuer = "https://auth.example.com"
secret_key = { file = "secret.key" }
previous_secret_keys = [{ file = "old.key" }]

[listen]
address = "127.0.0.1:8080"
trusted_proxies = ["10.0.0.0/8"]
connections_per_address = 256

[operations]
address = "127.0.0.1:9090"

[database]
url = "sqlite://data/portreeve.db"
max_connections = 16

[lifetimes]
authorization_code = "60s"
access_token = "10m"
id_token = "1h"
refresh_token_idle = "30d"
refresh_token_absolute = "180d"
session_idle = "12h"
session_absolute = "14d"

[signing_keys]
algorithms = ["ES256", "RS256"]
rotate_every = "30d"

[scopes."photos.read"]
description = "See your photos"
[scopes.groups]
description = "See which groups you are in"
claims = ["groups"]

[resources."https://api.example.com/photos"]
scopes = ["photos.read"]
introspection_clients = ["service"]

[pages]
name = "Example"
accent = "#0a5"

[log]
level = "info"
format = "text"

[audit]
keep = "90d"

[clients]
folder = "clients"
"##;

pub(super) const CLIENTS: &str = r#"[[client]]
client_id = "web"
client_name = "Photo editor"
client_uri = "https://photos.example.com/"
contacts = ["ops@example.com"]
redirect_uris = ["https://photos.example.com/callback"]
post_logout_redirect_uris = ["https://photos.example.com/"]
grant_types = ["authorization_code", "refresh_token"]
response_types = ["code"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }]
scope = "openid photos.read"
id_token_signed_response_alg = "ES256"
default_max_age = 3600
allowed_origins = ["https://photos.example.com"]
allowed_groups = ["staff"]
first_party = true

[[client]]
client_id = "spa"
redirect_uris = ["https://spa.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
refresh_token_rotation = true
require_pkce = true
scope = "openid groups"

[[client]]
client_id = "desktop"
application_type = "native"
redirect_uris = ["http://127.0.0.1/callback", "com.example.app:/callback"]
token_endpoint_auth_method = "none"
scope = "openid"

[[client]]
client_id = "service"
grant_types = ["client_credentials"]
client_secrets = [{ file = "../service.secret" }]
scope = "photos.read"
"#;

/// A folder of its own, removed in the end.
pub(super) struct Folder {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Folder {
    /// The valid configuration and its secrets.
    pub(super) fn valid() -> Self {
        let folder = Self::empty();
        folder.secret("secret.key", &random());
        folder.secret("old.key", &random());
        folder.secret("service.secret", &random());
        folder.file("portreeve.toml", MAIN);
        folder.file("clients/clients.toml", CLIENTS);
        folder
    }

    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, variables: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(&path, text).expect("written");
        self.mode(name, 0o644);
        path
    }

    pub(super) fn secret(&self, name: &str, text: &str) {
        self.file(name, &format!("{text}\n"));
        self.mode(name, 0o600);
    }

    pub(super) fn mode(&self, name: &str, mode: u32) {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path().join(name), permissions).expect("set");
    }

    /// Sets an environment variable, in this folder's environment only.
    pub(super) fn variable(mut self, name: &str, text: &str) -> Self {
        self.variables.push((name.into(), text.into()));
        self
    }

    /// Replaces `from`, which is there once, by `to`.
    pub(super) fn change(self, from: &str, to: &str) -> Self {
        let main = MAIN.contains(from);
        let (name, text) = if main { ("portreeve.toml", MAIN) } else { ("clients/clients.toml", CLIENTS) };
        assert_eq!(text.matches(from).count(), 1, "{from} must be there once");
        self.file(name, &text.replace(from, to));
        self
    }

    pub(super) fn load(&self) -> Result<Loaded, Vec<Problem>> {
        load(Path::new("portreeve.toml"), &Environment::new(self.variables.clone(), self.path()))
    }

    /// What the configuration is refused for.
    pub(super) fn problems(&self) -> Vec<Problem> {
        self.load().expect_err("must be refused")
    }

    /// The names of the rules that have advice.
    pub(super) fn advice(&self) -> Vec<&'static str> {
        self.load().expect("valid").advice.iter().map(|problem| problem.rule).collect()
    }
}

/// 32 random bytes in base64url.
pub(super) fn random() -> String {
    let entropy: &dyn Entropy = &SystemEntropy;
    entropy.text::<32>()
}
