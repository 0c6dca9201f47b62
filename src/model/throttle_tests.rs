use super::*;
use crate::model::clock::Clock;
use crate::model::throttle_ledger::FORGOTTEN_AFTER;
use proptest::prelude::*;
use std::sync::atomic::{AtomicI64, Ordering};

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    fn forward(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).expect("short"), Ordering::SeqCst);
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn throttle() -> (Throttle, Arc<TestClock>) {
    let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000)));
    (Throttle::new(clock.clone()), clock)
}

/// One wrong password from a device nobody knows.
fn fail(throttle: &Throttle, person: &str, address: &str) -> Result<(), u64> {
    let attempt = throttle.check(person, address, Device::Unknown).map_err(|wait| wait.seconds)?;
    throttle.failed(attempt);
    Ok(())
}

fn wait(throttle: &Throttle, person: &str, address: &str) -> u64 {
    throttle.check(person, address, Device::Unknown).map_or_else(|wait| wait.seconds, |_| 0)
}

/// Fails `times` at one person, from a fresh address each time, waiting as told.
fn attack(throttle: &Throttle, clock: &TestClock, person: &str, times: usize) {
    for index in 0..times {
        while let Err(seconds) = fail(throttle, person, &format!("attacker {index}")) {
            clock.forward(Duration::from_secs(seconds));
        }
    }
}

// threat 140; product.md "from the sixth failure on"
#[test]
fn the_sixth_failure_at_a_person_is_the_first_that_delays_the_next_attempt() {
    let (throttle, _) = throttle();
    for index in 0..6 {
        assert_eq!(fail(&throttle, "ada", &format!("address {index}")), Ok(()), "failure {index}");
    }
    assert_eq!(wait(&throttle, "ada", "another"), 1);
    assert_eq!(wait(&throttle, "bob", "another"), 0);
}

// threats 140, 141
#[test]
fn the_delay_of_a_person_doubles_up_to_thirty_seconds() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 5);
    let mut waits = Vec::new();
    for index in 0..8 {
        fail(&throttle, "ada", &format!("address {index}")).expect("waited");
        waits.push(wait(&throttle, "ada", &format!("another {index}")));
        clock.forward(Duration::from_secs(waits[index]));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
}

// threat 140: one password tried on many people
#[test]
fn the_delay_of_an_address_counts_failures_at_all_people_and_ends_at_a_minute() {
    let (throttle, clock) = throttle();
    let mut waits = Vec::new();
    for index in 0..14 {
        fail(&throttle, &format!("person {index}"), "198.51.100.7/32").expect("waited");
        waits.push(wait(&throttle, "another", "198.51.100.7/32"));
        clock.forward(Duration::from_secs(waits[index]));
    }
    assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(wait(&throttle, "another", "198.51.100.8/32"), 0);
}

// threat 140
#[test]
fn ten_thousand_people_sprayed_from_fifty_addresses_are_throttled() {
    let (throttle, _) = throttle();
    let admitted = (0..10_000)
        .filter(|index| fail(&throttle, &format!("p{index}"), &format!("a{}", index % 50)).is_ok())
        .count();
    assert_eq!(admitted, 50 * 6);
}

// threat 141, invariant 33
#[test]
fn a_known_device_signs_in_at_once_whatever_strangers_do() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 100);
    assert!(wait(&throttle, "ada", "home") > 0);
    let attempt = throttle.check("ada", "home", Device::Known("laptop")).expect("is known");
    throttle.succeeded(attempt);
    assert!(wait(&throttle, "ada", "home") > 0, "the strangers' failures stay counted");
}

// threat 141
#[test]
fn a_new_device_never_waits_longer_than_the_cap() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 200);
    let wait = wait(&throttle, "ada", "hotel");
    assert!((1..=30).contains(&wait), "{wait}");
    clock.forward(Duration::from_secs(wait));
    assert!(throttle.check("ada", "hotel", Device::Unknown).is_ok());
}

/// Ten addresses that ask for one person as often as they may, until `until` and at that moment too.
fn poll(throttle: &Throttle, clock: &TestClock, person: &str, device: Device<'_>, until: i64) {
    loop {
        for index in 0..10 {
            if let Ok(attempt) = throttle.check(person, &format!("198.51.100.{index}/32"), device) {
                throttle.failed(attempt);
            }
        }
        if clock.now().millis() >= until {
            return;
        }
        clock.forward(Duration::from_millis(250));
    }
}

