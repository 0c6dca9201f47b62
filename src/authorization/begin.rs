//! The beginning of every visit: who asks, where the answer goes, what the request means and what of it the client may
//! have (RFC 6749 §4.1.1, RFC 7636 §4.4.1, RFC 8707 §2.1). It runs again at every step.

use crate::authorization::error::AuthorizationError;
use crate::authorization::in_force::Origin;
use crate::authorization::target::RedirectTarget;
use crate::clients::registry::Registry;
use crate::config::Config;
use crate::keys::key_ring::KeyRing;
use crate::model::client::{Client, PkcePolicy};
use crate::model::session::ACR_PASSWORD;
use crate::protocol::authorization_request::AuthorizationRequest;
use crate::protocol::claims_request::ClaimsRequest;
use crate::protocol::grant_type::GrantType;
use crate::protocol::parameters::Parameters;
use crate::protocol::prompt::Prompt;
use crate::protocol::request_uri::PushedRequestId;
use crate::protocol::resource::Resource;
use crate::protocol::scope::{BUILT_IN, ScopeToken, Scopes};
use crate::protocol::timestamp::Timestamp;
use crate::tokens::{audience, claims, id_token_hint};
use std::collections::BTreeMap;
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
    /// The pushed request that a code spends.
    pub pushed: Option<PushedRequestId>,
    /// What the consent page shows: the scopes, and those whose claims are asked for one by one.
    pub shown: Scopes,
    /// The single claims that the client may ask for, each with the scope that it rides on.
    pub claims: BTreeMap<String, ScopeToken>,
    /// The claims that ride on each scope of the page.
    pub riding: BTreeMap<String, Vec<String>>,
    /// The `sub` of the only person that the answer may be about.
    pub expected_subject: Option<String>,
}

/// What a request is judged by.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The clients.
    pub registry: &'a Registry,
    /// The keys that hints are verified with.
    pub ring: &'a KeyRing,
    /// The moment.
    pub now: Timestamp,
}

impl Begun {
    /// Whether one of the `acr` values that the request calls essential can be reached (OpenID Connect Core §5.5.1.1).
    pub fn reaches_essential_acr(&self) -> bool {
        let essential = self.request.claims.essential_acr_values();
        essential.is_empty() || essential.contains(&ACR_PASSWORD)
    }

    /// The single claims of the request whose scopes are among `consented`.
    pub fn claims_within(&self, consented: &Scopes) -> ClaimsRequest {
        let rides =
            |name: &str| self.claims.get(name).is_some_and(|scope| consented.contains(scope.as_str()));
        self.request.claims.retain(rides)
    }
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
pub fn begin(parameters: &Parameters, origin: Origin, grounds: &Grounds<'_>) -> Result<Begun, Refusal> {
    let client_id = parameters.get("client_id");
    let client_id = client_id.ok_or_else(|| Refusal::on_a_page(AuthorizationError::ClientMissing))?;
    let client = grounds.registry.find_named(client_id).cloned();
    let client = client.ok_or_else(|| Refusal::on_a_page(AuthorizationError::UnknownClient))?;
    let target = RedirectTarget::of(&client, parameters).map_err(|error| Refusal {
        error,
        target: None,
        client: Some(client.clone()),
    })?;
    judge(parameters, origin, grounds, &client, &target).map_err(|error| Refusal {
        error,
        target: Some(target),
        client: Some(client),
    })
}

fn judge(
    parameters: &Parameters,
    origin: Origin,
    grounds: &Grounds<'_>,
    client: &Arc<Client>,
    target: &RedirectTarget,
) -> Result<Begun, AuthorizationError> {
    let config = grounds.config;
    if !client.metadata.allows(GrantType::AuthorizationCode) {
        return Err(AuthorizationError::GrantTypeNotAllowed);
    }
    let pushed = admit(origin, client)?;
    let request = AuthorizationRequest::parse(parameters)?;
    if request.code_challenge.is_none() && client.pkce == PkcePolicy::Required {
        return Err(AuthorizationError::ChallengeMissing);
    }
    let asked = scopes_asked(&request, config, client)?;
    let audience =
        audience::target(config, &request.resources, &asked).map_err(AuthorizationError::Target)?;
    let claims = claims_asked(&request, &asked, config, client);
    let shown = audience.scopes.union(&claims.values().cloned().collect());
    let of_scope = |scope: &ScopeToken| {
        let known = config.scopes.get(scope.as_str())?;
        Some((scope.as_str().to_owned(), known.claims.clone()))
    };
    let riding = shown.iter().filter_map(of_scope).collect();
    Ok(Begun {
        riding,
        expected_subject: expected_subject(&request, grounds, client)?,
        client: client.clone(),
        target: target.clone(),
        scopes: audience.scopes,
        resources: audience.resources,
        request,
        pushed,
        shown,
        claims,
    })
}

/// Whether requests of the client may come this way; yields the pushed request that is spent in the end (threat 81).
fn admit(origin: Origin, client: &Client) -> Result<Option<PushedRequestId>, AuthorizationError> {
    let metadata = &client.metadata;
    let signed = matches!(origin, Origin::Signed | Origin::PushedAndSigned | Origin::Pushed(_));
    let pushed = !matches!(origin, Origin::Plain | Origin::Signed);
    if metadata.require_pushed_authorization_requests && !pushed {
        return Err(AuthorizationError::PushRequired);
    }
    if metadata.require_signed_request_object && !signed {
        return Err(AuthorizationError::SignatureRequired);
    }
    Ok(match origin {
        Origin::Pushed(id) => Some(id),
        _ => None,
    })
}

/// The single claims that the client may ask for: those that ride on a scope it is registered for (threat 129). With each
/// the scope whose words the consent page shows for it. Nothing without `openid` (OpenID Connect Core §5.5).
fn claims_asked(
    request: &AuthorizationRequest,
    asked: &Scopes,
    config: &Config,
    client: &Client,
) -> BTreeMap<String, ScopeToken> {
    let carrier = |claim: &str| claims::carrier(config, client, claim);
    let names = request.claims.names().filter(|_| asked.contains("openid"));
    names.filter_map(|name| Some((name.to_owned(), carrier(name)?))).collect()
}

/// Whom the request means, by `id_token_hint` or by the value of `sub` in `claims`. An expired hint is a hint as well; one
/// that was signed by a key that is no longer known tells nothing (OpenID Connect Core §3.1.2.1, threat 128).
fn expected_subject(
    request: &AuthorizationRequest,
    grounds: &Grounds<'_>,
    client: &Client,
) -> Result<Option<String>, AuthorizationError> {
    let hinted = match &request.id_token_hint {
        None => None,
        Some(hint) => {
            let hinted = id_token_hint::read(hint, grounds.config, grounds.ring, grounds.now);
            let hinted = hinted.map_err(AuthorizationError::MalformedHint)?;
            if hinted.as_ref().is_some_and(|hinted| hinted.client_id != client.id.as_str()) {
                return Err(AuthorizationError::MalformedHint("id_token_hint was issued to another client"));
            }
            // who cannot be told cannot be the one who is silently served
            if hinted.is_none() && request.prompts.contains(Prompt::None) {
                return Err(AuthorizationError::LoginRequired);
            }
            hinted.map(|hinted| hinted.sub)
        }
    };
    match (hinted, request.claims.subject()) {
        (Some(hinted), Some(asked)) if hinted != asked => {
            Err(AuthorizationError::MalformedHint("id_token_hint and claims mean two different people"))
        }
        (hinted, asked) => Ok(hinted.or_else(|| asked.map(str::to_owned))),
    }
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
