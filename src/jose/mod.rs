//! JSON Object Signing and Encryption: algorithms, keys, one signer, one strict verifier.
//!
//! Governed by RFC 7515 (JWS), 7517 (JWK), 7518 (JWA), 7519 (JWT), 7638 (thumbprints), 8037 (Ed25519) and 8725 (best current
//! practice). Pure: the time comes as an argument, nothing is fetched. Which keys sign now and which claims a
//! token carries is decided elsewhere (`keys`, `tokens`).

pub use crate::protocol::signing_algorithm as algorithm;
pub mod expectation;

pub mod jwk;
pub mod jwt_type;
pub mod sign;
pub mod thumbprint;
pub mod verification_keys;
pub mod verify;
