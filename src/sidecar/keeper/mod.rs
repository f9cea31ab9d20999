//! Thresholds that keep themselves: at quantiles of what accounts of no campaign really score, aimed at the budget of
//! false positives.
//!
//! Of each account the most that its requests scored counts, within about two weeks. Where a population (the accounts
//! that speak one dialect) has enough accounts for a budget they are counted; beyond that its upper tail is fitted
//! ([`Tail`]). The population that needs the highest threshold decides. Floors, ceilings and pins are the operator's; a
//! threshold moves a step at a time. A harvest that is not found yet raises a threshold no further than the ceiling,
//! and falls out of the count when it is linked.

mod scores;

use crate::tail::{TAIL, Tail};
use azeotrope_engine::nats::MilliNats;
use azeotrope_engine::rules::{Keep, Milli, Rung, Thresholds};
use azeotrope_engine::time::Timestamp;
use scores::Scores;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Populations that are told apart.
const POPULATIONS: usize = 16;
/// A move below this is none, in thousandths of a nat.
const LEAST: i32 = 100;
/// Accounts that a tail is fitted to at most: the few that are odd differ from the many, and it is they who matter.
const FITTED: usize = 250;

/// What accounts score.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keeper {
    populations: BTreeMap<u8, Scores>,
}

/// Thresholds that fit the traffic better.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proposal {
    /// All three; each at least the one before.
    pub(crate) thresholds: Thresholds,
    /// Why each that moves does.
    pub(crate) reasons: Vec<String>,
}

/// A population that has a say.
struct Population {
    number: u8,
    falling: Vec<MilliNats>,
    tail: Option<Tail>,
}

/// Where a threshold is to go, in thousandths of a nat.
struct Aim {
    name: &'static str,
    pinned: bool,
    from: MilliNats,
    to: MilliNats,
    why: String,
}

impl Keeper {
    /// What accounts scored that were not seen since the last turn is forgotten.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        self.populations.values_mut().for_each(|scores| scores.begin(now));
    }

    /// Takes note of what a request scored.
    pub(crate) fn observe(&mut self, population: u8, account: u64, score: MilliNats, now: Timestamp) {
        if self.populations.len() < POPULATIONS || self.populations.contains_key(&population) {
            self.populations.entry(population).or_insert_with(|| Scores::new(now)).observe(account, score, now);
        }
    }

    /// An account belongs to a campaign: what it scores is no false positive.
    pub(crate) fn forget(&mut self, account: u64) {
        self.populations.values_mut().for_each(|scores| scores.forget(account));
    }

    /// Thresholds at the budgets; `None`: those that hold are as good. No threshold moves by more than a step or, for the
    /// traffic's sake, beyond floor and ceiling; one that is pinned does not move, and the others keep their order with it.
    pub(crate) fn thresholds(&self, keep: &Keep, current: &Thresholds) -> Option<Proposal> {
        let populations = self.populations(keep);
        let (floor, ceiling) = (&keep.floor, &keep.ceiling);
        // What is lifted lifts those above it: it must not lift them beyond their own ceilings.
        let throttle_most = ceiling.throttle.min(ceiling.block);
        let observe_most = ceiling.observe.min(throttle_most);
        let aim = |rung, from: Milli, one_in, floor: Milli, ceiling: Milli| {
            Aim::of(&populations, (rung, one_in), from.0, (floor.0, ceiling.0), keep)
        };
        let mut aims = [
            aim(Rung::Observe, current.observe, keep.observe_one_in, floor.observe, observe_most),
            aim(Rung::Throttle, current.throttle, keep.throttle_one_in, floor.throttle, throttle_most),
            aim(Rung::Block, current.block, keep.block_one_in, floor.block, ceiling.block),
        ];
        order(&mut aims);
        if aims.iter().all(|aim| aim.to.abs_diff(aim.from) < LEAST.unsigned_abs()) {
            return None;
        }
        let reasons = aims.iter().filter(|aim| aim.to != aim.from).map(Aim::reason).collect();
        let [observe, throttle, block] = aims.map(|aim| Milli(aim.to));
        Some(Proposal { thresholds: Thresholds { observe, throttle, block }, reasons })
    }

    fn populations(&self, keep: &Keep) -> Vec<Population> {
        let enough = usize::try_from(keep.accounts_from).unwrap_or(usize::MAX);
        let all = self.populations.iter().map(|(number, scores)| (*number, scores.falling()));
        all.filter(|(_, falling)| falling.len() >= enough)
            .map(|(number, falling)| {
                let tail = Tail::fit(&falling, falling.len(), FITTED);
                Population { number, falling, tail }
            })
            .collect()
    }
}

impl Population {
    /// The threshold that leaves one in so many accounts, and how it was found; `None`: there are too few.
    fn wanted(&self, one_in: u32) -> Option<(MilliNats, &'static str)> {
        let left = self.falling.len() / usize::try_from(one_in).unwrap_or(usize::MAX).max(1);
        if left >= TAIL {
            return self.falling.get(left).map(|first| (first.saturating_add(1), "counted"));
        }
        let tail = self.tail.as_ref()?;
        Some((Milli::of(tail.threshold(1.0 / f64::from(one_in.max(1)))).0, "fitted"))
    }
}

impl Aim {
    fn of(
        populations: &[Population],
        (rung, one_in): (Rung, u32),
        from: MilliNats,
        (floor, ceiling): (MilliNats, MilliNats),
        keep: &Keep,
    ) -> Self {
        let name = match rung {
            Rung::Observe => "observe",
            Rung::Throttle => "throttle",
            Rung::Block => "block",
        };
        let pinned = keep.pinned.contains(&rung);
        let still = Self { name, pinned, from, to: from, why: "to keep its order with the others".to_owned() };
        let all = populations.iter().filter_map(|population| Some((population.wanted(one_in)?, population)));
        let Some(((wanted, how), population)) = all.max_by_key(|((wanted, _), _)| *wanted).filter(|_| !pinned) else {
            return still;
        };
        let step = keep.step.0;
        let bounded = wanted.max(floor).min(ceiling);
        let to = bounded.max(from.saturating_sub(step)).min(from.saturating_add(step));
        if to.abs_diff(from) < LEAST.unsigned_abs() {
            return still;
        }
        let why = format!(
            "one in {one_in} of {} accounts of population {} scores {:.2} or more ({how})",
            population.falling.len(),
            population.number,
            Milli(wanted).number()
        );
        Self { to, why, ..still }
    }

    fn reason(&self) -> String {
        format!("{} {} → {}: {}", self.name, Milli(self.from).number(), Milli(self.to).number(), self.why)
    }
}

/// No rung is below the one before it: one that would be is lifted, and what would pass a pinned one stays at it. Where
/// they were in order before, none moves further by this than a step.
fn order(aims: &mut [Aim; 3]) {
    let mut least = MilliNats::MIN;
    for aim in aims.iter_mut() {
        if !aim.pinned {
            aim.to = aim.to.max(least);
        }
        least = aim.to;
    }
    let mut most = MilliNats::MAX;
    for aim in aims.iter_mut().rev() {
        if !aim.pinned {
            aim.to = aim.to.min(most);
        }
        most = aim.to;
    }
}

#[cfg(test)]
mod tests;
