//! A named campaign: what its accounts have in common, and how likely another account is one of them.

use super::feed::Profile;
use super::generations::DigestMap;
use super::group::Worth;
use super::population::{Client, Frequencies, Population};
use super::rotation::rename;
use crate::digest::Reading;
use crate::nats::{MilliNats, ln_ratio};
use crate::rules::{Family, Nature};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Accounts of the population that a campaign's frequencies are smoothed with.
const SMOOTHING: u32 = 8;
/// Different values of an attribute that a campaign keeps apart.
const VALUES: usize = 4_096;
/// Values of an attribute that proxies are told, the commonest first.
const LISTED: usize = 32;
/// Bounds of what one attribute is worth, either way: none decides alone.
const ATTRIBUTE: MilliNats = 4_500;
/// Requests that a key is taken to have had elsewhere before any was seen: most traffic is yet to come.
const UNSEEN: u64 = 2;
/// Bound of what a shared key is worth.
const KEY: MilliNats = 9_000;
/// Least prior log-odds of belonging to a campaign: it is not yet known how large it will grow.
const PRIOR: MilliNats = -6_000;
/// Wording below which a request, or an account, reads like a person's, whose way a campaign's template may have crossed. Single
/// requests of a harvest whose template reads like neither lie around 0: those of its accounts not yet linked must not speak
/// against its own key.
pub(super) const PERSONAL: MilliNats = -1_000;
/// Accounts that take a new model before the move is called a pivot.
const PIVOTING: u32 = 3;

/// How often each value occurs among a campaign's accounts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Common {
    counts: DigestMap<u32>,
}

impl Common {
    fn add(&mut self, value: u64, accounts: u32) {
        if self.counts.len() < VALUES || self.counts.contains_key(&value) {
            let sum = self.counts.entry(value).or_default();
            *sum = sum.saturating_add(accounts);
        }
    }

    fn absorb(&mut self, other: Self) {
        let mut counts: Vec<(u64, u32)> = other.counts.into_iter().collect();
        // In one order: there may not be room for all.
        counts.sort_unstable();
        counts.into_iter().for_each(|(value, accounts)| self.add(value, accounts));
    }

    fn lift(&self, value: u64, accounts: u32, everybody: &Frequencies) -> MilliNats {
        let count = self.counts.get(&value).copied().unwrap_or(0);
        everybody.ln_lift(value, count, accounts, SMOOTHING).clamp(-ATTRIBUTE, ATTRIBUTE)
    }
}

/// How a campaign came to be named.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Story {
    /// When the first account of the group that named it came.
    pub since: Timestamp,
    /// When it was named.
    pub named: Timestamp,
    /// The evidence that named it, in thousandths of a nat.
    pub score: MilliNats,
    /// What that was made of.
    pub worth: Worth,
    /// The family that saw the group.
    pub family: Family,
}

/// A campaign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Campaign {
    /// Its name: stable, tells nothing.
    pub name: String,
    /// How it came to be named.
    pub story: Story,
    /// When it was last seen.
    pub last: Timestamp,
    /// Accounts linked to it.
    pub accounts: u32,
    /// Exchanges of linked accounts, those before they were linked left out.
    pub exchanges: u64,
    /// Families whose evidence named it or linked accounts to it.
    pub families: Vec<Family>,
    /// The new model its accounts have moved to, and when that was noticed.
    pub pivot: Option<(u64, Timestamp)>,
    pivoting: (u64, u32),
    targets: Common,
    settings: Common,
    agents: Common,
    networks: Common,
    sweeping: u32,
    /// Requests that met one of its accounts under a rare key: of linked accounts, of others.
    pub meetings: (u32, u32),
}

impl Campaign {
    /// A campaign without accounts.
    #[must_use]
    pub fn new(name: String, story: Story) -> Self {
        Self {
            name,
            story,
            last: story.named,
            accounts: 0,
            exchanges: 0,
            families: Vec::new(),
            pivot: None,
            pivoting: (0, 0),
            targets: Common::default(),
            settings: Common::default(),
            agents: Common::default(),
            networks: Common::default(),
            sweeping: 0,
            meetings: (0, 0),
        }
    }

    /// Its name as a number.
    pub(super) fn mark(&self) -> u64 {
        self.name.as_bytes().last_chunk().map_or(0, |end| u64::from_le_bytes(*end))
    }

    /// Counts an exchange of a linked account.
    pub fn exchange(&mut self, now: Timestamp) {
        self.exchanges += 1;
        self.last = now;
    }

