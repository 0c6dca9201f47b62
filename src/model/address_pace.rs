//! How often one address, or one client, may do what anybody may do and what leaves a row (threats 83, 114): some at once, and one more every so
//! often. In memory, per replica, and in bounded number.

use crate::protocol::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The paces of all addresses, or whatever they are told apart by, in one matter.
pub struct AddressPace {
    every: Duration,
    at_once: u32,
    /// By address: when all that it did would be allowed one after the other.
    paid_until: Mutex<HashMap<String, Timestamp>>,
}

/// How many addresses are told apart.
const ADDRESSES: usize = 10_000;

impl AddressPace {
    /// `at_once`, and one more `every` so often.
    pub fn new(at_once: u32, every: Duration) -> Self {
        Self { every, at_once, paid_until: Mutex::default() }
    }

    /// The pace of registrations where everybody may register.
    pub fn of_registrations() -> Self {
        Self::new(60, Duration::from_secs(10))
    }

    /// The pace of requests pushed in the name of public clients: no address alone can take all the places that one has.
    pub fn of_pushed_requests() -> Self {
        Self::new(60, Duration::from_secs(1))
    }

    /// Counts one; `Err` with the seconds until the next may come.
    pub fn admit(&self, address_key: &str, now: Timestamp) -> Result<(), u64> {
        let mut paid_until = self.paid_until.lock().unwrap_or_else(PoisonError::into_inner);
        let paid = paid_until.get(address_key).copied().unwrap_or(now).max(now);
        let ahead = paid.since(now);
        let most = self.every * (self.at_once - 1);
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
        paid_until.insert(address_key.to_owned(), paid.plus(self.every));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_at_once_and_then_one_every_ten_seconds_for_each_address() {
        let pace = AddressPace::of_registrations();
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
        let pace = AddressPace::of_registrations();
        let now = Timestamp::from_seconds(1_800_000_000);
        for address in 0..25_000 {
            assert_eq!(pace.admit(&address.to_string(), now), Ok(()));
        }
        assert!(pace.paid_until.lock().expect("a ledger").len() <= ADDRESSES);
    }
}
