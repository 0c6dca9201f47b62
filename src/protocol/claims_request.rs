//! The `claims` parameter (OpenID Connect Core §5.5): single claims for the ID token or for userinfo, each essential or not,
//! perhaps with the values that would do. What the client may have of them is judged in `authorization`.

use crate::protocol::localized::is_language_tag;
use crate::protocol::strict_json;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What single claims a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// `id_token`.
    pub id_token: BTreeMap<String, AskedClaim>,
    /// `userinfo`.
    pub userinfo: BTreeMap<String, AskedClaim>,
    /// `claims_locales`, a parameter of its own (§5.2): the languages in which claims are wanted, best first.
    pub locales: Vec<String>,
}

/// How a claim is asked for (§5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedClaim {
    /// `essential`.
    pub essential: bool,
    /// `value`, or `values`; any value does when empty.
    pub values: Vec<Value>,
}

/// The parameter is not what §5.5 describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("claims is not a JSON object of id_token and userinfo as OpenID Connect Core describes it")]
pub struct MalformedClaims;

/// The most claims that one member may ask for.
const MAXIMUM_CLAIMS: usize = 100;

impl ClaimsRequest {
    /// Reads the parameter. Members that the standard does not name are ignored, as it says.
    pub fn parse(text: &str) -> Result<Self, MalformedClaims> {
        let members = strict_json::parse_object(text.as_bytes()).map_err(|_| MalformedClaims)?;
        let request = Self {
            id_token: asked(members.get("id_token"))?,
            userinfo: asked(members.get("userinfo"))?,
            locales: Vec::new(),
        };
        if request.is_contradictory() { Err(MalformedClaims) } else { Ok(request) }
    }

    /// Whether no answer could be what it asks for: an `acr` that is no text, or several people at once.
    fn is_contradictory(&self) -> bool {
        let named = |name: &str| {
            let both = [&self.id_token, &self.userinfo].into_iter();
            both.filter_map(|asked| asked.get(name))
                .flat_map(|claim| claim.values.clone())
                .collect::<Vec<_>>()
        };
        let (acr, mut sub) = (named("acr"), named("sub"));
        sub.dedup();
        sub.len() > 1 || acr.iter().chain(&sub).any(|value| !value.is_string())
    }

