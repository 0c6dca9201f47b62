//! The pages for whoever forgot their password (`/recovery`), and the mail with the link. None of them says whether a person exists
//! (threat 139).

use super::login::wait_words;
use super::{Language, Layout};
use askama::Template;

/// Asks for a name or an address.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "recovery.html")]
pub struct RecoveryPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where the form posts to, the request in its query.
    pub action: &'a str,
    /// The token that proves that the form is ours (threat 135).
    pub form_token: &'a str,
    /// What was typed before; often empty.
    pub username: &'a str,
    /// What went wrong before, if anything.
    pub message: Option<RecoveryMessage>,
    /// Where signing in leads.
    pub sign_in: &'a str,
}

/// What the page says after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryMessage {
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

impl RecoveryMessage {
    /// The text.
    pub fn words(&self, layout: &Layout<'_>) -> String {
        match *self {
            Self::Wait { seconds } => wait_words(layout, seconds),
            Self::FormExpired => layout.say("password-form-expired"),
            Self::Busy => layout.say("password-busy"),
        }
    }
}

/// Says that a mail is on its way, if there is anybody to send it to.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "recovery_sent.html")]
pub struct RecoverySentPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where signing in leads.
    pub sign_in: &'a str,
}

/// Says that the password is another now.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "recovered.html")]
pub struct RecoveredPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Where signing in leads.
    pub sign_in: &'a str,
}

/// The mail with the link, in plain text.
#[derive(Clone, Copy, Template)]
#[template(path = "recovery_mail.txt")]
pub struct RecoveryMailText<'a> {
    /// The language of whoever asked for it.
    pub language: Language,
    /// The name of the service.
    pub service: &'a str,
    /// The link.
    pub link: &'a str,
    /// For how many minutes it works.
    pub minutes: u64,
}

impl RecoveryMailText<'_> {
    /// The subject.
    pub fn subject(&self) -> String {
        let (before, after) =
            (self.language.before("mail-recovery-subject"), self.language.after("mail-recovery-subject"));
        format!("{before}{}{after}", self.service)
    }

    fn life(&self) -> String {
        self.language.say_count("mail-recovery-life", self.minutes)
    }
}
