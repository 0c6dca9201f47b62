//! The page for what cannot be carried out: never a dead end, and no more told than a person may read.

use super::{Layout, ReturnLink, WebLink};
use askama::Template;

/// What happened, the code and number to quote, and a way on.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The standard's error code (`invalid_request`).
    pub code: &'a str,
    /// What happened, in words a person understands.
    pub reason: &'a str,
    /// The number `portreeve explain` takes.
    pub error_id: &'a str,
    /// What to do now.
    pub way_on: WayOn<'a>,
}

impl ErrorPage<'_> {
    fn heading(&self) -> &'static str {
        match self.code {
            "temporarily_unavailable" => "Please try again shortly",
            "server_error" => "Something went wrong on our side",
            "access_denied" => "Access denied",
            _ => "This request cannot be carried out",
        }
    }

    /// Whether the reason begins with a word, not a parameter's name, and has no full stop of its own: then the page shows
    /// it as the sentence it is.
    fn reason_is_a_sentence(&self) -> bool {
        let first = self.reason.split(' ').next().unwrap_or_default();
        !first.is_empty()
            && first.chars().all(char::is_alphabetic)
            && self.reason.ends_with(|last: char| last.is_alphanumeric() || last == ')')
    }
}

/// The way on from an error.
#[derive(Clone, Copy, Debug)]
pub enum WayOn<'a> {
    /// The app has to send the person here again.
    BackToApp,
    /// The app itself, where it begins a sign-in (OpenID Connect Core §4).
    App {
        /// Its `initiate_login_uri`, with this issuer.
        link: WebLink<'a>,
        /// Its name.
        name: &'a str,
    },
    /// A page of this server.
    Link {
        /// Its address.
        url: &'a str,
        /// What the button says.
        words: &'a str,
    },
    /// Back to a client that this server does not vouch for, only when the person says so (threat 14, RFC 9700 §4.11.2).
    Continue {
        /// The redirect URI with the error's parameters.
        link: ReturnLink<'a>,
        /// Where it leads, in words.
        host: super::Destination<'a>,
    },
}
