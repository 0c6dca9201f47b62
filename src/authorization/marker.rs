//! When this request began, for this browser: an authenticated mark that travels with the request from page to page, so
//! that "freshly signed in" means signed in since then, without a row (decisions 13, 37, 134 of the threat model).

use crate::keys::derive::KeyedMac;
use crate::protocol::parameters::Parameters;
use crate::protocol::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;

/// The parameter in which the mark travels.
pub const MARKER: &str = "marker";
/// For how long a mark counts.
const LIFE: Duration = Duration::from_secs(3600);

/// When a request began, told by a mark that is genuine, for these very parameters and this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Begin(pub Timestamp);

/// Reads the mark that the request carries; a wrong or old one counts as none.
pub fn read(keys: &KeyedMac, request: &Parameters, browser: Option<&str>, now: Timestamp) -> Option<Begin> {
    let mark = URL_SAFE_NO_PAD.decode(request.get(MARKER)?).ok()?;
    let (begin, tag) = mark.split_first_chunk::<8>()?;
    let unmarked = request.without(MARKER).encode();
    if !keys.verify(&[begin, browser?.as_bytes(), unmarked.as_bytes()], tag) {
        return None;
    }
    let begin = Timestamp::from_millis(i64::from_be_bytes(*begin));
    (begin <= now && now.since(begin) < LIFE).then_some(Begin(begin))
}

/// The request with a mark that says it begins now.
pub fn mark(keys: &KeyedMac, request: &Parameters, browser: &str, now: Timestamp) -> Parameters {
    let unmarked = request.without(MARKER);
    let begin = now.millis().to_be_bytes();
    let tag = keys.mac(&[&begin, browser.as_bytes(), unmarked.encode().as_bytes()]);
    unmarked.with(MARKER, URL_SAFE_NO_PAD.encode([&begin[..], &tag[..]].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_counts_for_its_browser_its_request_and_an_hour() {
        // threats 37, 134
        let keys = KeyedMac::new(&[1; 32], &[], "marker");
        let now = Timestamp::from_seconds(1_000_000);
        let request = Parameters::parse(b"client_id=a&state=x").expect("valid");
        let marked = mark(&keys, &request, "browser", now);
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        assert_eq!(read(&keys, &marked, Some("browser"), later(3599)), Some(Begin(now)));
        assert_eq!(read(&keys, &marked, Some("browser"), later(3600)), None);
        assert_eq!(read(&keys, &marked, Some("browser"), now.minus(Duration::from_secs(1))), None);
        assert_eq!(read(&keys, &marked, Some("another"), now), None);
        assert_eq!(read(&keys, &marked, None, now), None);
        assert_eq!(read(&keys, &marked.with("state", "y"), Some("browser"), now), None);
        assert_eq!(read(&keys, &request, Some("browser"), now), None);
        assert_eq!(read(&keys, &request.with(MARKER, "AAAA"), Some("browser"), now), None);
        let other = KeyedMac::new(&[2; 32], &[], "marker");
        assert_eq!(read(&other, &marked, Some("browser"), now), None);
    }
}
