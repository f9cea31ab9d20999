//! Exponentially decaying counts, in integers only.
//!
//! Time is cut into steps of 1/32 of the half-life on a grid that starts at the Unix epoch, and a count fades by
//! 2^(-1/32) whenever a step begins. So a count depends on when events came, not on how often it was looked at, and a
//! reading is within 2.2% (one step) of the exact exponential, plus at most 0.05 events lost to rounding down.

use super::fields::Fields;
use crate::time::Timestamp;

/// Steps of a half-life.
pub(super) const STEPS: u64 = 32;

/// Fractional bits of a stored count: 1/1024 of an event.
const FRACTION: u32 = 10;

/// One event, in stored units.
pub(super) const ONE: u32 = 1 << FRACTION;

/// round(2^32 · 2^(-k/32)) for k = 1..=31.
#[rustfmt::skip]
const FADE: [u32; 31] = [
    0xFA83_B2DB, 0xF525_7D15, 0xEFE4_B99C, 0xEAC0_C6E8, 0xE5B9_06E7, 0xE0CC_DEEC, 0xDBFB_B798, 0xD744_FCCB,
    0xD2A8_1D92, 0xCE24_8C15, 0xC9B9_BD86, 0xC567_2A11, 0xC12C_4CCA, 0xBD08_A39F, 0xB8FB_AF47, 0xB504_F334,
    0xB123_F582, 0xAD58_3EEA, 0xA9A1_5AB5, 0xA5FE_D6AA, 0xA270_4303, 0x9EF5_3261, 0x9B8D_39BA, 0x9837_F052,
    0x94F4_EFA9, 0x91C3_D374, 0x8EA4_398B, 0x8B95_C1E4, 0x8898_0E81, 0x85AA_C368, 0x82CD_8699,
];

/// `units` after `steps` steps.
pub(super) fn fade(units: u32, steps: u64) -> u32 {
    let halvings = u32::try_from(steps / STEPS).unwrap_or(u32::MAX);
    let halved = units.checked_shr(halvings).unwrap_or(0);
    match usize::try_from(steps % STEPS).ok().and_then(|step| step.checked_sub(1)).and_then(|index| FADE.get(index)) {
        Some(factor) => u32::try_from((u64::from(halved) * u64::from(*factor)) >> 32).unwrap_or(u32::MAX),
        None => halved,
    }
}

/// A count in which an event weighs half as much every half-life. 8 bytes: a `u32` in units of 1/1024 event, and the
/// `u32` step in which it was last written.
///
/// It saturates at 4,194,303 events. A clock that steps back decays nothing and does not move the count back in time.
///
/// ```
/// use azeotrope_engine::{sketch::decay::DecayingCounter, time::{HOUR, Timestamp}};
/// let requests = DecayingCounter::new(HOUR);
/// let mut bytes = [0u8; DecayingCounter::BYTES];
/// requests.add(&mut bytes, Timestamp(0), 100);
/// assert_eq!(requests.read(&bytes, Timestamp(HOUR)), 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecayingCounter {
    step: u64,
}

impl DecayingCounter {
    /// Bytes of a counter.
    pub const BYTES: usize = 8;

    /// Counters of this half-life in milliseconds, rounded down to a multiple of 32 and at least that. Use the same for every
    /// access to the same bytes.
    #[must_use]
    pub const fn new(half_life: u64) -> Self {
        Self { step: if half_life < STEPS { 1 } else { half_life / STEPS } }
    }

    /// The step of an instant. It wraps: with a half-life of a second after 4 years, with more later.
    #[expect(clippy::cast_possible_truncation, reason = "steps are compared modulo 2^32")]
    const fn step_of(self, now: Timestamp) -> u32 {
        // `new` is the only way in, so the divisor is not 0; `max` is not const.
        match now.0.checked_div(self.step) {
            Some(step) => step as u32,
            None => 0,
        }
    }

    /// The faded count in units, and the step to store with it.
    fn units(self, bytes: &[u8], now: Timestamp) -> (u32, u32) {
        let fields = Fields::new(bytes);
        let (units, last, step) = (fields.u32(0), fields.u32(4), self.step_of(now));
        let elapsed = step.wrapping_sub(last);
        // A difference in the upper half is a step from the future: the clock went back.
        if units != 0 && elapsed > u32::MAX / 2 { (units, last) } else { (fade(units, u64::from(elapsed)), step) }
    }

    /// Adds events, and returns the count with them, rounded.
    pub fn add(self, bytes: &mut [u8], now: Timestamp, events: u32) -> u32 {
        let (units, step) = self.units(bytes, now);
        let units = units.saturating_add(events.saturating_mul(ONE));
        let mut fields = Fields::new(bytes);
        fields.set_u32(0, units);
        fields.set_u32(4, step);
        rounded(units)
    }

