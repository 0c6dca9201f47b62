//! What was typed becomes what is meant; all problems at once.
//!
//! Decides what a configuration is: its values, their defaults and bounds, and the clients it declares. Every command
//! reads it by [`load`], so that `check` and `serve` cannot disagree. It leaves to `clients` the registry, to `storage` the
//! opening of the database, and to `tasks` when a changed file is read again.

mod advice;
pub mod certificate;
mod client_advice;
mod client_keys;
mod client_rules;
mod client_secrets;
mod clients;
mod database;
pub mod demo;
pub mod difference;
mod environment;
pub mod init;
mod lifetimes;
mod load;
mod mail;
mod network;
mod outbound;
mod overrides;
mod pages;
mod problem;
mod reader;
mod registration;
mod scopes;
mod secrets;
mod tree;
mod writing;

pub use environment::Environment;
pub use load::{Attempt, attempt, load};
pub use mail::{Mail, MailCredentials, MailSecurity};
pub use problem::{Problem, Severity};
pub use writing::Written;

use crate::model::client::{AssertionAudience, Client, PkcePolicy};
use crate::model::secret::{Secret, constant_time_eq};
use crate::protocol::grant_type::GrantType;
use crate::protocol::identifiers::ClientId;
use crate::protocol::issuer::Issuer;
use crate::protocol::localized::Localized;
use crate::protocol::outbound_url::Authority;
use crate::protocol::redirect_uri::Deployment;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::server_metadata::FrontChannelLogout;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A whole configuration, checked: what is meant, every default filled in. Two of them can be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// This server's name; every URL and token derives from it (RFC 8414 §2).
    pub issuer: Issuer,
    /// What seals keys at rest and authenticates refresh tokens.
    pub secret_keys: SecretKeys,
    /// The public listener.
    pub listen: Listen,
    /// The operators' listener.
    pub operations: Operations,
    /// The store.
    pub database: Database,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How tokens are signed.
    pub signing_keys: SigningKeys,
    /// Every scope there is, the built-in ones among them, by name.
    pub scopes: BTreeMap<String, ScopeDefinition>,
    /// The resource servers (RFC 8707), in the order of their identifiers.
    pub resources: Vec<ResourceDefinition>,
    /// What the pages for people look like.
    pub pages: Pages,
    /// The log.
    pub log: Log,
    /// The audit trail.
    pub audit: Audit,
    /// The requests that this server makes.
    pub outbound: Outbound,
    /// How mails leave; without it none does, and nobody recovers by one.
    pub mail: Option<Mail>,
    /// Whether the logged-out page loads the apps' own (Front-Channel Logout).
    pub front_channel_logout: FrontChannelLogout,
    /// Whether clients may register themselves, and the most that they can have; nothing when they may not.
    pub registration: Option<Registration>,
    /// The clients of the files, in the order of the files and within them.
    pub clients: Vec<Client>,
    /// Every file and folder that was read or looked for; a change of one may change the configuration.
    pub files: Vec<PathBuf>,
}

impl Config {
    /// Whether the issuer is on this machine's loopback, which opens plain http redirect URIs there to web applications.
    pub fn deployment(&self) -> Deployment {
        if self.issuer.is_secure() { Deployment::Production } else { Deployment::Development }
    }
}

/// A configuration that may be served, and what could be better about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings and remarks; none of them is an error.
    pub advice: Vec<Problem>,
    clashes: BTreeMap<ClientId, Problem>,
}

impl Loaded {
    /// What is to be said of a client that registered itself under the name of one in the files; nothing when none there has it.
    pub fn clash(&self, registered: &ClientId) -> Option<&Problem> {
        self.clashes.get(registered)
    }
}

/// The secret keys that open and verify; only the current one seals and signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKeys {
    /// Seals and authenticates.
    pub current: SecretKey,
    /// Still open and verify.
    pub previous: Vec<SecretKey>,
}

/// 32 random bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(pub [u8; 32]);

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// The public listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// TLS of its own; none behind a proxy that ends it.
    pub tls: Option<Tls>,
    /// Only these may say, by Forwarded (RFC 7239) or X-Forwarded-For, who the client is.
    pub trusted_proxies: Vec<IpNet>,
    /// How many connections one address may hold at once.
    pub connections_per_address: usize,
}

/// TLS of the listener, in PEM; certificate and key belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Where its private key is.
    pub private_key: certificate::PrivateKeySource,
}

/// The listener of liveness, readiness and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations {
    /// Where it listens; never the public address.
    pub address: SocketAddr,
}

