//! The files of clients: `[[client]]` tables whose members are those of IANA's registry (RFC 7591 §2, OpenID Connect
//! Registration §2) and a few of this server's own. `protocol::client_metadata` judges the members; this file finds the
//! place of each of its problems.

use super::client_keys;
use super::client_rules::{self, Typing};
use super::load::Parsed;
use super::reader::{Reader, Section, Site};
use super::scopes::ScopeTable;
use super::tree::{Node, Place, Source, Table, Typed, shown};
use crate::model::client::Client;
use crate::protocol::client_metadata::ClientMetadata;
use crate::protocol::identifiers::ClientId;
use crate::protocol::redirect_uri::Deployment;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A file of clients, parsed.
pub(super) struct ClientFile {
    pub(super) path: PathBuf,
    pub(super) parsed: Parsed,
}

/// What the clients are judged by. What a broken main file would have said is `None`.
pub(super) struct Surroundings<'s> {
    pub(super) deployment: Deployment,
    pub(super) scopes: Option<&'s ScopeTable>,
    pub(super) algorithms: Option<&'s [SigningAlgorithm]>,
}

/// The clients, and every name that was typed with its first place.
pub(super) struct Clients {
    pub(super) clients: Vec<Client>,
    pub(super) names: BTreeMap<String, Place>,
}

/// Reads every file's clients.
pub(super) fn read_clients(
    reader: &mut Reader<'_>,
    files: &[ClientFile],
    surroundings: &Surroundings<'_>,
) -> Clients {
    let mut clients = Clients { clients: Vec::new(), names: BTreeMap::new() };
    for file in files {
        // What a broken file seems to say is not worth reporting.
        if !file.parsed.whole {
            continue;
        }
        let source = Source::File(Arc::from(file.path.as_path()));
        let place = Place { source, line: 1, column: 1 };
        let mut root = Section::new(Site { place, key: String::new() }, Some(&file.parsed.table));
        if let Some((node, site)) = root.get("client") {
            match &node.typed {
                Typed::Array(elements) => {
                    for (index, element) in elements.iter().enumerate() {
                        let client = read_element(reader, element, index, surroundings, &mut clients.names);
                        clients.clients.extend(client);
                    }
                }
                _ => {
                    let problem = reader.refuse(&site, "wrong-type", node.shown(), "an array of tables");
                    problem.hint = "write `[[client]]`, with two brackets".into();
                }
            }
        }
        reader.finish(&root);
    }
    clients
}

fn read_element(
    reader: &mut Reader<'_>,
    element: &Node,
    index: usize,
    surroundings: &Surroundings<'_>,
    names: &mut BTreeMap<String, Place>,
) -> Option<Client> {
    let place = element.place.clone();
    let Typed::Table(table) = &element.typed else {
        let site = Site { place, key: format!("client[{index}]") };
        reader.refuse(&site, "wrong-type", element.shown(), "a table: `[[client]]`");
        return None;
    };
    let named = table.entries.get("client_id").and_then(|entry| entry.node.as_text());
    let key = match named {
        Some(name) if ClientId::parse(name).is_ok() => format!("client.{name}"),
        _ => format!("client[{index}]"),
    };
    reader.places.insert(key.clone(), place.clone());
    let mut section = Section::new(Site { place, key }, Some(table));
    let id = client_id(reader, &mut section, names);
    let metadata = metadata(reader, &mut section, table, surroundings.deployment);
    let typing = Typing::of(table);
    let own = client_rules::own_settings(reader, &mut section, &typing);
    clear_text_secret(reader, &mut section);
    client_rules::check(reader, &mut section, &typing, surroundings);
    reader.finish_with(&section, &ClientMetadata::UNSUPPORTED);
    let metadata = metadata?;
    let keys = client_keys::signature_keys(reader, &mut section, &metadata)?;
    Some(own.client(id?, metadata, keys))
}

