//! Decoded request parameters: `application/x-www-form-urlencoded`, read strictly (RFC 6749 §3.1, §3.2 and Appendix B).
//! Repeated ones, NUL, broken escapes and foreign encodings are refused here and nowhere else (threats 9, 156, 157).

use percent_encoding::percent_decode;
use std::borrow::Cow;
use url::form_urlencoded;

/// The parameters of one request, in their order; those without a value are as good as absent (RFC 6749 §3.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// Why a text is not a list of parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Named more than once.
    #[error("the parameter {0} is there more than once (RFC 6749 §3.1)")]
    Repeated(String),
    /// Holds NUL.
    #[error("a parameter holds a NUL character")]
    Nul,
    /// Not UTF-8, or a percent sign without two hexadecimal digits.
    #[error("the parameters are not UTF-8 in application/x-www-form-urlencoded (RFC 6749 Appendix B)")]
    Malformed,
    /// More than a hundred.
    #[error("there are more than {MAXIMUM} parameters")]
    TooMany,
}

/// How many parameters a request may have.
const MAXIMUM: usize = 100;
/// The one parameter that may be there more than once (RFC 8707 §2).
const REPEATABLE: &str = "resource";

impl Parameters {
    /// Reads a query or a body of the protocol.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParameterError> {
        Self::parse_repeating(encoded, REPEATABLE)
    }

    /// Reads a body in which `repeatable` may be there more than once: a form of ours with several boxes of one name.
    pub fn parse_repeating(encoded: &[u8], repeatable: &str) -> Result<Self, ParameterError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &b""[..]),
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if parameters.len() == MAXIMUM {
                return Err(ParameterError::TooMany);
            }
            if name != repeatable && parameters.iter().any(|(other, _)| *other == name) {
                return Err(ParameterError::Repeated(shown(&name)));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// These and those of another part of the same request; one named in both is named twice.
    pub fn and(mut self, others: Self) -> Result<Self, ParameterError> {
        for (name, value) in others.0 {
            if name != REPEATABLE && self.0.iter().any(|(other, _)| *other == name) {
                return Err(ParameterError::Repeated(shown(&name)));
            }
            self.0.push((name, value));
        }
        Ok(self)
    }

    /// The value of `name`; `None` when it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Every value of `name` that is not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// These without those called `name`.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(other, _)| other != name).cloned().collect())
    }

    /// Those of these that are called one of `names`.
    pub fn only(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect())
    }

    /// These with `name` set to `value`.
    pub fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut parameters = self.without(name);
        parameters.0.push((name.to_owned(), value.into()));
        parameters
    }

    /// Writes them as a query or a body.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Parameters {
    /// Names only: values may be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// A name as a message may show it: nothing of a long or strange one.
fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() <= 60 && name.chars().all(plain) {
        name.to_owned()
    } else {
        "(of a strange name)".to_owned()
    }
}

fn decode(encoded: &[u8]) -> Result<String, ParameterError> {
    let mut rest = encoded;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        if !rest.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(ParameterError::Malformed);
        }
        rest = &rest[at + 3..];
    }
    let spaced: Cow<'_, [u8]> = match encoded.contains(&b'+') {
        true => encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect(),
        false => Cow::Borrowed(encoded),
    };
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| ParameterError::Malformed)?;
    if decoded.contains('\0') {
        return Err(ParameterError::Nul);
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_even_when_empty_or_equal() {
        // threat 9
        for twice in ["a=1&a=2", "a=1&a=1", "a=&a=1", "a&a", "a=1&b=2&%61=3"] {
            assert_eq!(
                Parameters::parse(twice.as_bytes()),
                Err(ParameterError::Repeated("a".into())),
                "{twice}"
            );
        }
        let query = Parameters::parse(b"a=1").expect("valid");
        assert!(query.and(Parameters::parse(b"a=2").expect("valid")).is_err());
    }

    #[test]
    fn a_resource_may_repeat() {
        let parameters =
            Parameters::parse(b"resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example")
                .expect("valid");
        assert_eq!(parameters.all("resource").count(), 2);
    }

    #[test]
    fn nul_foreign_encodings_and_broken_escapes_are_refused() {
        // threats 156, 157
        assert_eq!(Parameters::parse(b"a=%00"), Err(ParameterError::Nul));
        assert_eq!(Parameters::parse(b"a%00=1"), Err(ParameterError::Nul));
        for wrong in
            [&b"a=%ff"[..], b"a=%", b"a=%4", b"a=%zz", b"a=\xff\xfe", b"a=%+1", b"a=%C0%80", b"a=%ED%A0%80"]
        {
            assert_eq!(Parameters::parse(wrong), Err(ParameterError::Malformed), "{wrong:?}");
        }
        assert_eq!(Parameters::parse(b"a1=&").map(|p| p.get("a1").is_none()), Ok(true));
        let many: String = (0..101).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(Parameters::parse(many.as_bytes()), Err(ParameterError::TooMany));
    }

    #[test]
    fn what_is_written_reads_back() {
        let parameters = Parameters::default().with("state", "a b+c&d=é%\n\"").with("empty", "");
        let again = Parameters::parse(parameters.encode().as_bytes()).expect("valid");
        assert_eq!(again, parameters);
        assert_eq!(again.get("empty"), None);
        assert!(!format!("{again:?}").contains("é"));
    }
}
