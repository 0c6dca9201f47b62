//! The page after signing out, when there is no way back to a client.

use super::Layout;
use askama::Template;

/// Says that it is done.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "logged_out.html")]
pub struct LoggedOutPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where signing in again leads.
    pub sign_in: &'a str,
}