    /// Notes that an account has moved to a model just released; whether that is news: the campaign pivots.
    pub fn pivots(&mut self, model: u64, now: Timestamp) -> bool {
        let moved = if self.pivoting.0 == model { self.pivoting.1.saturating_add(1) } else { 1 };
        self.pivoting = (model, moved);
        let news = moved >= PIVOTING && self.pivot.is_none_or(|(of, _)| of != model);
        if news {
            self.pivot = Some((model, now));
        }
        news
    }

    /// Takes an account in.
    pub fn link(&mut self, client: &Client, sweeps: bool) {
        self.accounts += 1;
        self.targets.add(client.target, 1);
        self.settings.add(client.settings, 1);
        self.agents.add(client.agent, 1);
        self.networks.add(client.network, 1);
        self.sweeping += u32::from(sweeps);
    }

    /// All that is counted of it, which is another's from now on; its name and story stay.
    pub(super) fn leave(&mut self) -> Self {
        let left = Self { last: self.last, ..Self::new(self.name.clone(), self.story) };
        std::mem::replace(self, left)
    }

    /// Takes over what was counted of another.
    pub(super) fn absorb(&mut self, part: Self) {
        self.last = self.last.max(part.last);
        self.accounts = self.accounts.saturating_add(part.accounts);
        self.exchanges = self.exchanges.saturating_add(part.exchanges);
        part.families.into_iter().for_each(|family| _ = self.hear(family));
        self.pivot = self.pivot.or(part.pivot);
        self.targets.absorb(part.targets);
        self.settings.absorb(part.settings);
        self.agents.absorb(part.agents);
        self.networks.absorb(part.networks);
        self.sweeping = self.sweeping.saturating_add(part.sweeping);
        self.meetings.0 = self.meetings.0.saturating_add(part.meetings.0);
        self.meetings.1 = self.meetings.1.saturating_add(part.meetings.1);
    }

    /// Gives the attributes of a client, and a model, other names.
    pub(super) fn rename(&mut self, old: &Client, new: &Client, (model, renamed): (u64, u64)) {
        rename(&mut self.targets.counts, old.target, new.target);
        rename(&mut self.settings.counts, old.settings, new.settings);
        rename(&mut self.agents.counts, old.agent, new.agent);
        rename(&mut self.networks.counts, old.network, new.network);
        let pivot = self.pivot.as_mut().map(|(of, _)| of);
        pivot.into_iter().chain([&mut self.pivoting.0]).filter(|of| **of == model).for_each(|of| *of = renamed);
        if self.story.worth.target == old.target {
            self.story.worth.target = new.target;
        }
    }

    /// Notes that a family spoke for it; whether that confirms it.
    pub fn hear(&mut self, family: Family) -> bool {
        let before = self.confirmed();
        if !self.families.contains(&family) {
            self.families.push(family);
        }
        before != self.confirmed()
    }