/// The store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Which store, and how to reach it.
    pub url: DatabaseUrl,
    /// How many connections a replica holds at most.
    pub max_connections: u32,
}

/// The URL of the store: `sqlite://…`, its path joined to the folder of the file that named it, or `postgres://…`. It may
/// hold a password.
#[derive(Clone)]
pub struct DatabaseUrl(Secret);

impl DatabaseUrl {
    /// Wraps a URL that was checked.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url))
    }

    /// The URL of the SQLite file at `path`.
    pub fn of_file(path: &std::path::Path) -> Self {
        database::url_of_file(path)
    }

    /// The URL itself, for the driver.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether the store is the SQLite inside.
    pub fn is_sqlite(&self) -> bool {
        self.0.expose().starts_with("sqlite:")
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.expose().as_bytes(), other.expose().as_bytes())
    }
}

impl Eq for DatabaseUrl {}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_sqlite() {
            "DatabaseUrl(sqlite…)"
        } else {
            "DatabaseUrl(postgres…)"
        })
    }
}

/// How long things live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// A code, unspent (RFC 6749 §4.1.2).
    pub authorization_code: Duration,
    /// An access token.
    pub access_token: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// A grant that nobody refreshes; never longer than the next.
    pub refresh_token_idle: Duration,
    /// A grant, however often it is refreshed.
    pub refresh_token_absolute: Duration,
    /// A session that nobody uses; never longer than the next.
    pub session_idle: Duration,
    /// A session, however often it is used.
    pub session_absolute: Duration,
}

impl Lifetimes {
    /// How long anything that this server signs lives at most.
    pub fn longest_token(&self) -> Duration {
        self.access_token.max(self.id_token)
    }
}

/// How tokens are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeys {
    /// The algorithms that have a key; the first signs access tokens, RS256 is always among them.
    pub algorithms: Vec<SigningAlgorithm>,
    /// After how long a key gets a successor.
    pub rotate_every: Duration,
}

/// A scope, as the consent page and the userinfo endpoint know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeDefinition {
    /// What the consent page says, in the languages that the operator wrote it in.
    pub description: Localized,
    /// The claims of a person that ride on it (OpenID Connect Core §5.4).
    pub claims: Vec<String>,
}

/// A resource server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDefinition {
    /// Its identifier: the `aud` of its access tokens (RFC 8707 §2).
    pub resource: Resource,
    /// The scopes it serves.
    pub scopes: Scopes,
    /// Who may introspect its access tokens, beside the client they were given to (RFC 7662 §2.1).
    pub introspection_clients: Vec<ClientId>,
}

/// What the pages for people look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The name of the service.
    pub name: String,
    /// A picture above it.
    pub logo: Option<Logo>,
    /// The colour of buttons and links, as `#rgb` or `#rrggbb`.
    pub accent: Option<String>,
}

/// A picture, as it is served.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Its media type (`image/svg+xml`, `image/png`, `image/jpeg` or `image/webp`).
    pub media_type: &'static str,
}

impl fmt::Debug for Logo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Logo({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// How a line is written.
    pub format: LogFormat,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How long an event is kept.
    pub keep: Duration,
}

/// The requests that this server makes of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Hosts and ports that may be reached although they are not public.
    pub allow_private: Vec<Authority>,
    /// Whose certificates are believed, beside the system's.
    pub trusted_certificates: Vec<TrustedCertificate>,
}

/// What clients that register themselves can have at most (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whoever has one of these may register; everybody, when there is none (RFC 7591 §3).
    pub initial_access_tokens: Vec<HashedToken>,
    /// Whether they must use PKCE; public ones always must.
    pub pkce: PkcePolicy,
    /// What they may name as the audience of their assertions.
    pub assertion_audience: AssertionAudience,
    /// The scopes they may ask for.
    pub scope: Scopes,
    /// The grants they may use.
    pub grant_types: Vec<GrantType>,
}

impl Registration {
    /// Whether anybody may register.
    pub fn is_open(&self) -> bool {
        self.initial_access_tokens.is_empty()
    }
}

/// SHA-256 of a token's text.
#[derive(Clone, PartialEq, Eq)]
pub struct HashedToken(pub [u8; 32]);

impl fmt::Debug for HashedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HashedToken(…)")
    }
}

/// An authority's certificate, in DER.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedCertificate(pub Vec<u8>);

impl fmt::Debug for TrustedCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrustedCertificate({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod mutation_tests;
#[cfg(test)]
mod outbound_tests;
#[cfg(test)]
mod overrides_tests;
#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod secrets_tests;
