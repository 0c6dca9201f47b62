//! The playground (`/playground`, in `dev` only): runs the code flow in the browser and shows each message.

use super::Layout;
use askama::Template;

/// The page; its script does the rest, as a public client would.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "playground.html")]
pub struct PlaygroundPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The issuer, from whose metadata every endpoint is read.
    pub issuer: &'a str,
    /// The public client the playground poses as.
    pub client_id: &'a str,
    /// Its redirect URI, which is the playground itself.
    pub redirect_uri: &'a str,
    /// The scope asked for at first.
    pub scope: &'a str,
    /// The resource asked for at first (RFC 8707); may be empty.
    pub resource: &'a str,
}
