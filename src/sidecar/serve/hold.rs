//! Campaigns that would act on too many accounts at once: held back until a person lets them go. The others wait for nobody.

use super::candidate::Caution;
use super::duty::Duty;
use super::shared::Shared;
use crate::store::{Audit, Outcome, Store, get_json, set_json};
use azeotrope_engine::bundle::{Manifest, PartKind};
use azeotrope_engine::campaign::{Change, Feed};
use azeotrope_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// Time between two tellings of how many accounts are held back.
const TELL: Duration = Duration::from_secs(1);

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
    /// The campaigns; none where they began anew, or another version wrote this: all of them.
    #[serde(default)]
    pub(super) campaigns: Vec<String>,
}

impl Held {
    pub(super) fn of(accounts: u64, of: u64) -> Self {
        Self { id: rand::random::<u64>() | 1, accounts, of, ..Self::default() }
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

    pub(super) fn holds(&self, campaign: &str) -> bool {
        self.campaigns.is_empty() || self.campaigns.iter().any(|held| held == campaign)
    }

    /// Which campaigns, in words.
    fn names(&self) -> String {
        match self.campaigns.as_slice() {
            [] if self.began_anew() => "all, which began anew".to_owned(),
            [] => "all".to_owned(),
            names => names.join(", "),
        }
    }

    /// Which campaigns, and with how many accounts where that is known.
    pub(super) fn words(&self) -> String {
        let (names, accounts) = (self.names(), self.accounts);
        if self.began_anew() { names } else { format!("{names}, with {accounts} accounts") }
    }
}

/// Which are held back, as the sidecar that holds them back goes by it.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    /// Their accounts that proxies do not know.
    accounts: HashSet<u64>,
    /// When that was last told.
    told: Option<Instant>,
}

/// Whether changes of the feed would act on more accounts at once than is allowed: how many that are.
pub(super) fn too_many(caution: Caution, feed: &Feed, changes: &[Change], known: usize, now: Timestamp) -> Option<u64> {
    let new = new_accounts(feed, changes, now).len();
    exceeds(caution, new, known).then_some(new as u64)
}

fn exceeds(caution: Caution, new: usize, known: usize) -> bool {
    new >= caution.few.max(1) as usize && new as u64 * 1_000 > known as u64 * u64::from(caution.per_mille)
}

/// The accounts of changes that proxies do not know, and their campaigns.
fn new_accounts<'a>(feed: &Feed, changes: impl IntoIterator<Item = &'a Change>, now: Timestamp) -> HashMap<u64, u32> {
    let new = changes.into_iter().filter_map(|change| match change {
        Change::Account { account, campaign, .. } if feed.account(*account, now).is_none() => {
            Some((*account, *campaign))
        }
        _ => None,
    });
    new.collect()
}

/// The campaigns without which there are few enough new accounts: those with the most.
fn concerned(caution: Caution, new: &HashMap<u64, u32>, known: usize) -> HashSet<u32> {
    let mut counts = BTreeMap::new();
    new.values().for_each(|campaign| *counts.entry(*campaign).or_insert(0) += 1);
    let mut order: Vec<(u32, usize)> = counts.into_iter().collect();
    order.sort_by_key(|(_, count)| Reverse(*count));
    let (mut left, mut found) = (new.len(), HashSet::new());
    for (campaign, count) in order {
        if !exceeds(caution, left, known) {
            break;
        }
        left -= count;
        found.insert(campaign);
    }
    found
}

fn campaign_of(change: &Change) -> u32 {
    match change {
        Change::Account { campaign, .. }
        | Change::Crowd { campaign, .. }
        | Change::Key { campaign, .. }
        | Change::Profile { campaign, .. } => *campaign,
    }
}