fn client_id(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    names: &mut BTreeMap<String, Place>,
) -> Option<ClientId> {
    if section.get("client_id").is_none() {
        let site = Site { place: section.site.place.clone(), key: section.path("client_id") };
        reader.refuse(&site, "missing-key", "no `client_id`", "`client_id = \"…\"`").section =
            Some("RFC 6749 §2.2");
        return None;
    }
    let (text, site) = reader.text(section, "client_id")?;
    let id = match ClientId::parse(&text) {
        Ok(id) => id,
        Err(why) => {
            let expected = format!("1 to 200 visible ASCII characters; this one {why}");
            reader.refuse(&site, "invalid-value", shown(&text), expected).section = Some("RFC 6749 §2.2");
            return None;
        }
    };
    if let Some(first) = names.get(&text) {
        let first = in_words(first);
        let found = format!("{} a second time; the first is at {first}", shown(&text));
        reader.refuse(&site, "duplicate-client", found, "a client_id that no other client has");
        return None;
    }
    names.insert(text, site.place);
    Some(id)
}

fn in_words(place: &Place) -> String {
    match &place.source {
        Source::File(file) => format!("{}:{}:{}", file.display(), place.line, place.column),
        Source::Variable(name) => name.to_string(),
    }
}

/// The members of the standards, judged by the one set of rules.
fn metadata<'t>(
    reader: &mut Reader<'_>,
    section: &mut Section<'t>,
    table: &'t Table,
    deployment: Deployment,
) -> Option<ClientMetadata> {
    let mut members = Map::new();
    let mut sound = true;
    let variants = table.entries.keys().filter(|key| key.contains('#') && ClientMetadata::knows(key));
    let variants: Vec<&str> = variants.map(String::as_str).collect();
    for member in ClientMetadata::MEMBERS.into_iter().chain(variants) {
        let Some((node, site)) = reader.take(section, member) else { continue };
        match to_json(node) {
            Some(value) => {
                members.insert(member.to_owned(), value);
            }
            None => {
                reader.refuse(&site, "wrong-type", node.shown(), "a value that JSON has too");
                sound = false;
            }
        }
    }
    let problems = match ClientMetadata::from_members(&members, deployment) {
        Ok(metadata) => return sound.then_some(metadata),
        Err(problems) => problems,
    };
    for problem in problems {
        let node = table.entries.get(&problem.member).map(|entry| &entry.node);
        let element = node.and_then(|node| match (&node.typed, problem.index) {
            (Typed::Array(elements), Some(index)) => elements.get(index),
            _ => None,
        });
        let index = problem.index.map(|index| format!("[{index}]")).unwrap_or_default();
        let key = format!("{}{index}", section.path(&problem.member));
        let place = element.or(node).map_or(&section.site.place, |node| &node.place);
        let site = Site { place: place.clone(), key };
        let (rule, found) = match element.or(node) {
            None => ("missing-key", format!("no `{}`", problem.member)),
            Some(node) => ("invalid-metadata", node.shown()),
        };
        // The rules may look at a member twice; it is reported once.
        let again = reader.problems.iter().any(|known| {
            known.key == site.key && known.line == site.place.line && known.expected == problem.expected
        });
        if !again {
            reader.refuse(&site, rule, found, problem.expected).section = Some("RFC 7591 §2");
        }
    }
    None
}

/// A value as JSON; `None` for what JSON does not have.
fn to_json(node: &Node) -> Option<Value> {
    match &node.typed {
        Typed::Text(text) => Some(Value::String(text.clone())),
        Typed::Integer { value, .. } => value.map(Value::from),
        Typed::Boolean(value) => Some(Value::Bool(*value)),
        Typed::Float(_) | Typed::Moment(_) => None,
        Typed::Array(elements) => elements.iter().map(to_json).collect::<Option<Vec<_>>>().map(Value::Array),
        Typed::Table(table) => {
            let members =
                table.entries.iter().map(|(name, entry)| Some((name.clone(), to_json(&entry.node)?)));
            members.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
    }
}

/// `client_secret` is a member of registration responses; in a file it would be a secret in clear text.
fn clear_text_secret(reader: &mut Reader<'_>, section: &mut Section<'_>) {
    let known = section.peek("client_secret");
    if let Some(site) = known {
        let expected = "`client_secrets = [{ sha256 = \"…\" }]`";
        let problem =
            reader.refuse(&site, "clear-text-secret", "`client_secret`, a secret in clear text", expected);
        problem.hint = "`portreeve client secret` prints a new secret and the line to paste".into();
        section.ignore("client_secret");
    }
}
