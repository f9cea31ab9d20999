//! Observations in, campaigns and changes of the feed out.

use super::account::{Account, Link};
use super::criteria::Criteria;
use super::feed::Change;
use super::gathering::{Carried, Gathering};
use super::generations::Generations;
use super::group::{Group, Member};
use super::ledger::Ledger;
use super::named::Campaign;
use super::population::{Client, Population};
use super::rotation::Renamed;
use super::union::Union;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::digest::skeleton::Place;
use crate::nats::MilliNats;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
    /// Campaigns, and parts of them; no more are named until [`Joiner::make_room`] is asked.
    pub campaigns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { accounts: 1 << 20, singles: 1 << 21, groups: 1 << 17, ledger: 1 << 20, campaigns: 1 << 10 }
    }
}

/// Layout of snapshots; the one before, which tells less of what a focus comes of, in the same bytes; and the one before that, which
/// has no unions.
const SNAPSHOT: u8 = 9;
const WITHOUT_BOUNDS: u8 = 8;
const WITHOUT_UNIONS: u8 = 7;

/// A key that one party has sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Single {
    account: u64,
    party: u64,
    content: u64,
    wording: MilliNats,
}

impl Single {
    /// The same by names of today.
    pub(super) fn renamed(self, names: &Renamed) -> Self {
        Self { account: names.of(self.account), party: names.of(self.party), ..self }
    }
}

/// The second tier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joiner {
    #[serde(skip)]
    pub(super) criteria: Criteria,
    #[serde(skip)]
    pub(super) limits: Limits,
    pub(super) population: Population,
    pub(super) accounts: Generations<Account>,
    pub(super) groups: Generations<Group>,
    pub(super) campaigns: Vec<Campaign>,
    #[serde(skip)]
    pub(super) changes: Vec<Change>,
    /// The group of those between whom things changed hands, by account and family; and, by keys of their own, what else is noted
    /// of one account (`Derived::Echo`, `Begun`, `Voice`).
    pub(super) chains: Generations<u64>,
    pub(super) singles: Generations<Single>,
    pub(super) ledger: Ledger,
    pub(super) renamed: Renamed,
    /// The last of all: a snapshot of layout 7 ends before it.
    pub(super) unions: Vec<Union>,
}

impl Joiner {
    /// A tier that has seen nothing.
    #[must_use]
    pub fn new(limits: Limits, criteria: Criteria) -> Self {
        Self {
            ledger: Ledger::new(limits.ledger, criteria.clone()),
            criteria,
            limits,
            population: Population::default(),
            accounts: Generations::new(limits.accounts),
            groups: Generations::new(limits.groups),
            campaigns: Vec::new(),
            changes: Vec::new(),
            chains: Generations::new(limits.groups),
            singles: Generations::new(limits.singles),
            renamed: Renamed::new(limits.accounts),
            unions: Vec::new(),
        }
    }

