//! What accounts gather under: the keys of a request.

use super::joiner::Joiner;
use super::kin::Likeness;
use crate::digest::Reading;
use crate::digest::hash::Rolling;
use crate::digest::skeleton::Place;
use crate::digest::words::mix;
use crate::rules::Family;

/// What accounts gather under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gathering {
    /// A key of a skeleton.
    Skeleton,
    /// Prompts out of public sets, by one client's settings.
    Corpus,
    /// One payload, under whatever wording.
    Payload,
    /// Meetings of accounts that are set up alike.
    Kin(Likeness),
}

impl Gathering {
    /// The family that speaks when accounts gather so.
    pub(super) fn family(self) -> Family {
        match self {
            Self::Skeleton => Family::SkeletonSpread,
            Self::Corpus => Family::CorpusSweep,
            Self::Payload => Family::TechniqueSearch,
            Self::Kin(_) => Family::CohortSynchrony,
        }
    }
}

impl Joiner {
    /// The keys under which a request is gathered.
    pub(super) fn keys(&self, reading: &Reading) -> Vec<(Gathering, u64)> {
        let counts = |family| self.criteria.counts(family);
        let skeleton = reading.skeleton.keys.iter().filter(|(place, _)| *place != Place::Tools);
        let mut keys: Vec<_> = match counts(Family::SkeletonSpread) {
            true => skeleton.map(|&(_, key)| (Gathering::Skeleton, key)).collect(),
            false => Vec::new(),
        };
        if reading.corpus && counts(Family::CorpusSweep) {
            keys.push((Gathering::Corpus, corpus_key(reading)));
        }
        if reading.payload != 0 && counts(Family::TechniqueSearch) {
            keys.push((Gathering::Payload, derived([4, reading.payload, 0, 0])));
        }
        keys
    }
}

/// The key of prompts out of public sets: one client's settings, for one target.
pub(super) fn corpus_key(reading: &Reading) -> u64 {
    let dialect = reading.dialect.map_or(0, |dialect| dialect as u64);
    mix(reading.settings ^ mix(reading.line ^ dialect))
}

/// A key made of parts; of keys that are none of a skeleton's the first tells the kinds apart.
pub(super) fn derived(parts: [u64; 4]) -> u64 {
    let mut rolling = Rolling::default();
    parts.iter().for_each(|&part| rolling.number(part));
    rolling.finish()
}
