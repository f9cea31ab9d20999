//! From a group to a campaign.

use super::account::{Account, Terms};
use super::criteria::LINK;
use super::derived::Derived;
use super::gathering::Gathering;
use super::group::{Group, Member, Worth};
use super::joiner::Joiner;
use super::ledger::Passed;
use super::named::{Campaign, PERSONAL, Story};
use super::population::Client;
use crate::digest::Reading;
use crate::digest::skeleton::Place;
use crate::evidence::cohort;
use crate::nats::MilliNats;
use crate::rules::Family;
use crate::time::{DAY, Timestamp};

/// Parties of a group before it is looked at.
const LOOK: u32 = 4;
/// Most that it is worth to have been in the group that named a campaign: that the group is one is sure, each member less.
const ADOPTED: MilliNats = 8_000;
/// What it is worth that a blob, conversation or refused body went through an account's hands.
pub(super) const HANDS: MilliNats = 9_000;
/// What an account's client must say before a blob in its hands is taken for that of a campaign it never met.
const ALIKE: MilliNats = 3_000;
/// What it says when a conversation in its hands is not taken for that of the campaign that it comes from.
const UNLIKE: MilliNats = -2_000;
/// Requests from which an account has a history of its own; those of campaigns send fewer a day, as a rule.
const SETTLED: u32 = 24;
/// Unrelated parties through whose hands blobs went within a day, from which they are a campaign: an owner, two thieves.
const BLOB_HANDS: u32 = 3;
/// The same for conversations and refused bodies: people do move between two accounts of their own, and services between
/// a few regions.
const PREFIX_HANDS: u32 = 6;
/// Where every one of them is set in another way so many suffice: a service in a few regions runs one program, and what is
/// sold on is set by whoever buys it.
const SOLD_ON: u32 = 4;

impl Joiner {
    /// Whether a group that has grown names a campaign or belongs to one.
    pub(super) fn weigh(&mut self, kind: Gathering, key: u64, now: Timestamp) {
        if !self.renamed.is_empty()
            && let Some(group) = self.groups.get(key)
        {
            group.rename(&self.renamed);
        }
        let Some(group) = self.groups.peek(key).filter(|group| group.campaign.is_none() && group.parties() >= LOOK)
        else {
            return;
        };
        let linked: Vec<u32> = group.accounts().filter_map(|account| self.campaign_of(account)).collect();
        let met = most_common(&linked);
        if matches!(kind, Gathering::Kin(_)) && met.is_some_and(|(_, count)| count * 5 >= group.parties() as usize) {
            // Known already. It is no key that gives others away: what it says their clients say.
            return;
        }
        let parties = group.parties() as usize;
        if let Some((campaign, _)) = met.filter(|&(campaign, count)| self.is_of(group, campaign, count)) {
            self.attach(key, kind, campaign, now);
            return;
        }
        if kind == Gathering::Replay {
            return;
        }
        let worth = self.worth(kind, group);
        let score = self.score(&worth);
        // Whom one operator runs takes one thing; a group that only leans one way is a language or a fashion.
        let focused = group.taking(group.target()) * 5 >= worth.parties * 4;
        let wordings = if kind == Gathering::Payload { self.criteria.wordings } else { 0 };
        let varied = worth.contents * 2 >= worth.parties && worth.contents >= wordings || worth.sampled();
        // Where the operator is known less is needed: what a group pays for being one among many, the campaign has paid. Kin are known
        // by their clients alone.
        let least = match kind {
            Gathering::Corpus | Gathering::Skeleton | Gathering::Part => self.criteria.adopt,
            _ => self.criteria.name,
        };
        if !focused || !varied || worth.parties < self.criteria.parties || score < least {
            return;
        }
        let known = match kind {
            Gathering::Corpus => self.sweeping(group.target()),
            Gathering::Kin(_) => self.running(group),
            Gathering::Skeleton | Gathering::Part => self.operator(group),
            Gathering::Payload | Gathering::Replay | Gathering::Hands(_) => None,
        };
        if known.is_none() && score < self.criteria.name {
            return;
        }
        match (known, met.filter(|&(_, count)| count * 5 >= parties)) {
            (Some(campaign), _) => self.adopt(key, kind, campaign, score, now),
            (None, Some((campaign, _))) => self.attach(key, kind, campaign, now),
            (None, None) => self.name(key, kind, &worth, score, now),
        }
    }

