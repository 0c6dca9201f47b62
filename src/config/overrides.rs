//! Settings from the environment: `PORTREEVE_LISTEN__ADDRESS` is `listen.address`. A variable takes the place of what the
//! file says; a problem of its value names the variable.

use super::environment::Environment;
use super::problem::{Problem, Severity};
use super::reader::{Reader, Site, nearest, problem};
use super::tree::{Entry, Node, Place, Source, Table, Typed, read_variable};
use std::sync::Arc;

/// What every variable of a setting begins with.
const PREFIX: &str = "PORTREEVE_";

/// Every setting of the main file; `*` stands for a name that the operator chooses.
pub(super) const SETTINGS: [&str; 68] = [
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
    "listen.tls.private_key.file",
    "listen.tls.private_key.env",
    "listen.tls.private_key.allow_readable",
    "listen.trusted_proxies",
    "listen.connections_per_address",
    "operations",
    "operations.address",
    "database",
    "database.url",
    "database.url.file",
    "database.url.env",
    "database.url.allow_readable",
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
    "mail.password.allow_readable",
    "front_channel_logout",
    "registration",
    "registration.initial_access_tokens",
    "registration.require_pkce",
    "registration.client_assertion_audience",
    "registration.scope",
    "registration.grant_types",
    "clients.folder",
];

/// Puts the settings of the environment into `root`.
pub(super) fn apply(root: &mut Table, environment: &Environment) {
    let mut settings: Vec<(Vec<&str>, &str, &str)> = environment
        .iter()
        .filter_map(|(name, text)| Some((segments(name.strip_prefix(PREFIX)?)?, name, text)))
        .collect();
    // Short names first, so that `PORTREEVE_LISTEN` does not undo `PORTREEVE_LISTEN__ADDRESS`.
    settings.sort_by_key(|(segments, _, _)| segments.len());
    for (segments, name, text) in settings {
        put(root, &segments, read_variable(name, text));
    }
}

/// Refuses the variables that begin like a setting and are none; those that a file names are its own. What may have been meant
/// for somebody else is only remarked: such remarks are what this yields.
pub(super) fn refuse_unknown(reader: &mut Reader<'_>) -> Vec<Problem> {
    let mut remarks = Vec::new();
    let environment = reader.environment;
    let names: Vec<String> = SETTINGS.iter().map(|setting| variable_of(setting)).collect();
    for (name, _) in environment.iter() {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if segments(rest).is_some() || is_foreign(rest) || reader.named_variables.contains(name) {
            continue;
        }
        let source = Source::Variable(Arc::from(name));
        let site = Site { place: Place { source, line: 0, column: 0 }, key: String::new() };
        let is_meant_for_us = rest.contains("__");
        let mut unknown = problem(
            if is_meant_for_us { Severity::Error } else { Severity::Warning },
            &site,
            "unknown-variable",
            "a variable that sets nothing".into(),
            "the name of a setting, such as PORTREEVE_LISTEN__ADDRESS".into(),
        );
        if let Some(nearest) = nearest(name, names.iter().map(String::as_str)) {
            unknown.hint = format!("did you mean `{nearest}`?");
        }
        if is_meant_for_us { reader.problems.push(unknown) } else { remarks.push(unknown) }
    }
    remarks
}

/// Whether a variable is somebody else's: the path of the configuration, what tests need, and what an orchestrator sets for services
/// whose names begin like ours (`PORTREEVE_SERVICE_HOST`, `PORTREEVE_DB_PORT_5432_TCP`).
fn is_foreign(rest: &str) -> bool {
    let between = format!("_{rest}_");
    let of_a_service =
        ["_SERVICE_HOST_", "_SERVICE_PORT_", "_PORT_"].iter().any(|part| between.contains(part));
    rest == "CONFIG" || rest.starts_with("TEST_") || (of_a_service && !rest.contains("__"))
}

/// The variable that sets `setting`.
pub(super) fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.replace('.', "__").to_uppercase())
}

/// The path of the setting that a variable sets, if it sets one. Where the operator chooses a name, it is whatever stands between
/// what surrounds it, however many `__` it holds: `RESOURCES__HTTPS___API_EXAMPLE_COM__SCOPES`.
fn segments(rest: &str) -> Option<Vec<&str>> {
    let exact = SETTINGS.iter().find(|setting| variable_of(setting).strip_prefix(PREFIX) == Some(rest));
    if let Some(setting) = exact {
        return Some(setting.split('.').collect());
    }
    SETTINGS.iter().find_map(|setting| {
        let (before, after) = setting.split_once(".*.")?;
        let outer = rest.strip_prefix(&before.to_uppercase())?.strip_prefix("__")?;
        let chosen = outer.strip_suffix(&after.to_uppercase())?.strip_suffix("__")?;
        (!chosen.is_empty()).then(|| vec![before, chosen, after])
    })
}

/// Sets what `segments` name, making the tables on the way.
fn put(table: &mut Table, segments: &[&str], node: Node) {
    let Some((first, rest)) = segments.split_first() else { return };
    // A name that the operator chose may hold what no variable's name can: `photos.read` is PHOTOS_READ.
    let name = table
        .entries
        .keys()
        .find(|name| name.as_str() == *first || variable_like(name) == *first)
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