    /// All that it remembers, for [`Joiner::restore`].
    ///
    /// # Errors
    /// None that is known; the serialiser could have one.
    pub fn snapshot(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![SNAPSHOT])
    }

    /// Whether a snapshot is of a layout that is not known yet: a later version wrote it.
    #[must_use]
    pub fn is_newer(snapshot: &[u8]) -> bool {
        snapshot.first().is_some_and(|&layout| layout > SNAPSHOT)
    }

    /// A tier that remembers what another did; it never gives away more than that one.
    ///
    /// # Errors
    /// Bytes of another layout, or damaged ones.
    pub fn restore(bytes: &[u8], limits: Limits, criteria: Criteria) -> Result<Self, &'static str> {
        let (layout, rest) = bytes.split_first().ok_or("an empty snapshot")?;
        let none = postcard::to_allocvec(&Vec::<Union>::new()).unwrap_or_default();
        let whole = match *layout {
            SNAPSHOT | WITHOUT_BOUNDS => Cow::Borrowed(rest),
            WITHOUT_UNIONS => Cow::Owned([rest, &none].concat()),
            _ => return Err("a snapshot of another version"),
        };
        let Ok((mut joiner, [])) = postcard::take_from_bytes::<Self>(&whole) else { return Err("a damaged snapshot") };
        joiner.limits = limits;
        joiner.follow(criteria);
        Ok(joiner)
    }

    /// Holds evidence against other rules from now on.
    pub fn follow(&mut self, criteria: Criteria) {
        self.ledger.follow(criteria.clone());
        self.criteria = criteria;
    }

    /// The campaigns named so far.
    #[must_use]
    pub fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// What is known of an account, while it is remembered; after a rotation of the digest key by its old name, too.
    #[must_use]
    pub fn account(&self, account: u64) -> Option<&Account> {
        self.accounts.peek(account).or_else(|| self.accounts.peek(self.renamed.of(account)))
    }

    /// All accounts that are remembered, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (u64, &Account)> {
        self.accounts.iter()
    }

    /// All keys that more than one party has sent, and who has, in no order.
    pub fn groups(&self) -> impl Iterator<Item = (u64, &Group)> {
        self.groups.iter()
    }

    /// What accounts of no campaign look like.
    #[must_use]
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// Accounts that are remembered.
    #[must_use]
    pub fn known(&self) -> usize {
        self.accounts.len()
    }

    /// What has changed since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Counts an exchange.
    pub(super) fn exchange(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        let member = self.count_in(caller, reading, now);
        if self.ledger.begins(reading) {
            self.begin(member.account);
        }
        let passed = self.ledger.request(caller, reading, now);
        let keys = self.keys(&member, reading, &passed);
        let own = self.owns(&member, reading);
        // Whatever it has sent for the first time now is in its hands as well.
        let prepared = own || self.prepared(&member, reading);
        let meeting = self.meet(&member, reading, own, now);
        let met = |campaign: u32| {
            let lift = self.campaigns.get(campaign as usize)?.met(&self.population);
            Some(Carried { campaign, lift, part: false })
        };
        let mut carried = meeting.campaign.filter(|_| !own).and_then(met);
        for &(kind, key) in &keys {
            if own && kind.is_template() && self.known_of_others(key, &member) {
                continue;
            }
            let found = self.gather(kind, key, &member, reading, now);
            carried = carried.into_iter().chain(found).reduce(Carried::and);
        }
        self.turn_of(member.account, &keys, now);
        self.passed(&passed, &member, (reading, prepared), now);
        self.consider(&member, carried.or_else(|| self.sweeper(reading, &member)), now);
        self.count(&member, reading, &keys, now);
        self.count_meeting(&member, reading, &meeting);
    }

    /// Whether the template of a request is its sender's own: who had the beginning or the end of it first. The parts
    /// between are of its payload, too, and somebody else may well have had one of them before.
    fn owns(&self, member: &Member, reading: &Reading) -> bool {
        ends(reading).any(|key| self.groups.peek(key).is_some_and(|group| group.begun_by(member)))
    }

    /// The same, whether somebody else has sent it or not.
    pub(super) fn prepared(&self, member: &Member, reading: &Reading) -> bool {
        ends(reading).any(|key| self.begun_by(key, member))
    }

    /// Whether a key is from this sender, as far as is known.
    pub(super) fn begun_by(&self, key: u64, member: &Member) -> bool {
        let single = || self.singles.peek(key).is_some_and(|single| single.party == member.party);
        self.groups.peek(key).map_or_else(single, |group| group.begun_by(member))
    }

    /// Whether somebody else was the first to send a key.
    fn known_of_others(&self, key: u64, member: &Member) -> bool {
        let group = self.groups.peek(key).is_some_and(|group| !group.begun_by(member));
        group || self.singles.peek(key).is_some_and(|single| single.party != member.party)
    }

    /// Counts an account of no campaign where it takes something else than before: when a model is retired everybody moves, and
    /// what they took at first would make a rarity of what they take.
    fn move_on(&mut self, member: &Member) {
        let target = member.client.target;
        let Some(known) = self.accounts.get(member.account).filter(|known| known.link.is_none()) else { return };
        let old = self.renamed.client(&known.client);
        if old.target != target {
            known.client = Client { target, ..old };
            self.population.moves(&old, &known.client, known.met);
        }
    }

    /// Counts the request for its account.
    fn count_in(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) -> Member {
        let member = Member::of(caller, reading);
        let (account, counted) = (caller.account, self.tells_of(caller.account));
        let known = if counted { None } else { self.accounts.remove(account) };
        let given_away = known.and_then(|known| known.link);
        if self.accounts.get(account).is_none() {
            self.population.add(&member.client);
            self.accounts.insert(account, Account::new(member.party, member.client));
        }
        self.move_on(&member);
        if let Some(known) = self.accounts.get(account) {
            let swept = known.request(reading.wording, reading.corpus);
            self.population.sweeping += u32::from(swept && known.link.is_none());
        }
        if let Some(Link { campaign, family, score, terms, .. }) = given_away {
            self.link(account, campaign, (score, terms), family, now);
        }
        member
    }

    /// Puts the request under one key. Returns what that is of a campaign's.
    pub(super) fn gather(
        &mut self,
        kind: Gathering,
        key: u64,
        member: &Member,
        reading: &Reading,
        now: Timestamp,
    ) -> Option<Carried> {
        let content = reading.asks(member.account ^ now.0);
        if self.groups.get(key).is_none() {
            self.found(key, member, content, now)?;
        }
        let window = self.criteria.window;
        let group = self.groups.get(key)?;
        if group.full() && group.campaign.is_none() && now.since(group.since) > window {
            *group = Group::new(now);
        }
        group.request(content);
        if group.join(member) || group.returns() {
            self.weigh(kind, key, now);
        }
        self.carried(kind, key, member)
    }

    /// What a key is of a campaign's.
    pub(super) fn carried(&self, kind: Gathering, key: u64, member: &Member) -> Option<Carried> {
        let group = self.groups.peek(key).filter(|group| !kind.is_template() || !group.begun_by(member))?;
        let campaign = group.campaign?;
        let lift = self.campaigns.get(campaign as usize)?.key(group.linked, group.others, &self.population);
        Some(Carried { campaign, lift, part: kind.is_anybodys() })
    }

    /// Makes a group of a key once a second party sends it.
    fn found(&mut self, key: u64, member: &Member, content: u64, now: Timestamp) -> Option<()> {
        let Some(&mut first) = self.singles.get(key) else {
            let Member { account, party, wording, .. } = *member;
            self.singles.insert(key, Single { account, party, content, wording });
            return None;
        };
        if first.party == member.party {
            return None;
        }
        self.singles.remove(key);
        let mut group = Group::new(now);
        if let Some(account) = self.accounts.peek(first.account) {
            let Single { account: name, party, content, wording } = first;
            group.request(content);
            let client = self.renamed.client(&account.client);
            group.join(&Member { account: name, party, client, wording });
        }
        self.groups.insert(key, group);
        Some(())
    }

    /// Counts the exchange for the campaign its account is linked to, or for the population.
    fn count(&mut self, member: &Member, reading: &Reading, keys: &[(Gathering, u64)], now: Timestamp) {
        let linked = self.campaign_of(member.account);
        self.population.models.see(reading.model, now);
        match linked.and_then(|index| self.campaigns.get_mut(index as usize)) {
            Some(campaign) => {
                campaign.exchange(now);
                self.pivot(linked, member, reading.model, now);
                self.renew(member.account, keys, now);
            }
            None => self.population.exchanges += 1,
        }
        for &(_, key) in keys {
            let Some(group) = self.groups.get(key) else { continue };
            match group.campaign {
                Some(_) if group.campaign == linked => group.linked = group.linked.saturating_add(1),
                Some(of)
                    if self
                        .campaigns
                        .get(of as usize)
                        .is_some_and(|of| of.unlike(&member.client, reading, &self.population)) =>
                {
                    group.others = group.others.saturating_add(1);
                }
                _ => {}
            }
        }
    }

    /// The account that alone has sent a key so far.
    pub(super) fn single(&self, key: u64) -> Option<u64> {
        self.singles.peek(key).map(|single| single.account)
    }

    pub(super) fn campaign_of(&self, account: u64) -> Option<u32> {
        self.accounts.peek(account)?.campaign()
    }
}

/// What a template begins and ends with.
fn ends(reading: &Reading) -> impl Iterator<Item = u64> {
    let keys = reading.skeleton.keys.iter();
    keys.filter(|(place, _)| matches!(place, Place::System | Place::Head | Place::Tail)).map(|&(_, key)| key)
}
