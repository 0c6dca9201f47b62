//! `[database]`: which store. Its URL may hold a password, so no problem shows it.

use super::reader::{Reader, Section, Site};
use super::secrets::{ClearText, secret_of};
use super::tree::Place;
use super::{Database, DatabaseUrl};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::path::Path;
use url::Url;

/// What a path may not hold as it is within a URL.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

const EXPECTED: &str = "`sqlite://` and a file, or `postgres://` and a host";

/// Reads `[database]`, which is required.
pub(super) fn database(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Option<Database> {
    let mut section = reader.section(root, "database");
    let url = match reader.take(&mut section, "url") {
        Some((node, site)) => secret_of(reader, node, &site, ClearText::Taken)
            .and_then(|url| check(reader, url.expose(), &site)),
        None => {
            let site = Site { place: section.site.place.clone(), key: "database.url".into() };
            let expected = "`[database]` with `url = \"sqlite://data/portreeve.db\"` or `postgres://…`";
            reader.refuse(&site, "missing-key", "no `database.url`", expected);
            None
        }
    };
    let max_connections = reader.integer(&mut section, "max_connections", 1..=10_000).unwrap_or(16);
    reader.finish(&section);
    Some(Database { url: url?, max_connections })
}

fn check(reader: &mut Reader<'_>, url: &str, site: &Site) -> Option<DatabaseUrl> {
    let refused = match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => match sqlite(reader, url, &site.place) {
            Ok(url) => return Some(DatabaseUrl::new(url)),
            Err(why) => why,
        },
        Some("postgres" | "postgresql") => match Url::parse(url) {
            Ok(parsed) if parsed.fragment().is_none() && has_target(&parsed) => {
                return Some(DatabaseUrl::new(url));
            }
            _ => "a postgres URL without a host, or that is none",
        },
        _ => "a URL of neither store",
    };
    reader.refuse(site, "invalid-value", refused, EXPECTED);
    None
}

/// The URL of the file at `path`.
pub(super) fn url_of_file(path: &Path) -> DatabaseUrl {
    DatabaseUrl::new(format!("sqlite://{}", utf8_percent_encode(&path.to_string_lossy(), PATH)))
}

/// Whether a PostgreSQL URL says where the server is: a host, or a socket's folder.
fn has_target(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty()) || url.query_pairs().any(|(name, _)| name == "host")
}

/// The URL with its path joined to the folder of the file that named it, so that every command, from whatever folder,
/// opens the same store.
fn sqlite(reader: &Reader<'_>, url: &str, place: &Place) -> Result<String, &'static str> {
    let rest = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or_default();
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    if path.is_empty() || path == ":memory:" || query.is_some_and(|query| query.contains("mode=memory")) {
        return Err("a sqlite URL without a file: what a restart forgets is no store");
    }
    if path.ends_with('/') {
        return Err("a sqlite URL of a folder");
    }
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        let folder = reader.resolve(place, "");
        let folder = folder.to_str().ok_or("a path that is not UTF-8")?;
        let folder = utf8_percent_encode(folder, PATH).to_string();
        if folder.is_empty() { path.to_owned() } else { format!("{}/{path}", folder.trim_end_matches('/')) }
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("sqlite://{path}{query}"))
}
