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
    /// Where a forgotten password leads, when mails can be sent.
    pub recovery: Option<&'a str>,
}

/// The client as the page names it.
#[derive(Clone, Copy, Debug)]
pub struct LoginClient<'a> {
    /// Its `client_name`, or its `client_id` without one.
    pub name: &'a str,
    /// Whether nobody vouches for that name (threat 116).
    pub is_unverified: bool,
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
    pub fn words(&self, layout: &Layout<'_>) -> String {
        let language = layout.language;
        match *self {
            Self::Refused => language.say("login-refused"),
            Self::Wait { seconds } => wait_words(layout, seconds),
            Self::FormExpired => language.say("login-form-expired"),
            Self::Busy => language.say("login-busy"),
        }
    }

    /// Whether what was typed was looked at and refused.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused)
    }
}

/// How long to wait, in words, rounded up to minutes from two minutes on.
pub(super) fn wait_words(layout: &Layout<'_>, seconds: u64) -> String {
    match seconds {
        ..120 => layout.language.say_count("login-wait-seconds", seconds.max(1)),
        _ => layout.language.say_count("login-wait-minutes", seconds.div_ceil(60)),
    }
}
