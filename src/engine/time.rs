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

    /// Whether it is time for what is done every `every` milliseconds, and next at `next`. Where that is further away than one
    /// such span it is: the clock has stepped back since.
    #[must_use]
    pub fn is_due(self, next: Self, every: u64) -> bool {
        next.since(self) == 0 || next.since(self) > every
    }

    /// Whether `span` milliseconds have passed since `begun`. Where `begun` is yet to come they have: the clock has stepped back
    /// since.
    #[must_use]
    pub fn is_past(self, begun: Self, span: u64) -> bool {
        self.is_due(Self(begun.0.saturating_add(span)), span)
    }

    /// As RFC 3339 writes it, in UTC and whole seconds: `2026-10-05T07:12:44Z`. The calendar is Howard Hinnant's
    /// ("chrono-Compatible Low-Level Date Algorithms", `civil_from_days`), for years from 1970 on.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let days = (self.0 / DAY).saturating_add(719_468);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let leaps = (day_of_era / 1_460).saturating_add(day_of_era / 146_096);
        let year_of_era = day_of_era.saturating_add(day_of_era / 36_524).saturating_sub(leaps) / 365;
        let begun = year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
        let day_of_year = day_of_era.saturating_sub(begun);
        // Months from March on: the leap day is the last of its year.
        let month = day_of_year.saturating_mul(5).saturating_add(2) / 153;
        let day = day_of_year.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
        let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month >= 10));
        let month = if month < 10 { month.saturating_add(3) } else { month.saturating_sub(9) };
        let mut text = year.to_string();
        let time = self.0 % DAY;
        let [hour, minute, second] = [time / HOUR, time % HOUR / MINUTE, time % MINUTE / SECOND];
        for (sign, number) in [('-', month), ('-', day), ('T', hour), (':', minute), (':', second)] {
            text.push(sign);
            text.extend([number / 10, number % 10].into_iter().filter_map(|digit| char::from_digit(digit as u32, 10)));
        }
        text.push('Z');
        text
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
    fn moments_are_written_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp(seconds * SECOND + 999).rfc3339(), text);
        }
    }

    #[test]
    fn a_span_is_past_when_it_is_over_and_when_the_clock_stepped_back_to_before_it() {
        let past = |now: u64| Timestamp(now).is_past(Timestamp(10_000), 500);
        assert_eq!([9_999, 10_000, 10_499, 10_500, 99_999].map(past), [true, false, false, true, true]);
        assert!(!Timestamp(u64::MAX - 1).is_past(Timestamp(u64::MAX - 1), 500));
    }
}
