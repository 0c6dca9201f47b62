//! The beginning of every visit: who asks, where the answer goes, what the request means and what of it the client may
//! have (RFC 6749 §4.1.1, RFC 7636 §4.4.1, RFC 8707 §2.1). It runs again at every step.

use crate::authorization::error::AuthorizationError;
use crate::authorization::target::RedirectTarget;
use crate::clients::registry::Registry;
use crate::config::Config;
use crate::model::client::{Client, PkcePolicy};
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::grant_type::GrantType;
use crate::protocol::parameters::Parameters;
use crate::protocol::resource::Resource;
use crate::protocol::scope::{BUILT_IN, Scopes};
use crate::tokens::audience;
use std::sync::Arc;

/// A request that the client may make; whether a person agrees is the next question.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub target: RedirectTarget,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// The scopes that it comes to.
    pub scopes: Scopes,
    /// The resources that it comes to.
    pub resources: Vec<Resource>,
}

/// A refusal, and where it may be told: nowhere but on a page until client and redirect URI are known good.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub error: AuthorizationError,
    /// Where the client hears of it; on a page when absent.
    pub target: Option<RedirectTarget>,
    /// Who asked, when that is known.
    pub client: Option<Arc<Client>>,
}

impl Refusal {
    /// A refusal that only a page may tell.
    pub fn on_a_page(error: AuthorizationError) -> Self {
        Self { error, target: None, client: None }
    }
}

/// Judges the parameters of a request.
pub fn begin(parameters: &Parameters, config: &Config, registry: &Registry) -> Result<Begun, Refusal> {
    let client_id = parameters.get("client_id");
    let client_id = client_id.ok_or_else(|| Refusal::on_a_page(AuthorizationError::ClientMissing))?;
    let client = registry.find_named(client_id).cloned();
    let client = client.ok_or_else(|| Refusal::on_a_page(AuthorizationError::UnknownClient))?;
    let target = RedirectTarget::of(&client, parameters).map_err(|error| Refusal {
        error,
        target: None,
        client: Some(client.clone()),
    })?;
    match judge(parameters, config, &client) {
        Ok((request, scopes, resources)) => Ok(Begun { client, target, request, scopes, resources }),
        Err(error) => Err(Refusal { error, target: Some(target), client: Some(client) }),
    }
}

type Judged = (AuthorizationRequest, Scopes, Vec<Resource>);

fn judge(parameters: &Parameters, config: &Config, client: &Client) -> Result<Judged, AuthorizationError> {
    if !client.metadata.allows(GrantType::AuthorizationCode) {
        return Err(AuthorizationError::GrantTypeNotAllowed);
    }
    let request = AuthorizationRequest::parse(parameters)?;
    if request.code_challenge.is_none() && client.pkce == PkcePolicy::Required {
        return Err(AuthorizationError::ChallengeMissing);
    }
    let asked = scopes_asked(&request, config, client)?;
    let target = audience::target(config, &request.resources, &asked).map_err(AuthorizationError::Target)?;
    Ok((request, target.scopes, target.resources))
}

/// None asked for means the client's whole scope; `offline_access` means nothing to a client that never refreshes
/// (OpenID Connect Core §11).
fn scopes_asked(
    request: &AuthorizationRequest,
    config: &Config,
    client: &Client,
) -> Result<Scopes, AuthorizationError> {
    let allowed = &client.metadata.scope;
    let asked = request.scope.as_ref().unwrap_or(allowed);
    for scope in asked.iter() {
        let name = scope.as_str();
        let declared = BUILT_IN.contains(&name) || config.scopes.contains_key(name);
        if !declared || !allowed.contains(name) {
            return Err(AuthorizationError::ScopeNotAllowed(name.to_owned()));
        }
    }
    let refreshes = client.metadata.allows(GrantType::RefreshToken);
    Ok(asked.retain(|scope| scope != "offline_access" || refreshes))
}
