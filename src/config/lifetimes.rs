//! `[lifetimes]`, `[signing_keys]` and `[audit]`: how long things live, each within sane bounds.

use super::reader::{Reader, Section, in_words};
use super::tree::shown;
use super::{Audit, Lifetimes, SigningKeys};
use crate::jose::algorithm::SigningAlgorithm;
use std::ops::RangeInclusive;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);
const DECADE: Duration = Duration::from_secs(3660 * 86_400);

/// Reads `[lifetimes]`.
pub(super) fn lifetimes(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Lifetimes {
    let mut section = reader.section(root, "lifetimes");
    let mut one = |key, range, default| reader.duration(&mut section, key, range).unwrap_or(default);
    // RFC 6749 §4.1.2 wants a code to live ten minutes at most.
    let authorization_code = one("authorization_code", SECOND..=10 * MINUTE, MINUTE);
    let access_token = one("access_token", SECOND..=DAY, 10 * MINUTE);
    let id_token = one("id_token", SECOND..=DAY, HOUR);
    let refresh_token_idle = one("refresh_token_idle", SECOND..=YEAR, 30 * DAY);
    let refresh_token_absolute = one("refresh_token_absolute", SECOND..=DECADE, 180 * DAY);
    let session_idle = one("session_idle", SECOND..=YEAR, 12 * HOUR);
    let session_absolute = one("session_absolute", SECOND..=YEAR, 14 * DAY);
    let pairs = [
        ("refresh_token_idle", refresh_token_idle, "refresh_token_absolute", refresh_token_absolute),
        ("session_idle", session_idle, "session_absolute", session_absolute),
    ];
    for (idle_key, idle, absolute_key, absolute) in pairs {
        // Beside a default, the shorter one simply wins; advice says so.
        if let (Some((_, site)), Some(_)) = (section.get(idle_key), section.get(absolute_key))
            && idle > absolute
        {
            let expected = format!("at most {absolute_key}, which is {}", in_words(absolute));
            reader.refuse(&site, "out-of-range", shown(&in_words(idle)), expected);
        }
    }
    reader.finish(&section);
    Lifetimes {
        authorization_code,
        access_token,
        id_token,
        refresh_token_idle: refresh_token_idle.min(refresh_token_absolute),
        refresh_token_absolute,
        session_idle: session_idle.min(session_absolute),
        session_absolute,
    }
}

/// Reads `[signing_keys]`.
pub(super) fn signing_keys(reader: &mut Reader<'_>, root: &mut Section<'_>) -> SigningKeys {
    let mut section = reader.section(root, "signing_keys");
    let mut algorithms = Vec::new();
    let typed = section.get("algorithms");
    for (name, site) in reader.texts(&mut section, "algorithms").unwrap_or_default() {
        match SigningAlgorithm::parse(&name) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let names = SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", ");
                reader.refuse(&site, "invalid-value", shown(&name), format!("one of {names}"));
            }
        }
    }
    if let Some((_, site)) = typed {
        if !algorithms.contains(&SigningAlgorithm::Rs256) {
            let problem = reader.refuse(&site, "rs256-missing", "no `RS256`", "`RS256` among the algorithms");
            problem.section = Some("OpenID Connect Core §15.1");
        }
    } else {
        algorithms = vec![SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa];
    }
    let rotate_every = bounded(reader, &mut section, "rotate_every", MINUTE..=YEAR, 30 * DAY);
    reader.finish(&section);
    SigningKeys { algorithms, rotate_every }
}

/// Reads `[audit]`.
pub(super) fn audit(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Audit {
    let mut section = reader.section(root, "audit");
    let keep = bounded(reader, &mut section, "keep", HOUR..=DECADE, 90 * DAY);
    reader.finish(&section);
    Audit { keep }
}

fn bounded(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    range: RangeInclusive<Duration>,
    default: Duration,
) -> Duration {
    reader.duration(section, key, range).unwrap_or(default)
}
