//! From a campaign to its accounts: naive Bayes over what they share.

use super::account::{Link, Terms};
use super::criteria::{Criteria, LINK, SPEAKS, TELLING};
use super::feed::{Change, Linked};
use super::gathering::{Carried, Gathering};
use super::group::Member;
use super::joiner::Joiner;
use super::named::Campaign;
use super::naming::own;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::{Family, FamilySet};
use crate::time::{DAY, Timestamp};
use std::cmp::Reverse;

/// Bound of what an account's wording is worth when it is held against a campaign.
const WORDING: MilliNats = 4_000;
/// What each further request with a telling key adds, and how many of them count.
const AGAIN: MilliNats = 1_000;
const MATCHES: i32 = 5;
/// What a client must look like a campaign's that sweeps public sets for each further prompt out of one to count.
const ALIKE: MilliNats = 1_000;
/// How long proxies are told of a link or a key; told again when half of it is over and it is still used.
const TOLD: u64 = 7 * DAY;
/// How much surer a link has to become to be told again.
const SURER: MilliNats = 500;
/// How far apart scores of one crowd are, and how far above [`LINK`] they are told apart.
const BAND: MilliNats = 500;
const BANDS: MilliNats = 8_000;
/// How many crowds a campaign of the size from which there are any has at most: a feed holds a bounded number.
const FEW: usize = 4;

impl Joiner {
    /// Makes a group a campaign's. Its requests so far are dealt out as its accounts are.
    pub(super) fn attach(&mut self, key: u64, kind: Gathering, index: u32, now: Timestamp) {
        let Some(group) = self.groups.peek(key) else { return };
        let accounts: Vec<u64> = group.accounts().collect();
        let linked = accounts.iter().filter(|&&account| self.campaign_of(account) == Some(index)).count() as u64;
        let Some(group) = self.groups.get(key) else { return };
        group.deal(index, linked, accounts.len() as u64);
        group.told = now;
        let (linked, others) = (group.linked, group.others);
        let sent = i32::try_from(group.mean_requests()).unwrap_or(i32::MAX).max(1);
        let Some(campaign) = self.campaigns.get_mut(index as usize) else { return };
        campaign.exchanges = campaign.exchanges.max(u64::from(linked));
        let lift = campaign.key(linked, others, &self.population);
        self.changes.push(Change::Key { key, campaign: index, lift, until: until(now) });
        for account in accounts.into_iter().skip(own(kind.family())) {
            let Some(member) = self.as_member(account) else { continue };
            let carried = Carried { campaign: index, lift, part: kind.is_anybodys() };
            // A request has many keys, which become a campaign's one after the other: it counts once.
            self.hold(&member, carried, |matches| matches.max(sent), now);
        }
    }

    /// The campaign that sweeps public sets for this target, when the request takes a prompt from one, and what that
    /// is worth.
    pub(super) fn sweeper(&self, reading: &Reading, member: &Member) -> Option<Carried> {
        if !reading.corpus || !self.criteria.counts(Family::CorpusSweep) {
            return None;
        }
        let sweeps = |campaign: &&Campaign| campaign.sweeps() && campaign.takes(member.client.target);
        let found = self.campaigns.iter().zip(0..).filter(|(campaign, _)| sweeps(campaign));
        let carried =
            |(of, campaign): (&Campaign, u32)| Carried { campaign, lift: of.corpus(&self.population), part: false };
        found.map(carried).max_by_key(|carried| carried.lift)
    }

    /// Holds an account against a campaign whose key it carries: links it when that is sure, is surer of it the more
    /// requests speak for it.
    pub(super) fn consider(&mut self, member: &Member, carried: Option<Carried>, now: Timestamp) {
        if let Some(carried) = carried {
            self.hold(member, carried, |matches| matches.saturating_add(1), now);
        }
    }

    /// The same; `count`: how many of the account's requests carried a telling key, this one included.
    fn hold(&mut self, member: &Member, carried: Carried, count: impl Fn(i32) -> i32, now: Timestamp) {
        if carried.lift < SPEAKS {
            return;
        }
        let Some((family, terms)) = self.terms(member, carried) else { return };
        let Some(known) = self.accounts.get(member.account) else { return };
        if carried.lift >= TELLING {
            known.matches = count(known.matches);
        }
        known.most = known.most.max(terms.score());
        if terms.score() >= LINK {
            self.link(member.account, carried.campaign, (terms.score(), terms), family, now);
        }
    }

