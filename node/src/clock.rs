//! The wall clock as a seam: nothing else in the node asks the operating system for the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the node reads the time. Rules never see it; they see the block's time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Zero if the clock stands before 1970, so that a broken clock proposes no far future.
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that stands still until it is moved, for tests and simulation.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now_ms`.
    pub const fn at(now_ms: u64) -> Self {
        ManualClock(AtomicU64::new(now_ms))
    }

    /// Shows `now_ms` from now on, which may lie in the past.
    pub fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    /// Moves forward by `by_ms`, stopping at the largest time, and returns the new time.
    pub fn advance(&self, by_ms: u64) -> u64 {
        let moved = |now: u64| Some(now.saturating_add(by_ms));
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved) {
            Ok(before) | Err(before) => before.saturating_add(by_ms),
        }
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_system_clock_shows_this_century() {
        let (year_2020, year_2100) = (1_577_836_800_000, 4_102_444_800_000);
        let now = SystemClock.now_ms();
        assert!(now > year_2020 && now < year_2100, "{now}");
    }

    #[test]
    fn a_manual_clock_moves_only_when_told_and_is_shared() {
        let clock = Arc::new(ManualClock::at(1_000));
        let seam: Arc<dyn Clock> = clock.clone();
        assert_eq!(seam.now_ms(), 1_000);
        assert_eq!(clock.advance(500), 1_500);
        assert_eq!(seam.now_ms(), 1_500);
        clock.set(7);
        assert_eq!(seam.now_ms(), 7);
    }

    #[test]
    fn a_manual_clock_stops_at_the_largest_time() {
        let clock = ManualClock::at(u64::MAX - 1);
        assert_eq!(clock.advance(5), u64::MAX);
        assert_eq!(clock.now_ms(), u64::MAX);
    }

    #[test]
    fn advances_from_many_threads_all_count() {
        let clock = Arc::new(ManualClock::default());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let clock = clock.clone();
                std::thread::spawn(move || (0..1_000).for_each(|_| _ = clock.advance(1)))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(clock.now_ms(), 4_000);
    }
}