impl Duty {
    /// Holds back campaigns that would act on too many accounts at once, until a person lets them go; what is to be said of it.
    pub(super) fn hold_back(
        &mut self,
        store: &dyn Store,
        who: &str,
        caution: Caution,
        now: Timestamp,
    ) -> Outcome<Option<String>> {
        if let Some(held) = &self.held {
            if held.is_over(now.0) || released(store, held)? {
                let new = new_accounts(&self.feed, &self.joiner.feed(usize::MAX, now), now).len();
                let said = format!("held back campaigns ({}) are let go: {new} more accounts are linked", held.names());
                self.hold_no_more(store)?;
                self.rebase();
                return Ok(Some(said));
            }
            if held.began_anew() {
                // What is new meanwhile comes with all the rest, when they are let go.
                self.waiting.clear();
                return Ok(None);
            }
        }
        let is_held = |change: &&Change| self.is_held(campaign_of(change));
        let (back, free): (Vec<&Change>, Vec<&Change>) = self.waiting.iter().partition(is_held);
        let (new, known) = (new_accounts(&self.feed, free, now), self.joiner.known());
        let concerned = concerned(caution, &new, known);
        self.withheld.accounts.extend(new_accounts(&self.feed, back, now).into_keys());
        self.withheld.accounts.extend(new.iter().filter(|(_, of)| concerned.contains(of)).map(|(account, _)| *account));
        for (account, _) in new.iter().filter(|(_, of)| !concerned.contains(of)) {
            self.withheld.accounts.remove(account);
        }
        let mut held = self.held.clone().unwrap_or_default();
        (held.accounts, held.of) = (self.withheld.accounts.len() as u64, known as u64);
        let mut said = None;
        if concerned.is_empty() {
            if self.held.is_some() && self.withheld.told.is_none_or(|at| at.elapsed() >= TELL) {
                hold(store, Some(&held))?;
                (self.held, self.withheld.told) = (Some(held), Some(Instant::now()));
            }
        } else {
            held.id = rand::random::<u64>() | 1;
            let named = self.joiner.campaigns().iter().zip(0_u32..).filter(|(_, index)| concerned.contains(index));
            held.campaigns.extend(named.map(|(campaign, _)| campaign.name.clone()));
            hold(store, Some(&held))?;
            let what = format!(
                "campaigns held back ({}): they would act on {} of {known} accounts at once; `azeotrope campaigns --release`",
                held.names(),
                held.accounts
            );
            let (who, through) = (who.to_owned(), "sidecar".to_owned());
            store.audit(&Audit { at: now.0, who, what: what.clone(), through, ..Audit::default() })?;
            self.held = Some(held);
            said = Some(what);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = waiting.into_iter().filter(|change| !self.is_held(campaign_of(change))).collect();
        Ok(said)
    }

    /// Campaigns have ended: of those that are held back what is left is counted anew. None is left: nothing is held back.
    pub(super) fn hold_rest(&mut self, store: &dyn Store, now: Timestamp) -> Outcome<()> {
        let standing: HashSet<&str> = self.joiner.standing().map(|(_, campaign)| campaign.name.as_str()).collect();
        match &mut self.held {
            Some(held) if !held.began_anew() => {
                if !standing.iter().any(|name| held.holds(name)) {
                    return self.hold_no_more(store);
                }
                held.campaigns.retain(|name| standing.contains(name.as_str()));
            }
            _ => return Ok(()),
        }
        let all = self.joiner.feed(usize::MAX, now);
        let back = all.iter().filter(|change| self.is_held(campaign_of(change)));
        self.withheld.accounts = new_accounts(&self.feed, back, now).into_keys().collect();
        Ok(())
    }

    /// Nothing is held back any more.
    fn hold_no_more(&mut self, store: &dyn Store) -> Outcome<()> {
        hold(store, None)?;
        (self.held, self.withheld) = (None, Withheld::default());
        Ok(())
    }

    /// Whether what is held back are campaigns that began anew.
    pub(super) fn began_anew(&self) -> bool {
        self.held.as_ref().is_some_and(Held::began_anew)
    }

    /// Whether a campaign is held back.
    pub(super) fn is_held(&self, campaign: u32) -> bool {
        let name = self.joiner.campaigns().get(campaign as usize).map_or("", |campaign| campaign.name.as_str());
        self.held.as_ref().is_some_and(|held| held.holds(name))
    }
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

/// A person lets go of what is held back now, which is told. `None`: nothing is.
pub(super) fn release(store: &dyn Store) -> Outcome<Option<Held>> {
    let held = held(store)?;
    if let Some(held) = &held {
        store.set(RELEASED, &held.id.to_le_bytes())?;
    }
    Ok(held)
}

/// Whether a person has let go of this.
pub(super) fn released(store: &dyn Store, held: &Held) -> Outcome<bool> {
    Ok(store.get(RELEASED)?.is_some_and(|id| id == held.id.to_le_bytes()))
}

#[cfg(test)]
mod tests;