// threat 141, invariant 33: whoever polls fastest must not be the only one who is let through
#[test]
fn who_comes_back_when_told_is_let_through_however_many_others_ask() {
    for device in [Device::Unknown, Device::Known("stolen")] {
        let (throttle, clock) = throttle();
        poll(&throttle, &clock, "ada", device, clock.now().millis() + 120_000);
        let (start, mut waits) = (clock.now(), Vec::new());
        let attempt = loop {
            match throttle.check("ada", "203.0.113.7/32", device) {
                Ok(attempt) => break attempt,
                Err(wait) => {
                    waits.push(wait.seconds);
                    let until = clock.now().plus(Duration::from_secs(wait.seconds)).millis();
                    poll(&throttle, &clock, "ada", device, until);
                }
            }
            assert!(clock.now().since(start) <= 30 * SECOND, "{waits:?}");
        };
        throttle.succeeded(attempt);
    }
}

// threat 140: what fairness costs
#[test]
fn a_line_lets_an_attempt_through_in_each_wait_and_one_site_has_one_line() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 20);
    let from = |site: u32, host: u32| format!("2001:db8:{site:x}:{host:x}::/64");
    for host in 0..100 {
        let told = fail(&throttle, "ada", &from(1, host)).expect_err("has to wait");
        assert!((1..=30).contains(&told));
    }
    clock.forward(29 * SECOND);
    fail(&throttle, "ada", "somebody/32").expect_err("has to wait");
    let attempt = throttle.check("ada", "elsewhere/32", Device::Unknown);
    assert!(attempt.is_err());
    clock.forward(SECOND);
    let admitted = (0..100).filter(|host| fail(&throttle, "ada", &from(1, *host)).is_ok()).count();
    assert_eq!(admitted, 1, "a /48 is one neighbourhood");
    assert_eq!(fail(&throttle, "ada", &from(2, 0)), Err(30), "another one stands at its own line's end");
}

// threat 144: who was admitted in vain has not lost their place
#[test]
fn a_dropped_attempt_keeps_its_place_in_line() {
    let (throttle, clock) = throttle();
    poll(&throttle, &clock, "ada", Device::Unknown, clock.now().millis() + 120_000);
    assert!(wait(&throttle, "ada", "home") > 0);
    poll(&throttle, &clock, "ada", Device::Unknown, clock.now().millis() + 30_000);
    for _ in 0..3 {
        drop(throttle.check("ada", "home", Device::Unknown).expect("waited"));
    }
    throttle.failed(throttle.check("ada", "home", Device::Unknown).expect("waited"));
    assert_eq!(wait(&throttle, "ada", "home"), 30);
}

// threat 141: a stolen device cookie
#[test]
fn a_known_device_has_a_small_budget_of_its_own() {
    let (throttle, _) = throttle();
    for _ in 0..6 {
        let attempt = throttle.check("ada", "home", Device::Known("laptop")).expect("within budget");
        throttle.failed(attempt);
    }
    assert_eq!(throttle.check("ada", "home", Device::Known("laptop")).map(drop), Err(Wait { seconds: 1 }));
    assert!(throttle.check("ada", "home", Device::Known("phone")).is_ok());
    assert!(throttle.check("bob", "home", Device::Known("laptop")).is_ok(), "known to another person");
    assert_eq!(wait(&throttle, "ada", "home"), 0);
}

// invariant 32
#[test]
fn parallel_guesses_at_a_person_get_no_further_than_as_many_in_turn() {
    let (throttle, clock) = throttle();
    let attempts: Vec<_> = (0..64)
        .filter_map(|index| throttle.check("ada", &format!("a{index}"), Device::Unknown).ok())
        .collect();
    assert_eq!(attempts.len(), 6);
    for attempt in attempts {
        throttle.failed(attempt);
    }
    assert_eq!(wait(&throttle, "ada", "x"), 1);
    clock.forward(SECOND);
    let first = throttle.check("ada", "x", Device::Unknown).expect("waited");
    assert!(throttle.check("ada", "y", Device::Unknown).is_err(), "one at a time from now on");
    throttle.failed(first);
    assert_eq!(wait(&throttle, "ada", "y"), 2);
}

