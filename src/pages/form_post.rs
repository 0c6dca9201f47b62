//! The page that carries an authorization response in a form (OAuth 2.0 Form Post Response Mode §4; threat 26).

use super::{Layout, ReturnLink};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Posts `fields` to the redirect URI at once, or at the press of a button where scripts are off.
///
/// Browsers write every line break in a field as CR LF, so a `state` with a lone CR or LF cannot come back as it was sent.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The registered redirect URI.
    pub action: ReturnLink<'a>,
    /// The name of the client it belongs to.
    pub client: &'a str,
    /// The response's parameters: name and value.
    pub fields: &'a [(&'a str, &'a str)],
}

/// The only inline script there is, exactly as the page holds it.
pub const FORM_POST_SCRIPT: &str = include_str!("../../templates/assets/form_post.js");

/// The source expression that allows this script alone (CSP Level 3 §8.4): `sha256-…`, without its quotes.
pub fn form_post_script_hash() -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(FORM_POST_SCRIPT)))
}
