//! JSON from strangers, read strictly: one object, no member named twice at any depth, nothing after it, bounded nesting.
//!
//! RFC 7515 §4 and RFC 7519 §4 let a reader choose between refusing repeated names and taking the last; two readers that
//! choose differently see two different tokens, so this one refuses. What the members mean is left to the caller.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The deepest nesting of arrays and objects that is read; the outermost object is the first level.
pub const MAXIMUM_DEPTH: usize = 32;

/// The bytes are not exactly one strict JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStrictJson;

impl fmt::Display for NotStrictJson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("is not one JSON object without repeated members, bounded in depth, with nothing before or after it")
    }
}

impl std::error::Error for NotStrictJson {}

/// Reads `bytes` as exactly one JSON object (RFC 8259 in UTF-8, no byte order mark); refuses repeated member names,
/// nesting beyond [`MAXIMUM_DEPTH`] and trailing data.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, NotStrictJson> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|_| NotStrictJson)?;
    deserializer.end().map_err(|_| NotStrictJson)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(NotStrictJson),
    }
}

/// Reads a value that has `depth` containers around it.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAXIMUM_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inside)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_read_as_it_stands() {
        let text = r#"{"a":[1,-2,0.5,null,true,"x"],"b":{"a":"\u00e9"}}"#;
        let read = parse_object(text.as_bytes()).unwrap();
        assert_eq!(Value::Object(read), serde_json::from_str::<Value>(text).unwrap());
    }

    // threat 71
    #[test]
    fn repeated_members_are_refused_at_any_depth() {
        for text in [
            r#"{"aud":"good","aud":"evil"}"#,
            r#"{"aud":"good","\u0061ud":"evil"}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":[{"b":[{"c":1,"c":2}]}]}"#,
        ] {
            assert_eq!(parse_object(text.as_bytes()), Err(NotStrictJson), "{text}");
        }
    }

    // threat 71
    #[test]
    fn anything_but_exactly_one_object_is_refused() {
        for text in [
            "",
            " ",
            "null",
            "1",
            "\"a\"",
            "[]",
            "[{}]",
            "{}{}",
            "{} x",
            "{},",
            "{}\0",
            "\u{feff}{}",
            "{\"a\":1,}",
            "{/**/}",
            "{}//",
            "{a:1}",
            "{'a':1}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":01}",
            "{\"a\":1e400}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\n\"}",
            "{\"a\"",
            "{1:2}",
        ] {
            assert_eq!(parse_object(text.as_bytes()), Err(NotStrictJson), "{text:?}");
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), Err(NotStrictJson));
        assert_eq!(parse_object(b"{\"a\":\"\xc0\xaf\"}"), Err(NotStrictJson));
    }

    // threat 71
    #[test]
    fn nesting_beyond_thirty_two_levels_is_refused() {
        let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse_object(nested(31).as_bytes()).is_ok());
        for levels in [32, 33, 100, 100_000] {
            assert_eq!(parse_object(nested(levels).as_bytes()), Err(NotStrictJson));
        }
        let objects = "{\"a\":".repeat(33) + "1" + &"}".repeat(33);
        assert_eq!(parse_object(objects.as_bytes()), Err(NotStrictJson));
    }
}
