//! A clock that stands still until a test moves it.

use portreeve::model::clock::Clock;
use portreeve::protocol::timestamp::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The moment every test begins at.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A clock in the test's hand.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock at [`BEGINNING`].
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING.millis())))
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the clock, back as well.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
