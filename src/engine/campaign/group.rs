//! A group: accounts that share one piece of evidence, and what is counted of them.
//!
//! Only the first account of a party counts (a party is an organisation or a network): the keys of one organisation are
//! one voice.

mod programs;
mod worth;

pub use worth::{Basis, Worth};

use super::population::Client;
use super::rhythm::Rhythm;
use super::rotation::Renamed;
use crate::caller::{Caller, product};
use crate::digest::Reading;
use crate::evidence::cohort;
use crate::nats::MilliNats;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Parties whose attributes are kept; a group that stays nameless with so many is common property.
pub const MEMBERS: usize = 64;
/// Different targets that are told apart.
const TARGETS: usize = 8;
/// Client programs, by name and settings, that are told apart.
const PROGRAMS: usize = 12;
/// Requests a party from which a group has come back for more. What people pass on to each other, an assignment that a class
/// pastes, each sends once or twice; a template is there to be filled again.
const AGAIN: u32 = 2;

/// One member, as the group sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account: u64,
    /// Its organisation or, where none is named, its network.
    pub party: u64,
    /// Its client.
    pub client: Client,
    /// What its wording is worth, in thousandths of a nat.
    pub wording: MilliNats,
}

impl Member {
    /// The sender of a request.
    #[must_use]
    pub fn of(caller: &Caller, reading: &Reading) -> Self {
        let named = [caller.organisation, caller.network, caller.account];
        Self {
            account: caller.account,
            party: named.into_iter().find(|&party| party != 0).unwrap_or(0),
            client: Client::of(caller, reading),
            wording: reading.wording,
        }
    }
}

/// A group under observation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Accounts and their parties, the first of each.
    members: Vec<(u64, u64)>,
    /// What its parties take, and how many of them do.
    targets: Vec<(u64, u32)>,
    /// The same of how their client programs are set.
    settings: Vec<(u64, u32)>,
    /// Client programs, their settings, and how many parties have one of that name that is set so.
    programs: Vec<((u64, u64), u32)>,
    /// What its members' wordings are worth, summed, in thousandths of a nat.
    wording: i64,
    /// A sketch of what was asked ([`cohort::distinct`]).
    contents: u128,
    /// Requests, whoever sent them.
    requests: u32,
    /// Whether its accounts take turns.
    pub rhythm: Rhythm,
    /// When its first member came.
    pub since: Timestamp,
    /// The campaign it belongs to.
    pub campaign: Option<u32>,
    /// When proxies were last told that.
    pub told: Timestamp,
    /// Requests under it of accounts linked to that campaign.
    pub linked: u32,
    /// Requests under it of all others.
    pub others: u32,
}

