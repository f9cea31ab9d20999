//! Lines of the log that anybody can cause any number of: one in a while, which can say how many did not come.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When such a line last came, and how many did not since.
#[derive(Debug)]
pub(super) struct Quiet {
    every: Duration,
    state: Mutex<(Option<Instant>, u64)>,
}

impl Quiet {
    /// `every`: time between two lines.
    pub(super) const fn of(every: Duration) -> Self {
        Self { every, state: Mutex::new((None, 0)) }
    }

    /// Whether a line comes: with how many that did not, since the last that did.
    pub(super) fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.is_some_and(|told| now.duration_since(told) < self.every) {
            state.1 += 1;
            return None;
        }
        *state = (Some(now), state.1);
        Some(std::mem::take(&mut state.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_ten_seconds_that_counts_the_others() {
        let (quiet, now) = (Quiet::of(Duration::from_secs(10)), Instant::now());
        let pass = |seconds| quiet.pass(now + Duration::from_secs(seconds));
        assert_eq!([0, 1, 9, 10, 11, 20].map(pass), [Some(0), None, None, Some(2), None, Some(1)]);
    }
}
