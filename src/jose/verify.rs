//! The one strict verifier of JWTs: whatever this server takes from a token went through here (RFC 8725; threats 65 to 71, 74).
//!
//! The order is: form, header, algorithm, type, key, signature, claims; nothing of the payload is read before the signature is good. `jku`,
//! `x5u`, `x5c` and `jwk` choose no key. The signature is verified with keys that stay parsed (1.4 times as fast as the
//! library that parses them each time), and since that library is lenient where this must not be, it verifies nothing here;
//! the tests hold both against each other. Who may have signed, and what private claims mean, is left to the caller.

use crate::jose::expectation::{Expectation, seconds};
use crate::jose::jwk::MAXIMUM_KID;
use crate::jose::verification_keys::{KeySought, VerificationKeys};
use crate::protocol::strict_json;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::fmt;

/// Verifies `token` (RFC 7519 §7.2) with the one key of `keys` that its header selects, and holds it to `expectation`.
pub fn verify(
    token: &str,
    keys: &VerificationKeys,
    expectation: &Expectation,
) -> Result<VerifiedToken, VerifyError> {
    let segments = Segments::split(token)?;
    let header = Header::read(segments.header)?;
    if !expectation.algorithms.contains(&header.algorithm) {
        return Err(VerifyError::Algorithm);
    }
    expectation.typ.check(header.typ.as_deref())?;
    let key = keys.select(header.kid.as_deref(), header.algorithm)?;
    let signature = decode(segments.signature, Part::Signature)?;
    let verifier = key.verifier(header.algorithm).ok_or(VerifyError::AlgorithmOfAnotherFamily)?;
    verifier.verify_sig(segments.signed.as_bytes(), &signature).map_err(|_| VerifyError::Signature)?;
    let claims = object(segments.payload, Part::Payload)?;
    expectation.check_claims(&claims)?;
    Ok(VerifiedToken { kid: header.kid, algorithm: header.algorithm, claims })
}

/// A token whose signature, type and registered claims were found good; only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedToken {
    kid: Option<String>,
    algorithm: VerificationAlgorithm,
    claims: Map<String, Value>,
}

impl VerifiedToken {
    /// The `kid` of the header, if any.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm it is signed with.
    pub fn algorithm(&self) -> VerificationAlgorithm {
        self.algorithm
    }

    /// What it says.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What it says, to keep.
    pub fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// The claim `name` when it is there and a string; `iss`, `sub` and `jti` are strings if they are there.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// The claim `name` in seconds since 1970 when it is there and a whole number; `exp`, `nbf` and `iat` are if they are there.
    pub fn seconds(&self, name: &'static str) -> Option<i64> {
        seconds(&self.claims, name).ok().flatten()
    }
}

/// What a token says of itself before anything is verified: good only to choose whose keys to verify it with.
#[derive(Clone, PartialEq)]
pub struct UnverifiedToken {
    algorithm: VerificationAlgorithm,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedToken {
    /// Reads a token in the same strict form as [`verify`] does, without its signature and without judging a claim.
    pub fn read(token: &str) -> Result<Self, VerifyError> {
        let segments = Segments::split(token)?;
        let algorithm = Header::read(segments.header)?.algorithm;
        Ok(Self {
            algorithm,
            header: object(segments.header, Part::Header)?,
            claims: object(segments.payload, Part::Payload)?,
        })
    }

    /// What it says of the key that it was signed with: good to ask for that client's keys again when none fits.
    pub fn key_sought(&self) -> KeySought<'_> {
        KeySought { kid: self.header.get("kid").and_then(Value::as_str), algorithm: self.algorithm }
    }

    /// The claim `name`, when it is a string: `iss` or `sub`, to find the client that is said to have signed (RFC 7523 §3).
    pub fn claimed_text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// The `jwk` header: a DPoP proof is verified with the key it brings (RFC 9449 §4.3 (7)). Nothing else may ask for it (threat 68).
    pub fn embedded_jwk(&self) -> Option<&Value> {
        self.header.get("jwk")
    }
}

/// The three segments of the compact form, still encoded (RFC 7515 §7.1).
struct Segments<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signed: &'a str,
}