    /// Whether a key is a campaign's, to which `linked` accounts of its group belong: half of them at least, and three in four
    /// with those that are set up as its accounts are. Whom no proxy has refused yet is linked later.
    fn is_of(&self, group: &Group, campaign: u32, linked: usize) -> bool {
        let parties = group.parties() as usize;
        if linked < LOOK as usize || linked * 2 < parties {
            return false;
        }
        let Some(of) = self.campaigns.get(campaign as usize) else { return false };
        let free = group.accounts().filter(|&account| self.campaign_of(account).is_none());
        let clients = free.filter_map(|account| self.as_member(account)).map(|member| member.client);
        let like = |client: &Client| of.takes(client.target) && of.client(client, &self.population) >= ALIKE;
        (linked + clients.filter(like).count()) * 4 >= parties * 3
    }

    /// The campaign that sweeps public sets for a target: one operator does so with several settings.
    fn sweeping(&self, target: u64) -> Option<u32> {
        self.index_of(|campaign| campaign.sweeps() && campaign.takes(target))
    }

    /// The campaign without a template that takes what a group of kin takes, with the same program: one operator sets it in
    /// several ways, and who is held against one of them only is like none.
    fn running(&self, group: &Group) -> Option<u32> {
        let first = group.accounts().next().and_then(|account| self.accounts.peek(account))?;
        let client = Client { target: group.target(), ..self.renamed.client(&first.client) };
        self.index_of(|campaign| campaign.bare() && campaign.runs(&client))
    }

    /// The campaign whose accounts are set up as nearly all of a group are: one operator has many templates, or none, and then
    /// each question that several of its accounts ask is a group.
    fn operator(&self, group: &Group) -> Option<u32> {
        let accounts = group.accounts().filter_map(|account| self.accounts.peek(account));
        let clients: Vec<Client> = accounts.map(|known| self.renamed.client(&known.client)).collect();
        self.index_of(|campaign| {
            let like = |client: &&Client| campaign.client(client, &self.population) >= ALIKE;
            campaign.takes(group.target()) && clients.iter().filter(like).count() * 5 >= clients.len() * 4
        })
    }

    /// The first campaign that is so. One that is part of another is nothing: it takes and runs nothing any more.
    fn index_of(&self, is: impl Fn(&Campaign) -> bool) -> Option<u32> {
        u32::try_from(self.campaigns.iter().position(is)?).ok()
    }

    /// Names the campaign that a group has given away.
    fn name(&mut self, key: u64, kind: Gathering, worth: &Worth, score: MilliNats, now: Timestamp) {
        if self.campaigns.len() >= self.limits.campaigns {
            return;
        }
        let Ok(index) = u32::try_from(self.campaigns.len()) else { return };
        let since = self.groups.peek(key).map_or(now, |group| group.since);
        let family = kind.family();
        let is_new = |name: &String| self.campaigns.iter().all(|campaign| campaign.name != *name);
        let mut names = (0..).map(|n| format!("c-{:08x}", Derived::Name(key, now, n).key() >> 32));
        let Some(name) = names.find(is_new) else { return };
        let mut campaign = Campaign::new(name, Story { since, named: now, score, worth: *worth, family });
        campaign.hear(family);
        // A sweep's focus is not that of its targets.
        if worth.turns > 0 || worth.disguise > 0 || worth.focus > 0 && family != Family::CorpusSweep {
            campaign.hear(Family::CohortSynchrony);
        }
        // Kin meet under parts of templates.
        if family == Family::CohortSynchrony {
            campaign.hear(Family::SkeletonSpread);
        }
        // What kin ask is worded by whoever made the questions: students of one problem set are kin, too.
        let of_one_maker = || self.groups.peek(key).is_some_and(|group| group.of_one_maker(&self.population));
        if worth.mean_wording() >= cohort::PLAIN && family != Family::CohortSynchrony && !of_one_maker() {
            campaign.hear(Family::HarvestContent);
        }
        self.campaigns.push(campaign);
        self.adopt(key, kind, index, score, now);
    }

