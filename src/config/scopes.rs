//! `[scopes]` and `[resources]`: what may be asked for, which claims ride on it, and who serves it.

use super::reader::{Reader, Section, Site, nearest};
use super::tree::shown;
use super::{ResourceDefinition, ScopeDefinition};
use crate::protocol::identifiers::ClientId;
use crate::protocol::issuer::Issuer;
use crate::protocol::localized::{Localized, is_language_tag};
use crate::protocol::resource::Resource;
use crate::protocol::scope::{BUILT_IN, ScopeToken, Scopes};
use std::collections::BTreeMap;

/// The scopes by name.
pub(super) type ScopeTable = BTreeMap<String, ScopeDefinition>;

/// Claims that this server says itself and no scope may carry (threat 75).
pub(super) const RESERVED_CLAIMS: [&str; 26] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "nonce",
    "auth_time",
    "acr",
    "amr",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "cnf",
    "client_id",
    "scope",
    "act",
    "may_act",
    "events",
    "txn",
    "typ",
    "token_type",
    "active",
];

/// The built-in scopes: what they allow, in English (the consent page says it in words of its own), and the claims of OpenID Connect Core §5.4.
const BUILT_IN_DEFINITIONS: [(&str, &str, &[&str]); 6] = [
    ("openid", "Know who you are", &[]),
    (
        "profile",
        "See your name and profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", "See your e-mail address", &["email", "email_verified"]),
    ("address", "See your postal address", &["address"]),
    ("phone", "See your phone number", &["phone_number", "phone_number_verified"]),
    ("offline_access", "Keep this access while you are away", &[]),
];

/// Every scope that needs no declaration.
pub(super) fn built_in() -> ScopeTable {
    let definition = |(name, description, claims): (&str, &str, &[&str])| {
        let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
        (name.to_owned(), ScopeDefinition { description: Localized::plain(description), claims })
    };
    BUILT_IN_DEFINITIONS.into_iter().map(definition).collect()
}

/// Reads `[scopes]`; the built-in ones are there already.
pub(super) fn scopes(reader: &mut Reader<'_>, root: &mut Section<'_>) -> ScopeTable {
    let mut scopes = built_in();
    let section = reader.section(root, "scopes");
    for (name, head, mut section) in reader.named_sections(section) {
        if let Err(why) = ScopeToken::parse(name) {
            let problem = reader.refuse(&head, "invalid-value", shown(name), format!("a scope-token: {why}"));
            problem.section = Some("RFC 6749 §3.3");
        } else if BUILT_IN.contains(&name) {
            let expected = "a name of its own: this scope is built in and cannot be redefined";
            let problem = reader.refuse(&head, "built-in-scope", shown(name), expected);
            problem.section = Some("OpenID Connect Core §5.4");
        }
        let description = description(reader, &mut section);
        let claims = claims(reader, &mut section);
        reader.finish(&section);
        scopes.entry(name.to_owned()).or_insert(ScopeDefinition { description, claims });
    }
    scopes
}

/// `description`, and `"description#de"` beside it for people who read German (as in RFC 7591 §2.2).
fn description(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Localized {
    let mut description =
        Localized { default: description_at(reader, section, "description"), ..Localized::default() };
    if section.get("description").is_none() {
        let site = Site { place: section.site.place.clone(), key: section.path("description") };
        let expected = "`description = \"…\"`: what the consent page says";
        reader.refuse(&site, "missing-key", "no `description`", expected);
    }
    for (key, tag) in section.variants("description") {
        let text = description_at(reader, section, key);
        if !is_language_tag(tag) {
            if let Some(site) = section.peek(key) {
                let expected = "a language tag after the `#`, such as \"description#de\"";
                reader.refuse(&site, "invalid-value", shown(key), expected).section = Some("RFC 5646 §2.1");
            }
        } else if let Some(text) = text
            && description.by_language.insert(tag.to_ascii_lowercase(), text).is_some()
            && let Some(site) = section.peek(key)
        {
            reader.refuse(&site, "repeated", shown(key), "each language once; their case means nothing");
        }
    }
    description
}

fn description_at<'t>(reader: &mut Reader<'_>, section: &mut Section<'t>, key: &'t str) -> Option<String> {
    let (text, site) = reader.text(section, key)?;
    if !readable(&text, 200) {
        let expected = "1 to 200 characters, none of them a control, direction or invisible one";
        reader.refuse(&site, "invalid-value", shown(&text), expected);
    }
    Some(text)
}