    /// What speaks for an account's being of the campaign whose key it carries, and the family that named that; `None` where it is
    /// another's.
    fn terms(&self, member: &Member, carried: Carried) -> Option<(Family, Terms)> {
        let Carried { campaign: index, lift, .. } = carried;
        let campaign = self.campaigns.get(index as usize)?;
        let known = self.accounts.peek(member.account)?;
        if known.campaign().is_some_and(|of| of != index) {
            return None;
        }
        let like = |client| campaign.client(client, &self.population);
        let like_now = like(&member.client);
        let usual = campaign.usual_of(&known.client, &self.population);
        let wording = if self.criteria.counts(Family::HarvestContent) { known.said(usual) } else { 0 };
        // Of who takes turns with others it does not matter that what they ask reads like a person's.
        let wording = if self.takes_turns(member.account, index) { wording.max(0) } else { wording };
        // Who evaluates a model takes public prompts as well, one after the other; but with a client of his own.
        let sweeps = campaign.sweeps() && like_now >= ALIKE;
        let mut terms = Terms {
            prior: campaign.prior(&self.population),
            client: if self.criteria.counts(Family::CohortSynchrony) { like_now.max(like(&known.client)) } else { 0 },
            key: if lift >= TELLING { lift } else { lift.saturating_sub(known.chance()).max(0) },
            again: AGAIN * known.kept_at(sweeps).min(MATCHES),
            wording: wording.clamp(-WORDING, WORDING),
        };
        if !(carried.tells() || sweeps && terms.again > 0) {
            terms.client -= (terms.score() - self.criteria.untold).max(0);
        }
        Some((campaign.story.family, terms))
    }

    /// Links an account to a campaign, or is surer of it.
    pub(super) fn link(
        &mut self,
        account: u64,
        index: u32,
        (score, terms): (MilliNats, Terms),
        family: Family,
        now: Timestamp,
    ) {
        let Some(known) = self.accounts.get(account) else { return };
        if known.link.is_some_and(|link| link.campaign != index) {
            return;
        }
        let (accepted, told) = (known.accepted(), self.tells_of(account));
        let Some(campaign) = self.campaigns.get_mut(index as usize) else { return };
        if accepted && campaign.hear(family) {
            self.tell(index);
        }
        let Some(known) = self.accounts.get(account) else { return };
        if known.link.is_some_and(|link| score < link.score + SURER) {
            return;
        }
        let new = known.link.is_none();
        known.most = known.most.max(score);
        known.link = Some(Link { campaign: index, family, score, at: now, told: now, terms });
        known.client = self.renamed.client(&known.client);
        let (client, sweeps, met, kin) = (known.client, known.corpus > 0, known.met, known.kin);
        let Some(campaign) = self.campaigns.get_mut(index as usize) else { return };
        let families = FamilySet::of(&campaign.families);
        if told {
            self.changes.push(Change::Account { account, campaign: index, score, families, until: until(now) });
        }
        if !new || !told {
            return;
        }
        campaign.link(&client, sweeps);
        if accepted {
            self.population.remove(&client);
            self.population.sweeping = self.population.sweeping.saturating_sub(u32::from(sweeps));
            self.population.part(&client, met, kin);
        }
        // Profiles go out as the campaign grows by a tenth: often while it is small, seldom later.
        if campaign.accounts < 16 || campaign.accounts.is_multiple_of(campaign.accounts / 10) {
            self.tell(index);
        }
    }

    /// Notes that a campaign's account takes a model it did not take before; a model that is new itself, and several of
    /// its accounts at once, are a pivot.
    pub(super) fn pivot(&mut self, index: Option<u32>, member: &Member, model: u64, now: Timestamp) {
        let Some(known) = self.accounts.get(member.account) else { return };
        let moved = known.model != model;
        known.model = model;
        if !moved || !self.population.models.released(model, now) || !self.criteria.counts(Family::CohortSynchrony) {
            return;
        }
        let Some((index, campaign)) = index.and_then(|index| Some((index, self.campaigns.get_mut(index as usize)?)))
        else {
            return;
        };
        if campaign.pivots(model, now) {
            campaign.hear(Family::CohortSynchrony);
            self.tell(index);
        }
    }

