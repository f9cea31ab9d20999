//! Thresholds that keep themselves: at quantiles of what accounts of no campaign really score, aimed at the budget of
//! false positives.
//!
//! Of each account the most that its requests scored counts, within about two weeks; of each population (the accounts
//! that speak one dialect) the upper tail is fitted ([`Tail`]), and the population that needs the highest threshold
//! decides. Floors, ceilings and pins are the operator's; a threshold moves a step at a time. A harvest that is not
//! found yet raises a threshold no further than the ceiling, and falls out of the count when it is linked.

use crate::tail::Tail;
use azeotrope_engine::campaign::generations::Generations;
use azeotrope_engine::nats::MilliNats;
use azeotrope_engine::rules::{Keep, Milli, Rung, Thresholds};
use azeotrope_engine::time::{DAY, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Populations that are told apart.
const POPULATIONS: usize = 16;
/// Accounts of a population that are kept, of the most recent ones; up to twice as many.
const ACCOUNTS: usize = 1 << 18;
/// After this long what accounts scored begins anew; the time before still counts until then.
const WINDOW: u64 = 7 * DAY;
/// A move below this is none, in thousandths of a nat.
const LEAST: i32 = 100;

/// What accounts score.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keeper {
    populations: BTreeMap<u8, Scores>,
}

/// The most that each account of a population scored: in this window, and in the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Scores {
    since: Timestamp,
    now: Generations<MilliNats>,
    before: Generations<MilliNats>,
}

/// Thresholds that fit the traffic better.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proposal {
    /// All three.
    pub(crate) thresholds: Thresholds,
    /// Why each that moves does.
    pub(crate) reasons: Vec<String>,
}

impl Scores {
    fn new(now: Timestamp) -> Self {
        Self { since: now, now: Generations::new(ACCOUNTS), before: Generations::new(ACCOUNTS) }
    }

    fn observe(&mut self, account: u64, score: MilliNats, now: Timestamp) {
        if now.since(self.since) > WINDOW {
            self.before = std::mem::replace(&mut self.now, Generations::new(ACCOUNTS));
            self.since = now;
        }
        match self.now.get(account) {
            Some(most) => *most = score.max(*most),
            None => self.now.insert(account, score),
        }
    }

    /// How many accounts there are, and what they scored, the highest first.
    fn falling(&self) -> Vec<MilliNats> {
        let earlier = self.before.iter().filter(|(account, _)| self.now.peek(*account).is_none());
        let both = self.now.iter().map(|(account, most)| (*most).max(self.before.peek(account).copied().unwrap_or(0)));
        let mut all: Vec<MilliNats> = both.chain(earlier.map(|(_, most)| *most)).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all
    }
}

impl Keeper {
    /// Takes note of what a request scored.
    pub(crate) fn observe(&mut self, population: u8, account: u64, score: MilliNats, now: Timestamp) {
        if self.populations.len() < POPULATIONS || self.populations.contains_key(&population) {
            self.populations.entry(population).or_insert_with(|| Scores::new(now)).observe(account, score, now);
        }
    }

    /// An account belongs to a campaign: what it scores is no false positive.
    pub(crate) fn forget(&mut self, account: u64) {
        for scores in self.populations.values_mut() {
            scores.now.remove(account);
            scores.before.remove(account);
        }
    }

    /// Thresholds at the budgets; `None`: those that hold are as good.
    pub(crate) fn thresholds(&self, keep: &Keep, current: &Thresholds) -> Option<Proposal> {
        let tails = self.tails(keep);
        let mut thresholds = current.clone();
        let mut reasons = Vec::new();
        let mut least = 0;
        for (rung, one_in, floor, ceiling) in [
            (Rung::Observe, keep.observe_one_in, keep.floor.observe, keep.ceiling.observe),
            (Rung::Throttle, keep.throttle_one_in, keep.floor.throttle, keep.ceiling.throttle),
            (Rung::Block, keep.block_one_in, keep.floor.block, keep.ceiling.block),
        ] {
            let place = match rung {
                Rung::Observe => &mut thresholds.observe,
                Rung::Throttle => &mut thresholds.throttle,
                Rung::Block => &mut thresholds.block,
            };
            if !keep.pinned.contains(&rung)
                && let Some((wanted, why)) = wanted(&tails, one_in)
            {
                let step = keep.step.0;
                let aim = wanted.clamp(floor.0, ceiling.0).clamp(place.0 - step, place.0 + step);
                if (aim - place.0).abs() >= LEAST {
                    reasons.push(format!("{rung:?} {} → {}: {why}", place.number(), Milli(aim).number()));
                    place.0 = aim;
                }
            }
            // A rung is never below the one before it.
            place.0 = place.0.max(least);
            least = place.0;
        }
        (!reasons.is_empty()).then_some(Proposal { thresholds, reasons })
    }

