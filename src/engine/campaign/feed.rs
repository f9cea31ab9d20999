//! What the second tier tells the proxies: who belongs to which campaign, and what gives the next account away.

use super::generations::DigestMap;
use super::population::Client;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::Family;

/// How likely an account with these attributes is of a campaign: a naive Bayes table, in thousandths of a nat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The campaign's name.
    pub name: String,
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
        families: Vec<Family>,
    },
    /// A key gives accounts of a campaign away.
    Key {
        /// The key.
        key: u64,
        /// Index of the campaign.
        campaign: u32,
        /// What it adds.
        lift: MilliNats,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Index of the campaign.
    pub campaign: u32,
    /// How sure that is, in thousandths of a nat.
    pub score: MilliNats,
    /// What linked it.
    pub families: Vec<Family>,
}

/// What gives an account away that is not linked yet: the terms of a sum, in thousandths of a nat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenAway {
    /// Index of the campaign.
    pub campaign: u32,
    /// Before any evidence, with an account none of whose attributes the campaign is known for.
    pub base: MilliNats,
    /// The shared key.
    pub key: MilliNats,
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

/// The feed as a proxy holds it.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    accounts: DigestMap<Linked>,
    keys: DigestMap<(u32, MilliNats)>,
    profiles: Vec<Profile>,
}

impl Feed {
    /// Carries out a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Account { account, campaign, score, families } => {
                let linked = Linked { campaign: *campaign, score: *score, families: families.clone() };
                self.accounts.insert(*account, linked);
            }
            Change::Key { key, campaign, lift } => {
                self.keys.insert(*key, (*campaign, *lift));
            }
            Change::Profile { campaign, profile } => {
                let place = *campaign as usize;
                if self.profiles.len() <= place {
                    self.profiles.resize(place + 1, Profile::default());
                }
                if let Some(of) = self.profiles.get_mut(place) {
                    of.clone_from(profile);
                }
            }
        }
    }

    /// What links an account, if it is linked.
    #[must_use]
    pub fn account(&self, account: u64) -> Option<&Linked> {
        self.accounts.get(&account)
    }

    /// A campaign's name.
    #[must_use]
    pub fn name(&self, campaign: u32) -> Option<&str> {
        self.profiles.get(campaign as usize).map(|profile| profile.name.as_str())
    }

    /// Whether a campaign's accounts have moved to a model just released.
    #[must_use]
    pub fn pivots(&self, campaign: u32, model: u64) -> bool {
        self.profiles.get(campaign as usize).is_some_and(|profile| profile.pivot == Some(model))
    }

    /// What a request of an account not yet linked says of it, where it carries a key of a campaign.
    #[must_use]
    pub fn gives_away(&self, caller: &Caller, reading: &Reading) -> Option<GivenAway> {
        let known = reading.skeleton.keys.iter().filter_map(|(_, key)| self.keys.get(key));
        let &(campaign, lift) = known.max_by_key(|(campaign, lift)| (*lift, std::cmp::Reverse(*campaign)))?;
        let profile = self.profiles.get(campaign as usize)?;
        let client = Client::of(caller, reading);
        let of = |list: &[(u64, MilliNats)], value: u64| {
            list.iter().find(|(of, _)| *of == value).map_or(0, |&(_, lift)| lift)
        };
        Some(GivenAway {
            campaign,
            base: profile.base,
            key: lift,
            target: of(&profile.targets, client.target),
            settings: of(&profile.settings, client.settings),
            agent: of(&profile.agents, client.agent),
            wording: reading.wording,
        })
    }
}
