//! A one-time link for whoever forgot their password: how long it lives, and how often it is mailed. A person has one at most, and is
//! sent the same again while it has some life left, so that nobody makes the link in a mail worthless by asking for another.

use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use std::time::Duration;

/// A link, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryToken {
    /// Whom it is for.
    pub user_id: UserId,
    /// The token's digest.
    pub hash: Digest,
    /// What the token follows from.
    pub seed: [u8; 16],
    /// How many mails were sent since there was a day without any, this link's and earlier ones'.
    pub mails: u32,
    /// When the last was.
    pub mailed_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// The digest of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Digest(…)")
    }
}

/// How long a link lives.
pub const RECOVERY_LIFE: Duration = Duration::from_secs(30 * 60);
/// How much of its life a link must have left to be sent again.
const WORTH_SENDING: Duration = Duration::from_secs(15 * 60);
/// The pause after the first mail; it doubles with each, up to what leaves every link its second half: whoever asks in the person's
/// name again and again never brings about that no link lives and none can be had (threat 141).
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = RECOVERY_LIFE.saturating_sub(WORTH_SENDING);
/// For how long mails are remembered.
pub const REMEMBERED: Duration = Duration::from_secs(86_400);

impl RecoveryToken {
    /// Whether another mail may be sent at `now`; more often would only be to pester somebody.
    pub fn may_be_mailed(&self, now: Timestamp) -> bool {
        let doublings = self.mails.saturating_sub(1).min(10);
        now >= self.mailed_at.plus(FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE))
    }

    /// Whether the same link is worth sending again at `now`.
    pub fn is_worth_sending(&self, now: Timestamp) -> bool {
        self.expires_at >= now.plus(WORTH_SENDING)
    }

    /// How many mails count that were sent before `now`.
    pub fn mails_before(&self, now: Timestamp) -> u32 {
        if now.since(self.mailed_at) < REMEMBERED { self.mails } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_to_one_person_grow_rarer_and_a_day_forgets_them() {
        let start = Timestamp::from_seconds(1_000);
        let token = |mails| RecoveryToken {
            user_id: UserId::from_random([1; 16]),
            hash: Digest([1; 32]),
            seed: [1; 16],
            mails,
            mailed_at: start,
            expires_at: start.plus(RECOVERY_LIFE),
        };
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        for (mails, pause) in [(1, 60), (2, 120), (3, 240), (7, 900), (u32::MAX, 900)] {
            assert!(!token(mails).may_be_mailed(at(pause - 1)), "{mails}");
            assert!(token(mails).may_be_mailed(at(pause)), "{mails}");
        }
        assert!(token(1).is_worth_sending(at(900)) && !token(1).is_worth_sending(at(901)));
        // threat 141: whenever a mail may not be sent, a link lives that was
        assert!(LONGEST_PAUSE + WORTH_SENDING <= RECOVERY_LIFE);
        assert_eq!((token(5).mails_before(at(86_399)), token(5).mails_before(at(86_400))), (5, 0));
    }
}
