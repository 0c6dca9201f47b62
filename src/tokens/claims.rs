//! What the userinfo endpoint says about a person (OpenID Connect Core §5.3, §5.4): the claims that ride on the granted
//! scopes, none of them null or empty.

use crate::config::Config;
use crate::model::user::User;
use crate::protocol::scope::Scopes;
use serde_json::{Map, Value};

/// The claims of `user` that `scopes` allow, `sub` among them.
pub fn of_user(config: &Config, user: &User, scopes: &Scopes) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), Value::String(user.id.as_str().to_owned()));
    for scope in scopes.iter() {
        let Some(definition) = config.scopes.get(scope.as_str()) else { continue };
        for name in &definition.claims {
            if let Some(value) = value_of(user, name)
                && name != "sub"
            {
                claims.insert(name.clone(), value);
            }
        }
    }
    claims
}

fn value_of(user: &User, name: &str) -> Option<Value> {
    match name {
        "updated_at" => Some(user.updated_at.seconds().into()),
        "preferred_username" => {
            Some(user.claims.get(name).cloned().unwrap_or_else(|| user.username.clone().into()))
        }
        _ => user.claims.get(name).filter(|value| !is_empty(value)).cloned(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
