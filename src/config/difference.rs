//! Two configurations become the list of what differs, as a reload logs it and `plan` shows it. A secret only ever shows as
//! changed.

use super::reader::in_words;
use super::{Config, LogFormat};
use crate::model::client::{Client, ConsentPolicy, PkcePolicy, RefreshTokenRotation};
use crate::protocol::server_metadata::FrontChannelLogout;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A setting that differs. Of a secret neither value is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The setting, with dots: `listen.address`, `client.photo-web.scope`.
    pub path: String,
    /// What it was; `None` when there was none, or it is a secret.
    pub before: Option<String>,
    /// What it is; `None` when there is none, or it is a secret.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(formatter, "{}: {before} → {after}", self.path),
            (Some(before), None) => write!(formatter, "{}: {before} removed", self.path),
            (None, Some(after)) => write!(formatter, "{}: {after} added", self.path),
            (None, None) => write!(formatter, "{}: changed", self.path),
        }
    }
}

/// A value as it is compared, and whether it may be shown.
#[derive(PartialEq)]
enum Value {
    Shown(String),
    Hidden(String),
}

/// What differs between two configurations, by path. The list of files that were read is not part of it.
pub fn difference(before: &Config, after: &Config) -> Vec<Change> {
    let (before, after) = (settings(before), settings(after));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        let show = |value: Option<&Value>| match value {
            Some(Value::Shown(text)) => Some(text.clone()),
            _ => None,
        };
        changes.push(Change { path: path.clone(), before: show(old), after: show(new) });
    }
    changes
}

/// Every setting by its path.
fn settings(config: &Config) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut show = |path: &str, text: String| {
        all.insert(path.to_owned(), Value::Shown(text));
    };
    show("issuer", config.issuer.as_str().to_owned());
    let listen = &config.listen;
    show("listen.address", listen.address.to_string());
    if let Some(tls) = &listen.tls {
        show("listen.tls.certificate", tls.certificate.display().to_string());
        show("listen.tls.private_key", tls.private_key.to_string());
    }
    show("listen.trusted_proxies", list(&listen.trusted_proxies));
    show("listen.connections_per_address", listen.connections_per_address.to_string());
    show("operations.address", config.operations.address.to_string());
    show("database.max_connections", config.database.max_connections.to_string());
    let lifetimes = &config.lifetimes;
    for (key, duration) in [
        ("authorization_code", lifetimes.authorization_code),
        ("access_token", lifetimes.access_token),
        ("id_token", lifetimes.id_token),
        ("refresh_token_idle", lifetimes.refresh_token_idle),
        ("refresh_token_absolute", lifetimes.refresh_token_absolute),
        ("session_idle", lifetimes.session_idle),
        ("session_absolute", lifetimes.session_absolute),
    ] {
        show(&format!("lifetimes.{key}"), in_words(duration));
    }
    let algorithms: Vec<&str> = config.signing_keys.algorithms.iter().map(|one| one.as_str()).collect();
    show("signing_keys.algorithms", algorithms.join(" "));
    show("signing_keys.rotate_every", in_words(config.signing_keys.rotate_every));
    for (name, scope) in &config.scopes {
        show(&format!("scopes.{name}.description"), scope.description.default.clone().unwrap_or_default());
        for (tag, text) in &scope.description.by_language {
            show(&format!("scopes.{name}.description#{tag}"), text.clone());
        }
        show(&format!("scopes.{name}.claims"), list(&scope.claims));
    }
    for resource in &config.resources {
        show(&format!("resources.{}.scopes", resource.resource), resource.scopes.to_string());
        let introspectors = list(&resource.introspection_clients);
        show(&format!("resources.{}.introspection_clients", resource.resource), introspectors);
    }
    show("pages.name", config.pages.name.clone());
    if let Some(accent) = &config.pages.accent {
        show("pages.accent", accent.clone());
    }
    show("log.level", config.log.level.clone());
    show("log.format", if config.log.format == LogFormat::Json { "json" } else { "text" }.to_owned());
    show("audit.keep", in_words(config.audit.keep));
    show("outbound.allow_private", list(&config.outbound.allow_private));
    if let Some(mail) = &config.mail {
        show("mail.server", mail.server.clone());
        show("mail.port", mail.port.to_string());
        show("mail.security", mail.security.as_str().to_owned());
        show("mail.from", mail.from.clone());
        if let Some(credentials) = &mail.credentials {
            show("mail.username", credentials.username.clone());
        }
    }
    if config.front_channel_logout == FrontChannelLogout::On {
        show("front_channel_logout", "on".to_owned());
    }
    if let Some(registration) = &config.registration {
        show("registration.require_pkce", (registration.pkce == PkcePolicy::Required).to_string());
        let audience = registration.assertion_audience.as_str();
        show("registration.client_assertion_audience", audience.to_owned());
        show("registration.scope", registration.scope.to_string());
        let grant_types: Vec<&str> = registration.grant_types.iter().map(|one| one.as_str()).collect();
        show("registration.grant_types", grant_types.join(" "));
    }
    for one in &config.clients {
        client(one, &mut show);
    }
    hidden(config, &mut all);
    all
}

