//! The pages on which a person sets a password: their own, with the old one (`/account/password`), or by a link that they were sent
//! (`/recovery/new-password`).

use super::Layout;
use super::login::wait_words;
use askama::Template;

/// Another password, the old one at hand.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "password.html")]
pub struct PasswordPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// What the person signs in with, for password managers.
    pub username: &'a str,
    /// Whether nothing else is possible before.
    pub is_forced: bool,
    /// What went wrong before, if anything.
    pub message: Option<PasswordMessage>,
    /// Where leaving everything as it is leads.
    pub stay: &'a str,
}

/// Another password, by a link.
#[derive(Clone, Copy, Template)]
#[template(path = "new_password.html")]
pub struct NewPasswordPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// The token of the link.
    pub token: &'a str,
    /// What the person signs in with.
    pub username: &'a str,
    /// What went wrong before, if anything.
    pub message: Option<PasswordMessage>,
}

/// What the pages say after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMessage {
    /// The old password is another.
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
    /// Too short.
    TooShort,
    /// Too long.
    TooLong,
    /// Something that cannot be typed everywhere.
    Disallowed,
    /// The name.
    SameAsUsername,
    /// The old one.
    SameAsBefore,
}

impl PasswordMessage {
    /// The text.
    pub fn words(&self, layout: &Layout<'_>) -> String {
        layout.say(match *self {
            Self::Wait { seconds } => return wait_words(layout, seconds),
            Self::Refused => "password-refused",
            Self::FormExpired => "password-form-expired",
            Self::Busy => "password-busy",
            Self::TooShort => "password-too-short",
            Self::TooLong => "password-too-long",
            Self::Disallowed => "password-disallowed",
            Self::SameAsUsername => "password-same-as-username",
            Self::SameAsBefore => "password-same-as-before",
        })
    }

    /// Whether the old password is what is wrong.
    pub const fn is_about_old(&self) -> bool {
        matches!(self, Self::Refused)
    }

    /// Whether the new password is what is wrong.
    pub const fn is_about_new(&self) -> bool {
        !matches!(self, Self::Refused | Self::Wait { .. } | Self::FormExpired | Self::Busy)
    }
}

impl PasswordPage<'_> {
    fn old_is_wrong(&self) -> bool {
        self.message.is_some_and(|message| message.is_about_old())
    }

    fn new_is_wrong(&self) -> bool {
        self.message.is_some_and(|message| message.is_about_new())
    }
}

impl NewPasswordPage<'_> {
    fn new_is_wrong(&self) -> bool {
        self.message.is_some_and(|message| message.is_about_new())
    }
}