    /// Links the accounts of a group whose own evidence suffices, those that take what most of it takes. Who had a template
    /// first may be whom others frame with it.
    fn adopt(&mut self, key: u64, kind: Gathering, index: u32, score: MilliNats, now: Timestamp) {
        let family = kind.family();
        let Some(group) = self.groups.peek(key) else { return };
        let (target, kept) = (group.target(), group.mean_requests());
        let score = score.min(ADOPTED);
        let usual = self.campaigns.get(index as usize).map_or(0, Campaign::usual);
        let turns = |known: &Account| known.turn.kept(key, 1);
        let personal =
            |known: &Account| family != Family::CorpusSweep && known.beyond(usual) < PERSONAL && !turns(known);
        let kin = |known: &Account| family != Family::CohortSynchrony || known.kin.any();
        let alike = |known: &Account| self.renamed.of(known.client.target) == target && kin(known) && !personal(known);
        let accounts = group.accounts().skip(own(family));
        let sure = |account: u64| {
            let known = self.accounts.peek(account).filter(|known| alike(known))?;
            let score = score - if turns(known) { 0 } else { known.passing(kept) };
            (score >= LINK).then_some((account, score))
        };
        let accounts: Vec<(u64, MilliNats)> = accounts.filter_map(sure).collect();
        for (account, score) in accounts {
            self.link(account, index, (score, Terms::default()), family, now);
        }
        if family != Family::CohortSynchrony {
            self.attach(key, kind, index, now);
        }
    }

    /// What changed hands links its hands: to the campaign of one of them, or to each other. `own`: the template of the request
    /// was its sender's before.
    pub(super) fn passed(
        &mut self,
        passed: &[Passed],
        member: &Member,
        (reading, own): (&Reading, bool),
        now: Timestamp,
    ) {
        for &Passed { family, from } in passed {
            if family == Family::PrefixContinuity && self.began(member.account) {
                continue;
            }
            let hands = [from.account, member.account];
            let tells = match family {
                Family::FailoverEcho => self.echo(from.account, member, (reading, own)),
                _ => [true; 2],
            };
            let index = self.campaign_of(member.account).or_else(|| self.campaign_of(from.account));
            let index = index.or_else(|| self.known_for(family, &member.client));
            let index = match index {
                None if tells == [true; 2] => self.hands(family, from.account, member, now),
                known => known,
            };
            let Some(index) = index else { continue };
            for (account, tells) in hands.into_iter().zip(tells) {
                if tells && self.handles(index, family, account) {
                    self.link(account, index, (HANDS, Terms::default()), family, now);
                }
            }
            self.cross(family, from.account, member, now);
        }
    }

    /// Takes note that an account goes on with what nobody has sent.
    pub(super) fn begin(&mut self, account: u64) {
        let key = Derived::Begun(account).key();
        let begun = self.chains.get(key).copied().unwrap_or(0);
        self.chains.insert(key, begun.saturating_add(1));
    }

    /// Whether an account went on with what nobody had sent as often as with what others had, this time included: then it has
    /// dialogues that were written up, as others have, and was handed none.
    fn began(&mut self, account: u64) -> bool {
        let Some(begun) = self.chains.get(Derived::Begun(account).key()).filter(|begun| **begun > 0) else {
            return false;
        };
        *begun -= 1;
        true
    }

    /// Of which of its hands an echo tells, whose was refused and who sends it: of none whose own template it is, for whoever has
    /// that sends what they will.
    fn echo(&mut self, from: u64, member: &Member, (reading, own): (&Reading, bool)) -> [bool; 2] {
        let system = reading.skeleton.key(Place::System);
        let prompt = |hand: &Member| system.is_some_and(|key| self.begun_by(key, hand));
        let theirs = self.as_member(from).is_some_and(|from| prompt(&from));
        let hands = [(theirs, from, member.account), (own || prompt(member), member.account, from)];
        hands.map(|(own, account, other)| !own && self.echoes(account, other))
    }

    /// Whether an echo tells of an account: of one that has long gone its way those with two unrelated accounts do. A single one
    /// may be of another's making, who has its service send what he was refused.
    fn echoes(&mut self, account: u64, other: u64) -> bool {
        let settled = |known: &Account| known.link.is_none() && known.requests >= SETTLED;
        if !self.accounts.peek(account).is_some_and(settled) {
            return true;
        }
        let key = Derived::Echo(account).key();
        let before = self.chains.get(key).copied();
        if before.is_none() {
            self.chains.insert(key, other);
        }
        before.is_some_and(|before| before != other)
    }

