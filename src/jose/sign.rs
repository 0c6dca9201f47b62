//! The signer: JWS in compact form (RFC 7515 §7.1) with a private key that is parsed once.
//!
//! Parsing a key costs as much as signing with it, so it stays parsed, and the protected header of each type stays encoded. Which
//! key signs now is decided in `keys`; what the claims say, in `tokens`.

use crate::jose::jwk::{PublicJwk, PublicKey};
use crate::jose::jwt_type::JwtType;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use std::fmt;
use zeroize::Zeroizing;

/// A private key, ready to sign. It cannot be cloned or serialised, and its `Debug` shows its public name only.
pub struct SigningKey {
    pair: KeyPair,
    public_jwk: PublicJwk,
    kid: String,
    headers: [String; JwtType::ALL.len()],
}

enum KeyPair {
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a new key (P-256, RSA of 2048 bits, Ed25519), from the library's own random generator; beside it the PKCS #8 form (RFC 5208,
    /// RFC 5958) to be sealed and kept. Blocks for up to seconds for RSA.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let failed = |_| KeyError::NotGenerated;
        let (pair, pkcs8) = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                let pkcs8 = Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec());
                (KeyPair::P256(pair), pkcs8)
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let document: Pkcs8V1Der<'static> = pair.as_der().map_err(failed)?;
                let pkcs8 = Zeroizing::new(document.as_ref().to_vec());
                (KeyPair::Rsa(Box::new(pair)), pkcs8)
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                let pkcs8 = Zeroizing::new(pair.to_pkcs8().map_err(failed)?.as_ref().to_vec());
                (KeyPair::Ed25519(pair), pkcs8)
            }
        };
        Ok((Self::new(pair)?, pkcs8))
    }

    /// Reads a key that [`generate`](Self::generate) made, or any unencrypted PKCS #8 key of the algorithm's family.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let refused = |_| KeyError::NotAKey;
        Self::new(match algorithm {
            SigningAlgorithm::Es256 => KeyPair::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(refused)?,
            ),
            SigningAlgorithm::Rs256 => {
                KeyPair::Rsa(Box::new(RsaKeyPair::from_pkcs8(pkcs8).map_err(refused)?))
            }
            SigningAlgorithm::EdDsa => KeyPair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(refused)?),
        })
    }

    fn new(pair: KeyPair) -> Result<Self, KeyError> {
        let public_jwk = PublicJwk::named_by_thumbprint(pair.public_key()?).map_err(|_| KeyError::NotAKey)?;
        let kid = public_jwk.kid().ok_or(KeyError::NotAKey)?.to_owned();
        let alg = public_jwk.algorithm().as_str();
        // Nothing in these three values needs escaping: two are constants, the third is base64url.
        let headers = JwtType::ALL.map(|typ| {
            URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"{}","kid":"{kid}"}}"#, typ.as_str()))
        });
        Ok(Self { pair, public_jwk, kid, headers })
    }

    /// How this key signs.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public_jwk.algorithm()
    }

    /// The key's identifier: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as the JWKS shows it.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public_jwk
    }

    /// The JWT (RFC 7519) of type `typ` that says `claims`, which must serialise to a JSON object.
    pub fn sign(&self, typ: JwtType, claims: &impl Serialize) -> Result<String, SignError> {
        let payload = serde_json::to_vec(claims).map_err(|_| SignError::Claims)?;
        if payload.first() != Some(&b'{') {
            return Err(SignError::Claims);
        }
        let header = &self.headers[typ as usize]; // `ALL` is in the order of declaration
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 350);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        self.append_signature(&mut token)?;
        Ok(token)
    }

    fn append_signature(&self, token: &mut String) -> Result<(), SignError> {
        let failed = |_| SignError::Key;
        let random = SystemRandom::new();
        let message = token.as_bytes();
        let encoded = match &self.pair {
            // r and s side by side, 64 bytes (RFC 7518 §3.4), never ASN.1.
            KeyPair::P256(pair) => URL_SAFE_NO_PAD.encode(pair.sign(&random, message).map_err(failed)?),
            KeyPair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                URL_SAFE_NO_PAD.encode(signature)
            }
            KeyPair::Ed25519(pair) => URL_SAFE_NO_PAD.encode(pair.try_sign(message).map_err(failed)?),
        };
        token.push('.');
        token.push_str(&encoded);
        Ok(())
    }
}

impl KeyPair {
    fn public_key(&self) -> Result<PublicKey, KeyError> {
        match self {
            Self::P256(pair) => match pair.public_key().as_ref() {
                [4, point @ ..] if point.len() == 64 => {
                    let (x, y) = point.split_at(32);
                    Ok(PublicKey::P256 { x: fixed(x)?, y: fixed(y)? })
                }
                _ => Err(KeyError::NotAKey),
            },
            Self::Rsa(pair) => rsa_public_key(pair.public_key().as_ref()).ok_or(KeyError::NotAKey),
            Self::Ed25519(pair) => Ok(PublicKey::Ed25519 { x: fixed(pair.public_key().as_ref())? }),
        }
    }
}

fn fixed(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    bytes.try_into().map_err(|_| KeyError::NotAKey)
}

/// Reads the library's own `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 A.1.1).
fn rsa_public_key(der: &[u8]) -> Option<PublicKey> {
    let (sequence, []) = der_element(der, 0x30)? else { return None };
    let (modulus, rest) = der_element(sequence, 0x02)?;
    let (exponent, []) = der_element(rest, 0x02)? else { return None };
    let without_sign = |integer: &[u8]| integer.strip_prefix(&[0]).unwrap_or(integer).to_vec();
    Some(PublicKey::Rsa { modulus: without_sign(modulus), exponent: without_sign(exponent) })
}

/// Splits off the contents of one DER element with this tag; lengths of up to 65535 bytes.
fn der_element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der {
        [found, length @ 0..=0x7f, rest @ ..] if *found == tag => (usize::from(*length), rest),
        [found, 0x81, length, rest @ ..] if *found == tag => (usize::from(*length), rest),
        [found, 0x82, high, low, rest @ ..] if *found == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({} {})", self.algorithm().as_str(), self.kid)
    }
}

/// Why there is no signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The library could not make one.
    NotGenerated,
    /// The bytes are not a PKCS #8 key of that algorithm, or it is too weak.
    NotAKey,
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotGenerated => "no key could be generated",
            Self::NotAKey => "these bytes are no usable private key of that algorithm",
        })
    }
}

impl std::error::Error for KeyError {}

/// Why a token was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// The claims do not serialise to a JSON object (RFC 7519 §3).
    Claims,
    /// The library refused to sign.
    Key,
}

impl fmt::Display for SignError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Claims => "the claims are no JSON object",
            Self::Key => "the key could not sign",
        })
    }
}

impl std::error::Error for SignError {}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
