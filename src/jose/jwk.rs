//! Public keys as JSON (RFC 7517), ours and foreign ones, and which keys are good enough (RFC 8725 §3.5, threat 73).
//!
//! A [`PublicJwk`] that exists is a usable verification key: the point lies on the curve, the modulus is long enough. Fetching
//! a key set, and whose it is, is left to `clients`.

use crate::jose::thumbprint;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::strict_json;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

/// A public key for signatures that this server can verify, with the name it goes by.
#[derive(Clone)]
pub struct PublicJwk {
    kid: Option<String>,
    key: PublicKey,
    /// What it verifies, and the key as the cryptographic library wants it for that, parsed once.
    verifiers: Vec<(VerificationAlgorithm, ParsedPublicKey)>,
}

/// The public numbers of a key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    P256 { x: [u8; 32], y: [u8; 32] },
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519 { x: [u8; 32] },
}

impl PublicJwk {
    /// Reads a foreign JWK (RFC 7517 §4) and holds it to the policy: RSA of 2048 to 8192 bits with an odd exponent from 3 on, a point on
    /// P-256, Ed25519; no private or symmetric member; `use`, `key_ops` and `alg` must allow verifying where present.
    pub fn parse(jwk: &Value) -> Result<Self, JwkError> {
        let members = jwk.as_object().ok_or(JwkError::NotAnObject)?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(JwkError::PrivateMember);
        }
        let key = match required_text(members, "kty")? {
            "EC" => match required_text(members, "crv")? {
                "P-256" => PublicKey::P256 { x: coordinate(members, "x")?, y: coordinate(members, "y")? },
                _ => return Err(JwkError::Unsupported("crv")),
            },
            "RSA" => PublicKey::Rsa { modulus: number(members, "n")?, exponent: number(members, "e")? },
            "OKP" => match required_text(members, "crv")? {
                "Ed25519" => PublicKey::Ed25519 { x: coordinate(members, "x")? },
                _ => return Err(JwkError::Unsupported("crv")),
            },
            "oct" => return Err(JwkError::Symmetric),
            _ => return Err(JwkError::Unsupported("kty")),
        };
        purpose_allows_verifying(members)?;
        let algorithms = match optional_text(members, "alg")? {
            None => key.algorithms(),
            Some(alg) => {
                let algorithm = VerificationAlgorithm::parse(alg).ok_or(JwkError::Unsupported("alg"))?;
                let mut suiting = key.algorithms().chunks(1);
                suiting.find(|one| one.contains(&algorithm)).ok_or(JwkError::AlgorithmOfAnotherFamily)?
            }
        };
        let kid = optional_text(members, "kid")?;
        if kid.is_some_and(|kid| kid.len() > MAXIMUM_KID) {
            return Err(JwkError::Malformed("kid"));
        }
        Self::new(kid.map(str::to_owned), key, algorithms)
    }

    /// A key of this server's own, named by its thumbprint.
    pub(crate) fn named_by_thumbprint(key: PublicKey) -> Result<Self, JwkError> {
        let algorithm = VerificationAlgorithm::from(key.signing_algorithm());
        Self::new(Some(thumbprint::of_key(&key)), key, &[algorithm])
    }

    fn new(
        kid: Option<String>,
        key: PublicKey,
        algorithms: &[VerificationAlgorithm],
    ) -> Result<Self, JwkError> {
        let parse = |algorithm: &VerificationAlgorithm| Ok((*algorithm, key.check_and_parse(*algorithm)?));
        let verifiers = algorithms.iter().map(parse).collect::<Result<_, JwkError>>()?;
        Ok(Self { kid, key, verifiers })
    }

    /// The key's identifier (RFC 7517 §4.5); a foreign key may have none.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// How this server signs with a key of this kind.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.key.signing_algorithm()
    }

    /// Whether it verifies signatures of this algorithm: the one that its `alg` names, else all that suit its kind.
    pub fn verifies(&self, algorithm: VerificationAlgorithm) -> bool {
        self.verifier(algorithm).is_some()
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key as the cryptographic library wants it, to verify signatures of this algorithm.
    pub(crate) fn verifier(&self, algorithm: VerificationAlgorithm) -> Option<&ParsedPublicKey> {
        self.verifiers.iter().find(|(one, _)| *one == algorithm).map(|(_, parsed)| parsed)
    }
}

