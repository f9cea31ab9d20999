//! A request's template, as the groups of its keys know it.

use super::population::Shares;
use super::spread::{self, Group, Party, Worth};
use super::state::{EVERYBODY, Tables};
use crate::caller::Caller;
use crate::digest::Reading;
use crate::rules::Families;
use crate::store::Get;
use crate::time::Timestamp;

/// The group of a key, if it has one. In the module once, not for every key: of code that a request runs once, less is faster.
#[inline(never)]
fn group(tables: &Tables, store: &impl Get, key: u64) -> Option<Group> {
    tables.skeletons.peek(store, key, Group::of)
}

/// The groups of a request's keys, under one digest key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    pub(super) party: Party,
    pub(super) groups: [Option<Group>; spread::KEYS],
}

impl Sight {
    /// Reads at most three pages.
    pub(super) fn of(tables: &Tables, store: &impl Get, caller: &Caller, reading: &Reading) -> Self {
        Self { party: Party::of(caller, reading), groups: spread::keys(reading).map(|key| group(tables, store, key)) }
    }

    /// The same under the digest key before this one, while one is configured: what was counted then still speaks.
    pub(super) fn earlier(tables: &Tables, store: &impl Get, caller: &Caller, reading: &Reading) -> Option<Self> {
        reading.before.as_deref().map(|before| Self::of(tables, store, &caller.earlier(), before))
    }

    /// Of each key, whether who sends was the first to; `None`: nobody did before.
    pub(super) fn begun(&self) -> [Option<bool>; spread::KEYS] {
        self.groups.map(|group| group.filter(|group| group.parties() > 0).map(|group| group.begun_by(&self.party)))
    }

    /// Of each key, whether who sends had it before others. Under the earlier key that was seen first.
    pub(super) fn own(&self, earlier: Option<&Self>) -> [bool; spread::KEYS] {
        let mut own = self.groups.map(|group| self.has_before_others(group.as_ref()));
        if let Some(earlier) = earlier {
            for (own, group) in own.iter_mut().zip(&earlier.groups) {
                if group.is_some_and(|group| group.parties() > 0) {
                    *own = earlier.has_before_others(group.as_ref());
                }
            }
        }
        own
    }

    fn has_before_others(&self, group: Option<&Group>) -> bool {
        group.is_some_and(|group| group.parties() > 1 && group.begun_by(&self.party))
    }

    /// Without the groups that who sends has begun.
    pub(super) fn of_others(mut self) -> Self {
        self.groups = self.groups.map(|group| group.filter(|group| !group.begun_by(&self.party)));
        self
    }

    /// The worth of the group with the strongest evidence against such requests, if there is any. `other`: the same under
    /// the other digest key; what everybody takes was counted under both names of a target.
    pub(super) fn strongest(
        &self,
        other: Option<&Self>,
        tables: &Tables,
        store: &impl Get,
        families: &Families,
        now: Timestamp,
    ) -> Option<Worth> {
        if !families.skeleton_spread.enabled {
            return None;
        }
        let counting = self.groups.map(|group| group.filter(|group| group.counts(self.party.target, families)));
        if counting.iter().all(Option::is_none) {
            return None;
        }
        let shares = tables.population.peek(store, EVERYBODY, |slot| Shares::of(slot, now)).unwrap_or_default();
        let shares = match other {
            Some(other) => shares.under_both(self.party.target, other.party.target),
            None => shares,
        };
        counting.iter().flatten().map(|group| group.worth(&shares, families)).max_by_key(|worth| worth.total())
    }
}
