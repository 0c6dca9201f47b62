//! The pages on which a person sets a password: their own, with the old one (`/account/password`), or by a link that they were sent
//! (`/recovery/new-password`).

use super::Layout;
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
#[derive(Clone, Copy, Debug, Template)]
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
    pub fn words(&self) -> String {
        match self {
            Self::Refused => "The old password is not right. Try again.".to_owned(),
            Self::Wait { seconds } => {
                let wait = super::login::duration_words(*seconds);
                format!("Too many attempts. Wait {wait}, then try again.")
            }
            Self::FormExpired => "This page had been open for too long. Please try again.".to_owned(),
            Self::Busy => "The server is busy at the moment. Please try again shortly.".to_owned(),
            Self::TooShort => "The new password is too short: it needs at least 8 characters.".to_owned(),
            Self::TooLong => "The new password is too long.".to_owned(),
            Self::Disallowed => {
                "The new password holds a character that cannot be typed on every device.".to_owned()
            }
            Self::SameAsUsername => "The new password must not be the username.".to_owned(),
            Self::SameAsBefore => "The new password must not be the old one.".to_owned(),
        }
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