    fn tails(&self, keep: &Keep) -> Vec<(u8, usize, Tail)> {
        let enough = usize::try_from(keep.accounts_from).unwrap_or(usize::MAX);
        let all = self.populations.iter().map(|(population, scores)| (*population, scores.falling()));
        all.filter(|(_, scores)| scores.len() >= enough)
            .filter_map(|(population, scores)| Some((population, scores.len(), Tail::fit(&scores, scores.len())?)))
            .collect()
    }
}

/// The threshold that leaves one in so many accounts of each population, in thousandths of a nat, and why.
#[allow(clippy::cast_precision_loss)]
fn wanted(tails: &[(u8, usize, Tail)], one_in: u32) -> Option<(i32, String)> {
    let share = 1.0 / f64::from(one_in);
    let of = |(population, accounts, tail): &(u8, usize, Tail)| {
        let threshold = Milli::of(tail.threshold(share).max(tail.from)).0;
        let why = format!(
            "one in {one_in} of {accounts} accounts of population {population} is above {:.2}",
            f64::from(threshold) / 1000.0
        );
        (threshold, why)
    };
    tails.iter().map(of).max_by_key(|(threshold, _)| *threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The score of the n-th of `all` accounts of which one in ten scores, falling by e every `mean` nats.
    fn score(n: u64, all: u64, mean: f64) -> MilliNats {
        let scoring = all / 10;
        let rank = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % all + 1;
        if rank > scoring { 0 } else { (mean * 1000.0 * (scoring as f64 / rank as f64).ln()) as MilliNats }
    }

    fn keeper(all: u64, mean: f64) -> Keeper {
        let mut keeper = Keeper::default();
        (0..all).for_each(|n| keeper.observe(1, n + 1, score(n, all, mean), Timestamp(n)));
        keeper
    }

    fn keep() -> Keep {
        Keep { enabled: true, step: Milli::of(10.0), ..Keep::default() }
    }

    fn settled(keeper: &Keeper, keep: &Keep) -> Thresholds {
        let mut thresholds = Thresholds::default();
        for _ in 0..100 {
            let Some(proposal) = keeper.thresholds(keep, &thresholds) else { break };
            thresholds = proposal.thresholds;
        }
        thresholds
    }

    #[test]
    fn thresholds_settle_where_the_budget_is_left_above_them() {
        let all = 100_000;
        let keeper = keeper(all, 1.2);
        let found = settled(&keeper, &keep());
        for (threshold, one_in) in [(found.observe, 1_000), (found.throttle, 10_000)] {
            let above = (0..all).filter(|&n| score(n, all, 1.2) >= threshold.0).count() as u64;
            let budget = all / one_in;
            assert!((budget / 2..=budget * 2).contains(&above), "{threshold:?}: {above} of {budget}");
        }
        assert!(found.observe < found.throttle && found.throttle < found.block);
    }

    #[test]
    fn floors_ceilings_pins_and_steps_hold() {
        let loud = keeper(20_000, 8.0);
        let found = settled(&loud, &keep());
        let of = |observe: Milli, throttle: Milli, block: Milli| Thresholds { observe, throttle, block };
        let (floor, ceiling) = (keep().floor, keep().ceiling);
        assert_eq!(found, of(ceiling.observe, ceiling.throttle, ceiling.block));
        let quiet = settled(&keeper(20_000, 0.05), &keep());
        assert_eq!(quiet, of(floor.observe, floor.throttle, floor.block));
        let pinned = Keep { pinned: vec![Rung::Throttle], ..keep() };
        assert_eq!(settled(&loud, &pinned).throttle, Thresholds::default().throttle.max(keep().ceiling.observe));
        let slow = Keep { step: Milli::of(0.5), ..keep() };
        let moved = loud.thresholds(&slow, &Thresholds::default()).unwrap();
        assert_eq!(moved.thresholds.observe.0 - Thresholds::default().observe.0, 500);
        assert!(moved.reasons[0].contains("one in 1000 of 20000 accounts"), "{:?}", moved.reasons);
    }

    #[test]
    fn a_slow_poisoning_moves_nothing_beyond_the_ceiling_and_goes_when_it_is_found() {
        let mut keeper = keeper(50_000, 0.8);
        let before = settled(&keeper, &keep());
        for n in 0..500 {
            keeper.observe(1, 1_000_000 + n, 15_000, Timestamp(n));
        }
        let poisoned = settled(&keeper, &keep());
        assert!(poisoned.observe <= keep().ceiling.observe && poisoned.block <= keep().ceiling.block);
        (0..500).for_each(|n| keeper.forget(1_000_000 + n));
        assert_eq!(settled(&keeper, &keep()), before);
    }

    #[test]
    fn few_accounts_have_no_say() {
        assert_eq!(keeper(900, 3.0).thresholds(&keep(), &Thresholds::default()), None);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut keeper = keeper(5_000, 6.0);
        for week in 1..4 {
            (0..5_000).for_each(|n| keeper.observe(1, n + 1, 0, Timestamp(week * (WINDOW + 10_000) + n)));
        }
        assert_eq!(keeper.thresholds(&keep(), &Thresholds::default()), None);
    }
}
