//! A token bucket: how many log lines may go out.

use azeotrope_engine::time::SECOND;

/// Lets `rate` events a second through, and as many at once after a quiet second. Counts what it holds back.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    rate: u64,
    /// Thousandths of an event that may still pass.
    credit: u64,
    last: u64,
    held: u64,
}

impl Limit {
    /// A full bucket of `rate` events a second.
    pub(crate) const fn new(rate: u64) -> Self {
        Self { rate, credit: rate.saturating_mul(SECOND), last: 0, held: 0 }
    }

    /// Whether an event at `now` (milliseconds) may pass: `Some` with how many were held back since the last that did.
    pub(crate) fn pass(&mut self, now: u64) -> Option<u64> {
        let earned = now.saturating_sub(self.last).saturating_mul(self.rate);
        self.credit = self.credit.saturating_add(earned).min(self.rate.saturating_mul(SECOND));
        self.last = now;
        if self.credit < SECOND {
            self.held = self.held.saturating_add(1);
            return None;
        }
        self.credit = self.credit.saturating_sub(SECOND);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_up_to_the_rate_and_the_rest_is_counted() {
        let mut limit = Limit::new(10);
        let passed = (0..100).filter(|_| limit.pass(5_000).is_some()).count();
        assert_eq!(passed, 10);
        assert_eq!(limit.pass(5_100), Some(90));
    }

    #[test]
    fn over_time_no_more_than_the_rate_passes() {
        let mut limit = Limit::new(10);
        let passed = (0..60_000).filter(|ms| limit.pass(1_000_000 + ms).is_some()).count();
        assert!((600..=610).contains(&passed), "{passed}");
    }

    #[test]
    fn a_clock_that_steps_back_earns_nothing_and_recovers() {
        let mut limit = Limit::new(1);
        assert_eq!(limit.pass(10_000), Some(0));
        assert_eq!(limit.pass(5_000), None);
        assert_eq!(limit.pass(6_000), Some(1));
    }
}
