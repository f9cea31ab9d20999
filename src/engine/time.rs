//! Time as the engine sees it: given by the shell, never asked for.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Milliseconds from `earlier` to this instant; 0 when the clock has stepped back.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether it is time for what is done `every` so many milliseconds, and next at `next`: where that is further away, the
    /// clock has stepped back since.
    #[must_use]
    pub fn is_due(self, next: Self, every: u64) -> bool {
        next.since(self) == 0 || next.since(self) > every
    }

    /// Whether `span` so many milliseconds are over since `begun`; so they are where that is yet to come, for the clock has
    /// stepped back since.
    #[must_use]
    pub fn is_past(self, begun: Self, span: u64) -> bool {
        self.is_due(Self(begun.0.saturating_add(span)), span)
    }
}

/// Milliseconds of a second.
pub const SECOND: u64 = 1_000;
/// Milliseconds of a minute.
pub const MINUTE: u64 = 60 * SECOND;
/// Milliseconds of an hour.
pub const HOUR: u64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: u64 = 24 * HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_soon_waits_and_a_clock_that_stepped_back_makes_nothing_wait() {
        let next = Timestamp(10_000);
        let due = |now: u64| Timestamp(now).is_due(next, 500);
        assert_eq!([9_499, 9_500, 9_999, 10_000, 99_999].map(due), [true, false, false, true, true]);
        assert!(Timestamp(DAY).is_due(Timestamp(DAY + HOUR), MINUTE));
    }

    #[test]
    fn a_span_is_past_when_it_is_over_and_when_the_clock_stepped_back_to_before_it() {
        let past = |now: u64| Timestamp(now).is_past(Timestamp(10_000), 500);
        assert_eq!([9_999, 10_000, 10_499, 10_500, 99_999].map(past), [true, false, false, true, true]);
        assert!(!Timestamp(u64::MAX - 1).is_past(Timestamp(u64::MAX - 1), 500));
    }
}
