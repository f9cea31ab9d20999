//! What ordinary traffic of this proxy looks like: how many accounts take which target.
//!
//! One slot in a table of one page. An account counts once, when its first exchange is answered; counts halve every
//! [`HALF_LIFE`], so that a new model becomes ordinary. When there are more targets than places the least one makes room
//! and leaves its count to the new one (space-saving; Metwally, Agrawal and El Abbadi, 2005): counts are never too low, so
//! that no target looks rarer than it is.

use crate::nats::{MilliNats, ln_ratio};
use crate::sketch::{decay::DecayingCounter, fields::Fields};
use crate::time::{DAY, Timestamp};

/// Half-life of the counts in milliseconds: a week, so that nights and weekends weigh as they occur.
pub const HALF_LIFE: u64 = 7 * DAY;
/// Targets that are told apart.
const TARGETS: usize = 128;
/// A target and its count.
const ENTRY: usize = 4 + DecayingCounter::BYTES;
/// Where the total is.
const TOTAL: usize = TARGETS * ENTRY;
/// Bytes of the slot.
pub const BYTES: usize = TOTAL + DecayingCounter::BYTES;

const COUNTER: DecayingCounter = DecayingCounter::new(HALF_LIFE);

/// Counts an account. A target is the [short](super::spread::short) digest, 0 for none.
pub fn add(slot: &mut [u8], target: u32, now: Timestamp) {
    let count = |slot: &mut [u8], at: usize| {
        if let Some(counter) = slot.get_mut(at..at.saturating_add(DecayingCounter::BYTES)) {
            COUNTER.add(counter, now, 1);
        }
    };
    count(slot, TOTAL);
    let place = place(slot, target, now);
    Fields::new(&mut *slot).set_u32(place, target);
    count(slot, place + 4);
}

/// The place of a target, or the one that it takes over.
fn place(slot: &[u8], target: u32, now: Timestamp) -> usize {
    let places = (0..TARGETS).map(|index| index * ENTRY);
    let fields = Fields::new(slot);
    let found = places.clone().find(|&at| fields.u32(at) == target && counted(slot, at + 4, now) > 0);
    found.or_else(|| places.min_by_key(|&at| counted(slot, at + 4, now))).unwrap_or(0)
}

/// Thousandths of an account.
fn counted(slot: &[u8], at: usize, now: Timestamp) -> u64 {
    slot.get(at..at.saturating_add(DecayingCounter::BYTES)).map_or(0, |counter| COUNTER.thousandths(counter, now))
}

/// How many accounts take which target, at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Targets and thousandths of accounts.
    counts: Vec<(u32, u64)>,
    total: u64,
    /// What a target that has no place can have had, at most.
    least: u64,
}

impl Shares {
    /// Reads the slot.
    #[must_use]
    pub fn of(slot: &[u8], now: Timestamp) -> Self {
        let fields = Fields::new(slot);
        let all = (0..TARGETS).map(|index| (fields.u32(index * ENTRY), counted(slot, index * ENTRY + 4, now)));
        let counts: Vec<_> = all.filter(|&(_, count)| count > 0).collect();
        let full = counts.len() >= TARGETS;
        let least = if full { counts.iter().map(|&(_, count)| count).min().unwrap_or(0) } else { 0 };
        Self { counts, total: counted(slot, TOTAL, now), least }
    }

    /// ln of the share of accounts with this target, in thousandths; one never seen counts as half an account.
    #[must_use]
    pub fn ln_share(&self, target: u32) -> MilliNats {
        let found = self.counts.iter().find(|(of, _)| *of == target);
        let count = found.map_or(self.least, |&(_, count)| count);
        // No share is above the whole, whatever the bytes say.
        ln_ratio(count.saturating_add(500), self.total.saturating_add(1_000)).min(0)
    }

    /// The same where one target has two names: under this one it has the accounts of both.
    #[must_use]
    pub fn under_both(mut self, target: u32, other: u32) -> Self {
        let also = self.counts.iter().find(|(of, _)| *of == other && other != target).map_or(0, |&(_, count)| count);
        match self.counts.iter_mut().find(|(of, _)| *of == target) {
            Some((_, count)) => *count = count.saturating_add(also),
            None if also > 0 => self.counts.push((target, also)),
            None => {}
        }
        self
    }

    /// Accounts in all, rounded.
    #[must_use]
    pub fn accounts(&self) -> u64 {
        self.total.saturating_add(500) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn filled(accounts: u32, target: impl Fn(u32) -> u32) -> Vec<u8> {
        let mut slot = vec![0; BYTES];
        (0..accounts).for_each(|n| add(&mut slot, target(n), NOW));
        slot
    }

    #[test]
    fn shares_are_logarithms_of_what_was_counted() {
        let shares = Shares::of(&filled(1000, |n| if n % 10 == 0 { 1 } else { 2 }), NOW);
        assert_eq!(shares.accounts(), 1000);
        assert!((shares.ln_share(1) + 2_303).abs() < 10, "{}", shares.ln_share(1));
        assert!(shares.ln_share(99) < -7_000);
    }

    #[test]
    fn a_target_with_two_names_has_the_accounts_of_both() {
        let shares = Shares::of(&filled(1000, |n| if n % 10 == 0 { 1 } else { 2 }), NOW);
        assert_eq!(shares.clone().under_both(1, 2).ln_share(1), 0);
        assert_eq!(shares.clone().under_both(99, 2).ln_share(99), shares.ln_share(2));
        assert_eq!(shares.clone().under_both(1, 1), shares.clone().under_both(1, 98));
        assert_eq!(shares.clone().under_both(1, 98), shares);
    }

    #[test]
    fn nothing_seen_says_nothing_much() {
        assert_eq!(Shares::of(&[], NOW).ln_share(1), -693);
    }

    #[test]
    fn what_has_no_place_counts_as_much_as_the_least_that_has() {
        let shares = Shares::of(&filled(100_000, |n| n % 1_000), NOW);
        assert_eq!(shares.accounts(), 100_000);
        assert!((0..1_000).all(|target| shares.ln_share(target) >= -7_000), "never rarer than one in a thousand");
    }

    #[test]
    fn a_new_target_becomes_ordinary() {
        let mut slot = filled(1000, |_| 1);
        let later = Timestamp(NOW.0 + 28 * DAY);
        (0..60).for_each(|_| add(&mut slot, 2, later));
        let shares = Shares::of(&slot, later);
        assert!(shares.ln_share(2) > -800, "{}", shares.ln_share(2));
    }

    #[cfg(not(target_family = "wasm"))]
    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..BYTES + 4), target: u32, now: u64) {
            add(&mut bytes, target, Timestamp(now));
            let shares = Shares::of(&bytes, Timestamp(now));
            proptest::prop_assert!(shares.ln_share(target) <= 0);
        }
    }
}