    /// Reads what [`ClaimsRequest::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, MalformedClaims> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let members = strict_json::parse_object(text.as_bytes()).map_err(|_| MalformedClaims)?;
        let locales = match members.get("locales") {
            None => Vec::new(),
            Some(Value::String(locales)) => parse_locales(locales),
            Some(_) => return Err(MalformedClaims),
        };
        Ok(Self { locales, ..Self::parse(text)? })
    }

    /// The request as it is kept; empty when nothing is asked for.
    pub fn to_text(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let member = |asked: &BTreeMap<String, AskedClaim>| -> Map<String, Value> {
            let written = |claim: &AskedClaim| match (claim.essential, claim.values.is_empty()) {
                (false, true) => Value::Null,
                (essential, true) => json!({ "essential": essential }),
                (essential, false) => json!({ "essential": essential, "values": claim.values }),
            };
            asked.iter().map(|(name, claim)| (name.clone(), written(claim))).collect()
        };
        let locales = self.locales.join(" ");
        let whole = json!({
            "id_token": member(&self.id_token),
            "userinfo": member(&self.userinfo),
            "locales": locales,
        });
        whole.to_string()
    }

    /// The names of all claims that are asked for, wherever they would go.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.id_token.keys().chain(self.userinfo.keys()).map(String::as_str)
    }

    /// The request with those claims only whose name `keep` wants.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        let some = |asked: &BTreeMap<String, AskedClaim>| {
            asked
                .iter()
                .filter(|(name, _)| keep(name))
                .map(|(name, claim)| (name.clone(), claim.clone()))
                .collect()
        };
        Self { id_token: some(&self.id_token), userinfo: some(&self.userinfo), locales: self.locales.clone() }
    }

    /// The `acr` values of which one is essential (§5.5.1.1); none when any will do.
    pub fn essential_acr_values(&self) -> Vec<&str> {
        match self.id_token.get("acr") {
            Some(asked) if asked.essential => asked.values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The one `sub` that the answer must be about, when there is one (§5.5.1).
    pub fn subject(&self) -> Option<&str> {
        [&self.id_token, &self.userinfo].into_iter().find_map(|asked| {
            match asked.get("sub")?.values.as_slice() {
                [Value::String(sub)] => Some(sub.as_str()),
                _ => None,
            }
        })
    }
}

impl AskedClaim {
    /// Whether `value` would do.
    pub fn admits(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }
}

fn asked(member: Option<&Value>) -> Result<BTreeMap<String, AskedClaim>, MalformedClaims> {
    let claims = match member {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MAXIMUM_CLAIMS => claims,
        Some(_) => return Err(MalformedClaims),
    };
    claims.iter().map(|(name, claim)| Ok((name.clone(), one(claim)?))).collect()
}

fn one(claim: &Value) -> Result<AskedClaim, MalformedClaims> {
    let members = match claim {
        Value::Null => return Ok(AskedClaim::default()),
        Value::Object(members) => members,
        _ => return Err(MalformedClaims),
    };
    let essential = match members.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err(MalformedClaims),
    };
    let values = match (members.get("value"), members.get("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value.clone()],
        (None, Some(Value::Array(values))) => values.clone(),
        _ => return Err(MalformedClaims),
    };
    Ok(AskedClaim { essential, values })
}

/// `ui_locales` and `claims_locales` (§3.1.2.1, §5.2): language tags, best first. What is no tag is passed over, as the
/// standard wants no error for it.
pub fn parse_locales(text: &str) -> Vec<String> {
    text.split(' ').filter(|tag| is_language_tag(tag)).take(20).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_asked_for_with_null_or_with_what_would_do() {
        // OpenID Connect Core §5.5
        let text = r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,"picture":{},"http://example.info/claims/groups":null},
                      "id_token":{"auth_time":{"essential":true},"acr":{"essential":true,"values":["urn:a","urn:b"]},"sub":{"value":"248"}},
                      "other":{"x":1}}"#;
        let request = ClaimsRequest::parse(text).expect("well-formed");
        assert!(request.userinfo["given_name"].essential && !request.userinfo["nickname"].essential);
        assert_eq!(request.userinfo.len(), 4);
        assert_eq!(request.essential_acr_values(), ["urn:a", "urn:b"]);
        assert_eq!(request.subject(), Some("248"));
        assert_eq!(ClaimsRequest::from_text(&request.to_text()), Ok(request));
        assert_eq!(ClaimsRequest::default().to_text(), "");
    }

    #[test]
    fn what_is_not_such_an_object_is_refused() {
        // threats 71, 127
        for text in [
            "",
            "x",
            "[]",
            "null",
            "\"{}\"",
            "{\"id_token\":[]}",
            "{\"id_token\":{\"a\":1}}",
            "{\"id_token\":{\"a\":{\"essential\":\"yes\"}}}",
            "{\"id_token\":{\"a\":{\"values\":\"x\"}}}",
            "{\"id_token\":{\"a\":{\"value\":1,\"values\":[1]}}}",
            "{\"id_token\":{},\"id_token\":{}}",
            "{\"userinfo\":{\"a\":null,\"a\":null}}",
            "{} {}",
            "{\"id_token\":{\"acr\":{\"essential\":true,\"value\":1}}}",
            "{\"id_token\":{\"sub\":{\"value\":7}}}",
            "{\"id_token\":{\"sub\":{\"values\":[\"a\",\"b\"]}}}",
            "{\"id_token\":{\"sub\":{\"value\":\"a\"}},\"userinfo\":{\"sub\":{\"value\":\"b\"}}}",
        ] {
            assert_eq!(ClaimsRequest::parse(text), Err(MalformedClaims), "{text}");
        }
        let many: Vec<String> = (0..101).map(|n| format!("\"c{n}\":null")).collect();
        assert!(ClaimsRequest::parse(&format!("{{\"userinfo\":{{{}}}}}", many.join(","))).is_err());
    }

    #[test]
    fn locales_are_tags_and_what_is_none_is_passed_over() {
        assert_eq!(parse_locales("se de-AT  x_y pt"), ["se", "de-AT", "pt"]);
        assert!(parse_locales("").is_empty());
    }
}
