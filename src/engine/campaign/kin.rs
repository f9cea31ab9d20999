//! Kin: accounts set up alike that meet under rare keys.
//!
//! A harvest without a template still asks what few others ask, and asks it again from other accounts: bare questions of
//! a set that nobody has indexed, rows that are varied. Each such meeting is of two or three accounts, too few for a
//! group of its own, and unrelated people meet so, too; but whom they meet is anybody. Accounts of one operator meet each
//! other: same settings, same program. How many accounts of one set-up have met their own kind, among those
//! that have met anybody, is held against how often that happens by chance; what kin take is weighed as with a template.
//!
//! They are alike in two ways ([`Likeness`]): by program and settings, where their target is left to speak for them, and by settings
//! and target, where their programs are: those of several names that are all set so are a pool in disguise.

use super::derived::Derived;
use super::gathering::Gathering;
use super::group::{Basis, Group, Member};
use super::joiner::Joiner;
use super::population::Client;
use crate::caller::product;
use crate::digest::Reading;
use crate::digest::skeleton::Place;
use crate::nats::{MilliNats, ln_ratio};
use crate::rules::Family;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Parties up to which a key is rare: who meets under a commoner one meets a template or a fashion.
const RARE: u32 = 8;
/// Parties from which what a request begins with is a template.
const TEMPLATE: u32 = 4;
/// Others that an account is taken to meet: so many times likelier than one meeting is it to have met its own kind.
const MEETINGS: u64 = 4;

/// What it must be worth that accounts meet their kin before their target counts: there are a thousand programs to look at.
const SURE: MilliNats = 6_900;
/// Most that their target is worth then, and most that it is worth without one that they meet their kin. Users of one app
/// are kin, too, so neither suffices without wording that speaks for a harvest, or several programs, and few.
const FOCUS: MilliNats = 12_000;
const ALIKE: MilliNats = 8_000;

/// In what kin are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// A client program and how it is set.
    Program,
    /// How a client program is set, whatever its name, and what it takes.
    Way,
}

impl Likeness {
    pub(super) const ALL: [Self; 2] = [Self::Program, Self::Way];

    /// What accounts that are so alike have in common.
    pub(super) fn of(self, client: &Client) -> u64 {
        match self {
            Self::Program => Derived::Program(client.settings, client.agent).key(),
            Self::Way => Derived::Way(client.settings, client.target).key(),
        }
    }

    /// Whether two accounts are so alike. Programs of one name are set alike because they are one.
    fn joins(self, one: &Client, other: &Client) -> bool {
        let alike = match self {
            Self::Program => one.agent == other.agent,
            Self::Way => one.target == other.target && product(one.agent) != product(other.agent),
        };
        alike && one.settings == other.settings
    }
}

/// A value for each likeness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Each<T> {
    program: T,
    way: T,
}

impl Each<bool> {
    /// Whether it is so of any likeness.
    pub(super) fn any(self) -> bool {
        self.program || self.way
    }
}

impl<T> Each<T> {
    pub(super) fn of(&self, likeness: Likeness) -> &T {
        match likeness {
            Likeness::Program => &self.program,
            Likeness::Way => &self.way,
        }
    }

    pub(super) fn of_mut(&mut self, likeness: Likeness) -> &mut T {
        match likeness {
            Likeness::Program => &mut self.program,
            Likeness::Way => &mut self.way,
        }
    }
}

/// One that is set up as the sender is.
#[derive(Clone, Copy, Debug)]
struct Kin {
    member: Member,
    /// Who had the key first: with a program of its own that may be whose words the others send, and is none for that.
    began: bool,
}

/// Whom a request meets under rare keys.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meeting {
    /// Another party, whoever that is.
    met: bool,
    /// One of its kin.
    kin: Each<Option<Kin>>,
    /// An account of a campaign that has no template.
    pub(super) campaign: Option<u32>,
}

impl Joiner {
    /// Takes note of whom the request meets under rare keys. Where that is kin, both gather under a key for that. `own`: the
    /// request's template is its sender's own.
    pub(super) fn meet(&mut self, member: &Member, reading: &Reading, own: bool, now: Timestamp) -> Meeting {
        let counts = |family| self.criteria.counts(family);
        let Some(known) = self.accounts.peek(member.account) else { return Meeting::default() };
        if !counts(Family::SkeletonSpread) || !counts(Family::CohortSynchrony) {
            return Meeting::default();
        }
        let client = known.client;
        let meeting = self.meeting(member, &client, reading);
        if meeting.met
            && let Some(known) = self.accounts.get(member.account).filter(|known| !known.met)
        {
            known.met = true;
            if known.link.is_none() {
                self.population.meet(&client);
            }
        }
        let template = self.sends_a_template(reading);
        for likeness in Likeness::ALL {
            let Some(kin) = meeting.kin.of(likeness) else { continue };
            let (key, way) = (likeness.of(&client), likeness == Likeness::Way);
            if way && (own || template) {
                // Others send his words; that they do so set as he is makes him none of them. And who sends a template meets others
                // under what it has in common with theirs: tools of one kind are made of the same phrases.
                continue;
            }
            self.akin(likeness, member.account);
            if self.groups.get(key).is_none() {
                self.groups.insert(key, Group::new(now));
            }
            if let Some(group) = self.groups.get(key) {
                group.join(&kin.member);
            }
            if !(way && kin.began) {
                self.akin(likeness, kin.member.account);
            }
            self.gather(Gathering::Kin(likeness), key, member, reading, now);
        }
        meeting
    }

