//! A client's keys, held to the policy for keys when the files are read (RFC 8725 §3.5, threat 73): a weak one is an error of
//! `check` at its place, not a surprise at the first request. Keys at a `jwks_uri` are judged whenever they are fetched.

use super::reader::{Reader, Section, Site};
use super::tree::{Node, Typed};
use crate::jose::jwk::{JwkError, PublicJwk};
use crate::model::client::{SignatureKeys, UnusableKeys};
use crate::protocol::client_metadata::{ClientKeys, ClientMetadata};
use serde_json::Value;

/// The keys that the metadata names or brings.
pub(super) fn signature_keys(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    metadata: &ClientMetadata,
) -> Option<SignatureKeys> {
    let why = match SignatureKeys::of(&metadata.keys) {
        Ok(keys) => return Some(keys),
        Err(why) => why,
    };
    let (member, index) = match (&metadata.keys, why) {
        (ClientKeys::ByValue(set), UnusableKeys::Jwk(error)) => ("jwks", position_of(set, error)),
        (ClientKeys::ByValue(_), _) => ("jwks", None),
        _ => ("jwks_uri", None),
    };
    let (node, site) = section.get(member)?;
    let site = match index.and_then(|index| Some((index, key_node(node, index)?))) {
        Some((index, key)) => Site { place: key.place.clone(), key: format!("{}.keys[{index}]", site.key) },
        None => site,
    };
    let expected = "public keys that are good enough: P-256, Ed25519, RSA of 2048 to 8192 bits";
    reader.refuse(&site, "unusable-key", why.to_string(), expected).section = Some("RFC 8725 §3.5");
    None
}

/// Which key of the set is refused so.
fn position_of(set: &Value, error: JwkError) -> Option<usize> {
    let keys = set.get("keys")?.as_array()?;
    keys.iter().position(|key| PublicJwk::parse(key) == Err(error))
}

fn key_node(jwks: &Node, index: usize) -> Option<&Node> {
    let Typed::Table(set) = &jwks.typed else { return None };
    let Typed::Array(keys) = &set.entries.get("keys")?.node.typed else { return None };
    keys.get(index)
}

#[cfg(test)]
#[path = "client_keys_tests.rs"]
mod tests;
