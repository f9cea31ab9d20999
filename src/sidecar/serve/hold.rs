//! Campaigns that would act on too many accounts at once: held back until a person lets them go.

use super::candidate::Caution;
use super::shared::Shared;
use crate::store::{Outcome, Store, get_json, set_json};
use azeotrope_engine::bundle::{Manifest, PartKind};
use azeotrope_engine::campaign::{Change, Feed};
use azeotrope_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Where it is kept.
const HELD: &str = "campaigns.held";
/// Where a person lets go.
const RELEASED: &str = "campaigns.released";

/// What is held back, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// Tells it from others.
    pub(super) id: u64,
    /// Accounts that would be acted on at once.
    pub(super) accounts: u64,
    /// Accounts that are known.
    pub(super) of: u64,
    /// Where campaigns began anew, when all that proxies were told before has ended; 0: they go on.
    #[serde(default)]
    pub(super) ends: u64,
}

impl Held {
    pub(super) fn of(accounts: u64, of: u64) -> Self {
        Self { id: rand::random::<u64>() | 1, accounts, of, ends: 0 }
    }

    /// Campaigns begin anew, and proxies were told of accounts of which nobody knows why: these stay linked until a person lets
    /// the new campaigns take their place, or until their own time is over. `None`: there are none.
    pub(super) fn anew(told: &[Change], now: u64) -> Option<Self> {
        let ends = told.iter().filter_map(|change| match change {
            Change::Account { until, .. } | Change::Crowd { until, .. } => Some(until.0).filter(|ends| *ends > now),
            _ => None,
        });
        let (accounts, ends) = ends.fold((0, 0), |(count, last), ends| (count + 1, ends.max(last)));
        (accounts > 0).then(|| Self { ends, ..Self::of(accounts, accounts) })
    }

    /// Whether proxies were told of campaigns that nobody knows any more.
    pub(super) fn began_anew(&self) -> bool {
        self.ends > 0
    }

    pub(super) fn is_over(&self, now: u64) -> bool {
        self.began_anew() && now >= self.ends
    }
}

/// Whether changes of the feed would act on more accounts at once than is allowed: how many that are.
pub(super) fn too_many(caution: Caution, feed: &Feed, changes: &[Change], known: usize, now: Timestamp) -> Option<u64> {
    let new: HashSet<u64> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Account { account, .. } if feed.account(*account, now).is_none() => Some(*account),
            _ => None,
        })
        .collect();
    let new = new.len() as u64;
    (new >= u64::from(caution.few.max(1)) && new * 1_000 > known as u64 * u64::from(caution.per_mille)).then_some(new)
}

/// What proxies were last told of campaigns; `None` where that cannot be read: another key signed it, or parts of it are gone.
pub(super) fn published(shared: &Shared) -> Outcome<Option<Vec<Change>>> {
    let Some(edition) = shared.store.current()? else { return Ok(Some(Vec::new())) };
    let Ok((manifest, _)) = Manifest::open(&edition.manifest, &shared.trusted()) else { return Ok(None) };
    let mut told = Vec::new();
    for part in manifest.parts.iter().filter(|part| part.kind == PartKind::Feed) {
        let bytes = shared.store.part(&part.hash)?;
        let Some(changes) = bytes.and_then(|bytes| Change::read_all(&bytes)) else { return Ok(None) };
        told.extend(changes);
    }
    Ok(Some(told))
}

/// What is held back.
pub(super) fn held(store: &dyn Store) -> Outcome<Option<Held>> {
    Ok(get_json::<Held>(store, HELD)?.filter(|held| held.id != 0))
}

/// Holds back, or (`None`) no more.
pub(super) fn hold(store: &dyn Store, held: Option<&Held>) -> Outcome<()> {
    set_json(store, HELD, &held.cloned().unwrap_or_default())
}

