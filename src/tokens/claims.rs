//! What is said about a person (OpenID Connect Core §5.3, §5.4, §5.5): the claims that ride on the granted scopes, and those
//! that the request asked for one by one and was granted; none of them null or empty.

use crate::config::Config;
use crate::model::claims::without_empty_members;
use crate::model::client::Client;
use crate::model::user::User;
use crate::protocol::claims_request::{AskedClaim, ClaimsRequest};
use crate::protocol::scope::{ScopeToken, Scopes};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the userinfo endpoint says of `user`, `sub` aside: the claims that `scopes` allow, and those of `asked`.
pub fn for_userinfo(
    config: &Config,
    user: &User,
    scopes: &Scopes,
    asked: &ClaimsRequest,
) -> Map<String, Value> {
    let mut claims = Map::new();
    let definitions = scopes.iter().filter_map(|scope| config.scopes.get(scope.as_str()));
    for name in definitions.flat_map(|definition| &definition.claims) {
        tell(&mut claims, user, name, &AskedClaim::default(), &asked.locales);
    }
    add_asked(&mut claims, user, &asked.userinfo, &asked.locales);
    claims
}

/// What an ID token says of `user` beside who they are: what was asked for there.
pub fn for_id_token(user: &User, asked: &ClaimsRequest) -> Map<String, Value> {
    let mut claims = Map::new();
    add_asked(&mut claims, user, &asked.id_token, &asked.locales);
    claims
}

/// The scope on which the client may have this claim: one that it is registered for and that carries it, as things are now
/// (threat 129).
pub fn carrier(config: &Config, client: &Client, claim: &str) -> Option<ScopeToken> {
    let carries = |scope: &&ScopeToken| {
        config.scopes.get(scope.as_str()).is_some_and(|known| known.claims.iter().any(|one| one == claim))
    };
    client.metadata.scope.iter().find(carries).cloned()
}

/// What the client asked for one by one and may still have.
pub fn still_allowed(config: &Config, client: &Client, asked: &ClaimsRequest) -> ClaimsRequest {
    asked.retain(|name| carrier(config, client, name).is_some())
}

fn add_asked(
    claims: &mut Map<String, Value>,
    user: &User,
    asked: &BTreeMap<String, AskedClaim>,
    locales: &[String],
) {
    for (name, asked) in asked {
        tell(claims, user, name, asked, locales);
    }
}

/// One claim, and its variants in the languages asked for (§5.2), when they have something to say that would do.
fn tell(claims: &mut Map<String, Value>, user: &User, name: &str, asked: &AskedClaim, locales: &[String]) {
    if name == "sub" {
        return;
    }
    let tagged = locales.iter().filter_map(|locale| {
        let known = user.claims.keys().find(|known| {
            known.split_once('#').is_some_and(|(base, tag)| base == name && tag.eq_ignore_ascii_case(locale))
        });
        known.cloned()
    });
    for member in std::iter::once(name.to_owned()).chain(tagged) {
        if let Some(value) = value_of(user, &member)
            && asked.admits(&value)
        {
            claims.insert(member, value);
        }
    }
}

fn value_of(user: &User, name: &str) -> Option<Value> {
    match name {
        "updated_at" => Some(user.updated_at.seconds().into()),
        "preferred_username" => Some(
            user.claims
                .get(name)
                .and_then(without_empty_members)
                .unwrap_or_else(|| user.username.clone().into()),
        ),
        _ => user.claims.get(name).and_then(without_empty_members),
    }
}
