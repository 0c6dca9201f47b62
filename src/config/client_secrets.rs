//! `client_secrets`: hashes of the secrets that are live. A generated secret is kept as its SHA-256, one that a person chose
//! as argon2id; one that stands in a file or a variable is hashed when it is read. None stands in clear text.

use super::reader::{Reader, Section, Site};
use super::secrets::held_elsewhere;
use super::tree::{Node, Typed};
use crate::model::client::ClientSecret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

const EXPECTED: &str = "`{ sha256 = \"…\" }`, `{ argon2 = \"…\" }`, `{ file = \"…\" }` or `{ env = \"…\" }`";
const HINT: &str = "`portreeve client secret` prints a new secret and the line to paste";

/// A secret that is hashed fast must have the entropy of a generated one: no shorter text has.
const SHORTEST: usize = 32;

/// SHA-256 of nothing.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Reads the secrets of a client.
pub(super) fn client_secrets(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<ClientSecret> {
    secrets(reader, section, "client_secrets").into_iter().map(|(secret, _)| secret).collect()
}

/// Reads generated tokens at `key`: as the secrets of a client, but none that a person chose.
pub(super) fn digests(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
) -> Vec<[u8; 32]> {
    let mut digests = Vec::new();
    for (secret, site) in secrets(reader, section, key) {
        match secret {
            ClientSecret::Sha256(digest) => digests.push(digest),
            ClientSecret::Argon2(_) => {
                let expected = "`{ sha256 = \"…\" }`: a token is generated, not chosen";
                reader.refuse(&site, "invalid-value", "an argon2id hash", expected).hint = HINT.into();
            }
        }
    }
    digests
}

fn secrets(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
) -> Vec<(ClientSecret, Site)> {
    let Some((node, site)) = reader.take(section, key) else { return Vec::new() };
    let Typed::Array(elements) = &node.typed else {
        let rule = if node.as_text().is_some() { "clear-text-secret" } else { "wrong-type" };
        reader.refuse(&site, rule, node.kind(), format!("an array of {EXPECTED}")).hint = HINT.into();
        return Vec::new();
    };
    let mut secrets: Vec<(ClientSecret, Site)> = Vec::new();
    for (index, element) in elements.iter().enumerate() {
        let site = Site { place: element.place.clone(), key: format!("{}[{index}]", site.key) };
        let Some(secret) = client_secret(reader, element, &site) else { continue };
        if secrets.iter().any(|(known, _)| *known == secret) {
            reader.refuse(&site, "repeated", "a secret that stands here already", "each secret once");
        } else {
            secrets.push((secret, site));
        }
    }
    secrets
}

fn client_secret(reader: &mut Reader<'_>, element: &Node, site: &Site) -> Option<ClientSecret> {
    let Typed::Table(table) = &element.typed else {
        let (rule, found) = match element.as_text() {
            Some(_) => ("clear-text-secret", "a secret in clear text"),
            None => ("wrong-type", element.kind()),
        };
        reader.refuse(site, rule, found, EXPECTED).hint = HINT.into();
        return None;
    };
    let mut section = Section::new(site.clone(), Some(table));
    let forms = ["sha256", "argon2", "file", "env"];
    let typed: Vec<&str> = forms.into_iter().filter(|form| section.get(form).is_some()).collect();
    let secret = match typed.as_slice() {
        ["sha256"] => sha256(reader, &mut section),
        ["argon2"] => argon2(reader, &mut section),
        ["file" | "env"] => held_elsewhere(reader, &mut section).and_then(|secret| {
            let length = secret.expose().chars().count();
            if length < SHORTEST {
                let found = format!("a secret of {length} characters");
                let expected = format!("at least {SHORTEST} random characters");
                reader.refuse(site, "short-secret", found, expected).hint = HINT.into();
                return None;
            }
            Some(ClientSecret::Sha256(Sha256::digest(secret.expose().as_bytes()).into()))
        }),
        [] => {
            reader.refuse(site, "missing-key", "no secret", EXPECTED).hint = HINT.into();
            None
        }
        several => {
            let found = several.iter().map(|form| format!("`{form}`")).collect::<Vec<_>>().join(" and ");
            reader.refuse(site, "contradiction", found, format!("one of {EXPECTED}"));
            None
        }
    };
    if !typed.iter().any(|form| matches!(*form, "file" | "env"))
        && let Some((_, site)) = reader.boolean(&mut section, "allow_readable")
    {
        reader.refuse(&site, "no-effect", "`allow_readable` beside a hash", "it beside `file` only");
    }
    reader.finish(&section);
    secret
}

fn sha256(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<ClientSecret> {
    let (node, site) = section.get("sha256")?;
    let expected = "64 hex digits: the SHA-256 of a generated secret's text";
    let Some(text) = node.as_text() else {
        reader.refuse(&site, "wrong-type", node.kind(), expected);
        return None;
    };
    let bytes = decode_hex(text).filter(|_| !text.eq_ignore_ascii_case(OF_NOTHING));
    if bytes.is_none() {
        let found = if text.eq_ignore_ascii_case(OF_NOTHING) {
            "the SHA-256 of nothing".to_owned()
        } else {
            format!("{} characters that are not 64 hex digits", text.chars().count())
        };
        reader.refuse(&site, "invalid-hash", found, expected).hint = HINT.into();
    }
    bytes.map(ClientSecret::Sha256)
}

fn decode_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn argon2(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<ClientSecret> {
    let (node, site) = section.get("argon2")?;
    let expected = "a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`";
    let Some(text) = node.as_text() else {
        reader.refuse(&site, "wrong-type", node.kind(), expected);
        return None;
    };
    match argon2_problem(text) {
        None => Some(ClientSecret::Argon2(text.to_owned())),
        Some(why) => {
            reader.refuse(&site, "invalid-hash", why, expected).hint = HINT.into();
            None
        }
    }
}

/// What keeps a text from being the PHC string of argon2id with parameters that a server can bear.
fn argon2_problem(text: &str) -> Option<&'static str> {
    let parts: Vec<&str> = text.split('$').collect();
    let ["", variant, version, parameters, salt, hash] = parts.as_slice() else {
        return Some("a text of another form");
    };
    if *variant != "argon2id" {
        return Some("a hash of another variant than argon2id");
    }
    if *version != "v=19" {
        return Some("a hash of another version than 19");
    }
    let number = |prefix: &str, text: &str| text.strip_prefix(prefix)?.parse::<u32>().ok();
    let cost = match parameters.split(',').collect::<Vec<_>>().as_slice() {
        [memory, passes, lanes] => number("m=", memory).zip(number("t=", passes)).zip(number("p=", lanes)),
        _ => None,
    };
    match cost {
        Some(((memory, passes), lanes))
            if (8u32.saturating_mul(lanes)..=1024 * 1024).contains(&memory)
                && (1..=64).contains(&passes)
                && (1..=16).contains(&lanes) => {}
        _ => return Some("a hash without parameters, or with ones out of bounds"),
    }
    let length = |text: &str| STANDARD_NO_PAD.decode(text).map_or(0, |bytes| bytes.len());
    if !(8..=64).contains(&length(salt)) || !(16..=64).contains(&length(hash)) {
        return Some("a hash whose salt or digest is missing or cut short");
    }
    None
}
