//! The rotation of a digest key: what was known by names under the key before goes on under those of the key in force.
//!
//! While both are configured requests come with both names of everything. Accounts, templates and what else they gather
//! under are renamed when they are next seen; what accounts have in common (target, settings, client program, model) once
//! and for all. Names that stand inside of others' entries are looked up when those are next used. What is not seen before
//! the old key is dropped begins anew; so do blobs, conversations and refused bodies, which are evidence for hours only.

use super::derived::Derived;
use super::feed::Change;
use super::generations::{DigestMap, Generations};
use super::group::Member;
use super::joiner::Joiner;
use super::kin::Likeness;
use super::linking::until;
use super::population::Client;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// New names by old ones; bounded, as everything that is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Renamed(Generations<u64>);

impl Renamed {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Generations::new(capacity))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Old names that were not asked for since the last turn are forgotten.
    pub(super) fn turn(&mut self) {
        self.0.turn();
    }

    /// The name of today.
    pub(super) fn of(&self, name: u64) -> u64 {
        self.0.peek(name).copied().unwrap_or(name)
    }

    /// Attributes by their names of today.
    pub(super) fn client(&self, client: &Client) -> Client {
        if self.is_empty() {
            return *client;
        }
        let Client { target, settings, agent, network } = *client;
        Client {
            target: self.of(target),
            settings: self.of(settings),
            agent: self.of(agent),
            network: self.of(network),
        }
    }

    /// A request by names of today, where a proxy that does not have the new key yet tells of it; `None`: as it is.
    pub(super) fn today(&self, caller: &Caller, reading: &Reading) -> Option<(Caller, Reading)> {
        if self.is_empty() || reading.before.is_some() {
            return None;
        }
        let caller = Caller {
            account: self.of(caller.account),
            organisation: self.of(caller.organisation),
            network: self.of(caller.network),
            agent: self.of(caller.agent),
            ..*caller
        };
        let mut reading = reading.clone();
        for name in [&mut reading.model, &mut reading.line, &mut reading.settings] {
            *name = self.of(*name);
        }
        reading.skeleton.keys.iter_mut().for_each(|(_, key)| *key = self.of(*key));
        Some((caller, reading))
    }

    /// Learns a name; whether it is news.
    fn learn(&mut self, old: u64, new: u64) -> bool {
        let news = old != 0 && new != 0 && old != new && self.0.get(old) != Some(&mut { new });
        if news {
            self.0.insert(old, new);
        }
        news
    }
}

/// Moves the count of a name to another.
pub(super) fn rename(counts: &mut DigestMap<u32>, old: u64, new: u64) {
    if old != new
        && let Some(count) = counts.remove(&old)
    {
        let sum = counts.entry(new).or_default();
        *sum = sum.saturating_add(count);
    }
}

/// A request's sender and what it has in common with others, by one key's names.
struct Names<'a> {
    member: Member,
    reading: &'a Reading,
}

impl Joiner {
    /// An account that is known, by its attributes' names of today.
    pub(super) fn as_member(&self, account: u64) -> Option<Member> {
        let known = self.accounts.peek(account)?;
        Some(Member { account, party: known.party, client: self.renamed.client(&known.client), wording: 0 })
    }

    /// Renames what a request brings both names of.
    pub(super) fn carry(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        let Some(before) = reading.before.as_deref() else { return };
        let earlier = self.criteria.party(&caller.earlier(), now);
        let old = Names { member: Member::of(&earlier, before), reading: before };
        let new = Names { member: Member::of(caller, reading), reading };
        self.carry_values(&old, &new);
        self.carry_account(&old, &new, now);
        for likeness in Likeness::ALL {
            let kin = [old.member, new.member].map(|member| likeness.of(&member.client));
            self.carry_key(kin.into(), &old.member, &new.member, now);
        }
        let replay = [old.member, new.member].map(|member| Derived::Replay(member.client.target).key());
        self.carry_key(replay.into(), &old.member, &new.member, now);
        let keys = [&old, &new].map(|of| self.keys(&of.member, of.reading, &[]));
        for (&(_, old_key), &(_, new_key)) in keys[0].iter().zip(&keys[1]) {
            self.carry_key((old_key, new_key), &old.member, &new.member, now);
        }
    }

    /// What accounts have in common.
    fn carry_values(&mut self, old: &Names<'_>, new: &Names<'_>) {
        let (from, to) = (&old.member.client, &new.member.client);
        self.population.rename(from, to);
        self.population.models.rename(old.reading.model, new.reading.model);
        let pairs = [
            (from.target, to.target),
            (from.settings, to.settings),
            (from.agent, to.agent),
            (from.network, to.network),
            (old.member.party, new.member.party),
            (old.member.account, new.member.account),
            (old.reading.line, new.reading.line),
            (old.reading.model, new.reading.model),
        ];
        let news = pairs.map(|(from, to)| self.renamed.learn(from, to));
        if news.contains(&true) {
            for campaign in &mut self.campaigns {
                campaign.rename(from, to, (old.reading.model, new.reading.model));
            }
        }
    }

    fn carry_account(&mut self, old: &Names<'_>, new: &Names<'_>, now: Timestamp) {
        let (from, to) = (old.member.account, new.member.account);
        // A proxy that has the new key alone may have told of it already; then each goes its way.
        if from == to || self.accounts.peek(to).is_some() {
            return;
        }
        let told = self.tells_of(from);
        let Some(mut account) = self.accounts.remove(from) else { return };
        account.client = self.renamed.client(&account.client);
        account.party = new.member.party;
        account.model = self.renamed.of(account.model);
        if let Some(link) = account.link.as_mut().filter(|_| told)
            && let Some(campaign) = self.campaigns.get(link.campaign as usize)
        {
            link.told = now;
            let families = crate::rules::FamilySet::of(&campaign.families);
            let (campaign, score) = (link.campaign, link.score);
            self.changes.push(Change::Account { account: to, campaign, score, families, until: until(now) });
        }
        self.accounts.insert(to, account);
    }

    /// What gathers under a key.
    fn carry_key(&mut self, (from, to): (u64, u64), old: &Member, new: &Member, now: Timestamp) {
        if from == to {
            return;
        }
        if let Some(single) = self.singles.remove(from)
            && self.singles.peek(to).is_none()
            && self.groups.peek(to).is_none()
        {
            let renamed = single.renamed(&self.renamed);
            self.singles.insert(to, renamed);
        }
        if self.groups.peek(to).is_none()
            && let Some(mut group) = self.groups.remove(from)
        {
            group.rename(&self.renamed);
            self.renamed.learn(from, to);
            if let Some(campaign) = group.campaign
                && let Some(of) = self.campaigns.get(campaign as usize)
            {
                group.told = now;
                let lift = of.key(group.linked, group.others, &self.population);
                self.changes.push(Change::Key { key: to, campaign, lift, until: until(now) });
                // Proxies that do not have the new key yet look for the old name.
                self.groups.insert(from, group.clone());
            }
            self.singles.remove(to);
            self.groups.insert(to, group);
        }
        if let Some(group) = self.groups.get(to) {
            group.rename_member(old, new);
        }
    }
}
