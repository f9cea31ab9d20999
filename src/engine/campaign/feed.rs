//! What the second tier tells the proxies: who belongs to which campaign, and what gives the next account away.

use super::criteria::SPEAKS;
use super::derived::Derived;
use super::gathering::{Carried, corpus_key};
use super::generations::DigestMap;
use super::population::Client;
use crate::caller::Caller;
use crate::corpus::Corpus;
use crate::digest::Reading;
use crate::digest::words::mix;
use crate::nats::MilliNats;
use crate::rules::{Family, FamilySet};
use crate::time::Timestamp;

/// How likely an account with these attributes is of a campaign: a naive Bayes table, in thousandths of a nat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The campaign's name.
    pub name: String,
    /// Whether its accounts may be blocked ([`Campaign::confirmed`](super::named::Campaign::confirmed)).
    pub confirmed: bool,
    /// Before any evidence, with an account none of whose attributes the campaign is known for.
    pub base: MilliNats,
    /// What each known target adds.
    pub targets: Vec<(u64, MilliNats)>,
    /// What each known setting adds.
    pub settings: Vec<(u64, MilliNats)>,
    /// What each known client program adds.
    pub agents: Vec<(u64, MilliNats)>,
    /// The new model its accounts have moved to.
    pub pivot: Option<u64>,
}

/// A change of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An account belongs to a campaign.
    Account {
        /// The account.
        account: u64,
        /// Index of the campaign.
        campaign: u32,
        /// How sure that is.
        score: MilliNats,
        /// What linked it.
        families: FamilySet,
        /// When that is forgotten, unless it is told again.
        until: Timestamp,
    },
    /// Very many accounts belong to a campaign and are about as sure: told as filters, in about five bytes an account.
    Crowd {
        /// Index of the campaign.
        campaign: u32,
        /// How sure that is.
        score: MilliNats,
        /// What linked them.
        families: FamilySet,
        /// When that is forgotten, unless it is told again.
        until: Timestamp,
        /// Two [`Corpus`] files: of the accounts, and of their [`mix`]. An account must be in both, which one in four
        /// thousand million of those that do not belong is.
        filters: [Vec<u8>; 2],
    },
    /// A key gives accounts of a campaign away.
    Key {
        /// The key.
        key: u64,
        /// Index of the campaign.
        campaign: u32,
        /// What it adds.
        lift: MilliNats,
        /// When that is forgotten, unless it is told again.
        until: Timestamp,
    },
    /// A campaign is new or its profile has changed.
    Profile {
        /// Index of the campaign.
        campaign: u32,
        /// The profile.
        profile: Profile,
    },
}

/// A linked account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Index of the campaign.
    pub campaign: u32,
    /// How sure that is, in thousandths of a nat.
    pub score: MilliNats,
    /// What linked it.
    pub families: FamilySet,
    /// When that is forgotten.
    pub until: Timestamp,
}

/// What gives an account away that is not linked yet: the terms of a sum, in thousandths of a nat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenAway {
    /// Index of the campaign.
    pub campaign: u32,
    /// Before any evidence, with an account none of whose attributes the campaign is known for.
    pub base: MilliNats,
    /// The shared key.
    pub key: MilliNats,
    /// Whether that tells, and is not only what may be anybody's, as a part of a text is: what follows from others blocks nobody.
    pub telling: bool,
    /// The family whose key that is.
    pub by: Family,
    /// What it takes.
    pub target: MilliNats,
    /// How its client program is set.
    pub settings: MilliNats,
    /// Its client program.
    pub agent: MilliNats,
    /// The request's wording.
    pub wording: MilliNats,
}

impl GivenAway {
    /// The sum.
    #[must_use]
    pub fn score(&self) -> MilliNats {
        let terms = [self.base, self.key, self.target, self.settings, self.agent, self.wording];
        terms.into_iter().fold(0, MilliNats::saturating_add)
    }
}

/// Campaigns that a feed holds at most; what is beyond is left out.
pub const CAMPAIGNS: u32 = 1 << 12;
/// Accounts told one by one, and keys, that a feed holds at most.
pub const ENTRIES: usize = 1 << 20;
/// Crowds that a feed holds at most.
pub const CROWDS: usize = 256;

/// Accounts told as filters.
#[derive(Clone, Debug)]
struct Crowd {
    linked: Linked,
    filters: [Corpus; 2],
}

/// The feed as a proxy holds it.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    accounts: DigestMap<Linked>,
    crowds: Vec<Crowd>,
    keys: DigestMap<(u32, MilliNats, Timestamp)>,
    profiles: Vec<Profile>,
    /// Version of the bundle that it came with; 0: none.
    pub version: u64,
    /// Whether a sidecar tells of campaigns, even if it knows none: groups are its to judge, for it sees all proxies'.
    pub joined: bool,
}

