//! JSON Object Signing and Encryption: algorithms, keys, one signer, one strict verifier.

pub mod algorithm;
