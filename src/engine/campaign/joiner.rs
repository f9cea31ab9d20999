//! Observations in, campaigns and changes of the feed out.

use super::LINK;
use super::feed::Change;
use super::generations::Generations;
use super::group::{Group, Member, Worth};
use super::ledger::{Ledger, Passed};
use super::named::Campaign;
use super::population::{Client, Population};
use crate::caller::Caller;
use crate::digest::Reading;
use crate::digest::hash::Rolling;
use crate::digest::skeleton::Place;
use crate::nats::{MilliNats, ln_ratio};
use crate::rules::Family;
use crate::time::{DAY, Timestamp};

/// Entries that are kept of each kind; between this and twice as many of the most recently used.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Accounts.
    pub accounts: usize,
    /// Keys that only one party has sent so far.
    pub singles: usize,
    /// Groups.
    pub groups: usize,
    /// Blobs and conversations.
    pub ledger: usize,
    /// Campaigns.
    pub campaigns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { accounts: 1 << 20, singles: 1 << 21, groups: 1 << 17, ledger: 1 << 20, campaigns: 256 }
    }
}

/// Bound of what an account's wording is worth when it is held against a campaign.
const WORDING: MilliNats = 4_000;
/// What each further request with a telling key adds, and how many of them count.
const AGAIN: MilliNats = 1_000;
const MATCHES: i32 = 5;
/// What a key must be worth to be telling.
const TELLING: MilliNats = 3_000;
/// How much surer a link has to become to be told again.
const SURER: MilliNats = 500;
/// What it is worth that a blob, conversation or refused body went through an account's hands.
const HANDS: MilliNats = 9_000;
/// Unrelated parties through whose hands blobs went within a day, from which they are a campaign: an owner, two thieves.
const BLOB_HANDS: u32 = 3;
/// The same for conversations and refused bodies: people do move between two accounts of their own.
const PREFIX_HANDS: u32 = 6;

/// Thresholds of the second tier, in thousandths of a nat unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Evidence from which a group names a campaign.
    pub name: MilliNats,
    /// Unrelated parties a group needs to name one.
    pub parties: u32,
    /// Bound of what a group's focus is worth.
    pub focus: MilliNats,
    /// Bound of what a group's wording is worth, either way.
    pub wording: MilliNats,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { name: 14_000, parties: 8, focus: 16_000, wording: 8_000 }
    }
}

/// What is known of an account.
#[derive(Clone, Debug)]
struct Account {
    party: u64,
    client: Client,
    wording: MilliNats,
    requests: u32,
    corpus: u32,
    /// Requests that carried a telling key of a campaign.
    matches: i32,
    campaign: Option<u32>,
    /// How sure the link is.
    score: MilliNats,
}

/// A key that one party has sent.
#[derive(Clone, Copy, Debug)]
struct Single {
    account: u64,
    party: u64,
    content: u64,
}

/// The second tier.
#[derive(Clone, Debug)]
pub struct Joiner {
    thresholds: Thresholds,
    limits: Limits,
    population: Population,
    accounts: Generations<Account>,
    singles: Generations<Single>,
    groups: Generations<Group>,
    ledger: Ledger,
    campaigns: Vec<Campaign>,
    /// Accounts outside campaigns that ever took a prompt from a public set.
    sweeping: u32,
    changes: Vec<Change>,
    /// One line a campaign or link, for whoever looks into it.
    pub trace: Option<fn(&str)>,
}