impl Change {
    /// A crowd of these accounts; `None` where the filters cannot be built.
    #[must_use]
    pub fn crowd(accounts: &[u64], linked: &Linked) -> Option<Self> {
        let plain = Corpus::build(accounts.to_vec()).ok()?;
        let mixed = Corpus::build(accounts.iter().map(|&account| mix(account)).collect()).ok()?;
        let Linked { campaign, score, families, until } = *linked;
        Some(Self::Crowd { campaign, score, families, until, filters: [plain.to_bytes(), mixed.to_bytes()] })
    }
}

impl Feed {
    /// The feed of a sidecar that has told of nothing yet.
    #[must_use]
    pub fn of_sidecar() -> Self {
        Self { joined: true, ..Self::default() }
    }

    /// Carries out a change. What does not fit the feed's bounds, or is damaged, is left out: `false`.
    pub fn apply(&mut self, change: &Change) -> bool {
        match change {
            &Change::Account { account, campaign, score, families, until } => {
                let room = self.accounts.len() < ENTRIES || self.accounts.contains_key(&account);
                if room {
                    self.accounts.insert(account, Linked { campaign, score, families, until });
                }
                room
            }
            Change::Crowd { campaign, score, families, until, filters } => {
                let [Ok(plain), Ok(mixed)] = filters.each_ref().map(|file| Corpus::from_bytes(file)) else {
                    return false;
                };
                let linked = Linked { campaign: *campaign, score: *score, families: *families, until: *until };
                let room = self.crowds.len() < CROWDS;
                if room {
                    self.crowds.push(Crowd { linked, filters: [plain, mixed] });
                }
                room
            }
            &Change::Key { key, campaign, lift, until } => {
                let room = self.keys.len() < ENTRIES || self.keys.contains_key(&key);
                if room {
                    self.keys.insert(key, (campaign, lift, until));
                }
                room
            }
            Change::Profile { campaign, profile } => {
                let place = *campaign as usize;
                if *campaign >= CAMPAIGNS {
                    return false;
                }
                if self.profiles.len() <= place {
                    self.profiles.resize(place + 1, Profile::default());
                }
                if let Some(of) = self.profiles.get_mut(place) {
                    of.clone_from(profile);
                }
                true
            }
        }
    }

    /// What links an account, if it is linked: what was told of it alone is newer than any crowd, of crowds the surest counts.
    #[must_use]
    pub fn account(&self, account: u64, now: Timestamp) -> Option<&Linked> {
        let holds = |linked: &&Linked| account != 0 && now < linked.until;
        let of_crowd = |crowd: &&Crowd| {
            let [plain, mixed] = &crowd.filters;
            plain.contains(account) && mixed.contains(mix(account))
        };
        let crowds = || self.crowds.iter().filter(of_crowd).map(|crowd| &crowd.linked).filter(holds);
        let alone = self.accounts.get(&account).filter(holds);
        alone.or_else(|| crowds().max_by_key(|linked| linked.score))
    }

    /// Accounts told one by one.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// A campaign's name.
    #[must_use]
    pub fn name(&self, campaign: u32) -> Option<&str> {
        self.profiles.get(campaign as usize).map(|profile| profile.name.as_str())
    }

    /// Whether a campaign's accounts may be blocked.
    #[must_use]
    pub fn confirms(&self, campaign: u32) -> bool {
        self.profiles.get(campaign as usize).is_some_and(|profile| profile.confirmed)
    }

    /// Whether a campaign's accounts have moved to a model just released.
    #[must_use]
    pub fn pivots(&self, campaign: u32, model: u64) -> bool {
        self.profiles.get(campaign as usize).is_some_and(|profile| profile.pivot == Some(model))
    }

    /// What a request of an account not yet linked says of it, where it carries a key of a campaign; `replay`: a blob that
    /// others were given is in it. While the digest key is rotated campaigns may be told of by either.
    #[must_use]
    pub fn gives_away(&self, caller: &Caller, reading: &Reading, replay: bool, now: Timestamp) -> Option<GivenAway> {
        let given = self.given_away(caller, reading, replay, now);
        let Some(before) = &reading.before else { return given };
        let earlier = self.given_away(&caller.earlier(), before, replay, now);
        given.into_iter().chain(earlier).max_by_key(GivenAway::score)
    }