    /// Whether its accounts may be blocked: more speaks for it than that they are alike, as users of one program are, too.
    /// Either their wording does, or they take their prompts from public sets, or it was named by what changed hands among
    /// them, or a blob did: who has two accounts goes on with a conversation in the other, but is given a blob once.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        let more = [Family::HarvestContent, Family::CorpusSweep, Family::BlobProvenance];
        self.story.family.nature() == Nature::Deterministic || more.iter().any(|family| self.families.contains(family))
    }

    /// Log-odds before any evidence that an account is one of it.
    #[must_use]
    pub fn prior(&self, population: &Population) -> MilliNats {
        ln_ratio(u64::from(self.accounts), u64::from(population.targets.total())).clamp(PRIOR, -500)
    }

    /// What an account's client says, in thousandths of a nat.
    #[must_use]
    pub fn client(&self, client: &Client, population: &Population) -> MilliNats {
        let target = self.targets.lift(client.target, self.accounts, &population.targets);
        // A target that the campaign has never taken is hard to explain: nobody harvests two models with one key.
        let target = if self.targets.counts.contains_key(&client.target) { target } else { -ATTRIBUTE };
        target
            + self.settings.lift(client.settings, self.accounts, &population.settings)
            + self.agents.lift(client.agent, self.accounts, &population.agents)
            + self.network(client.network, population)
    }

    /// What it says to come from a network that the campaign's accounts use. Most of them have their own, so coming from
    /// none of them says nothing.
    fn network(&self, network: u64, population: &Population) -> MilliNats {
        match self.networks.counts.get(&network) {
            Some(_) if network != 0 => self.networks.lift(network, self.accounts, &population.networks).max(0),
            _ => 0,
        }
    }

    /// What it says to take a prompt from a public set: how much commoner that is here than among the
    /// population's accounts.
    #[must_use]
    pub fn corpus(&self, population: &Population) -> MilliNats {
        let here = ln_ratio(u64::from(self.sweeping), u64::from(self.accounts));
        let there = ln_ratio(u64::from(population.sweeping) + UNSEEN, u64::from(population.targets.total()) + UNSEEN);
        (here - there).clamp(0, KEY)
    }

    /// Whether a request under one of its keys is no sign of it: another target, or the wording of a person, where its own
    /// does not read like one's. What is like it may be an account not yet linked, and must not count against its own key.
    #[must_use]
    pub fn unlike(&self, client: &Client, reading: &Reading, population: &Population) -> bool {
        !self.takes(client.target) || reading.wording < PERSONAL.min(2 * self.usual_of(client, population))
    }

    /// How an account with this client words its requests if it is one of it: [`Self::usual`], and where that is below 0 only if it runs
    /// what they run and is set up as they are. A firm whose prompt others send to frame it has a program of its own.
    #[must_use]
    pub fn usual_of(&self, client: &Client, population: &Population) -> MilliNats {
        let usual = self.usual();
        if usual >= 0 || self.runs(client) && self.client(client, population) > 0 { usual } else { 0 }
    }

    /// The mean wording of those that gave it away: above [`UNHEARD`](crate::evidence::wording::UNHEARD) what its accounts ask is
    /// told from people's by that. Below 0 where it has a template, which reads like a person's and still gave it away: so much of the
    /// wording of who is set up as its accounts are is not held against them.
    #[must_use]
    pub fn usual(&self) -> MilliNats {
        let templated = matches!(self.story.family, Family::SkeletonSpread | Family::TechniqueSearch);
        let mean = self.story.worth.mean_wording();
        if templated { mean } else { mean.max(0) }
    }

    /// Whether any of its accounts takes a target.
    #[must_use]
    pub fn takes(&self, target: u64) -> bool {
        self.targets.counts.contains_key(&target)
    }

    /// Whether any of its accounts takes this target, and any runs this client program.
    #[must_use]
    pub fn runs(&self, client: &Client) -> bool {
        self.takes(client.target) && self.agents.counts.contains_key(&client.agent)
    }

    /// Whether it was given away by whom its accounts meet, having no template.
    #[must_use]
    pub fn bare(&self) -> bool {
        self.story.family == Family::CohortSynchrony
    }

    /// What it says to meet one of its accounts under a rare key.
    #[must_use]
    pub fn met(&self, population: &Population) -> MilliNats {
        let (linked, others) = self.meetings;
        self.key(linked, others, population)
    }

    /// What a shared key is worth: `linked` of the campaign's requests and `others` of the rest carry it.
    #[must_use]
    pub fn key(&self, linked: u32, others: u32, population: &Population) -> MilliNats {
        let here = ln_ratio(2 * u64::from(linked) + 1, 2 * self.exchanges + 2);
        let there = ln_ratio(u64::from(others) + UNSEEN, population.exchanges + UNSEEN);
        (here - there).clamp(0, KEY)
    }

    /// What proxies need to recognise its accounts; `clients`: whether their clients count.
    #[must_use]
    pub fn profile(&self, population: &Population, clients: bool) -> Profile {
        let (confirmed, pivot) = (self.confirmed(), self.pivot.map(|(model, _)| model));
        if !clients {
            let (name, base) = (self.name.clone(), self.prior(population));
            return Profile { name, confirmed, base, pivot, ..Profile::default() };
        }
        let list = |common: &Common, everybody: &Frequencies| {
            let unknown = common.lift(0, self.accounts, everybody);
            let mut values: Vec<_> = common.counts.iter().map(|(&value, &count)| (count, value)).collect();
            values.sort_unstable_by(|a, b| b.cmp(a));
            let lift = |(_, value)| (value, common.lift(value, self.accounts, everybody) - unknown);
            (unknown, values.into_iter().take(LISTED).map(lift).collect::<Vec<_>>())
        };
        let targets = list(&self.targets, &population.targets).1;
        let (no_settings, settings) = list(&self.settings, &population.settings);
        let (no_agent, agents) = list(&self.agents, &population.agents);
        // An unknown target speaks against it as strongly as one attribute can.
        let known = self.targets.lift(0, self.accounts, &population.targets);
        let targets = targets.into_iter().map(|(value, lift)| (value, lift + known + ATTRIBUTE)).collect();
        Profile {
            name: self.name.clone(),
            confirmed,
            base: self.prior(population) - ATTRIBUTE + no_settings + no_agent,
            targets,
            settings,
            agents,
            pivot,
        }
    }

    /// Whether most of its accounts take their prompts from public sets.
    #[must_use]
    pub fn sweeps(&self) -> bool {
        self.sweeping * 2 > self.accounts
    }
}