    /// Tells again of a linked account that is still sending, and of the campaign's keys that it sends.
    pub(super) fn renew(&mut self, account: u64, keys: &[(Gathering, u64)], now: Timestamp) {
        let told = self.tells_of(account);
        let Some(link) = self.accounts.get(account).and_then(|known| known.link.as_mut()) else { return };
        let (index, score) = (link.campaign, link.score);
        let Some(campaign) = self.campaigns.get(index as usize) else { return };
        if told && is_old(link.told, now) {
            link.told = now;
            let families = FamilySet::of(&campaign.families);
            self.changes.push(Change::Account { account, campaign: index, score, families, until: until(now) });
        }
        for &(_, key) in keys {
            let Some(group) = self.groups.get(key) else { continue };
            if group.campaign == Some(index) && is_old(group.told, now) {
                group.told = now;
                let lift = campaign.key(group.linked, group.others, &self.population);
                self.changes.push(Change::Key { key, campaign: index, lift, until: until(now) });
            }
        }
    }

    /// All that proxies are to be told, whatever they were told before; accounts of a campaign that has more than
    /// `crowd` of them as crowds.
    #[must_use]
    pub fn feed(&self, crowd: usize, now: Timestamp) -> Vec<Change> {
        let clients = self.criteria.counts(Family::CohortSynchrony);
        let profile = |(campaign, of): (u32, &Campaign)| Change::Profile {
            campaign,
            profile: of.profile(&self.population, clients),
        };
        let mut changes: Vec<Change> = self.standing().map(profile).collect();
        changes.extend(self.groups.iter().filter_map(|(key, group)| {
            let campaign = group.campaign?;
            let lift = self.campaigns.get(campaign as usize)?.key(group.linked, group.others, &self.population);
            Some(Change::Key { key, campaign, lift, until: until(group.told.min(now)) })
        }));
        let mut members = vec![Vec::new(); self.campaigns.len()];
        for (account, known) in self.accounts.iter() {
            let told = |link: &Link| now < until(link.told) && self.tells_of(account);
            let Some(mut link) = known.link.filter(told) else { continue };
            link.told = link.told.min(now);
            if let Some(of) = members.get_mut(link.campaign as usize) {
                of.push((account, link));
            }
        }
        for (campaign, members) in self.campaigns.iter().zip(members) {
            changes.extend(told(FamilySet::of(&campaign.families), members, crowd, &self.criteria));
        }
        changes
    }
}

/// Whether what was told then is told again now; so is what was told under a clock that was ahead, for it would stay too long.
fn is_old(told: Timestamp, now: Timestamp) -> bool {
    now.is_past(told, TOLD / 2)
}

/// When what is told now is forgotten.
pub(super) fn until(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(TOLD))
}

/// What proxies are told of a campaign's accounts. Of a crowd's they know one score: of those that score alike, and stand on the
/// same rung, one crowd each, the surest first; where they are few, one by one.
fn told(families: FamilySet, mut members: Vec<(u64, Link)>, crowd: usize, criteria: &Criteria) -> Vec<Change> {
    let band = |link: &Link| (criteria.rung(link.score), (link.score - LINK).clamp(0, BANDS) / BAND);
    // In one order, so that the same campaign gives the same bytes.
    members.sort_unstable_by_key(|(account, link)| (Reverse(band(link)), *account));
    let few = if members.len() > crowd { crowd / FEW } else { usize::MAX };
    let one = |&(account, link): &(u64, Link)| {
        let Link { campaign, score, told, .. } = link;
        Change::Account { account, campaign, score, families, until: until(told) }
    };
    let bands = members.chunk_by(|(_, one), (_, other)| band(one) == band(other));
    bands
        .flat_map(|members| match (members.len() > few).then(|| as_crowd(families, members)).flatten() {
            Some(crowd) => vec![crowd],
            None => members.iter().map(one).collect(),
        })
        .collect()
}

/// Accounts as one crowd, as sure as the least of them; `None` where the filters cannot be built.
fn as_crowd(families: FamilySet, members: &[(u64, Link)]) -> Option<Change> {
    let links = || members.iter().map(|(_, link)| link);
    let (campaign, last) = (links().next()?.campaign, links().map(|link| link.told).max()?);
    let score = links().map(|link| link.score).min()?;
    let accounts: Vec<u64> = members.iter().map(|(account, _)| *account).collect();
    Change::crowd(&accounts, &Linked { campaign, score, families, until: until(last) })
}
