//! Time as an argument: everything that asks what time it is asks a [`Clock`].

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time; the only place the program learns it from.
pub trait Clock: Debug + Send + Sync {
    /// Microseconds since 1970-01-01T00:00:00Z.
    fn now_us(&self) -> i64;
}

/// A clock shared by the rooms.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's time")]
    fn now_us(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Default)]
pub struct MockClock(AtomicI64);

impl MockClock {
    /// A clock that shows `now_us`.
    pub fn at(now_us: i64) -> Self {
        Self(AtomicI64::new(now_us))
    }

    /// Moves the clock forward by `us` microseconds.
    pub fn advance_us(&self, us: i64) {
        self.0.fetch_add(us, Ordering::Relaxed);
    }
}

impl Clock for MockClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