    fn given_away(&self, caller: &Caller, reading: &Reading, replay: bool, now: Timestamp) -> Option<GivenAway> {
        let client = Client::of(caller, reading);
        let skeleton = reading.skeleton.keys.iter().map(|&(place, key)| (key, Family::SkeletonSpread, place.is_part()));
        // Who sends blobs of others, or prompts out of public sets, has no template but a key for that.
        let without = [
            (if replay { Derived::Replay(client.target).key() } else { 0 }, Family::BlobProvenance, true),
            (if reading.corpus { corpus_key(reading) } else { 0 }, Family::CorpusSweep, false),
        ];
        let mut best: Option<(Carried, Family)> = None;
        for (key, by, part) in without.into_iter().chain(skeleton) {
            if let Some(&(campaign, lift, until)) = self.keys.get(&key)
                && now < until
                && lift >= SPEAKS
            {
                let found = Carried { campaign, lift, part };
                best = Some(match best {
                    Some((most, of)) => (most.and(found), if found.beats(most) { by } else { of }),
                    None => (found, by),
                });
            }
        }
        let (carried, by) = best?;
        let campaign = carried.campaign;
        let profile = self.profiles.get(campaign as usize)?;
        let of = |list: &[(u64, MilliNats)], value: u64| {
            list.iter().find(|(of, _)| *of == value).map_or(0, |&(_, lift)| lift)
        };
        Some(GivenAway {
            campaign,
            base: profile.base,
            key: carried.lift,
            telling: carried.tells(),
            by,
            target: of(&profile.targets, client.target),
            settings: of(&profile.settings, client.settings),
            agent: of(&profile.agents, client.agent),
            wording: reading.wording,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::skeleton::Place;
    use crate::rules::Family;

    const UNTIL: Timestamp = Timestamp(1_000);

    fn linked() -> Linked {
        Linked { campaign: 0, score: 7_000, families: FamilySet::of(&[Family::SkeletonSpread]), until: UNTIL }
    }

    #[test]
    fn a_crowd_holds_its_accounts_and_no_others_until_it_ends() {
        let accounts: Vec<u64> = (1..=20_000).map(mix).collect();
        let change = Change::crowd(&accounts, &linked()).unwrap();
        let Change::Crowd { filters, .. } = &change else { panic!("{change:?}") };
        assert!(filters.iter().map(Vec::len).sum::<usize>() < 6 * accounts.len());
        let mut feed = Feed::default();
        assert!(feed.apply(&change));
        assert!(accounts.iter().all(|&account| feed.account(account, Timestamp(0)) == Some(&linked())));
        assert!((100_000..400_000).all(|n| feed.account(mix(n), Timestamp(0)).is_none()));
        assert_eq!(feed.account(mix(1), UNTIL), None);
    }

    #[test]
    fn of_several_crowds_with_an_account_the_surest_counts_while_it_holds() {
        let mut feed = Feed::default();
        for (score, until) in [(6_500, 3_000), (9_500, 1_000), (8_000, 2_000)] {
            let linked = Linked { score, until: Timestamp(until), ..linked() };
            assert!(feed.apply(&Change::crowd(&[5, 6, score.unsigned_abs().into()], &linked).unwrap()));
        }
        let score = |now| feed.account(5, Timestamp(now)).map(|linked| linked.score);
        assert_eq!([0, 1_000, 2_000, 3_000].map(score), [Some(9_500), Some(8_000), Some(6_500), None]);
        assert_eq!(feed.account(6_500, Timestamp(0)).map(|linked| linked.score), Some(6_500));
    }

    #[test]
    fn of_keys_that_say_as_much_the_older_campaigns_counts_and_its_family_is_told() {
        let mut feed = Feed::default();
        let mut reading = Reading { corpus: true, settings: 3, line: 4, ..Reading::default() };
        reading.skeleton.keys.push((Place::Head, 7));
        for (campaign, key) in [(1, corpus_key(&reading)), (0, 7)] {
            feed.apply(&Change::Profile { campaign, profile: Profile::default() });
            feed.apply(&Change::Key { key, campaign, lift: 5_000, until: UNTIL });
        }
        let given = feed.gives_away(&Caller::default(), &reading, false, Timestamp(0)).unwrap();
        assert_eq!((given.campaign, given.by), (0, Family::SkeletonSpread));
    }

    #[test]
    fn what_is_damaged_or_out_of_bounds_is_left_out() {
        let mut feed = Feed::default();
        let Linked { campaign, score, families, until } = linked();
        let filters = [vec![1, 2, 3], Vec::new()];
        assert!(!feed.apply(&Change::Crowd { campaign, score, families, until, filters }));
        assert!(!feed.apply(&Change::Profile { campaign: u32::MAX, profile: Profile::default() }));
        assert!(feed.apply(&Change::Profile { campaign: 3, profile: Profile::default() }));
        assert_eq!(feed.name(3), Some(""));
    }

    #[test]
    fn a_link_ends_when_it_is_not_told_again() {
        let mut feed = Feed::default();
        let Linked { campaign, score, families, until } = linked();
        feed.apply(&Change::Account { account: 5, campaign, score, families, until });
        assert!(feed.account(5, Timestamp(999)).is_some());
        assert!(feed.account(5, UNTIL).is_none());
    }
}
