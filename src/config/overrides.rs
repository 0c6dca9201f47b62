//! Settings from the environment: `PORTREEVE_LISTEN__ADDRESS` is `listen.address`. A variable takes the place of what the
//! file says; a problem of its value names the variable.

use super::environment::Environment;
use super::problem::Severity;
use super::reader::{Reader, Site, nearest, problem};
use super::tree::{Entry, Node, Place, Source, Table, Typed, read_variable};
use std::sync::Arc;

/// What every variable of a setting begins with.
const PREFIX: &str = "PORTREEVE_";

/// Every setting of the main file; `*` stands for a name that the operator chooses.
pub(super) const SETTINGS: [&str; 55] = [
    "issuer",
    "secret_key",
    "secret_key.file",
    "secret_key.env",
    "secret_key.allow_readable",
    "previous_secret_keys",
    "listen",
    "listen.address",
    "listen.tls",
    "listen.tls.certificate",
    "listen.tls.private_key",
    "listen.trusted_proxies",
    "listen.connections_per_address",
    "operations",
    "operations.address",
    "database",
    "database.url",
    "database.max_connections",
    "lifetimes",
    "lifetimes.authorization_code",
    "lifetimes.access_token",
    "lifetimes.id_token",
    "lifetimes.refresh_token_idle",
    "lifetimes.refresh_token_absolute",
    "lifetimes.session_idle",
    "lifetimes.session_absolute",
    "signing_keys",
    "signing_keys.algorithms",
    "signing_keys.rotate_every",
    "scopes",
    "scopes.*.description",
    "scopes.*.claims",
    "resources",
    "resources.*.scopes",
    "resources.*.introspection_clients",
    "pages",
    "pages.name",
    "pages.logo",
    "pages.accent",
    "log.level",
    "log.format",
    "audit.keep",
    "outbound.allow_private",
    "outbound.trusted_certificates",
    "mail",
    "mail.server",
    "mail.port",
    "mail.security",
    "mail.from",
    "mail.username",
    "mail.password",
    "mail.password.file",
    "mail.password.env",
    "front_channel_logout",
    "clients.folder",
];

/// Puts the settings of the environment into `root`.
pub(super) fn apply(root: &mut Table, environment: &Environment) {
    // Short names first, so that `PORTREEVE_LISTEN` does not undo `PORTREEVE_LISTEN__ADDRESS`.
    let mut settings: Vec<(&str, &str)> = environment.iter().filter(|(name, _)| is_setting(name)).collect();
    settings.sort_by_key(|(name, _)| name.matches("__").count());
    for (name, text) in settings {
        let segments: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        if known(&segments) {
            put(root, &segments, read_variable(name, text));
        }
    }
}

/// Refuses the variables that begin like a setting and are none; those that a file names are its own.
pub(super) fn refuse_unknown(reader: &mut Reader<'_>) {
    let environment = reader.environment;
    for (name, _) in environment.iter().filter(|(name, _)| is_setting(name)) {
        let segments: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        if known(&segments) || reader.named_variables.contains(name) {
            continue;
        }
        let source = Source::Variable(Arc::from(name));
        let site = Site { place: Place { source, line: 0, column: 0 }, key: String::new() };
        let mut unknown = problem(
            Severity::Error,
            &site,
            "unknown-variable",
            "a variable that sets nothing".into(),
            "the name of a setting, such as PORTREEVE_LISTEN__ADDRESS".into(),
        );
        let names: Vec<String> = SETTINGS.iter().map(|setting| variable_of(setting)).collect();
        if let Some(nearest) = nearest(name, names.iter().map(String::as_str)) {
            unknown.hint = format!("did you mean `{nearest}`?");
        }
        reader.problems.push(unknown);
    }
}

/// Whether a variable looks like a setting. What an orchestrator sets for a service of this name
/// (`PORTREEVE_SERVICE_HOST`, `PORTREEVE_PORT_8080_TCP`), tests and the path of the configuration do not.
fn is_setting(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    rest != "CONFIG"
        && rest != "PORT"
        && !["TEST_", "SERVICE_", "PORT_"].iter().any(|foreign| rest.starts_with(foreign))
}

/// The variable that sets `setting`.
pub(super) fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.replace('.', "__").to_uppercase())
}

fn known(segments: &[&str]) -> bool {
    SETTINGS.iter().any(|setting| {
        let names: Vec<&str> = setting.split('.').collect();
        names.len() == segments.len()
            && names.iter().zip(segments).all(|(name, segment)| {
                (*name == "*" && !segment.is_empty()) || name.to_uppercase() == *segment
            })
    })
}

/// Sets what `segments` name, making the tables on the way.
fn put(table: &mut Table, segments: &[&str], node: Node) {
    let Some((first, rest)) = segments.split_first() else { return };
    // A name that the operator chose may hold what no variable's name can: `photos.read` is PHOTOS_READ.
    let name = table
        .entries
        .keys()
        .find(|name| variable_like(name) == *first)
        .cloned()
        .unwrap_or_else(|| first.to_lowercase());
    let place = node.place.clone();
    if rest.is_empty() {
        table.entries.insert(name, Entry { key: place, node });
        return;
    }
    let entry = table.entries.entry(name).or_insert_with(|| Entry {
        key: place.clone(),
        node: Node { place: place.clone(), typed: Typed::Table(Table::default()), raw: None },
    });
    if !matches!(entry.node.typed, Typed::Table(_)) {
        entry.node = Node { place, typed: Typed::Table(Table::default()), raw: None };
    }
    if let Typed::Table(inner) = &mut entry.node.typed {
        put(inner, rest, node);
    }
}

fn variable_like(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}