impl Group {
    /// A group of nobody.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            members: Vec::new(),
            targets: Vec::new(),
            settings: Vec::new(),
            programs: Vec::new(),
            wording: 0,
            contents: 0,
            requests: 0,
            rhythm: Rhythm::default(),
            since: now,
            campaign: None,
            told: now,
            linked: 0,
            others: 0,
        }
    }

    /// Counts a request, whoever sends it.
    pub fn request(&mut self, content: u64) {
        self.requests = self.requests.saturating_add(1);
        self.contents |= cohort::content_bit(content);
    }

    /// Takes a member in; whether it is the first of its party.
    pub fn join(&mut self, member: &Member) -> bool {
        let known = self.members.iter().any(|&(account, party)| account == member.account || party == member.party);
        if known || self.full() {
            return false;
        }
        self.members.push((member.account, member.party));
        self.wording += i64::from(member.wording);
        // At most one a member, so it is bounded as they are.
        match self.settings.iter_mut().find(|(settings, _)| *settings == member.client.settings) {
            Some((_, count)) => *count += 1,
            None => self.settings.push((member.client.settings, 1)),
        }
        self.run((member.client.agent, member.client.settings), 1);
        if let Some((_, count)) = self.targets.iter_mut().find(|(target, _)| *target == member.client.target) {
            *count += 1;
        } else if self.targets.len() < TARGETS {
            self.targets.push((member.client.target, 1));
        }
        true
    }

    /// Requests under it, whoever sent them.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Requests of a party, on average.
    #[must_use]
    pub fn mean_requests(&self) -> u32 {
        self.requests / self.parties().max(1)
    }

    /// Whether it has come back for more just now, so that it wants weighing anew.
    #[must_use]
    pub fn returns(&self) -> bool {
        self.requests == AGAIN * self.parties()
    }

    /// Calls everything in it by its name of today.
    pub(super) fn rename(&mut self, renamed: &Renamed) {
        for (account, party) in &mut self.members {
            (*account, *party) = (renamed.of(*account), renamed.of(*party));
        }
        for counts in [&mut self.targets, &mut self.settings] {
            let old = std::mem::take(counts);
            for (value, count) in old.into_iter().map(|(value, count)| (renamed.of(value), count)) {
                match counts.iter_mut().find(|(of, _)| *of == value) {
                    Some((_, sum)) => *sum = sum.saturating_add(count),
                    None => counts.push((value, count)),
                }
            }
        }
        for ((agent, settings), count) in std::mem::take(&mut self.programs) {
            self.run((renamed.of(agent), renamed.of(settings)), count);
        }
    }

    /// Counts parties that run a client program, set in one way; releases of one are the same.
    fn run(&mut self, (agent, settings): (u64, u64), parties: u32) {
        let same = |of: &(u64, u64)| product(of.0) == product(agent) && of.1 == settings;
        if let Some((_, count)) = self.programs.iter_mut().find(|(of, _)| same(of)) {
            *count = count.saturating_add(parties);
        } else if self.programs.len() < PROGRAMS {
            self.programs.push(((agent, settings), parties));
        }
    }

    /// Calls one member, or its party, by another name, so that it is not taken for a second one.
    pub(super) fn rename_member(&mut self, old: &Member, new: &Member) {
        for (account, party) in &mut self.members {
            if *account == old.account {
                *account = new.account;
            }
            if *party == old.party {
                *party = new.party;
            }
        }
    }

    /// Makes it a campaign's: its requests so far are dealt out as its accounts are, `linked` of `all` of them linked.
    pub fn deal(&mut self, campaign: u32, linked: u64, all: u64) {
        self.campaign = Some(campaign);
        let share = u64::from(self.requests).saturating_mul(linked) / all.max(1);
        self.linked = u32::try_from(share).unwrap_or(u32::MAX).min(self.requests);
        self.others = self.requests - self.linked;
    }

    /// Whether a member, or its party, was the first in it: a template is not held against who had it first.
    #[must_use]
    pub fn begun_by(&self, member: &Member) -> bool {
        self.members.first().is_some_and(|&(account, party)| account == member.account || party == member.party)
    }

    /// Accounts in it, the first of each party.
    pub fn accounts(&self) -> impl Iterator<Item = u64> + '_ {
        self.members.iter().map(|&(account, _)| account)
    }

    /// Unrelated parties in it.
    #[must_use]
    pub fn parties(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Whether no further party is told apart.
    #[must_use]
    pub fn full(&self) -> bool {
        self.members.len() >= MEMBERS
    }

    /// The settings of its first member; all have them where the settings are part of the key.
    #[must_use]
    pub fn settings(&self) -> u64 {
        self.settings.first().map_or(0, |&(settings, _)| settings)
    }

    /// Different settings of its parties.
    #[must_use]
    pub fn ways(&self) -> u32 {
        u32::try_from(self.settings.len()).unwrap_or(u32::MAX)
    }

    /// Parties that take a given target.
    #[must_use]
    pub fn taking(&self, target: u64) -> u32 {
        self.targets.iter().find(|(of, _)| *of == target).map_or(0, |&(_, count)| count)
    }

    /// The target most of it takes.
    #[must_use]
    pub fn target(&self) -> u64 {
        self.targets.iter().max_by_key(|&&(target, count)| (count, target)).map_or(0, |&(target, _)| target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn member(n: u64, target: u64) -> Member {
        Member {
            account: n,
            party: 1000 + n,
            client: Client { target, settings: 5000 + n, agent: 9, network: 1000 + n },
            wording: -500,
        }
    }

    pub(super) fn group(targets: impl Iterator<Item = u64>) -> Group {
        let mut group = Group::new(Timestamp(0));
        targets.zip(1_u64..).for_each(|(target, n)| {
            group.request(crate::digest::words::mix(n));
            group.join(&member(n, target));
        });
        group
    }

    #[test]
    fn keys_of_one_network_are_one_party() {
        let mut group = Group::new(Timestamp(0));
        (1..50).for_each(|n| {
            group.join(&Member { party: 5, ..member(n, 1) });
        });
        assert_eq!(group.parties(), 1);
    }

    #[test]
    fn a_group_is_bounded() {
        let group = group(std::iter::repeat_n(1, 10_000));
        assert_eq!(group.parties() as usize, MEMBERS);
        assert!(group.full());
    }
}