impl Joiner {
    /// A tier that has seen nothing.
    #[must_use]
    pub fn new(limits: Limits, thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            limits,
            population: Population::default(),
            accounts: Generations::new(limits.accounts),
            singles: Generations::new(limits.singles),
            groups: Generations::new(limits.groups),
            ledger: Ledger::new(limits.ledger),
            campaigns: Vec::new(),
            sweeping: 0,
            changes: Vec::new(),
            trace: None,
        }
    }

    /// The campaigns named so far.
    #[must_use]
    pub fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// What has changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Takes note of a blob that an answer carried.
    pub fn given(&mut self, blob: u64, caller: &Caller, now: Timestamp) {
        self.ledger.given(blob, caller, now);
    }

    /// Takes note of a request that upstream refused.
    pub fn refused(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        self.ledger.refused(reading, caller, now);
    }

    /// Takes an exchange in.
    pub fn observe(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if caller.account == 0 || reading.unread {
            return;
        }
        let member = self.account(caller, reading);
        let passed = self.ledger.request(caller, reading, now);
        let keys = keys(reading);
        let mut best: Option<(u32, MilliNats)> = None;
        for &(kind, key) in &keys {
            let Some((of, lift)) = self.gather(kind, key, &member, reading, now) else { continue };
            if best.is_none_or(|(_, most)| lift > most) {
                best = Some((of, lift));
            }
        }
        self.passed(&passed, &member, now);
        self.consider(&member, best.or_else(|| self.sweeper(reading, &member)));
        self.count(caller.account, &keys, now);
    }

    /// Counts the exchange for the campaign its account is linked to, or for the population.
    fn count(&mut self, account: u64, keys: &[(Gathering, u64)], now: Timestamp) {
        let linked = self.campaign_of(account);
        match linked.and_then(|index| self.campaigns.get_mut(index as usize)) {
            Some(campaign) => {
                campaign.exchanges += 1;
                campaign.last = now;
            }
            None => self.population.exchanges += 1,
        }
        for &(_, key) in keys {
            let Some(group) = self.groups.get(key) else { continue };
            match group.campaign {
                Some(_) if group.campaign == linked => group.linked = group.linked.saturating_add(1),
                Some(_) => group.others = group.others.saturating_add(1),
                None => {}
            }
        }
    }

    /// The campaign that sweeps public sets for this target, when the request takes a prompt from one.
    fn sweeper(&self, reading: &Reading, member: &Member) -> Option<(u32, MilliNats)> {
        let sweeps = |campaign: &&Campaign| campaign.sweeps() && campaign.takes(member.client.target);
        let found = self.campaigns.iter().zip(0..).filter(|(campaign, _)| reading.corpus && sweeps(campaign));
        found
            .map(|(campaign, index)| (index, campaign.corpus(self.sweeping, &self.population)))
            .max_by_key(|&(_, lift)| lift)
    }

    fn campaign_of(&self, account: u64) -> Option<u32> {
        self.accounts.peek(account)?.campaign
    }

    /// Counts the request for its account.
    fn account(&mut self, caller: &Caller, reading: &Reading) -> Member {
        let client = Client::of(caller, reading);
        let party = if caller.organisation != 0 {
            caller.organisation
        } else if caller.network != 0 {
            caller.network
        } else {
            caller.account
        };
        if self.accounts.get(caller.account).is_none() {
            self.population.add(&client);
            let account =
                Account { party, client, wording: 0, requests: 0, corpus: 0, matches: 0, campaign: None, score: 0 };
            self.accounts.insert(caller.account, account);
        }
        if let Some(account) = self.accounts.get(caller.account) {
            account.requests = account.requests.saturating_add(1);
            if reading.corpus && account.corpus == 0 && account.campaign.is_none() {
                self.sweeping += 1;
            }
            account.corpus = account.corpus.saturating_add(u32::from(reading.corpus));
            account.wording = (account.wording + reading.wording).clamp(-6_000, 6_000);
        }
        Member { account: caller.account, party, client, wording: reading.wording }
    }

    /// Puts the request under one key. Returns the campaign that the key belongs to and what it is worth.
    fn gather(
        &mut self,
        kind: Gathering,
        key: u64,
        member: &Member,
        reading: &Reading,
        now: Timestamp,
    ) -> Option<(u32, MilliNats)> {
        if self.groups.get(key).is_none() {
            let single = Single { account: member.account, party: member.party, content: reading.content };
            let Some(&mut first) = self.singles.get(key).map(|first| &mut *first) else {
                self.singles.insert(key, single);
                return None;
            };
            if first.party == member.party {
                return None;
            }
            self.singles.remove(key);
            let mut group = Group::new(now);
            if let Some(account) = self.accounts.peek(first.account) {
                group.request(first.content, false);
                group.join(&Member {
                    account: first.account,
                    party: first.party,
                    client: account.client,
                    wording: member.wording,
                });
            }
            self.groups.insert(key, group);
        }
        let group = self.groups.get(key)?;
        if group.full() && group.campaign.is_none() && now.since(group.since) > DAY {
            *group = Group::new(now);
        }
        group.request(reading.content, reading.conversation.parent != 0);
        if group.join(member) {
            self.weigh(kind, key, now);
        }
        let group = self.groups.peek(key)?;
        let of = group.campaign?;
        let campaign = self.campaigns.get(of as usize)?;
        Some((of, campaign.key(group.linked, group.others, &self.population)))
    }

    /// Whether a group that has grown names a campaign or belongs to one.
    fn weigh(&mut self, kind: Gathering, key: u64, now: Timestamp) {
        let Some(group) = self.groups.peek(key) else { return };
        if group.campaign.is_some() || group.parties() < 4 {
            return;
        }
        let linked: Vec<u32> = group.accounts().filter_map(|account| self.accounts.peek(account)?.campaign).collect();
        if let Some(campaign) = most_common(&linked) {
            let count = u32::try_from(linked.iter().filter(|&&of| of == campaign).count()).unwrap_or(0);
            if count >= 4 && count * 4 >= group.parties() * 3 {
                self.attach(key, campaign);
                return;
            }
        }
        let mut worth = group.worth(&self.population.targets);
        if kind == Gathering::Corpus {
            worth.focus = self.sweep(group.parties(), group.settings());
        }
        let score = self.score(&worth);
        // Whom one operator runs takes one thing; a group that only leans one way is a language or a fashion.
        let focused = group.taking(group.target()) * 5 >= worth.parties * 4;
        if focused
            && worth.parties >= self.thresholds.parties
            && worth.contents * 2 >= worth.parties
            && score >= self.thresholds.name
        {
            // The evidence suffices either way; what is left to tell is whether the operator is known already.
            let met = most_common(&linked)
                .filter(|of| linked.iter().filter(|other| *other == of).count() * 5 >= worth.parties as usize);
            let target = group.target();
            // One operator sweeps with several settings.
            let sweeping = || self.campaigns.iter().position(|campaign| campaign.sweeps() && campaign.takes(target));
            let swept =
                if kind == Gathering::Corpus { sweeping().and_then(|place| u32::try_from(place).ok()) } else { None };
            match swept.or(met) {
                Some(campaign) if Some(campaign) == swept => self.adopt(key, campaign, score, Family::CorpusSweep),
                Some(campaign) => self.attach(key, campaign),
                None => self.name(key, Family::SkeletonSpread, &worth, score, now),
            }
        }
    }

    /// What it says that so many parties with the same settings take prompts from public sets: how much oftener than
    /// accounts do on the whole.
    fn sweep(&self, parties: u32, settings: u64) -> MilliNats {
        let here = ln_ratio(u64::from(parties), u64::from(self.population.settings.count(settings).max(parties)));
        let there = ln_ratio(u64::from(self.sweeping.max(1)), u64::from(self.population.targets.total()));
        (here - there).saturating_mul(i32::try_from(parties).unwrap_or(i32::MAX))
    }

    /// What a group's evidence is worth in all.
    fn score(&self, worth: &Worth) -> MilliNats {
        let mean = worth.wording / i32::try_from(worth.parties.max(1)).unwrap_or(1);
        worth.focus.min(self.thresholds.focus) + (mean * 4).clamp(-self.thresholds.wording, self.thresholds.wording)
    }

    /// Names the campaign that a group has given away.
    fn name(&mut self, key: u64, family: Family, worth: &Worth, score: MilliNats, now: Timestamp) {
        if self.campaigns.len() >= self.limits.campaigns {
            return;
        }
        let Ok(index) = u32::try_from(self.campaigns.len()) else { return };
        let since = self.groups.peek(key).map_or(now, |group| group.since);
        let mut rolling = Rolling::default();
        rolling.number(key);
        rolling.number(now.0);
        let name = format!("c-{:08x}", rolling.finish() >> 32);
        let mut campaign = Campaign::new(name, since, now, score);
        campaign.hear(family);
        campaign.hear(Family::CohortSynchrony);
        if worth.wording > 0 {
            campaign.hear(Family::HarvestContent);
        }
        if let Some(trace) = self.trace {
            trace(&format!("NAME {} t={} score={score} {worth:?}", campaign.name, now.0));
        }
        self.campaigns.push(campaign);
        self.adopt(key, index, score, family);
    }

    /// Links the accounts of a group whose own evidence suffices, those that take what most of it takes.
    fn adopt(&mut self, key: u64, index: u32, score: MilliNats, family: Family) {
        let Some(group) = self.groups.peek(key) else { return };
        let target = group.target();
        let accounts: Vec<u64> = group.accounts().collect();
        for account in accounts {
            if self.accounts.peek(account).is_some_and(|account| account.client.target == target) {
                self.link(account, index, score, family);
            }
        }
        self.attach(key, index);
    }

    /// Makes a group a campaign's. Its requests so far are dealt out as its accounts are.
    fn attach(&mut self, key: u64, index: u32) {
        let Some(group) = self.groups.peek(key) else { return };
        let accounts: Vec<u64> = group.accounts().collect();
        let linked = accounts.iter().filter(|&&account| self.campaign_of(account) == Some(index)).count() as u64;
        let Some(group) = self.groups.get(key) else { return };
        let requests = u64::from(group.requests());
        group.campaign = Some(index);
        group.linked = u32::try_from(requests * linked / (accounts.len() as u64).max(1)).unwrap_or(u32::MAX);
        group.others = group.requests() - group.linked;
        let (linked, others) = (group.linked, group.others);
        let Some(campaign) = self.campaigns.get_mut(index as usize) else { return };
        campaign.exchanges = campaign.exchanges.max(u64::from(linked));
        let lift = campaign.key(linked, others, &self.population);
        self.changes.push(Change::Key { key, campaign: index, lift });
        for account in accounts {
            let Some(known) = self.accounts.peek(account) else { continue };
            let member = Member { account, party: known.party, client: known.client, wording: 0 };
            self.consider(&member, Some((index, lift)));
        }
    }

    /// Holds an account against a campaign whose key it carries: links it when that is sure, is surer of it the more
    /// different requests speak for it.
    fn consider(&mut self, member: &Member, key: Option<(u32, MilliNats)>) {
        let Some((index, lift)) = key else { return };
        let Some(campaign) = self.campaigns.get(index as usize) else { return };
        let Some(known) = self.accounts.get(member.account) else { return };
        if known.campaign.is_some_and(|of| of != index) {
            return;
        }
        let client =
            campaign.client(&member.client, &self.population).max(campaign.client(&known.client, &self.population));
        let again = AGAIN * known.matches.min(MATCHES);
        known.matches += i32::from(lift >= TELLING);
        let score = campaign.prior(&self.population) + client + lift + again + known.wording.clamp(-WORDING, WORDING);
        if score >= LINK {
            self.link(member.account, index, score, Family::SkeletonSpread);
        }
    }

    /// Links an account to a campaign, or is surer of it.
    fn link(&mut self, account: u64, index: u32, score: MilliNats, family: Family) {
        let Some(known) = self.accounts.get(account) else { return };
        if known.campaign.is_some_and(|of| of != index || score < known.score + SURER) {
            return;
        }
        let new = known.campaign.is_none();
        known.campaign = Some(index);
        known.score = score;
        let (client, sweeps) = (known.client, known.corpus > 0);
        let Some(campaign) = self.campaigns.get_mut(index as usize) else { return };
        campaign.hear(family);
        self.changes.push(Change::Account { account, campaign: index, score, families: campaign.families.clone() });
        if !new {
            return;
        }
        campaign.link(&client, sweeps);
        self.population.remove(&client);
        self.sweeping = self.sweeping.saturating_sub(u32::from(sweeps));
        // Profiles go out as the campaign grows by a tenth: often while it is small, seldom later.
        if campaign.accounts < 16 || campaign.accounts.is_multiple_of(campaign.accounts / 10) {
            self.changes.push(Change::Profile { campaign: index, profile: campaign.profile(&self.population) });
        }
    }

    /// What changed hands links its hands: to the campaign of one of them, or to each other.
    fn passed(&mut self, passed: &[Passed], member: &Member, now: Timestamp) {
        for &Passed { family, from } in passed {
            let index = self.campaign_of(member.account).or_else(|| self.campaign_of(from.account));
            let index = index
                .or_else(|| self.known_for(family, member.client.target))
                .or_else(|| self.hands(family, from.account, member, now));
            let Some(index) = index else { continue };
            for account in [from.account, member.account] {
                self.link(account, index, HANDS, family);
            }
        }
    }

    /// The campaign that things are known to change hands in, among accounts that take this target.
    fn known_for(&self, family: Family, target: u64) -> Option<u32> {
        let known =
            self.campaigns.iter().position(|campaign| campaign.families.contains(&family) && campaign.takes(target));
        known.and_then(|place| u32::try_from(place).ok())
    }

    /// Gathers the hands through which something went; with enough of them within a day they name a campaign.
    fn hands(&mut self, family: Family, from: u64, member: &Member, now: Timestamp) -> Option<u32> {
        let mut rolling = Rolling::default();
        [3, family as u64, member.client.target].iter().for_each(|&part| rolling.number(part));
        let key = rolling.finish();
        if self.groups.get(key).is_none_or(|group| now.since(group.since) > DAY) {
            self.groups.insert(key, Group::new(now));
        }
        let first = self.accounts.peek(from).map(|known| Member {
            account: from,
            party: known.party,
            client: known.client,
            wording: 0,
        });
        let group = self.groups.get(key)?;
        first.iter().chain([member]).for_each(|member| {
            group.join(member);
        });
        let needed = if family == Family::BlobProvenance { BLOB_HANDS } else { PREFIX_HANDS };
        if group.parties() < needed {
            return None;
        }
        let worth = group.worth(&self.population.targets);
        self.name(key, family, &worth, HANDS, now);
        self.campaign_of(member.account)
    }
}

/// What accounts gather under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gathering {
    /// A key of a skeleton.
    Skeleton,
    /// Prompts out of public sets, by one client's settings.
    Corpus,
}

/// The keys under which a request is gathered.
fn keys(reading: &Reading) -> Vec<(Gathering, u64)> {
    let skeleton = reading.skeleton.keys.iter().filter(|(place, _)| *place != Place::Tools);
    let mut keys: Vec<_> = skeleton.map(|&(_, key)| (Gathering::Skeleton, key)).collect();
    if reading.corpus {
        let mut rolling = Rolling::default();
        [2, reading.settings, reading.line, reading.dialect.map_or(0, |dialect| dialect as u64)]
            .iter()
            .for_each(|&part| rolling.number(part));
        keys.push((Gathering::Corpus, rolling.finish()));
    }
    keys
}

fn most_common(values: &[u32]) -> Option<u32> {
    values.iter().copied().max_by_key(|value| values.iter().filter(|other| *other == value).count())
}
