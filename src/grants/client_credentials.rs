//! `client_credentials` (RFC 6749 §4.4): a service acts for itself. No database on the way: verify, sign, answer; a log
//! line is the record. Scopes about people mean nothing here (threat 113).

use crate::audit;
use crate::grants::error::TokenError;
use crate::grants::{Desk, resource_asked, scopes_asked};
use crate::model::audit_event::{About, EventName};
use crate::model::client::Client;
use crate::protocol::parameters::Parameters;
use crate::protocol::scope::{BUILT_IN, Scopes};
use crate::protocol::token_response::TokenResponse;
use crate::tokens::audience;
use crate::tokens::issue::Authority;
use serde_json::Map;

/// Issues a service's own token.
pub(super) fn grant(
    desk: &Desk<'_>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenResponse, TokenError> {
    let asked: Vec<_> = resource_asked(parameters)?.into_iter().collect();
    let scopes = allowed_scopes(desk, client, scopes_asked(parameters)?)?;
    let target = audience::target(desk.config, &asked, &scopes).map_err(TokenError::Target)?;
    let authority = Authority {
        client,
        grant: None,
        claims: Map::new(),
        scopes: &target.scopes,
        resource: target.resources.first(),
    };
    let response = desk.issuer().issue(&authority, None)?;
    let about = About { client_id: Some(client.id.clone()), ..About::default() };
    let name = EventName::ServiceTokenIssued;
    audit::log(&desk.trail.event(desk.circumstances, name, about, "", "RFC 6749 §4.4"));
    Ok(response)
}

fn allowed_scopes(desk: &Desk<'_>, client: &Client, asked: Option<Scopes>) -> Result<Scopes, TokenError> {
    let own = client.metadata.scope.retain(|scope| !BUILT_IN.contains(&scope));
    let Some(asked) = asked else { return Ok(own) };
    let allowed =
        asked.is_subset(&own) && asked.iter().all(|scope| desk.config.scopes.contains_key(scope.as_str()));
    match allowed {
        true => Ok(asked),
        false => Err(TokenError::InvalidScope("a scope is about people, not declared, or not the client's")),
    }
}
