//! Files the pages load from our own origin, compiled in. Who serves them, and with which headers, is decided elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

/// A file served under `/assets/`.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name below `/assets/`.
    pub name: &'static str,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static str,
}

/// The stylesheet of all pages.
pub const STYLESHEET: &str = include_str!("../../templates/assets/portreeve.css");

/// What every server serves, beside `theme.css` and `mark.svg`, which follow the configuration.
pub const ASSETS: [Asset; 1] =
    [Asset { name: "portreeve.css", content_type: "text/css; charset=utf-8", body: STYLESHEET }];

/// The playground's script, served by `dev` only.
pub const PLAYGROUND_SCRIPT: Asset = Asset {
    name: "playground.js",
    content_type: "text/javascript; charset=utf-8",
    body: include_str!("../../templates/assets/playground.js"),
};

/// A short name of `content`: the first 72 bits of its SHA-256 in base64url, for the query that busts caches.
pub fn version(content: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(content).get(..9).unwrap_or_default())
}

/// The version of the stylesheet, reckoned once.
pub static STYLESHEET_VERSION: LazyLock<String> = LazyLock::new(|| version(STYLESHEET));

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages may run from right to left.
    #[test]
    fn the_stylesheet_knows_no_left_and_no_right() {
        let mut css = STYLESHEET.to_owned();
        while let Some(start) = css.find("/*") {
            let end = start + css[start..].find("*/").unwrap() + 2;
            css.replace_range(start..end, "");
        }
        let words: Vec<&str> = css.split(|sign: char| !sign.is_ascii_alphabetic()).collect();
        assert!(words.len() > 1_000 && !words.contains(&"left") && !words.contains(&"right"));
        for line in css.lines().map(str::trim) {
            let Some((property, value)) = line.trim_end_matches(';').split_once(": ") else { continue };
            let values: Vec<&str> = value.split_ascii_whitespace().collect();
            if ["margin", "padding", "inset", "border-radius"].contains(&property) && values.len() == 4 {
                assert_eq!(values[1], values[3], "{line}");
            }
        }
    }
}
