//! Keys that are no skeleton's: what else accounts gather under, and what else the second tier finds its memory by.

use crate::digest::hash::Rolling;
use crate::rules::Family;
use crate::time::Timestamp;

/// What a key is made of. Snapshots hold the digests: a kind keeps its number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Derived {
    /// A chain of hands, by its first giver and when it began.
    Hands(Family, u64, Timestamp),
    /// A payload, under whatever wording.
    Payload(u64),
    /// A party by declaration.
    Declared(usize),
    /// Kin of one program: its settings and its name.
    Program(u64, u64),
    /// The chain of hands that an account is one of.
    Chain(Family, u64),
    /// A client program's name, and a target that it is used for.
    Used(u64, u64),
    /// Kin set in one way: their settings and target.
    Way(u64, u64),
    /// What goes from one campaign to another, by their marks.
    Crossing(Family, u64, u64),
    /// An echo that a settled account had a hand in.
    Echo(u64),
    /// How often an account went on with what nobody had sent.
    Begun(u64),
    /// An account of a party that speaks for those that upstream never answered.
    Voice(u64, u64),
    /// Blobs of others, by what is taken with them.
    Replay(u64),
    /// A campaign's name: the key of its group, when it was named, and how many names were taken.
    Name(u64, Timestamp, u64),
}

impl Derived {
    /// The key.
    pub(crate) fn key(self) -> u64 {
        let parts = match self {
            Self::Hands(family, from, since) => [3, family as u64, from, since.0],
            Self::Payload(payload) => [4, payload, 0, 0],
            Self::Declared(party) => [5, party as u64, 0, 0],
            Self::Program(settings, agent) => [6, settings, agent, 0],
            Self::Chain(family, account) => [7, family as u64, account, 0],
            Self::Used(name, target) => [8, name, target, 0],
            Self::Way(settings, target) => [9, settings, target, 0],
            Self::Crossing(family, whole, part) => [11, family as u64, whole, part],
            Self::Echo(account) => [12, account, 0, 0],
            Self::Voice(party, place) => [13, party, place, 0],
            Self::Replay(target) => [14, target, 0, 0],
            Self::Begun(account) => [15, account, 0, 0],
            Self::Name(group, now, taken) => [group, now.0, taken, 0],
        };
        let mut rolling = Rolling::default();
        parts.iter().for_each(|&part| rolling.number(part));
        rolling.finish()
    }
}
