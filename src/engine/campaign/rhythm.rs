//! Turns: accounts of a group that come back one after the other, always in one order.
//!
//! Who spreads work over accounts so that none stands out gives it to the one that has rested longest. Then between two
//! requests of one account every other sends about one, round after round, whatever the pace. Held against it is what honest
//! senders do that looks the same:
//!
//! * **chance**: unrelated people come as they please, so how many requests lie between two of one account is geometric, and two
//!   such numbers in a row are seldom alike. A class that does one exercise after another together is mixed anew each time.
//! * **clock**: who runs a tool every hour comes back in the same order because of the hour. Then times are as alike as turns.
//! * **order**: habits are a clock that is now early, now late: both are off as often. A dispatcher's are off in time alone.
//!
//! The worth is what all three leave. A firm that gives each request to its next key does take turns: it is told from a pool by
//! how many unrelated parties there are, and by nothing else.

use super::gathering::Gathering;
use super::joiner::Joiner;
use crate::nats::{MilliNats, ln_ratio};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How far two numbers may be from each other to be alike, as a difference of logarithms.
const ALIKE: MilliNats = 80;
/// What a turn like the one before says against chance, and one that is not: six in ten are where accounts take turns; of two
/// geometric numbers 4 in a hundred are so near each other (the hyperbolic tangent of half the width).
const CHANCE: [MilliNats; 2] = [2_708, -875];
/// What a time like the one before says against a clock, and one that is not: half and 85 in a hundred.
const CLOCK: [MilliNats; 2] = [-531, 1_204];
/// What it says that only the turn is like the one before, and that only the time is: three in four and half.
const ORDER: [MilliNats; 2] = [405, -693];
/// Bounds of each sum: what was long ago must not outweigh what is.
const LEAST: MilliNats = -10_000;
const MOST: MilliNats = 20_000;
/// Turns after which a group is weighed anew while they speak for an operator.
const AGAIN: u32 = 32;
/// An account's turns like the one before from which it takes turns: one may be chance.
const KEPT: u8 = 2;
/// Requests in a row without the key of an account's group after which it is taken to have left it. Fewer are cover.
const STRAYS: u8 = 8;

/// When an account was last seen, in the time of a group that it is one of: any request of it is its turn there.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Turn {
    key: u64,
    at: Timestamp,
    seen: u32,
    requests: u32,
    millis: u32,
    strays: u8,
    alike: u8,
}

impl Turn {
    /// Whether so many turns of the account, in the group of a key, were like the one before.
    #[must_use]
    pub fn kept(&self, key: u64, times: u8) -> bool {
        self.key == key && self.alike >= times
    }
}

/// Whether the accounts of a group take turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// Turns that have one before them.
    pub turns: u32,
    /// Those like the one before.
    pub alike: u32,
    chance: MilliNats,
    clock: MilliNats,
    order: MilliNats,
}

impl Rhythm {
    /// Counts a turn: whether it is like the one before in requests of the group, and in time.
    pub fn turn(&mut self, requests: bool, time: bool) {
        let add = |sum: &mut MilliNats, [yes, no]: [MilliNats; 2], is: bool| {
            *sum = sum.saturating_add(if is { yes } else { no }).clamp(LEAST, MOST);
        };
        self.turns = self.turns.saturating_add(1);
        self.alike = self.alike.saturating_add(u32::from(requests));
        add(&mut self.chance, CHANCE, requests);
        add(&mut self.clock, CLOCK, time);
        if requests != time {
            add(&mut self.order, ORDER, requests);
        }
    }

    /// What it says, in thousandths of a nat.
    #[must_use]
    pub fn worth(&self) -> MilliNats {
        self.chance.min(self.clock).min(self.order).max(0)
    }
}

/// Whether two numbers are as good as the same.
fn alike(one: u32, other: u32) -> bool {
    ln_ratio(u64::from(one), u64::from(other)).abs() <= ALIKE
}

