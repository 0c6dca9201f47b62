//! For which resource server an access token is (RFC 8707 §2, RFC 9068 §3): the one asked for, else the one that serves the
//! scopes, else this server itself. Scopes of another resource than the one asked for are left out.

use crate::config::{Config, ResourceDefinition};
use crate::protocol::resource::Resource;
use crate::protocol::scope::{BUILT_IN, Scopes};

/// A resource and the scopes that remain for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The resources; none is this server itself.
    pub resources: Vec<Resource>,
    /// The scopes that they serve, and those that no resource does.
    pub scopes: Scopes,
}

/// Why there is no target (RFC 8707 §2: `invalid_target`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No resource server of this name.
    #[error("there is no resource server of that name")]
    Unknown,
    /// The scopes belong to several, and none was chosen.
    #[error("the scopes belong to more than one resource server; say which by resource")]
    Ambiguous,
    /// Several at once where one token is for one.
    #[error("an access token is for one resource server")]
    Several,
}

/// Whom a request means: every resource it names, or the one that its scopes imply.
pub fn target(config: &Config, asked: &[Resource], scopes: &Scopes) -> Result<Target, TargetError> {
    let known = |resource: &Resource| config.resources.iter().find(|known| known.resource == *resource);
    let mut chosen: Vec<&ResourceDefinition> = Vec::new();
    for resource in asked {
        let definition = known(resource).ok_or(TargetError::Unknown)?;
        if !chosen.iter().any(|other| other.resource == definition.resource) {
            chosen.push(definition);
        }
    }
    if chosen.is_empty() {
        chosen = implied(config, scopes)?.into_iter().collect();
    }
    Ok(Target {
        scopes: narrowed(config, scopes, &chosen),
        resources: chosen.into_iter().map(|definition| definition.resource.clone()).collect(),
    })
}

/// The scopes of `scopes` that a token for `resource` carries.
pub fn scopes_for(config: &Config, scopes: &Scopes, resource: Option<&Resource>) -> Scopes {
    let chosen: Vec<_> = config.resources.iter().filter(|known| Some(&known.resource) == resource).collect();
    narrowed(config, scopes, &chosen)
}

fn implied<'a>(config: &'a Config, scopes: &Scopes) -> Result<Option<&'a ResourceDefinition>, TargetError> {
    let owned = |scope: &str| config.resources.iter().any(|resource| resource.scopes.contains(scope));
    let theirs = scopes.retain(|scope| !BUILT_IN.contains(&scope) && owned(scope));
    if theirs.is_empty() {
        return Ok(None);
    }
    let mut serving = config.resources.iter().filter(|resource| theirs.is_subset(&resource.scopes));
    match (serving.next(), serving.next()) {
        (Some(one), None) => Ok(Some(one)),
        _ => Err(TargetError::Ambiguous),
    }
}

fn narrowed(config: &Config, scopes: &Scopes, chosen: &[&ResourceDefinition]) -> Scopes {
    scopes.retain(|scope| {
        let serves = |resource: &ResourceDefinition| resource.scopes.contains(scope);
        BUILT_IN.contains(&scope)
            || !config.resources.iter().any(serves)
            || chosen.iter().any(|resource| serves(resource))
    })
}
