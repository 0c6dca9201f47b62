//! How often one address may register clients where everybody may (threat 114): sixty at once, and one more every ten seconds.
//! In memory, per replica, and in bounded number.

use crate::protocol::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The paces of all addresses.
#[derive(Default)]
pub struct RegistrationPace {
    /// By address: when all that it did would be allowed one after the other.
    paid_until: Mutex<HashMap<String, Timestamp>>,
}

const EVERY: Duration = Duration::from_secs(10);
const AT_ONCE: u32 = 60;
/// How many addresses are told apart.
const ADDRESSES: usize = 10_000;

impl RegistrationPace {
    /// Counts a registration; `Err` with the seconds until the next may come.
    pub fn admit(&self, address_key: &str, now: Timestamp) -> Result<(), u64> {
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        let paid = paid_until.get(address_key).copied().unwrap_or(now).max(now);
        let ahead = paid.since(now);
        let most = EVERY * (AT_ONCE - 1);
        if ahead > most {
            return Err((ahead - most).as_secs().max(1));
        }
        if paid_until.len() >= ADDRESSES {
            paid_until.retain(|_, paid| *paid > now);
            // all of them are busy: to forget them is better than to grow
            if paid_until.len() >= ADDRESSES {
                paid_until.clear();
            }
        }
        paid_until.insert(address_key.to_owned(), paid.plus(EVERY));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_at_once_and_then_one_every_ten_seconds_for_each_address() {
        let pace = RegistrationPace::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        for _ in 0..60 {
            assert_eq!(pace.admit("a", now), Ok(()));
        }
        assert_eq!(pace.admit("a", now), Err(10));
        assert_eq!(pace.admit("b", now), Ok(()));
        let later = now.plus(Duration::from_secs(10));
        assert_eq!(pace.admit("a", later), Ok(()));
        assert_eq!(pace.admit("a", later), Err(10));
        assert_eq!(pace.admit("a", now), Err(20), "a clock that was set back");
    }

    #[test]
    fn the_addresses_that_are_told_apart_are_bounded() {
        let pace = RegistrationPace::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        for address in 0..25_000 {
            assert_eq!(pace.admit(&address.to_string(), now), Ok(()));
        }
        assert!(pace.paid_until.lock().expect("a ledger").len() <= ADDRESSES);
    }
}
