//! `[registration]`: whether clients may register themselves (RFC 7591), who may, and the most that they can have. Its
//! presence turns registration on; the rule itself is in `clients::registration`.

use super::client_secrets::digests;
use super::reader::{Reader, Section};
use super::scopes::{ScopeTable, undeclared};
use super::tree::shown;
use super::{HashedToken, Registration};
use crate::model::client::{AssertionAudience, PkcePolicy};
use crate::protocol::grant_type::GrantType;
use crate::protocol::scope::Scopes;

/// The most that a registered client may have when the operator does not say.
const USUAL_SCOPE: &str = "openid profile email offline_access";

/// Reads `[registration]`; nothing when nobody typed it.
pub(super) fn registration(
    reader: &mut Reader<'_>,
    root: &mut Section<'_>,
    scopes: &ScopeTable,
) -> Option<Registration> {
    let mut section = reader.section(root, "registration");
    let tokens = digests(reader, &mut section, "initial_access_tokens");
    let require_pkce = reader.boolean(&mut section, "require_pkce").is_none_or(|(require, _)| require);
    let audiences = AssertionAudience::ALL.map(AssertionAudience::as_str).join(", ");
    let audience = reader.parsed(
        &mut section,
        "client_assertion_audience",
        &format!("one of {audiences}"),
        AssertionAudience::parse,
    );
    let registration = Registration {
        initial_access_tokens: tokens.into_iter().map(HashedToken).collect(),
        pkce: if require_pkce { PkcePolicy::Required } else { PkcePolicy::Excused },
        assertion_audience: audience.unwrap_or_default(),
        scope: scope(reader, &mut section, scopes),
        grant_types: grant_types(reader, &mut section),
    };
    reader.finish(&section);
    section.is_table().then_some(registration)
}

fn scope(reader: &mut Reader<'_>, section: &mut Section<'_>, declared: &ScopeTable) -> Scopes {
    let Some((text, site)) = reader.text(section, "scope") else {
        return Scopes::parse(USUAL_SCOPE).unwrap_or_default();
    };
    let scopes = Scopes::parse(&text).unwrap_or_else(|why| {
        reader.refuse(&site, "invalid-value", shown(&text), format!("scopes, parted by spaces; {why}"));
        Scopes::default()
    });
    for scope in scopes.iter().filter(|scope| !declared.contains_key(scope.as_str())) {
        undeclared(reader, &site, scope.as_str(), declared);
    }
    scopes
}

fn grant_types(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<GrantType> {
    let Some(typed) = reader.texts(section, "grant_types") else {
        return vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    };
    let mut grant_types = Vec::new();
    for (name, site) in typed {
        match GrantType::parse(&name) {
            Some(grant_type) => grant_types.push(grant_type),
            None => {
                let expected = format!("one of {}", GrantType::ALL.map(GrantType::as_str).join(", "));
                reader.refuse(&site, "invalid-value", shown(&name), expected).section = Some("RFC 7591 §2");
            }
        }
    }
    grant_types
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