/// What is compared and never shown: secrets, and the bytes of a picture or a certificate.
fn hidden(config: &Config, all: &mut BTreeMap<String, Value>) {
    let mut hide = |path: String, text: String| {
        all.insert(path, Value::Hidden(text));
    };
    hide("secret_key".into(), hex(&config.secret_keys.current.0));
    let previous: Vec<String> = config.secret_keys.previous.iter().map(|key| hex(&key.0)).collect();
    hide("previous_secret_keys".into(), previous.join(" "));
    hide("database.url".into(), config.database.url.expose().to_owned());
    if let Some(logo) = &config.pages.logo {
        hide("pages.logo".into(), format!("{} {}", logo.media_type, hex(&logo.bytes)));
    }
    let trusted: Vec<String> = config.outbound.trusted_certificates.iter().map(|one| hex(&one.0)).collect();
    hide("outbound.trusted_certificates".into(), trusted.join(" "));
    if let Some(registration) = &config.registration {
        let tokens: Vec<String> = registration.initial_access_tokens.iter().map(|one| hex(&one.0)).collect();
        hide("registration.initial_access_tokens".into(), tokens.join(" "));
    }
    if let Some(credentials) = config.mail.as_ref().and_then(|mail| mail.credentials.as_ref()) {
        hide("mail.password".into(), credentials.password.expose().to_owned());
    }
    for client in &config.clients {
        let secrets: Vec<String> = client
            .secrets
            .iter()
            .map(|secret| match secret {
                crate::model::client::ClientSecret::Sha256(hash) => hex(hash),
                crate::model::client::ClientSecret::Argon2(phc) => phc.clone(),
            })
            .collect();
        hide(format!("client.{}.client_secrets", client.id), secrets.join(" "));
    }
}

fn client(client: &Client, show: &mut impl FnMut(&str, String)) {
    let metadata = &client.metadata;
    let mut set = |key: &str, text: String| {
        // What a client does not have is no setting of it.
        if !text.is_empty() {
            show(&format!("client.{}.{key}", client.id), text);
        }
    };
    for (key, value) in metadata.to_members() {
        set(&key, in_one_line(&value));
    }
    set("require_pkce", (client.pkce == PkcePolicy::Required).to_string());
    set("first_party", (client.consent == ConsentPolicy::FirstParty).to_string());
    set("allowed_groups", list(&client.allowed_groups));
    let rotates = client.refresh_token_rotation == RefreshTokenRotation::EveryUse;
    set("refresh_token_rotation", rotates.to_string());
    set("client_assertion_audience", client.assertion_audience.as_str().to_owned());
    set("allowed_origins", list(&client.allowed_origins));
}

/// A member as one line: texts without quotes, elements of lists behind one another.
fn in_one_line(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(elements) => elements.iter().map(in_one_line).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn list<T: fmt::Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