impl PublicKey {
    const fn signing_algorithm(&self) -> SigningAlgorithm {
        match self {
            Self::P256 { .. } => SigningAlgorithm::Es256,
            Self::Rsa { .. } => SigningAlgorithm::Rs256,
            Self::Ed25519 { .. } => SigningAlgorithm::EdDsa,
        }
    }

    /// What a key of this kind may verify.
    const fn algorithms(&self) -> &'static [VerificationAlgorithm] {
        match self {
            Self::P256 { .. } => &[VerificationAlgorithm::Es256],
            Self::Rsa { .. } => &[VerificationAlgorithm::Rs256, VerificationAlgorithm::Ps256],
            Self::Ed25519 { .. } => &[VerificationAlgorithm::EdDsa, VerificationAlgorithm::Ed25519],
        }
    }

    fn check_and_parse(&self, algorithm: VerificationAlgorithm) -> Result<ParsedPublicKey, JwkError> {
        match self {
            Self::P256 { x, y } => {
                let mut point = [4; 65]; // SEC 1 §2.3.3: 4 marks an uncompressed point
                point[1..33].copy_from_slice(x);
                point[33..].copy_from_slice(y);
                // The library refuses a point that is not on the curve, and the one at infinity.
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JwkError::NotOnTheCurve)
            }
            Self::Rsa { modulus, exponent } => {
                check_rsa(modulus, exponent)?;
                let scheme = match algorithm {
                    VerificationAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    _ => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }
                    .to_parsed_public_key(scheme)
                    .map_err(|_| JwkError::WeakRsa)
            }
            Self::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).map_err(|_| JwkError::NotOnTheCurve),
        }
    }
}

impl PartialEq for PublicJwk {
    fn eq(&self, other: &Self) -> bool {
        let algorithms =
            |jwk: &Self| jwk.verifiers.iter().map(|(algorithm, _)| *algorithm).collect::<Vec<_>>();
        self.kid == other.kid && self.key == other.key && algorithms(self) == algorithms(other)
    }
}

impl Eq for PublicJwk {}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PublicJwk").field("kid", &self.kid).field("key", &self.key).finish()
    }
}

impl Serialize for PublicJwk {
    /// Writes exactly the public members, in unpadded base64url (RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let encode = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let only = match self.verifiers.as_slice() {
            [(algorithm, _)] => Some(algorithm.as_str()),
            _ => None,
        };
        let mut wire = Wire { r#use: "sig", alg: only, kid: self.kid.as_deref(), ..Wire::default() };
        match &self.key {
            PublicKey::P256 { x, y } => {
                (wire.kty, wire.crv, wire.x, wire.y) = ("EC", Some("P-256"), encode(x), encode(y));
            }
            PublicKey::Rsa { modulus, exponent } => {
                (wire.kty, wire.n, wire.e) = ("RSA", encode(modulus), encode(exponent));
            }
            PublicKey::Ed25519 { x } => {
                (wire.kty, wire.crv, wire.x) = ("OKP", Some("Ed25519"), encode(x));
            }
        }
        wire.serialize(serializer)
    }
}

#[derive(Default, Serialize)]
struct Wire<'a> {
    kty: &'static str,
    r#use: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

/// Keys together, as a `jwks_uri` shows them (RFC 7517 §5); serialises to `{"keys":[…]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys, in the order in which they stand.
    pub keys: Vec<PublicJwk>,
}

impl JwkSet {
    /// Reads the document behind a foreign `jwks_uri`: strict JSON, then as [`JwkSet::parse`].
    pub fn read(document: &[u8]) -> Result<Self, JwkError> {
        Self::parse(&Value::Object(strict_json::parse_object(document).map_err(|_| JwkError::NotStrictJson)?))
    }

    /// Reads a foreign key set. Keys of kinds or for purposes that this server does not know are left out, as §5 advises; one that is
    /// malformed, weak, symmetric or private refuses the whole set, so that its owner notices.
    pub fn parse(jwks: &Value) -> Result<Self, JwkError> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(JwkError::Malformed("keys"))?;
        if keys.len() > MAXIMUM_KEYS {
            return Err(JwkError::TooManyKeys);
        }
        let mut known = Vec::new();
        for key in keys {
            match PublicJwk::parse(key) {
                Ok(jwk) => known.push(jwk),
                Err(JwkError::Unsupported(_) | JwkError::NotForVerifying) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { keys: known })
    }
}

