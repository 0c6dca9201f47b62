//! What a verifier expects of a token's type and claims, and the typed check of the claims that RFC 7519 §4.1 registers.
//!
//! An absent claim that was expected is a failure, and a claim that is there has its type whether it was expected or not
//! (threat 70). Claims beyond the registered ones are left to the caller.

use crate::jose::jwt_type::JwtType;
use crate::jose::verify::VerifyError;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use serde_json::{Map, Value};

/// What must be true of a token beside its signature.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'a> {
    /// The kinds of token that are accepted (RFC 8725 §3.11).
    pub typ: ExpectedType,
    /// The one `iss`; `None` where the caller judges it.
    pub issuer: Option<&'a str>,
    /// Whom the token must be meant for.
    pub audience: Audience<'a>,
    /// The algorithms that are accepted (RFC 8725 §3.1).
    pub algorithms: &'a [VerificationAlgorithm],
    /// The time, in seconds since 1970.
    pub now_seconds: i64,
    /// How far clocks may differ, in seconds; whether `exp` gets it too is [`Expiry`]'s.
    pub leeway_seconds: i64,
    /// Whether the token must live still.
    pub expiry: Expiry,
    /// How long ago `iat` may lie, in seconds; `Some` makes `iat` required.
    pub maximum_age_seconds: Option<i64>,
}

/// The `typ` that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedType {
    /// This one, named.
    Only(JwtType),
    /// `JWT` or none at all, as RFC 7519 §5.1 leaves it to issuers: assertions, ID tokens as hints.
    JwtOrAbsent,
    /// This one, named, or `JWT`, or none at all: where a newer standard named a type that older clients do not send.
    JwtOrAbsentOr(JwtType),
}

/// Whom `aud` must name (RFC 7519 §4.1.3).
#[derive(Clone, Copy, Debug)]
pub enum Audience<'a> {
    /// Exactly this, as one string: an array is refused (RFC 7523bis).
    Exactly(&'a str),
    /// One string, and one of these.
    ExactlyOneOf(&'a [&'a str]),
    /// This, as the string or among the array.
    Contains(&'a str),
    /// Anyone or no one: the caller judges it; the type is checked all the same.
    Any,
}

/// Whether `exp` (RFC 7519 §4.1.4) counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It must be there and lie ahead, give or take the leeway.
    Required,
    /// It must be there and lie ahead by this clock: what ends is never made to last.
    Strict,
    /// It may be past or absent: hints of who was signed in (RP-Initiated Logout §2), proofs that have `iat` only.
    Ignored,
}

impl ExpectedType {
    /// Judges the `typ` header, absent as `None`.
    pub(crate) fn check(self, typ: Option<&str>) -> Result<(), VerifyError> {
        let accepted = match (self, typ.map(JwtType::parse)) {
            (Self::Only(expected), Some(found)) => found == Some(expected),
            (Self::Only(_), None) => false,
            (Self::JwtOrAbsent | Self::JwtOrAbsentOr(_), None | Some(Some(JwtType::Jwt))) => true,
            (Self::JwtOrAbsentOr(expected), Some(found)) => found == Some(expected),
            (Self::JwtOrAbsent, Some(_)) => false,
        };
        if accepted { Ok(()) } else { Err(VerifyError::Type) }
    }
}

impl Expectation<'_> {
    /// Judges the claims of a token whose signature is good.
    pub(crate) fn check_claims(&self, claims: &Map<String, Value>) -> Result<(), VerifyError> {
        let issuer = text(claims, "iss")?;
        text(claims, "sub")?;
        text(claims, "jti")?;
        let expires = seconds(claims, "exp")?;
        let not_before = seconds(claims, "nbf")?;
        let issued = seconds(claims, "iat")?;
        self.check_audience(claims.get("aud"))?;
        if let Some(expected) = self.issuer
            && issuer.ok_or(VerifyError::MissingClaim("iss"))? != expected
        {
            return Err(VerifyError::Issuer);
        }
        let earliest = self.now_seconds.saturating_sub(self.leeway_seconds);
        let latest = self.now_seconds.saturating_add(self.leeway_seconds);
        let end = match self.expiry {
            Expiry::Required => Some(earliest),
            Expiry::Strict => Some(self.now_seconds),
            Expiry::Ignored => None,
        };
        if let Some(end) = end
            && expires.ok_or(VerifyError::MissingClaim("exp"))? <= end
        {
            return Err(VerifyError::Expired);
        }
        if not_before.is_some_and(|begin| begin > latest) {
            return Err(VerifyError::NotYetValid);
        }
        if issued.is_some_and(|issued| issued > latest) {
            return Err(VerifyError::IssuedInTheFuture);
        }
        match self.maximum_age_seconds {
            Some(age) if issued.ok_or(VerifyError::MissingClaim("iat"))? < earliest.saturating_sub(age) => {
                Err(VerifyError::TooOld)
            }
            _ => Ok(()),
        }
    }

    fn check_audience(&self, aud: Option<&Value>) -> Result<(), VerifyError> {
        let (single, all): (Option<&str>, Vec<&str>) = match aud {
            None if matches!(self.audience, Audience::Any) => return Ok(()),
            None => return Err(VerifyError::MissingClaim("aud")),
            Some(Value::String(one)) => (Some(one), vec![one]),
            Some(Value::Array(several)) => {
                let several: Option<Vec<_>> = several.iter().map(Value::as_str).collect();
                (None, several.ok_or(VerifyError::ClaimType("aud"))?)
            }
            Some(_) => return Err(VerifyError::ClaimType("aud")),
        };
        let named = match self.audience {
            Audience::Exactly(expected) => single == Some(expected),
            Audience::ExactlyOneOf(expected) => single.is_some_and(|one| expected.contains(&one)),
            Audience::Contains(expected) => all.contains(&expected),
            Audience::Any => true,
        };
        if named { Ok(()) } else { Err(VerifyError::Audience) }
    }
}

/// The claim as text, when it is there (RFC 7519 §2, StringOrURI).
fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, VerifyError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(VerifyError::ClaimType(name)),
    }
}

/// The claim as a NumericDate of whole seconds (RFC 7519 §2), when it is there.
pub(crate) fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, VerifyError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let Value::Number(number) = value else { return Err(VerifyError::ClaimType(name)) };
    if let Some(whole) = number.as_i64() {
        return if whole.unsigned_abs() <= LARGEST {
            Ok(Some(whole))
        } else {
            Err(VerifyError::ClaimRange(name))
        };
    }
    let float = number.as_f64().ok_or(VerifyError::ClaimRange(name))?;
    if float.abs() > LARGEST as f64 {
        Err(VerifyError::ClaimRange(name))
    } else if float.fract() != 0.0 {
        Err(VerifyError::ClaimType(name))
    } else {
        Ok(Some(float as i64)) // 1e9 is a whole number, and exact within this range
    }
}

/// 2^53 - 1, the largest whole number that every reader of JSON reads alike (RFC 7493 §2.2).
const LARGEST: u64 = (1 << 53) - 1;

#[cfg(test)]
#[path = "expectation_tests.rs"]
mod tests;