    /// Whether a request begins as those of many do, of no campaign.
    fn sends_a_template(&self, reading: &Reading) -> bool {
        let first = reading.skeleton.key(Place::System).or_else(|| reading.skeleton.key(Place::Head));
        let group = first.and_then(|key| self.groups.peek(key)).filter(|group| group.campaign.is_none());
        group.is_some_and(|group| group.parties() >= TEMPLATE)
    }

    fn meeting(&self, member: &Member, ours: &Client, reading: &Reading) -> Meeting {
        let mut meeting = Meeting::default();
        let asked = |place| matches!(place, Place::Head | Place::Tail | Place::UserPart);
        for &(_, key) in reading.skeleton.keys.iter().filter(|&&(place, _)| asked(place)) {
            let group = self.groups.peek(key).filter(|group| group.parties() < RARE);
            let accounts = group.iter().flat_map(|group| group.accounts()).chain(self.single(key));
            for (place, account) in accounts.enumerate() {
                let Some(other) = self.accounts.peek(account).filter(|other| other.party != member.party) else {
                    continue;
                };
                meeting.met = true;
                let bare = |of: &u32| self.campaigns.get(*of as usize).is_some_and(|campaign| campaign.bare());
                meeting.campaign = meeting.campaign.or_else(|| other.campaign().filter(bare));
                let theirs = self.renamed.client(&other.client);
                for likeness in Likeness::ALL {
                    let kin = meeting.kin.of_mut(likeness);
                    if kin.is_none() && likeness.joins(ours, &theirs) {
                        let requests = i32::try_from(other.requests.max(1)).unwrap_or(i32::MAX);
                        let (party, client, wording) = (other.party, other.client, other.wording / requests);
                        let member = Member { account, party, client, wording };
                        *kin = Some(Kin { member, began: place == 0 });
                    }
                }
            }
        }
        meeting
    }

    /// Counts the meeting for the campaign that was met.
    pub(super) fn count_meeting(&mut self, member: &Member, reading: &Reading, meeting: &Meeting) {
        let Some(of) = meeting.campaign else { return };
        let linked = self.campaign_of(member.account);
        let Some(campaign) = self.campaigns.get_mut(of as usize) else { return };
        if linked == Some(of) {
            campaign.meetings.0 = campaign.meetings.0.saturating_add(1);
        } else if campaign.unlike(&member.client, reading, &self.population) {
            campaign.meetings.1 = campaign.meetings.1.saturating_add(1);
        }
    }

    /// Counts an account among those that have met their kin.
    fn akin(&mut self, likeness: Likeness, account: u64) {
        let Some(known) = self.accounts.get(account).filter(|known| !known.kin.of(likeness)) else { return };
        *known.kin.of_mut(likeness) = true;
        if known.link.is_none() {
            self.population.kinds.of_mut(likeness).kin += 1;
        }
    }

    /// What is worth that the members of a group of kin take one target, and whether that is so because of the target, or because
    /// of their settings: it is what those that are alike in it have in common anyway.
    pub(super) fn kinship(&self, likeness: Likeness, group: &Group) -> (MilliNats, Basis) {
        let first = group.accounts().next().and_then(|account| self.accounts.peek(account));
        let alike = first.map_or(0, |first| self.alike(likeness, group.parties(), &self.renamed.client(&first.client)));
        let counts = likeness == Likeness::Program && alike >= SURE;
        let focus = if counts { group.focus(&self.population).min(FOCUS) } else { 0 };
        let alike = alike.min(ALIKE);
        (focus.max(alike), if alike > focus { Basis::Settings } else { Basis::Targets })
    }

    /// What it says that so many parties that are so alike have met their kin, among all of those that have met anybody.
    fn alike(&self, likeness: Likeness, parties: u32, client: &Client) -> MilliNats {
        let (kinds, value) = (self.population.kinds.of(likeness), likeness.of(client));
        let here = ln_ratio(u64::from(parties), u64::from(kinds.met.count(value).max(parties)));
        let anybody = ln_ratio(u64::from(kinds.kin), u64::from(kinds.met.total()));
        let met = u64::from(kinds.all.count(value)) * MEETINGS;
        let chance = ln_ratio(met, u64::from(kinds.all.total())).min(0);
        (here - anybody.max(chance)).saturating_mul(i32::try_from(parties).unwrap_or(i32::MAX))
    }
}