/// A person lets go of what is held back now. `false`: nothing is.
pub(super) fn release(store: &dyn Store) -> Outcome<bool> {
    let Some(held) = held(store)? else { return Ok(false) };
    store.set(RELEASED, &held.id.to_le_bytes())?;
    Ok(true)
}

/// Whether a person has let go of this.
pub(super) fn released(store: &dyn Store, held: &Held) -> Outcome<bool> {
    Ok(store.get(RELEASED)?.is_some_and(|id| id == held.id.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::dossier::tests::{harvest, joiner};
    use crate::serve::duty::Duty;
    use azeotrope_engine::rules::FamilySet;

    fn accounts(range: std::ops::Range<u64>) -> Vec<Change> {
        let (families, until) = (FamilySet::default(), Timestamp(u64::MAX));
        range.map(|account| Change::Account { account, campaign: 0, score: 7_000, families, until }).collect()
    }

    #[test]
    fn only_accounts_that_are_new_to_proxies_count_and_each_once() {
        let caution = Caution { per_mille: 100, few: 10 };
        let mut feed = Feed::default();
        let count = |feed: &Feed, changes: &[Change]| too_many(caution, feed, changes, 1_000, Timestamp(0));
        assert_eq!(count(&feed, &accounts(1..101)), None);
        assert_eq!(count(&feed, &accounts(1..102)), Some(101));
        assert_eq!(count(&feed, &[accounts(1..80), accounts(1..80)].concat()), None);
        accounts(1..50).iter().for_each(|change| assert!(feed.apply(change)));
        assert_eq!(count(&feed, &accounts(1..140)), None);
    }

    #[test]
    fn a_few_are_never_too_many() {
        let caution = Caution { per_mille: 100, few: 10 };
        assert_eq!(too_many(caution, &Feed::default(), &accounts(1..10), 12, Timestamp(0)), None);
        assert_eq!(too_many(caution, &Feed::default(), &accounts(1..11), 12, Timestamp(0)), Some(10));
    }

    #[test]
    fn where_campaigns_begin_anew_what_proxies_were_told_stays_until_its_time_is_over() {
        let link = |account, until| {
            let families = FamilySet::default();
            Change::Account { account, campaign: 0, score: 7_000, families, until: Timestamp(until) }
        };
        assert_eq!(Held::anew(&[], 100), None);
        assert_eq!(Held::anew(&[link(1, 100)], 100), None);
        let held = Held::anew(&[link(1, 100), link(2, 300), link(3, 200)], 100).unwrap();
        assert_eq!((held.accounts, held.ends), (2, 300));
        assert_eq!([299, 300].map(|now| held.is_over(now)), [false, true]);
        assert!(!Held::of(2, 3).is_over(u64::MAX));
    }

    #[test]
    fn who_takes_over_goes_on_from_what_proxies_were_told() {
        let (strict, lenient) = (Caution { per_mille: 1, few: 1 }, Caution { per_mille: 900, few: 10 });
        let now = Timestamp(crate::clock::now() - 5_000);
        let known = || {
            let mut joiner = joiner();
            harvest(&mut joiner, 100, now);
            joiner
        };
        let taken_over = |told: Option<Vec<Change>>, held: bool, caution: Caution| {
            let mut duty = Duty::for_measurement();
            duty.joiner = known();
            duty.held = held.then_some(Held::of(36, 240));
            duty.go_on(told, caution);
            duty.feed.accounts()
        };
        let all = known().feed(usize::MAX, now);
        let linked = taken_over(Some(all.clone()), false, strict);
        assert!(linked > 30, "{linked}");
        assert_eq!(taken_over(Some(all), true, strict), linked, "a hold takes nothing back");
        assert_eq!(taken_over(Some(Vec::new()), false, strict), 0, "nobody let them go");
        assert_eq!(taken_over(Some(Vec::new()), false, lenient), linked);
        assert_eq!(taken_over(None, false, strict), linked, "nobody knows what they were told");
    }
}
