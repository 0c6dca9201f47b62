//! The page of a person's own account (`/account`).

use super::{Layout, Person};
use crate::protocol::timestamp::Timestamp;
use askama::Template;

/// Who is signed in, and the way out.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "account.html")]
pub struct AccountPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// Who is signed in.
    pub person: Person<'a>,
    /// When they signed in (`auth_time`).
    pub since: Since,
    /// Where signing out leads.
    pub sign_out: &'a str,
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
