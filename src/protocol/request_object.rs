//! The claims of a request object as request parameters (RFC 9101 §4, OpenID Connect Core §6.1). Who signed it, for whom and
//! until when was judged before.

use crate::protocol::parameters::Parameters;
use serde_json::{Map, Value};

/// The claims are not those of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedRequestObject(pub &'static str);

/// What a JWT says of itself and not of the request (RFC 7519 §4.1).
const OF_THE_TOKEN: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// Reads the parameters: texts as they stand, numbers and booleans as JSON writes them, `claims` as the JSON that it is,
/// `resource` once or several times.
pub fn parameters(claims: &Map<String, Value>) -> Result<Parameters, MalformedRequestObject> {
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(MalformedRequestObject("a request object holds no other (RFC 9101 §4)"));
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in claims.iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str())) {
        match value {
            Value::String(text) => pairs.push((name.clone(), text.clone())),
            Value::Number(number) => pairs.push((name.clone(), number.to_string())),
            Value::Bool(flag) => pairs.push((name.clone(), flag.to_string())),
            Value::Object(_) if name == "claims" => pairs.push((name.clone(), value.to_string())),
            Value::Array(elements) if name == "resource" => {
                for element in elements {
                    let text =
                        element.as_str().ok_or(MalformedRequestObject("resource is no list of texts"))?;
                    pairs.push((name.clone(), text.to_owned()));
                }
            }
            _ => return Err(MalformedRequestObject("a claim is of a type that no parameter has")),
        }
    }
    let written = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    Parameters::parse(written.as_bytes())
        .map_err(|_| MalformedRequestObject("a claim holds what no parameter may hold"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(claims: Value) -> Result<Parameters, MalformedRequestObject> {
        let Value::Object(claims) = claims else { panic!("an object") };
        parameters(&claims)
    }

    #[test]
    fn claims_become_parameters_and_what_the_token_says_of_itself_does_not() {
        let read = read(json!({
            "iss": "app", "aud": "https://auth.example.com", "exp": 1, "nbf": 1, "iat": 1, "jti": "x",
            "client_id": "app", "max_age": 60, "scope": "openid é", "claims": {"userinfo": {"name": null}},
            "resource": ["https://a.example", "https://b.example"],
        }))
        .expect("well-formed");
        assert_eq!((read.get("client_id"), read.get("max_age")), (Some("app"), Some("60")));
        assert_eq!(
            (read.get("scope"), read.get("claims")),
            (Some("openid é"), Some(r#"{"userinfo":{"name":null}}"#))
        );
        assert_eq!((read.all("resource").count(), read.get("iss"), read.get("exp")), (2, None, None));
    }

    #[test]
    fn what_no_parameter_can_be_is_refused() {
        // threats 70, 80, 85, 157
        for wrong in [
            json!({"request": "x"}),
            json!({"request_uri": "urn:x"}),
            json!({"scope": ["openid"]}),
            json!({"scope": null}),
            json!({"state": {"a": 1}}),
            json!({"resource": [1]}),
            json!({"resource": {"a": 1}}),
            json!({"state": "a\u{0}b"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