    /// The count at `now`, rounded.
    #[must_use]
    pub fn read(self, bytes: &[u8], now: Timestamp) -> u32 {
        rounded(self.units(bytes, now).0)
    }

    /// The count at `now` in thousandths of an event: for ratios of small counts.
    #[must_use]
    pub fn thousandths(self, bytes: &[u8], now: Timestamp) -> u64 {
        (u64::from(self.units(bytes, now).0) * 1000) >> FRACTION
    }
}

const fn rounded(units: u32) -> u32 {
    units.saturating_add(ONE / 2) >> FRACTION
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY, HOUR, SECOND};

    #[test]
    fn a_half_life_halves_whatever_the_half_life() {
        for half_life in [32, 32 * SECOND, HOUR, 7 * DAY] {
            let counter = DecayingCounter::new(half_life);
            let mut bytes = [0; 8];
            let start = Timestamp(half_life * 1000);
            assert_eq!(counter.add(&mut bytes, start, 1 << 20), 1 << 20);
            for halvings in 0..20 {
                assert_eq!(counter.read(&bytes, Timestamp(start.0 + halvings * half_life)), 1 << (20 - halvings));
            }
            assert_eq!(counter.read(&bytes, Timestamp(start.0 + 64 * half_life)), 0);
        }
    }

    #[test]
    fn every_reading_is_within_a_step_of_the_exponential() {
        let counter = DecayingCounter::new(DAY);
        let start = 1_770_000_000_123;
        let mut bytes = [0; 8];
        counter.add(&mut bytes, Timestamp(start), 10_000);
        for minutes in 0..(3 * 1440) {
            let exact = 10_000.0 * (-f64::from(minutes) / 1440.0 * std::f64::consts::LN_2).exp();
            let read = f64::from(counter.read(&bytes, Timestamp(start + u64::from(minutes as u32) * 60_000)));
            assert!((read - exact).abs() <= exact * 0.0225 + 1.0, "{minutes} min: {read}, exactly {exact}");
        }
    }

    #[test]
    fn looking_or_writing_often_does_not_change_the_sum() {
        let counter = DecayingCounter::new(HOUR);
        let (mut often, mut once) = ([0; 8], [0; 8]);
        let now = Timestamp(1_770_000_000_000);
        counter.add(&mut once, now, 1000);
        counter.add(&mut often, now, 1000);
        for ms in 0..(HOUR / 7) {
            counter.add(&mut often, Timestamp(now.0 + ms * 7), 0);
        }
        let (often, once) =
            (counter.thousandths(&often, Timestamp(now.0 + HOUR)), counter.thousandths(&once, Timestamp(now.0 + HOUR)));
        assert!(once.abs_diff(often) <= 50, "{once} and {often} thousandths");
    }

    #[test]
    fn a_steady_rate_settles_at_rate_times_half_life_over_ln_2() {
        let counter = DecayingCounter::new(HOUR);
        let mut bytes = [0; 8];
        let mut last = 0;
        for second in 0..(20 * 3600) {
            last = counter.add(&mut bytes, Timestamp(second * SECOND), 1);
        }
        let exact = 3600.0 / std::f64::consts::LN_2;
        assert!((f64::from(last) - exact).abs() < exact * 0.0225, "{last}, exactly {exact}");
    }

    #[test]
    fn a_clock_that_steps_back_decays_nothing() {
        let counter = DecayingCounter::new(HOUR);
        let mut bytes = [0; 8];
        counter.add(&mut bytes, Timestamp(100 * HOUR), 8);
        assert_eq!(counter.add(&mut bytes, Timestamp(90 * HOUR), 8), 16);
        assert_eq!(counter.read(&bytes, Timestamp(100 * HOUR)), 16);
        assert_eq!(counter.read(&bytes, Timestamp(101 * HOUR)), 8);
    }

    #[test]
    fn it_saturates() {
        let counter = DecayingCounter::new(HOUR);
        let mut bytes = [0; 8];
        for _ in 0..3 {
            assert_eq!(counter.add(&mut bytes, Timestamp(HOUR), u32::MAX), u32::MAX >> 10);
        }
    }

    #[test]
    fn any_bytes_and_any_length_are_survived() {
        for len in 0..12 {
            let mut bytes = vec![0xFF; len];
            let _ = DecayingCounter::new(0).add(&mut bytes, Timestamp(u64::MAX), 1);
            let _ = DecayingCounter::new(u64::MAX).read(&bytes, Timestamp(u64::MAX));
        }
        assert_eq!(DecayingCounter::new(HOUR).read(&[1, 2, 3], Timestamp(0)), 0);
    }
}
