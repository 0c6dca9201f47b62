//! The page that asks before signing a person out (RP-Initiated Logout §2; threat 171).

use super::{Destination, Layout, Person};
use askama::Template;

/// One question; the form posts `form_token` to `action`.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "logout.html")]
pub struct LogoutPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// The name of the client that asks, when one does.
    pub client: Option<&'a str>,
    /// Whether the client means another sign-in than the one in this browser.
    pub about_another: bool,
    /// Where the person goes afterwards, when not to a page of ours.
    pub destination: Option<Destination<'a>>,
    /// Who is signed in.
    pub person: Option<Person<'a>>,
    /// Whether others are signed in in this browser too.
    pub has_others: bool,
    /// Where staying signed in leads.
    pub stay: &'a str,
}
