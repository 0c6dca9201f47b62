//! Which clients a request may be about, before anything of it is verified: so that those that registered themselves are at
//! hand when the rules look for them. Whoever names a client that he is not gains nothing but its being looked up.

use crate::protocol::basic_credentials;
use crate::protocol::identifiers::ClientId;
use crate::protocol::parameters::Parameters;
use crate::protocol::strict_json;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Parameters that hold a JSON Web Token, and the claim that names a client.
const TOKENS: [(&str, &str); 4] = [
    ("id_token_hint", "aud"),
    ("client_assertion", "sub"),
    ("token", "client_id"),
    ("access_token", "client_id"),
];

/// No token is longer.
const LONGEST: usize = 16 * 1024;

/// The clients that the parameters and the Authorization header name.
pub fn clients(parameters: &Parameters, authorization: Option<&str>) -> Vec<ClientId> {
    let mut named: Vec<ClientId> = Vec::new();
    let mut note = |text: &str| {
        if let Ok(id) = ClientId::parse(text)
            && id.may_be_registered()
            && !named.contains(&id)
        {
            named.push(id);
        }
    };
    if let Some(text) = parameters.get("client_id") {
        note(text);
    }
    if let Some(Some(Ok((id, _)))) = authorization.map(basic_credentials::parse) {
        note(&id);
    }
    for (parameter, claim) in TOKENS {
        if let Some(id) = parameters.get(parameter).and_then(|token| claimed(token, claim)) {
            note(&id);
        }
    }
    named
}

/// The client that a Bearer token names.
pub fn client_of_token(token: &str) -> Option<ClientId> {
    let id = ClientId::parse(&claimed(token, "client_id")?).ok()?;
    id.may_be_registered().then_some(id)
}

/// A claim of a token, or the only element of one that is a list; nothing of it is verified.
fn claimed(token: &str, claim: &str) -> Option<String> {
    let payload = token.split('.').nth(1).filter(|payload| payload.len() <= LONGEST)?;
    let mut claims = strict_json::parse_object(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    match claims.remove(claim)? {
        Value::String(text) => Some(text),
        Value::Array(list) => match list.as_slice() {
            [Value::String(only)] => Some(only.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token(claims: &Value) -> String {
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn a_request_names_clients_in_many_places() {
        let ids: Vec<ClientId> = (1..5).map(|byte| ClientId::from_random([byte; 16])).collect();
        let parameters = Parameters::default()
            .with("client_id", ids[0].as_str())
            .with("id_token_hint", token(&json!({"aud": ids[1].as_str()})))
            .with("client_assertion", token(&json!({"sub": ids[0].as_str()})))
            .with("token", token(&json!({"client_id": ids[2].as_str()})));
        let basic =
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{}:x", ids[3])));
        assert_eq!(
            clients(&parameters, Some(&basic)),
            [&ids[0], &ids[3], &ids[1], &ids[2]].map(Clone::clone)
        );
        assert_eq!(client_of_token(&token(&json!({"client_id": ids[1].as_str()}))), Some(ids[1].clone()));
    }

    #[test]
    fn what_names_no_registered_client_is_passed_over() {
        for hint in
            ["", ".", "a.b.c", "e30.e30.", &token(&json!({"aud": ["a", "b"]})), &token(&json!({"aud": 7}))]
        {
            let parameters = Parameters::default().with("client_id", "web").with("id_token_hint", hint);
            assert_eq!(clients(&parameters, Some("Bearer x")), [], "{hint}");
            assert_eq!(client_of_token(hint), None);
        }
    }
}