fn claims(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<String> {
    let mut claims = Vec::new();
    for (claim, site) in reader.texts(section, "claims").unwrap_or_default() {
        if RESERVED_CLAIMS.contains(&claim.as_str()) {
            let expected = "a claim of a person; this one is the server's own to say";
            reader.refuse(&site, "reserved-claim", shown(&claim), expected).section = Some("RFC 7519 §4.1");
        } else if !readable(&claim, 100) {
            let expected = "the name of a claim, 1 to 100 visible characters";
            reader.refuse(&site, "invalid-value", shown(&claim), expected);
        } else {
            claims.push(claim);
        }
    }
    claims
}

/// Reads `[resources]`. The second value names every client that a resource mentions, to be looked for among the
/// clients.
pub(super) fn resources(
    reader: &mut Reader<'_>,
    root: &mut Section<'_>,
    scopes: &ScopeTable,
    issuer: Option<&Issuer>,
) -> (Vec<ResourceDefinition>, Vec<(ClientId, Site)>) {
    let mut resources = Vec::new();
    let mut introspectors = Vec::new();
    let section = reader.section(root, "resources");
    for (name, head, mut section) in reader.named_sections(section) {
        let resource = Resource::parse(name).ok();
        if resource.is_none() {
            let problem =
                reader.refuse(&head, "invalid-value", shown(name), "an absolute URI without fragment");
            problem.section = Some("RFC 8707 §2");
        }
        if issuer.is_some_and(|issuer| issuer.as_str() == name) {
            let expected = "an identifier of its own: the issuer means this server itself";
            reader.refuse(&head, "invalid-value", shown(name), expected).section = Some("RFC 9068 §3");
        }
        let served = served(reader, &mut section, scopes);
        let mut clients = Vec::new();
        for (text, site) in reader.texts(&mut section, "introspection_clients").unwrap_or_default() {
            match ClientId::parse(&text) {
                Ok(id) => {
                    introspectors.push((id.clone(), site));
                    clients.push(id);
                }
                Err(why) => {
                    let expected = format!("the client_id of a client; this one {why}");
                    reader.refuse(&site, "invalid-value", shown(&text), expected);
                }
            }
        }
        reader.finish(&section);
        if let Some(resource) = resource {
            resources.push(ResourceDefinition { resource, scopes: served, introspection_clients: clients });
        }
    }
    (resources, introspectors)
}

fn served(reader: &mut Reader<'_>, section: &mut Section<'_>, scopes: &ScopeTable) -> Scopes {
    let mut served = Vec::new();
    for (name, site) in reader.texts(section, "scopes").unwrap_or_default() {
        if BUILT_IN.contains(&name.as_str()) {
            let expected = "a scope of [scopes]; a built-in one belongs to no resource";
            reader.refuse(&site, "built-in-scope", shown(&name), expected);
        } else if !scopes.contains_key(&name) {
            undeclared(reader, &site, &name, scopes);
        } else if let Ok(token) = ScopeToken::parse(&name) {
            served.push(token);
        }
    }
    served.into_iter().collect()
}

/// Refuses a scope that nobody declared.
pub(super) fn undeclared(reader: &mut Reader<'_>, site: &Site, name: &str, scopes: &ScopeTable) {
    let nearest = nearest(name, scopes.keys().map(String::as_str)).map(str::to_owned);
    let expected = "a built-in scope or one declared in [scopes]";
    let problem = reader.refuse(site, "undeclared-scope", shown(name), expected);
    problem.hint = match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("declare it: [scopes.\"{}\"] with a description", name.escape_debug()),
    };
}

/// Whether people see all of a text as it is (threat 116).
pub(super) fn readable(text: &str, longest: usize) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(hidden)
}