// invariant 32
#[test]
fn failures_on_many_threads_are_all_counted() {
    let (throttle, clock) = throttle();
    let attempts: Vec<_> = (0..40)
        .map(|index| {
            throttle
                .check(&format!("person {index}"), "office", Device::Unknown)
                .expect("people may sign in at once")
        })
        .collect();
    std::thread::scope(|scope| {
        for attempt in attempts {
            scope.spawn(|| throttle.failed(attempt));
        }
    });
    assert_eq!(wait(&throttle, "another", "office"), 60);
    clock.forward(60 * SECOND);
    let only = throttle.check("another", "office", Device::Unknown).expect("waited");
    assert!(throttle.check("one more", "office", Device::Unknown).is_err());
    drop(only);
    assert_eq!(wait(&throttle, "one more", "office"), 0);
}

// threat 144: a full queue is nobody's failure
#[test]
fn a_dropped_attempt_counts_as_nothing() {
    let (throttle, _) = throttle();
    for _ in 0..100 {
        drop(throttle.check("ada", "home", Device::Unknown).expect("nothing failed"));
    }
    assert_eq!(throttle.counters(), 0);
}

#[test]
fn a_success_forgets_the_failures_of_person_and_address() {
    let (throttle, clock) = throttle();
    for _ in 0..8 {
        while let Err(seconds) = fail(&throttle, "ada", "home") {
            clock.forward(Duration::from_secs(seconds));
        }
    }
    clock.forward(60 * SECOND);
    throttle.succeeded(throttle.check("ada", "home", Device::Unknown).expect("waited"));
    for _ in 0..6 {
        assert_eq!(fail(&throttle, "ada", "home"), Ok(()));
    }
    assert_eq!(fail(&throttle, "ada", "home"), Err(1));
}

// threat 140: clearing one's own address between guesses
#[test]
fn the_same_person_clears_an_address_only_once_while_failures_are_remembered() {
    let (throttle, clock) = throttle();
    let mut admitted = 0;
    for round in 0..20 {
        for guess in 0..5 {
            admitted += usize::from(fail(&throttle, &format!("victim {round} {guess}"), "lair").is_ok());
        }
        if let Ok(attempt) = throttle.check("attacker", "lair", Device::Unknown) {
            throttle.succeeded(attempt);
        }
    }
    assert_eq!(admitted, 5 + 6);
    clock.forward(FORGOTTEN_AFTER);
    assert_eq!(wait(&throttle, "ada", "lair"), 0);
}

#[test]
fn failures_are_forgotten_after_fifteen_quiet_minutes_and_not_before() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 10);
    clock.forward(FORGOTTEN_AFTER - SECOND);
    fail(&throttle, "ada", "a").expect("waited");
    assert_eq!(wait(&throttle, "ada", "b"), 30);
    clock.forward(FORGOTTEN_AFTER);
    for index in 0..6 {
        assert_eq!(fail(&throttle, "ada", &format!("later {index}")), Ok(()));
    }
}

// threat 190
#[test]
fn a_clock_that_jumps_makes_nobody_wait_longer_than_the_cap() {
    let (throttle, clock) = throttle();
    attack(&throttle, &clock, "ada", 20);
    for jump in [-86_400_000, -1_900_000_000_000, 86_400_000, 3_000_000_000_000] {
        clock.0.fetch_add(jump, Ordering::SeqCst);
        assert!(wait(&throttle, "ada", "x") <= 30, "{jump}");
        clock.forward(30 * SECOND);
        assert_eq!(wait(&throttle, "ada", "x"), 0, "{jump}");
    }
}

