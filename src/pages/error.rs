//! The page for what cannot be carried out: never a dead end, and no more told than a person may read. It says twice what
//! happened: to the person in their language, and below, for whoever makes the app, in the standards' words.

use super::{Destination, Layout, ReturnLink, WebLink};
use askama::Template;

/// What happened, the code and number to quote, and a way on.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The standard's error code (`invalid_request`).
    pub code: &'a str,
    /// What happened, in English, for whoever can mend it.
    pub reason: &'a str,
    /// The number `portreeve explain` takes.
    pub error_id: &'a str,
    /// What to do now.
    pub way_on: WayOn<'a>,
}

impl ErrorPage<'_> {
    fn heading(&self) -> &'static str {
        match self.code {
            "temporarily_unavailable" => "error-later",
            "server_error" => "error-server",
            "access_denied" => "error-denied",
            _ => "error-request",
        }
    }

    /// What happened, for the person.
    fn lead(&self) -> &str {
        match (self.code, self.way_on) {
            ("temporarily_unavailable", _) => "error-later-lead",
            ("server_error", _) => "error-server-lead",
            ("access_denied", _) => "error-denied-lead",
            (_, WayOn::Link { lead, .. }) => lead,
            _ => "error-request-lead",
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
        /// The key of what the button says.
        words: &'a str,
        /// The key of what happened.
        lead: &'a str,
    },
    /// Back to a client that this server does not vouch for, only when the person says so (threat 14, RFC 9700 §4.11.2).
    Continue {
        /// The redirect URI with the error's parameters.
        link: ReturnLink<'a>,
        /// Where it leads, in words.
        host: Destination<'a>,
    },
}