impl Joiner {
    /// Counts a request as its account's turn in the group that it is one of.
    pub(super) fn turn_of(&mut self, account: u64, keys: &[(Gathering, u64)], now: Timestamp) {
        let Some(last) = self.accounts.peek(account).map(|known| known.turn) else { return };
        let last = Turn { key: self.renamed.of(last.key), ..last };
        let group = self.groups.peek(last.key).filter(|group| group.requests() >= last.seen);
        let carried = keys.iter().any(|&(kind, key)| kind.is_template() && key == last.key);
        let strays = if carried { 0 } else { last.strays.saturating_add(1) };
        let turn = match group {
            Some(group) if strays <= STRAYS => Turn {
                seen: group.requests(),
                requests: (group.requests() - last.seen).max(1),
                millis: u32::try_from(now.since(last.at)).unwrap_or(u32::MAX).max(1),
                at: now,
                strays,
                ..last
            },
            _ => match self.first_turn(keys, now) {
                Some(turn) => turn,
                None => return,
            },
        };
        let (again, alike) = self.compare(&last, &turn);
        if let Some(known) = self.accounts.get(account) {
            known.turn = Turn { alike: turn.alike.saturating_add(u8::from(alike)), ..turn };
        }
        if again {
            self.weigh(Gathering::Skeleton, turn.key, now);
        }
    }

    /// Whether an account takes turns with those of a campaign that was named for that.
    pub(super) fn takes_turns(&self, account: u64, index: u32) -> bool {
        let named = self.campaigns.get(index as usize).is_some_and(|campaign| campaign.story.worth.turns > 0);
        let here = |turn: &Turn| self.groups.peek(turn.key).is_some_and(|group| group.campaign == Some(index));
        named && self.accounts.peek(account).is_some_and(|known| known.turn.alike >= KEPT && here(&known.turn))
    }

    /// An account's first turn: in the first group of its keys that many are in.
    fn first_turn(&self, keys: &[(Gathering, u64)], now: Timestamp) -> Option<Turn> {
        let mut keys = keys.iter().filter(|&&(kind, _)| kind.is_template());
        keys.find_map(|&(_, key)| {
            let group = self.groups.peek(key).filter(|group| group.parties() >= self.criteria.parties)?;
            Some(Turn { key, at: now, seen: group.requests(), ..Turn::default() })
        })
    }

    /// Holds a turn against the one before. Whether its group is to be weighed anew, and whether both are alike.
    fn compare(&mut self, last: &Turn, turn: &Turn) -> (bool, bool) {
        let Some(group) = self.groups.get(turn.key).filter(|_| last.requests > 0 && turn.requests > 0) else {
            return (false, false);
        };
        // Who comes back before half of the others have sent has not waited for its turn.
        let waited = turn.requests.saturating_mul(2) >= group.parties();
        let requests = waited && alike(turn.requests, last.requests);
        group.rhythm.turn(requests, alike(turn.millis, last.millis));
        let due = group.rhythm.turns.is_multiple_of(AGAIN) && group.rhythm.worth() > 0;
        (due && group.campaign.is_none(), requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm(turns: impl Iterator<Item = (bool, bool)>) -> MilliNats {
        let mut rhythm = Rhythm::default();
        turns.for_each(|(requests, time)| rhythm.turn(requests, time));
        rhythm.worth()
    }

    #[test]
    fn turns_speak_where_times_differ() {
        let pool = |n: u32| (0..n).map(|n| (n % 10 < 7, n % 10 < 2));
        assert_eq!(rhythm(pool(0)), 0);
        assert!(rhythm(pool(20)) > 2_000 && rhythm(pool(200)) > 15_000, "{}", rhythm(pool(20)));
    }

    #[test]
    fn chance_a_clock_and_habits_say_nothing() {
        assert_eq!(rhythm((0..500).map(|n| (n % 25 == 0, n % 25 == 1))), 0);
        assert_eq!(rhythm((0..500).map(|n| (n % 10 < 8, n % 10 != 3))), 0);
        assert_eq!(rhythm((0..500).map(|n| (n % 10 < 4, n % 10 > 4))), 0);
    }

    #[test]
    fn what_was_long_ago_is_outweighed() {
        let mut rhythm = Rhythm::default();
        (0..100_000).for_each(|_| rhythm.turn(true, false));
        assert_eq!(rhythm.worth(), MOST);
        (0..40).for_each(|_| rhythm.turn(false, false));
        assert_eq!(rhythm.worth(), 0);
    }

    #[test]
    fn numbers_are_alike_within_a_twelfth() {
        assert!(alike(100, 100) && alike(100, 108) && alike(108, 100));
        assert!(!alike(100, 109) && !alike(12, 11) && !alike(0, 5));
    }
}