    /// Whether what went through its hands makes an account one of a campaign. A blob does. A conversation or a refused body
    /// does where the campaign was named for that; elsewhere not where the account is set up as none of it is: texts that
    /// go from hand to hand are picked up by others, too.
    fn handles(&self, index: u32, family: Family, account: u64) -> bool {
        let Some(campaign) = self.campaigns.get(index as usize) else { return false };
        let alike = |member: Member| campaign.client(&member.client, &self.population) > UNLIKE;
        family == Family::BlobProvenance
            || campaign.story.family == family
            || self.as_member(account).is_some_and(alike)
    }

    /// The campaign that blobs are known to change hands in, among accounts that are set up like this one. A blob is given
    /// once; that others of the same target retry elsewhere says nothing of an honest client that does.
    fn known_for(&self, family: Family, client: &Client) -> Option<u32> {
        if family != Family::BlobProvenance {
            return None;
        }
        let like = |campaign: &Campaign| campaign.client(client, &self.population) >= ALIKE;
        let known = |campaign: &Campaign| campaign.families.contains(&family) && campaign.takes(client.target);
        self.index_of(|campaign| known(campaign) && like(campaign))
    }

    /// Gathers the hands through which things went from one to the next; enough of them within a day name a campaign.
    /// Those that have no hand in common stay apart, however many they are: people have two accounts, honest clients a key
    /// in each of a few regions.
    fn hands(&mut self, family: Family, from: u64, member: &Member, now: Timestamp) -> Option<u32> {
        let [giving, taking] = [from, member.account].map(|account| self.chain(family, account, now));
        let key = match (giving, taking) {
            (Some(chain), Some(other)) if chain != other => self.tie(family, [chain, other]),
            (Some(chain), _) | (None, Some(chain)) => chain,
            (None, None) => {
                let key = Derived::Hands(family, from, now).key();
                self.groups.insert(key, Group::new(now));
                key
            }
        };
        for account in [from, member.account] {
            self.hand(family, account, key);
        }
        let group = self.groups.peek(key)?;
        if group.campaign.is_none() && suffices(group, family) {
            let worth = group.worth(&self.population);
            self.name(key, Gathering::Hands(family), &worth, HANDS, now);
        }
        self.groups.peek(key)?.campaign
    }

    /// The chain of hands that an account is one of, where that is not over.
    fn chain(&mut self, family: Family, account: u64, now: Timestamp) -> Option<u64> {
        let key = *self.chains.get(chained(family, account))?;
        self.groups.get(key).filter(|group| now.since(group.since) <= DAY).map(|_| key)
    }

    /// Makes one chain of two: the shorter goes into the longer.
    fn tie(&mut self, family: Family, mut chains: [u64; 2]) -> u64 {
        chains.sort_by_key(|&chain| self.groups.peek(chain).map_or(0, Group::parties));
        let [shorter, longer] = chains;
        let accounts: Vec<u64> = self.groups.peek(shorter).iter().flat_map(|group| group.accounts()).collect();
        accounts.into_iter().for_each(|account| self.hand(family, account, longer));
        self.groups.remove(shorter);
        longer
    }

    /// Puts an account into a chain.
    fn hand(&mut self, family: Family, account: u64, key: u64) {
        self.chains.insert(chained(family, account), key);
        let Some(member) = self.as_member(account) else { return };
        if let Some(group) = self.groups.get(key) {
            group.join(&member);
        }
    }
}

/// Whether things of a family went through as many hands as it takes to name a campaign.
pub(super) fn suffices(hands: &Group, family: Family) -> bool {
    let needed = match family {
        Family::BlobProvenance => BLOB_HANDS,
        _ if hands.ways() == hands.parties() => SOLD_ON,
        _ => PREFIX_HANDS,
    };
    hands.parties() >= needed
}

/// Where the chain of an account's hands is found.
fn chained(family: Family, account: u64) -> u64 {
    Derived::Chain(family, account).key()
}

/// How many accounts of a group that this family sees are not held against it: whose template it was.
pub(super) fn own(family: Family) -> usize {
    usize::from(family == Family::SkeletonSpread)
}

/// The commonest value and how often it occurs.
fn most_common(values: &[u32]) -> Option<(u32, usize)> {
    let count = |value: u32| values.iter().filter(|&&other| other == value).count();
    values.iter().map(|&value| (value, count(value))).max_by_key(|&(value, count)| (count, std::cmp::Reverse(value)))
}
