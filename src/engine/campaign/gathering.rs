//! What accounts gather under: the keys of a request.

use super::criteria::TELLING;
use super::derived::Derived;
use super::group::Member;
use super::joiner::Joiner;
use super::kin::Likeness;
use super::ledger::Passed;
use crate::digest::Reading;
use crate::digest::skeleton::Place;
use crate::digest::words::mix;
use crate::nats::MilliNats;
use crate::rules::Family;
use std::cmp::Reverse;

/// What accounts gather under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gathering {
    /// What a template begins or ends with, or a whole system prompt.
    Skeleton,
    /// A part of a template, and of what is asked in it: examples out of a paper are in many.
    Part,
    /// Prompts out of public sets, by one client's settings.
    Corpus,
    /// Blobs that others were given, by what is taken with them. So do people with two keys: it names nothing by itself.
    Replay,
    /// One payload, under whatever wording.
    Payload,
    /// Meetings of accounts that are set up alike.
    Kin(Likeness),
    /// What went from one to the next, as this family saw.
    Hands(Family),
}

impl Gathering {
    /// What accounts gather under by a skeleton's key.
    fn of(place: Place) -> Self {
        if place.is_part() { Self::Part } else { Self::Skeleton }
    }

    /// Whether it may be anybody's: who sends it and is set up as a campaign's accounts are is blocked for nothing that follows from it.
    pub(super) fn is_anybodys(self) -> bool {
        matches!(self, Self::Part | Self::Replay)
    }

    /// Whether it is a template, or part of one.
    pub(super) fn is_template(self) -> bool {
        matches!(self, Self::Skeleton | Self::Part)
    }

    /// The family that speaks when accounts gather so.
    pub(super) fn family(self) -> Family {
        match self {
            Self::Skeleton | Self::Part => Family::SkeletonSpread,
            Self::Corpus => Family::CorpusSweep,
            Self::Replay => Family::BlobProvenance,
            Self::Payload => Family::TechniqueSearch,
            Self::Kin(_) => Family::CohortSynchrony,
            Self::Hands(family) => family,
        }
    }
}

/// What a request carries of a campaign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    /// Index of the campaign.
    pub(super) campaign: u32,
    /// What its strongest key is worth.
    pub(super) lift: MilliNats,
    /// Only what may be anybody's tells ([`Gathering::is_anybodys`]).
    pub(super) part: bool,
}

impl Carried {
    /// Whether more tells than what may be anybody's.
    pub(super) fn tells(self) -> bool {
        !self.part && self.lift >= TELLING
    }

    /// Whether it is the stronger of two; of equals the older campaign's is.
    pub(super) fn beats(self, other: Self) -> bool {
        (self.lift, Reverse(self.campaign)) > (other.lift, Reverse(other.campaign))
    }

    /// The stronger of two, and what both tell.
    pub(super) fn and(self, other: Self) -> Self {
        let most = if other.beats(self) { other } else { self };
        let tells = |of: Self| of.campaign == most.campaign && of.tells();
        Self { part: most.part && !tells(self) && !tells(other), ..most }
    }
}

impl Joiner {
    /// The keys under which a request is gathered; `passed`: what of it was in other hands.
    pub(super) fn keys(&self, member: &Member, reading: &Reading, passed: &[Passed]) -> Vec<(Gathering, u64)> {
        let counts = |family| self.criteria.counts(family);
        let skeleton = reading.skeleton.keys.iter().filter(|(place, _)| *place != Place::Tools);
        let mut keys: Vec<_> = match counts(Family::SkeletonSpread) {
            true => skeleton.map(|&(place, key)| (Gathering::of(place), key)).collect(),
            false => Vec::new(),
        };
        if reading.corpus && counts(Family::CorpusSweep) {
            keys.push((Gathering::Corpus, corpus_key(reading)));
        }
        if passed.iter().any(|passed| passed.family == Family::BlobProvenance) {
            keys.push((Gathering::Replay, Derived::Replay(member.client.target).key()));
        }
        if reading.payload != 0 && counts(Family::TechniqueSearch) {
            keys.push((Gathering::Payload, Derived::Payload(reading.payload).key()));
        }
        keys
    }
}

/// The key of prompts out of public sets: one client's settings, for one target.
pub(super) fn corpus_key(reading: &Reading) -> u64 {
    let dialect = reading.dialect.map_or(0, |dialect| dialect as u64);
    mix(reading.settings ^ mix(reading.line ^ dialect))
}
