//! Secrets: each stands in a file or a variable of its own, never in clear text in the configuration, and its file is
//! closed to others (threats 179, 180). What is read here is never shown.

use super::SecretKey;
use super::reader::{Reader, Section, Site};
use super::tree::{Node, Typed, shown};
use crate::model::secret::Secret;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::io::Read as _;
use std::path::Path;

/// What a secret that stands in clear text in a file means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClearText {
    /// It is taken as it is (the URL of a database).
    Taken,
    /// It is refused, and the hint says how to mend it.
    Refused(&'static str),
}

/// The bits that let the group or others write, and others read.
const OTHERS_WRITE: u32 = 0o022;
const OTHERS_READ: u32 = 0o004;

/// No secret is longer.
const LONGEST: u64 = 64 * 1024;

/// Base64url, padded or not.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secret of a value: `{ file = "…" }`, `{ env = "…" }`, or what a variable of its own says.
pub(super) fn secret_of(
    reader: &mut Reader<'_>,
    node: &Node,
    site: &Site,
    clear: ClearText,
) -> Option<Secret> {
    let expected = "`{ file = \"…\" }` or `{ env = \"…\" }`";
    match &node.typed {
        Typed::Table(table) => {
            let mut section = Section::new(site.clone(), Some(table));
            let secret = held_elsewhere(reader, &mut section);
            reader.finish(&section);
            secret
        }
        _ => match (node.as_text(), clear) {
            (Some(text), ClearText::Taken) => Some(Secret::new(text)),
            (Some(text), ClearText::Refused(_)) if node.raw.is_some() => Some(Secret::new(text)),
            (Some(_), ClearText::Refused(hint)) => {
                let problem = reader.refuse(site, "clear-text-secret", "a secret in clear text", expected);
                problem.hint = hint.to_owned();
                None
            }
            (None, _) => {
                reader.refuse(site, "wrong-type", node.kind(), expected);
                None
            }
        },
    }
}

/// The secret of `{ file = "…" }` or `{ env = "…" }`; the keys are taken from `section`.
pub(super) fn held_elsewhere(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Secret> {
    let file = reader.take(section, "file");
    let variable = reader.take(section, "env");
    let readable = reader.boolean(section, "allow_readable");
    let place = section.site.clone();
    match (file, variable) {
        (Some((node, site)), None) => {
            let path = reader.text_of(node, &site)?;
            let allow_readable = readable.is_some_and(|(allowed, _)| allowed);
            secret_in_file(reader, &path, &site, allow_readable)
        }
        (None, Some((node, site))) => {
            if let Some((_, site)) = readable {
                reader.refuse(&site, "no-effect", "`allow_readable` beside `env`", "it beside `file` only");
            }
            let name = reader.text_of(node, &site)?;
            secret_in_variable(reader, &name, &site)
        }
        (Some(_), Some((_, site))) => {
            reader.refuse(&site, "contradiction", "`file` and `env`", "one of them");
            None
        }
        (None, None) => {
            reader.refuse(&place, "missing-key", "neither `file` nor `env`", "one of them");
            None
        }
    }
}

fn secret_in_variable(reader: &mut Reader<'_>, name: &str, site: &Site) -> Option<Secret> {
    let usual = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 100 || !name.chars().all(usual) {
        // A secret pasted here by mistake is not shown.
        let found = format!("a name of {} characters", name.chars().count());
        let expected = "the name of an environment variable: capital letters, digits and `_`";
        reader.refuse(site, "invalid-value", found, expected);
        return None;
    }
    reader.named_variables.insert(name.to_owned());
    match reader.environment.get(name) {
        Some(text) if !text.is_empty() => Some(Secret::new(text)),
        Some(_) => {
            reader.refuse(site, "missing-secret", format!("the empty variable `{name}`"), "a secret in it");
            None
        }
        None => {
            let found = format!("the variable `{name}`, which is not set");
            reader.refuse(site, "missing-secret", found, "a variable that holds the secret");
            None
        }
    }
}

fn secret_in_file(reader: &mut Reader<'_>, named: &str, site: &Site, allow_readable: bool) -> Option<Secret> {
    let path = reader.resolve(&site.place, named);
    reader.files.insert(path.clone());
    if !check_mode(reader, &path, named, site, allow_readable) {
        return None;
    }
    let text = match read_bounded(&path) {
        Ok(text) => text,
        Err(why) => {
            reader.refuse(site, "unreadable-secret", format!("{}: {why}", shown(named)), "a text file");
            return None;
        }
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        reader.refuse(site, "missing-secret", format!("the empty file {}", shown(named)), "a secret in it");
        return None;
    }
    Some(Secret::new(text))
}

/// Whether the file of a secret is closed to others; what is wrong with it is noted.
pub(super) fn check_mode(
    reader: &mut Reader<'_>,
    path: &Path,
    named: &str,
    site: &Site,
    allow_readable: bool,
) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => {
            reader.refuse(site, "unreadable-secret", format!("{}: not a file", shown(named)), "a file");
            return false;
        }
        Err(why) => {
            let found = format!("{}: {}", shown(named), reason(&why));
            reader.refuse(site, "unreadable-secret", found, "a file that can be read");
            return false;
        }
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS_WRITE != 0 {
        let found = format!("{} with mode {mode:04o}: others may write it", shown(named));
        reader.refuse(site, "secret-writable", found, "a file that only its owner may write").hint =
            format!("chmod 600 {}", path.display());
        return false;
    }
    if mode & OTHERS_READ != 0 && !allow_readable {
        let found = format!("{} with mode {mode:04o}: everyone may read it", shown(named));
        reader.refuse(site, "secret-readable", found, "a file that not everyone may read").hint =
            format!("chmod 600 {}, or say `allow_readable = true` beside it", path.display());
        return false;
    }
    true
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|why| reason(&why))?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|why| reason(&why))?;
    if text.len() as u64 > LONGEST { Err("longer than 64 KiB".into()) } else { Ok(text) }
}

/// Why a file could not be read, without the operating system's number.
pub(super) fn reason(why: &std::io::Error) -> String {
    match why.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::InvalidData => "not UTF-8".into(),
        _ => why.to_string(),
    }
}

/// The 32 bytes of a secret key's text.
pub(super) fn secret_key(reader: &mut Reader<'_>, node: &Node, site: &Site) -> Option<SecretKey> {
    let hint = "`portreeve init` makes a key in a file of its own";
    let text = secret_of(reader, node, site, ClearText::Refused(hint))?;
    let bytes = BASE64URL.decode(text.expose()).ok();
    let found = match &bytes {
        Some(bytes) if bytes.len() == 32 => String::new(),
        Some(bytes) => format!("{} bytes", bytes.len()),
        None => format!("{} characters that are not base64url", text.expose().chars().count()),
    };
    match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(key) => Some(SecretKey(key)),
        None => {
            reader.refuse(site, "short-secret", found, "32 random bytes in base64url").hint = hint.to_owned();
            None
        }
    }
}
