//! `[pages]` and `[log]`: what people see, and what operators read.

use super::reader::{Reader, Section};
use super::scopes::readable;
use super::secrets::reason;
use super::tree::shown;
use super::{Log, LogFormat, Logo, Pages};

/// No logo is larger: it is sent with every visit.
const LARGEST_LOGO: usize = 256 * 1024;

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Reads `[pages]`.
pub(super) fn pages(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Pages {
    let mut section = reader.section(root, "pages");
    let expected_name = "1 to 80 characters, none of them a control, direction or invisible one";
    let name = reader
        .parsed(&mut section, "name", expected_name, |text| readable(text, 80).then(|| text.to_owned()))
        .unwrap_or_else(|| "Example".into());
    let logo = logo(reader, &mut section);
    let expected_colour = "a colour such as \"#0a5\" or \"#00aa55\"";
    let accent = reader.parsed(&mut section, "accent", expected_colour, |text| {
        let digits = text.strip_prefix('#')?;
        let fits = matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| text.to_owned())
    });
    reader.finish(&section);
    Pages { name, logo, accent }
}

fn logo(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Option<Logo> {
    let (named, site) = reader.text(section, "logo")?;
    let media_type = match named.rsplit_once('.').map(|(_, extension)| extension) {
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        _ => {
            reader.refuse(
                &site,
                "invalid-value",
                shown(&named),
                "a file that ends in .svg, .png, .jpg or .webp",
            );
            return None;
        }
    };
    let path = reader.resolve(&site.place, &named);
    reader.files.insert(path.clone());
    let length = std::fs::metadata(&path).map(|metadata| if metadata.is_file() { metadata.len() } else { 0 });
    let bytes = match length {
        Ok(length) if length > 0 && length <= LARGEST_LOGO as u64 => std::fs::read(&path),
        Ok(length) => {
            let found = format!("{} with {length} bytes", shown(&named));
            reader.refuse(&site, "out-of-range", found, "a picture of at most 256 KiB");
            return None;
        }
        Err(why) => Err(why),
    };
    match bytes {
        Ok(bytes) if is(media_type, &bytes) => Some(Logo { bytes, media_type }),
        Ok(_) => {
            reader.refuse(
                &site,
                "invalid-value",
                format!("{}, which is something else", shown(&named)),
                media_type,
            );
            None
        }
        Err(why) => {
            let found = format!("{}: {}", shown(&named), reason(&why));
            reader.refuse(&site, "unreadable-file", found, "a picture");
            None
        }
    }
}

/// Whether the bytes begin as such a picture does; an SVG holds no script, since it is served from this origin.
fn is(media_type: &str, bytes: &[u8]) -> bool {
    match media_type {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => std::str::from_utf8(bytes).is_ok_and(|text| {
            let text = text.to_ascii_lowercase();
            text.contains("<svg") && !text.contains("<script")
        }),
    }
}

/// Reads `[log]`.
pub(super) fn log(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Log {
    let mut section = reader.section(root, "log");
    let expected = format!("one of {}", LEVELS.join(", "));
    let level = reader
        .parsed(&mut section, "level", &expected, |text| LEVELS.contains(&text).then(|| text.to_owned()))
        .unwrap_or_else(|| "info".into());
    let format = reader.parsed(&mut section, "format", "`text` or `json`", |text| match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    });
    reader.finish(&section);
    Log { level, format: format.unwrap_or(LogFormat::Text) }
}
