//! The page of a person's own account (`/account`): what they gave to whom, and where they are signed in.

use super::{Layout, Person};
use crate::protocol::timestamp::Timestamp;
use askama::Template;

/// Who is signed in, what they gave to whom, where else they are signed in, and the ways out.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Who is signed in.
    pub person: Person<'a>,
    /// When they signed in (`auth_time`).
    pub since: Since,
    /// What was just done, if anything.
    pub done: Option<AccountDone>,
    /// The token that proves that the forms are ours (threat 135).
    pub form_token: &'a str,
    /// What apps have of them.
    pub apps: &'a [GrantedApp<'a>],
    /// The sessions of theirs, this browser's first.
    pub sessions: &'a [OpenSession<'a>],
    /// Whether others are signed in in this browser.
    pub has_others: bool,
    /// Where everything leads.
    pub paths: AccountPaths<'a>,
}

/// Where the forms and links of the page lead.
#[derive(Clone, Copy, Debug)]
pub struct AccountPaths<'a> {
    /// Takes back what an app was given.
    pub grants: &'a str,
    /// Ends sessions.
    pub sessions: &'a str,
    /// Another password; none for a person without one.
    pub password: Option<&'a str>,
    /// The choice among those who are signed in here.
    pub switch: &'a str,
    /// Signing in as somebody else beside.
    pub login_other: &'a str,
    /// Signing out.
    pub sign_out: &'a str,
}

/// What an app has.
#[derive(Clone, Debug)]
pub struct GrantedApp<'a> {
    /// What the form names it by.
    pub client_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it may do, in words.
    pub scopes: Vec<String>,
    /// Where.
    pub resources: Vec<&'a str>,
    /// Since when.
    pub since: Since,
    /// When it last made use of it.
    pub used: Option<Since>,
}

/// A browser in which the person is signed in.
#[derive(Clone, Copy, Debug)]
pub struct OpenSession<'a> {
    /// What the form names it by.
    pub sid: &'a str,
    /// Whether it is this one.
    pub is_here: bool,
    /// Since when.
    pub since: Since,
    /// When it was last seen.
    pub seen: Since,
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountDone {
    /// An app has nothing any more.
    TakenBack,
    /// Another session is over.
    SessionEnded,
    /// The password is another.
    PasswordChanged,
}

impl AccountDone {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::TakenBack, Self::SessionEnded, Self::PasswordChanged];

    /// The word in the page's address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TakenBack => "taken-back",
            Self::SessionEnded => "session-ended",
            Self::PasswordChanged => "password-changed",
        }
    }

    /// The key of the text.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TakenBack => "account-taken-back",
            Self::SessionEnded => "account-session-ended",
            Self::PasswordChanged => "account-password-changed",
        }
    }
}

/// A moment, as a page writes it: in UTC, since a page without scripts does not know the person's time zone.
#[derive(Clone, Copy, Debug)]
pub struct Since(pub Timestamp);

impl Since {
    /// For the `datetime` attribute: `2025-11-23T14:05:00Z`; empty for a moment no calendar has.
    pub fn machine(&self) -> String {
        self.formatted("%Y-%m-%dT%H:%M:%SZ")
    }

    /// For people of any language: `2025-11-23, 14:05 UTC`.
    pub fn words(&self) -> String {
        self.formatted("%Y-%m-%d, %H:%M UTC")
    }

    fn formatted(&self, pattern: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0.millis())
            .map_or_else(|_| String::new(), |at| at.strftime(pattern).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_well_and_an_impossible_one_is_left_out() {
        let since = Since(Timestamp::from_seconds(1_763_906_700));
        assert_eq!(since.words(), "2025-11-23, 14:05 UTC");
        assert_eq!(since.machine(), "2025-11-23T14:05:00Z");
        assert_eq!(Since(Timestamp::from_millis(i64::MAX)).words(), "");
    }
}