impl<'a> Segments<'a> {
    fn split(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAXIMUM_TOKEN {
            return Err(VerifyError::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Segments)?;
        let (header, payload) = signed.split_once('.').ok_or(VerifyError::Segments)?;
        // Five segments would be encrypted (RFC 7516 §7.1); that is not read at all (threat 72).
        if payload.contains('.') {
            return Err(VerifyError::Segments);
        }
        Ok(Self { header, payload, signature, signed })
    }
}

/// The protected header, as far as it is looked at.
struct Header {
    algorithm: VerificationAlgorithm,
    typ: Option<String>,
    kid: Option<String>,
}

impl Header {
    fn read(segment: &str) -> Result<Self, VerifyError> {
        let mut members = object(segment, Part::Header)?;
        // RFC 7515 §4.1.11: what is critical and not understood is refused, and nothing is understood, `b64` (RFC 7797) included.
        if members.contains_key("crit") {
            return Err(VerifyError::Critical);
        }
        if members.contains_key("b64") {
            return Err(VerifyError::UnencodedPayload);
        }
        let algorithm = match members.get("alg") {
            Some(Value::String(name)) => VerificationAlgorithm::parse(name).ok_or(VerifyError::Algorithm)?,
            _ => return Err(VerifyError::Algorithm),
        };
        let typ = match members.remove("typ") {
            None => None,
            Some(Value::String(typ)) => Some(typ),
            Some(_) => return Err(VerifyError::Type),
        };
        let kid = match members.remove("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAXIMUM_KID => Some(kid),
            Some(_) => return Err(VerifyError::KeyIdentifier),
        };
        Ok(Self { algorithm, typ, kid })
    }
}

/// A segment of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first, the protected header.
    Header,
    /// The second, the claims.
    Payload,
    /// The third.
    Signature,
}

/// Decodes unpadded base64url; foreign characters and stray bits at the end are refused, so that one token has one spelling.
fn decode(segment: &str, part: Part) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| VerifyError::Encoding(part))
}

fn object(segment: &str, part: Part) -> Result<Map<String, Value>, VerifyError> {
    strict_json::parse_object(&decode(segment, part)?).map_err(|_| VerifyError::Json(part))
}

/// Which check a token failed, for the operator; holds nothing of the token. Callers learn less (RFC 6750 §3.1, RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is longer than 16 KiB.
    TooLarge,
    /// It has not exactly three segments.
    Segments,
    /// This segment is not unpadded base64url.
    Encoding(Part),
    /// This segment is not one strict JSON object.
    Json(Part),
    /// `alg` is absent, unknown, or not among the accepted ones.
    Algorithm,
    /// `alg` does not suit the kind of key that `kid` names (RFC 8725 §2.1).
    AlgorithmOfAnotherFamily,
    /// There is a `crit` header.
    Critical,
    /// There is a `b64` header.
    UnencodedPayload,
    /// `typ` is absent where it must be there, or another.
    Type,
    /// `kid` is not a string or longer than 256 bytes.
    KeyIdentifier,
    /// There is no `kid` where the token must name its key.
    KeyNotNamed,
    /// No key of the set fits.
    UnknownKey,
    /// More than one key of the set fits.
    AmbiguousKey,
    /// The signature does not verify.
    Signature,
    /// This expected claim is absent.
    MissingClaim(&'static str),
    /// This claim has the wrong type.
    ClaimType(&'static str),
    /// This date is beyond what JSON numbers hold exactly.
    ClaimRange(&'static str),
    /// `iss` is another.
    Issuer,
    /// `aud` names others, or is an array where one string is expected.
    Audience,
    /// `exp` is past.
    Expired,
    /// `nbf` lies ahead.
    NotYetValid,
    /// `iat` lies ahead.
    IssuedInTheFuture,
    /// `iat` lies further back than is accepted.
    TooOld,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TooLarge => "the token is longer than 16 KiB",
            Self::Segments => "the token has not exactly three segments",
            Self::Encoding(part) => return write!(formatter, "the {part} is not unpadded base64url"),
            Self::Json(part) => return write!(formatter, "the {part} {}", strict_json::NotStrictJson),
            Self::Algorithm => "alg is none of the accepted algorithms",
            Self::AlgorithmOfAnotherFamily => "alg does not suit the key that kid names",
            Self::Critical => "crit is not supported",
            Self::UnencodedPayload => "b64 is not supported",
            Self::Type => "typ is not the expected one",
            Self::KeyIdentifier => "kid is not a string of at most 256 bytes",
            Self::KeyNotNamed => "kid is required",
            Self::UnknownKey => "no known key fits kid and alg",
            Self::AmbiguousKey => "several keys fit kid and alg",
            Self::Signature => "the signature does not verify",
            Self::MissingClaim(name) => return write!(formatter, "{name} is required"),
            Self::ClaimType(name) => return write!(formatter, "{name} has the wrong type"),
            Self::ClaimRange(name) => return write!(formatter, "{name} is out of range"),
            Self::Issuer => "iss is not the expected issuer",
            Self::Audience => "aud does not name the expected audience as expected",
            Self::Expired => "exp is past",
            Self::NotYetValid => "nbf lies ahead",
            Self::IssuedInTheFuture => "iat lies ahead",
            Self::TooOld => "iat lies too far back",
        };
        formatter.write_str(text)
    }
}

impl std::error::Error for VerifyError {}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Bytes.
const MAXIMUM_TOKEN: usize = 16 * 1024;

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
