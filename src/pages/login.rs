//! The page a person signs in on (`/login`).

use super::{Destination, Layout, WebLink};
use askama::Template;

/// Username and password; the form posts `username`, `password` and `form_token` to `action`.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// The client that asks, when one does.
    pub client: Option<LoginClient<'a>>,
    /// Where the person will be sent back to, when a client asks.
    pub destination: Option<Destination<'a>>,
    /// What the username field holds at first: `login_hint`, or what was typed before; often empty.
    pub username: &'a str,
    /// What went wrong before, if anything.
    pub message: Option<LoginMessage>,
}

/// The client as the page names it.
#[derive(Clone, Copy, Debug)]
pub struct LoginClient<'a> {
    /// Its `client_name`, or its `client_id` without one.
    pub name: &'a str,
    /// The address of its logo on this server, if it has one.
    pub logo: Option<&'a str>,
    /// Its `policy_uri`.
    pub policy: Option<WebLink<'a>>,
    /// Its `tos_uri`.
    pub terms: Option<WebLink<'a>>,
}

impl LoginPage<'_> {
    fn is_refused(&self) -> bool {
        self.message.is_some_and(|message| message.is_refusal())
    }
}

/// What the page says after an attempt. One vague text for every reason a sign-in is refused (threat 139: whether
/// a person exists is not told).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMessage {
    /// The name, the password, or both are wrong; or the person may not sign in.
    Refused,
    /// Too many attempts: the next is looked at in this many seconds.
    Wait {
        /// Seconds from now.
        seconds: u64,
    },
    /// The form was not ours or too old; nothing was tried.
    FormExpired,
    /// The server cannot look at it at the moment.
    Busy,
}

impl LoginMessage {
    /// The text.
    pub fn words(&self) -> String {
        match self {
            Self::Refused => {
                "That did not work. Check the username and the password and try again.".to_owned()
            }
            Self::Wait { seconds } => {
                format!("Too many attempts. Wait {}, then try again.", duration_words(*seconds))
            }
            Self::FormExpired => "This page had been open for too long. Please sign in again.".to_owned(),
            Self::Busy => "Signing in is slow at the moment. Please try again shortly.".to_owned(),
        }
    }

    /// Whether what was typed was looked at and refused.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused)
    }
}

/// `seconds` in words, rounded up to minutes from two minutes on.
fn duration_words(seconds: u64) -> String {
    match seconds {
        0 | 1 => "1 second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}