/// Why a JWK is refused; says nothing of the key's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwkError {
    /// The document is not one strict JSON object.
    NotStrictJson,
    /// It is not a JSON object.
    NotAnObject,
    /// This required member is absent (RFC 7518 §6).
    Missing(&'static str),
    /// This member has the wrong type, encoding or length.
    Malformed(&'static str),
    /// This member names a kind of key or an algorithm that this server does not verify.
    Unsupported(&'static str),
    /// `alg` does not belong to `kty` (RFC 8725 §3.1).
    AlgorithmOfAnotherFamily,
    /// It carries a private member: the key is lost, whoever sent it (RFC 7517 §9.2).
    PrivateMember,
    /// It is a shared secret; nobody else may know the keys of this server's signatures, nor it theirs.
    Symmetric,
    /// `use` or `key_ops` gives it another purpose (RFC 7517 §4.2, §4.3).
    NotForVerifying,
    /// The point is not on the curve.
    NotOnTheCurve,
    /// The modulus is outside 2048 to 8192 bits or even, or the exponent is even, below 3 or above 32 bits (RFC 7518 §3.3).
    WeakRsa,
    /// The set has more keys than any client needs.
    TooManyKeys,
}

impl fmt::Display for JwkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStrictJson => write!(formatter, "the key set {}", strict_json::NotStrictJson),
            Self::NotAnObject => formatter.write_str("a JWK is a JSON object"),
            Self::Missing(member) => write!(formatter, "the JWK lacks {member}"),
            Self::Malformed(member) => write!(formatter, "{member} of the JWK is malformed"),
            Self::Unsupported(member) => write!(formatter, "{member} of the JWK is none that is supported"),
            Self::AlgorithmOfAnotherFamily => {
                formatter.write_str("alg and kty of the JWK do not belong together")
            }
            Self::PrivateMember => formatter.write_str("the JWK carries a private member; replace that key"),
            Self::Symmetric => formatter.write_str("the JWK is a symmetric key"),
            Self::NotForVerifying => {
                formatter.write_str("use or key_ops says that the JWK is not for signatures")
            }
            Self::NotOnTheCurve => formatter.write_str("the JWK's point is not on its curve"),
            Self::WeakRsa => formatter
                .write_str("the RSA key needs 2048 to 8192 bits and an odd exponent from 3 to 32 bits"),
            Self::TooManyKeys => write!(formatter, "a key set holds at most {MAXIMUM_KEYS} keys"),
        }
    }
}

impl std::error::Error for JwkError {}

fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), JwkError> {
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let leading_zeros = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(leading_zeros);
    // e = 1 would make every message its own signature.
    let exponent_fits = odd(exponent) && exponent != [1] && exponent.len() <= 4;
    if odd(modulus) && (2048..=8192).contains(&bits) && exponent_fits {
        Ok(())
    } else {
        Err(JwkError::WeakRsa)
    }
}

fn purpose_allows_verifying(members: &Map<String, Value>) -> Result<(), JwkError> {
    if optional_text(members, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(JwkError::NotForVerifying);
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(JwkError::NotForVerifying),
        Some(_) => Err(JwkError::Malformed("key_ops")),
    }
}

fn optional_text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, JwkError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwkError::Malformed(name)),
    }
}

fn required_text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    optional_text(members, name)?.ok_or(JwkError::Missing(name))
}

/// A coordinate: exactly 32 bytes, leading zeros kept (RFC 7518 §6.2.1.2, RFC 8037 §2).
fn coordinate(members: &Map<String, Value>, name: &'static str) -> Result<[u8; 32], JwkError> {
    let bytes =
        URL_SAFE_NO_PAD.decode(required_text(members, name)?).map_err(|_| JwkError::Malformed(name))?;
    bytes.try_into().map_err(|_| JwkError::Malformed(name))
}

/// A positive number without leading zeros (RFC 7518 §2, Base64urlUInt).
fn number(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    let bytes =
        URL_SAFE_NO_PAD.decode(required_text(members, name)?).map_err(|_| JwkError::Malformed(name))?;
    if bytes.first().is_none_or(|first| *first == 0) { Err(JwkError::Malformed(name)) } else { Ok(bytes) }
}

/// The private members of every kind of key (RFC 7518 §6.2.2, §6.3.2, §6.4.1, RFC 8037 §2; RFC 9864's `priv`).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Bytes; a longer identifier is no identifier.
pub(crate) const MAXIMUM_KID: usize = 256;

const MAXIMUM_KEYS: usize = 64;

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
