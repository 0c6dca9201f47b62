//! The page after signing out: says that it is done, lets the apps end their own sessions in this browser where Front-Channel
//! Logout is on, and knows the way back to a client, if there is one.

use super::{Layout, ReturnLink};
use askama::Template;

/// Says that it is done.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "logged_out.html")]
pub struct LoggedOutPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where signing in again leads.
    pub sign_in: &'a str,
    /// What the page loads in frames (Front-Channel Logout §2).
    pub frames: &'a [String],
    /// The way back to the client that asked.
    pub onward: Option<Onward<'a>>,
}

/// The way back to a client.
#[derive(Clone, Copy, Debug)]
pub struct Onward<'a> {
    /// Its post-logout redirect URI, `state` included.
    pub link: ReturnLink<'a>,
    /// Its name.
    pub client: &'a str,
    /// After how many seconds the browser goes there by itself, if it does.
    pub after_seconds: Option<u32>,
}
