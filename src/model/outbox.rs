//! The outbox: what has to be told to somebody else is kept in the transaction of the fact, and delivered at least once,
//! however often it takes, until it is too late to matter. A message has one name for all its attempts.

use crate::protocol::identifiers::{MessageId, RequestId};
use crate::protocol::timestamp::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

/// What kind of news a message is, and so who delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A session is over (Back-Channel Logout §2.4): `recipient` is the client, `facts` are `sub` (the person) and `sid`.
    LogoutToken,
    /// A mail to a person: `recipient` is the person. What it says, and to which address, is found when it is sent.
    Mail,
}

impl MessageKind {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::LogoutToken, Self::Mail];

    /// The word in the row and in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogoutToken => "logout_token",
            Self::Mail => "mail",
        }
    }

    /// The one that `name` is, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A message that waits. It holds facts; a token is made of them anew at every attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// What it is.
    pub kind: MessageKind,
    /// To whom, in the words of its kind.
    pub recipient: String,
    /// What is no secret of it.
    pub facts: Map<String, Value>,
    /// What is: encrypted by `keys::seal`, and bound to this row.
    pub sealed: Option<Vec<u8>>,
    /// The request in which the fact came about.
    pub request_id: RequestId,
    /// Since when it waits.
    pub created_at: Timestamp,
    /// From when on nobody tries any more.
    pub expires_at: Timestamp,
}

/// A message that this replica, and no other, may deliver for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldMessage {
    /// The message.
    pub message: Message,
    /// How many attempts have failed.
    pub attempts: u32,
    /// Until when it is held; it names the holder too.
    pub held_until: Timestamp,
}

/// How long a message is held: much longer than any attempt takes.
pub const HELD_FOR: Duration = Duration::from_secs(60);
/// For how long the end of a session is told to an app that does not take it.
pub const LOGOUT_TOKEN_PATIENCE: Duration = Duration::from_secs(86_400);
/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Another one, then.
    Retry(Timestamp),
    /// None: it would come too late.
    Abandon,
}

impl HeldMessage {
    /// The same after one more attempt that failed.
    #[must_use]
    pub fn tried(self) -> Self {
        Self { attempts: self.attempts.saturating_add(1), ..self }
    }

    /// What follows when this attempt failed at `now`; `chance` moves the pause by up to a quarter either way, so that what
    /// failed together is not tried together.
    pub fn after_failure(&self, now: Timestamp, chance: u8) -> AfterFailure {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(12)).min(LONGEST_PAUSE);
        let at = now.plus(pause * 3 / 4 + pause / 2 * u32::from(chance) / 255);
        if at < self.message.expires_at { AfterFailure::Retry(at) } else { AfterFailure::Abandon }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(attempts: u32) -> HeldMessage {
        HeldMessage {
            message: Message {
                id: MessageId::from_random([1; 16]),
                kind: MessageKind::LogoutToken,
                recipient: "app".to_owned(),
                facts: Map::new(),
                sealed: None,
                request_id: RequestId::from_random([1; 12]),
                created_at: Timestamp::default(),
                expires_at: Timestamp::default().plus(LOGOUT_TOKEN_PATIENCE),
            },
            attempts,
            held_until: Timestamp::default(),
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_chance_moves_them_by_a_quarter() {
        let now = Timestamp::default();
        let pause = |attempts, chance| match held(attempts).after_failure(now, chance) {
            AfterFailure::Retry(at) => at.since(now).as_millis(),
            AfterFailure::Abandon => panic!("too early to give up"),
        };
        assert_eq!((pause(0, 0), pause(0, 255)), (7_500, 12_500));
        assert_eq!((pause(1, 0), pause(1, 255)), (15_000, 25_000));
        assert_eq!((pause(20, 0), pause(u32::MAX, 255)), (2_700_000, 4_500_000));
    }

    #[test]
    fn what_would_come_too_late_is_abandoned() {
        let last = Timestamp::default().plus(LOGOUT_TOKEN_PATIENCE).minus(Duration::from_secs(5));
        assert_eq!(held(0).after_failure(last, 0), AfterFailure::Abandon);
    }
}
