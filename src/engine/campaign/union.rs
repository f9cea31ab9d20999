//! Campaigns that turn out to be one operator's.
//!
//! What changes hands names a campaign after a few hands, and a pool has many of those before they have all met: it is named
//! several times over. Once things go from accounts of one campaign to those of another, through as many unrelated hands as
//! name one, both are one. The older keeps its name; the younger becomes part of it. Only those of which more is known than that their
//! accounts are alike ([`Campaign::confirmed`]): whoever uses a tool could otherwise make its users part of a pool of his own.

use super::derived::Derived;
use super::feed::Change;
use super::group::{Group, Member};
use super::joiner::Joiner;
use super::named::Campaign;
use super::naming::suffices;
use crate::rules::Family;
use crate::time::{DAY, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// That a campaign has become part of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Union {
    /// Index of the campaign.
    pub part: u32,
    /// Index of the one that it is part of.
    pub whole: u32,
    /// When that was found.
    pub at: Timestamp,
    /// The family that saw what changed hands between them.
    pub by: Family,
    /// The accounts that it brought.
    pub accounts: u32,
}

impl Joiner {
    /// Which campaigns have become part of which.
    #[must_use]
    pub fn unions(&self) -> &[Union] {
        &self.unions
    }

    /// The campaigns that are part of no other, and where they are among all.
    pub fn standing(&self) -> impl Iterator<Item = (u32, &Campaign)> {
        let parts: BTreeSet<u32> = self.unions.iter().map(|union| union.part).collect();
        (0..).zip(&self.campaigns).filter(move |(index, _)| !parts.contains(index))
    }

    /// The campaign that another is part of; itself where it is part of none.
    #[must_use]
    pub fn whole(&self, index: u32) -> u32 {
        self.unions.iter().find(|union| union.part == index).map_or(index, |union| union.whole)
    }

    /// The campaign of a name, or the one that it has become part of.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(u32, &Campaign)> {
        let place = self.campaigns.iter().position(|campaign| campaign.name == name)?;
        let index = self.whole(u32::try_from(place).ok()?);
        Some((index, self.campaigns.get(index as usize)?))
    }

    /// The campaigns that have become part of one, and how.
    pub fn parts(&self, whole: u32) -> impl Iterator<Item = (&Union, &Campaign)> {
        let unions = self.unions.iter().filter(move |union| union.whole == whole);
        unions.filter_map(|union| Some((union, self.campaigns.get(union.part as usize)?)))
    }

    /// Counts the hands through which things went from one campaign to another. As many as name a campaign make both one.
    pub(super) fn cross(&mut self, family: Family, from: u64, member: &Member, now: Timestamp) {
        let (Some(giving), Some(taking)) = (self.campaign_of(from), self.campaign_of(member.account)) else { return };
        let confirmed = |index: u32| self.campaigns.get(index as usize).is_some_and(Campaign::confirmed);
        if giving == taking || !confirmed(giving) || !confirmed(taking) {
            return;
        }
        let (whole, part) = (giving.min(taking), giving.max(taking));
        // By their names: places change.
        let mark = |index: u32| self.campaigns.get(index as usize).map_or(0, Campaign::mark);
        let key = Derived::Crossing(family, mark(whole), mark(part)).key();
        if self.groups.get(key).is_none_or(|group| now.since(group.since) > DAY) {
            self.groups.insert(key, Group::new(now));
        }
        let hands = [from, member.account].map(|account| self.as_member(account));
        let Some(group) = self.groups.get(key) else { return };
        for hand in hands.into_iter().flatten() {
            group.join(&hand);
        }
        if suffices(group, family) {
            self.groups.remove(key);
            self.unite(Union { part, whole, at: now, by: family, accounts: 0 });
        }
    }

    /// Makes a campaign part of another.
    fn unite(&mut self, mut union: Union) {
        let Union { part, whole, by, .. } = union;
        let Some(joining) = self.campaigns.get_mut(part as usize) else { return };
        let joining = joining.leave();
        let Some(campaign) = self.campaigns.get_mut(whole as usize) else { return };
        union.accounts = joining.accounts;
        campaign.absorb(joining);
        campaign.hear(by);
        for link in self.accounts.values_mut().filter_map(|account| account.link.as_mut()) {
            link.campaign = if link.campaign == part { whole } else { link.campaign };
        }
        for campaign in self.groups.values_mut().filter_map(|group| group.campaign.as_mut()) {
            *campaign = if *campaign == part { whole } else { *campaign };
        }
        let mut joined = vec![whole, part];
        for before in self.unions.iter_mut().filter(|before| before.whole == part) {
            before.whole = whole;
            joined.push(before.part);
        }
        self.unions.push(union);
        // Of its other parts proxies know that they are: a pool may have hundreds.
        self.tell_as(whole, joined);
    }

    /// Tells proxies a campaign's profile. What they were told of its parts is its own now.
    pub(super) fn tell(&mut self, index: u32) {
        let parts = self.unions.iter().filter(|union| union.whole == index).map(|union| union.part);
        let places = std::iter::once(index).chain(parts).collect();
        self.tell_as(index, places);
    }

    /// Tells proxies a campaign's profile as that of several.
    fn tell_as(&mut self, index: u32, places: Vec<u32>) {
        let Some(campaign) = self.campaigns.get(index as usize) else { return };
        let profile = campaign.profile(&self.population, self.criteria.counts(Family::CohortSynchrony));
        let told = |campaign| Change::Profile { campaign, profile: profile.clone() };
        self.changes.extend(places.into_iter().map(told));
    }
}