// threats 140, 193
#[test]
fn counters_are_bounded_and_the_longest_untouched_goes_first() {
    let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000)));
    let throttle = Throttle::with_capacity(clock, 10);
    for _ in 0..6 {
        fail(&throttle, "ada", "a").expect("first");
    }
    for index in 0..9 {
        fail(&throttle, &format!("p{index}"), &format!("b{index}")).expect("first");
    }
    assert_eq!(wait(&throttle, "ada", "x"), 1, "is still among the ten");
    for index in 0..1000 {
        fail(&throttle, &format!("q{index}"), &format!("c{index}")).expect("first");
    }
    assert_eq!(throttle.counters(), 20 + 2, "and the places in line of who has to wait");
    assert_eq!(wait(&throttle, "ada", "x"), 0);
}

// threat 193
#[test]
fn an_attempt_whose_counter_was_evicted_still_settles() {
    let clock = Arc::new(TestClock(AtomicI64::new(0)));
    let throttle = Throttle::with_capacity(clock, 1);
    let [one, two, three] =
        ["a", "b", "c"].map(|name| throttle.check(name, name, Device::Unknown).expect("first"));
    throttle.failed(one);
    throttle.succeeded(two);
    drop(three);
    assert_eq!(throttle.counters(), 2);
}

// threat 52
#[test]
fn guessing_a_client_secret_delays_the_guesser_and_nobody_elsewhere() {
    let (throttle, _) = throttle();
    let guess = |_: &u32| {
        throttle.check_client("photo-web", "198.51.100.7/32").map(|attempt| throttle.failed(attempt))
    };
    let admitted = (0..10_000).filter(|index| guess(index).is_ok()).count();
    assert_eq!(admitted, 6);
    throttle.succeeded(throttle.check_client("photo-web", "203.0.113.1/32").expect("from elsewhere"));
    assert!(throttle.check_client("other", "198.51.100.7/32").is_ok());
    assert!(throttle.check_client("photo-web", "198.51.100.7/32").is_err());
}

// threat 52: throttle failures, not successes
#[test]
fn ten_thousand_wrong_client_secrets_are_each_told_when_to_come_back() {
    let (throttle, _) = throttle();
    let waits: Vec<_> = (0..10_000).map(|_| throttle.client_failed("photo-web", "address")).collect();
    assert_eq!(waits[4..7], [None, Some(Wait { seconds: 1 }), Some(Wait { seconds: 2 })]);
    assert_eq!(waits[9_999], Some(Wait { seconds: 30 }));
}

// threat 52
#[test]
fn a_client_may_check_many_right_secrets_at_once() {
    let (throttle, _) = throttle();
    let attempts: Vec<_> =
        (0..100).map(|_| throttle.check_client("batch", "address").expect("nothing failed")).collect();
    attempts.into_iter().for_each(|attempt| throttle.succeeded(attempt));
    assert_eq!(throttle.counters(), 0);
}

// threat 195
#[test]
fn a_thread_that_died_with_the_lock_leaves_the_counts_usable() {
    let (throttle, _) = throttle();
    attack(&throttle, &TestClock(AtomicI64::new(0)), "ada", 6);
    let held = throttle.clone();
    let died = std::thread::spawn(move || {
        let _guard = held.ledger.lock();
        std::panic::resume_unwind(Box::new("died"));
    });
    assert!(died.join().is_err());
    assert_eq!(wait(&throttle, "ada", "x"), 1);
}

proptest! {
    // invariants 32, 33
    #[test]
    fn no_history_makes_anyone_wait_beyond_the_cap_or_loses_a_pending_attempt(
        steps in proptest::collection::vec((0..3_usize, 0..3_usize, 0..4_u8, -5_000..40_000_i64), 1..200)
    ) {
        let (throttle, clock) = throttle();
        let mut open = Vec::new();
        for (person, address, action, shift) in steps {
            clock.0.fetch_add(shift, Ordering::SeqCst);
            match throttle.check(&person.to_string(), &address.to_string(), Device::Unknown) {
                Err(wait) => prop_assert!((1..=60).contains(&wait.seconds)),
                Ok(attempt) => match action {
                    0 => drop(throttle.failed(attempt)),
                    1 => throttle.succeeded(attempt),
                    2 => drop(attempt),
                    _ => open.push(attempt),
                },
            }
        }
        drop(open);
        for shelf in &lock(&throttle.ledger).shelves {
            prop_assert_eq!(shelf.counters.len(), shelf.order.len());
            prop_assert!(shelf.counters.values().all(|counter| counter.pending == 0));
        }
    }
}
