//! How fast one replica delivers to one host: few at once, the others behind one another, and after a failure to reach it a
//! rest (threat 94). Told from memory: what is forgotten at a restart costs a few more attempts.

use crate::logout::back_channel::Undelivered;
use crate::protocol::timestamp::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is known of the hosts that deliveries go to.
#[derive(Clone, Default)]
pub struct Pace {
    hosts: Arc<Mutex<HashMap<String, Host>>>,
}

#[derive(Default)]
struct Host {
    under_way: usize,
    failures: u32,
    rests_until: Timestamp,
    next_place: Timestamp,
}

/// Whether a delivery may begin.
pub enum Admission {
    /// Now, for as long as this is kept.
    Now(Leave),
    /// Not before then.
    Later(Timestamp),
}

/// A place among the deliveries under way; dropped, it is free.
pub struct Leave {
    pace: Pace,
    host: String,
}

/// How many deliveries are under way to one host.
const AT_ONCE: usize = 3;
/// How far those that wait for a host stand apart.
const BEHIND: Duration = Duration::from_millis(50);
/// How long a host rests after a failure; longer with each, up to a minute.
const REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(60);

impl Pace {
    /// Whether a delivery to `host` may begin at `now`.
    pub fn admit(&self, host: &str, now: Timestamp) -> Admission {
        let mut hosts = self.lock();
        let known = hosts.entry(host.to_owned()).or_default();
        if known.under_way < AT_ONCE && now >= known.rests_until {
            known.under_way += 1;
            return Admission::Now(Leave { pace: self.clone(), host: host.to_owned() });
        }
        let place = known.next_place.max(known.rests_until).max(now).plus(BEHIND);
        known.next_place = place;
        Admission::Later(place)
    }

    /// Notes how a delivery went. A host that answers is there, whatever it says.
    pub fn note(&self, host: &str, outcome: &Result<(), Undelivered>, now: Timestamp) {
        let mut hosts = self.lock();
        let known = hosts.entry(host.to_owned()).or_default();
        match outcome {
            Err(Undelivered::Unreached(_)) => {
                known.failures = known.failures.saturating_add(1);
                known.rests_until = now.plus(REST.saturating_mul(known.failures).min(LONGEST_REST));
            }
            Ok(()) | Err(_) => known.failures = 0,
        }
    }

    /// Forgets the hosts that nothing is to be remembered of.
    pub fn forget(&self, now: Timestamp) {
        self.lock().retain(|_, known| {
            known.under_way > 0
                || known.next_place.plus(LONGEST_REST) > now
                || known.rests_until.plus(LONGEST_REST) > now
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(known) = self.pace.lock().get_mut(&self.host) {
            known.under_way = known.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn few_go_to_one_host_at_once_and_the_others_stand_behind_one_another() {
        // threat 94
        let pace = Pace::default();
        let admitted: Vec<_> = (0..5).map(|_| pace.admit("slow.example:443", at(1000))).collect();
        let later: Vec<_> = admitted
            .iter()
            .filter_map(|one| match one {
                Admission::Later(at) => Some(at.millis()),
                Admission::Now(_) => None,
            })
            .collect();
        assert_eq!(later, [1050, 1100]);
        assert!(matches!(pace.admit("other.example:443", at(1000)), Admission::Now(_)));
        drop(admitted);
        assert!(matches!(pace.admit("slow.example:443", at(1000)), Admission::Now(_)));
    }

    #[test]
    fn a_host_that_cannot_be_reached_rests_and_one_that_answers_does_not() {
        let pace = Pace::default();
        pace.note("a", &Err(Undelivered::Refused(500)), at(0));
        assert!(matches!(pace.admit("a", at(0)), Admission::Now(_)));
        pace.note("a", &Err(Undelivered::Unreached("no answer".into())), at(0));
        assert!(matches!(pace.admit("a", at(4_999)), Admission::Later(at) if at.millis() == 5_050));
        assert!(matches!(pace.admit("a", at(5_000)), Admission::Now(_)));
        pace.note("a", &Err(Undelivered::Unreached("no answer".into())), at(5_000));
        assert!(matches!(pace.admit("a", at(14_999)), Admission::Later(_)));
        pace.note("a", &Ok(()), at(15_000));
        pace.forget(at(16_000));
        assert!(matches!(pace.admit("a", at(16_000)), Admission::Now(_)));
        pace.forget(at(1_000_000));
        assert!(pace.lock().is_empty());
    }
}
