//! Skeleton spread: one template across unrelated parties.
//!
//! A slot a key of a skeleton. Only the first account of a party counts (a party is an organisation or, where none is
//! named, a network): the keys of one organisation are one voice, and so are the networks of one key. What a party takes
//! and how it words it is noted when it joins, so a slot stops changing once its parties are known.
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | begun, seconds since the Unix epoch |
//! | 4 | 4 | sum of the parties' wording, thousandths of a nat |
//! | 8 | 16 | linear counter of contents |
//! | 24 | 48 | HLL of accounts |
//! | 72 | 48 | HLL of parties |
//! | 120 | 36 | six targets: short digest, parties |
//! | 156 | 4 | who came first: a mark of the party, one of the account |
//!
//! Who had a template first is not held against what gathers under it later: nobody can frame a firm by sending its
//! prompt from accounts of their own. A harvest has one such account a template and proxy.
//!
//! Lost: parties beyond the fifteenth now and then (an HLL only knows for certain that some are new), targets beyond the
//! sixth, everything of a party but its first request here.

use super::cohort;
use super::population::Shares;
use crate::caller::Caller;
use crate::campaign::population::Client;
use crate::digest::Reading;
use crate::digest::skeleton::Place;
use crate::nats::MilliNats;
use crate::rules::Families;
use crate::sketch::{fields::Fields, hll::Medium};
use crate::time::{HOUR, SECOND, Timestamp};

const BEGUN: usize = 0;
const WORDING: usize = 4;
const CONTENTS: usize = 8;
const ACCOUNTS: usize = 24;
const PARTIES: usize = ACCOUNTS + Medium::BYTES;
const TARGETS_AT: usize = PARTIES + Medium::BYTES;
/// A target and its parties.
const TARGET: usize = 6;
/// Targets that are told apart.
const TARGETS: usize = 6;
const FIRST: usize = TARGETS_AT + TARGETS * TARGET;
/// The mark of who is not known any more: nobody has either half of it.
const NOBODY: u32 = 0x2_0002;
/// Bytes of a slot.
pub const BYTES: u16 = (FIRST + 4) as u16;

/// Most keys of a skeleton that are looked at.
pub const KEYS: usize = 3;

/// The half of a digest that is kept of targets.
#[must_use]
pub const fn short(digest: u64) -> u32 {
    (digest >> 32) as u32 ^ digest as u32
}

/// The keys under which a request is counted: of the system prompt or else the beginning, of the end, and of one part in
/// between. Of the parts the least is taken, so that requests which share most parts mostly meet.
#[must_use]
pub fn keys(reading: &Reading) -> [u64; KEYS] {
    let skeleton = &reading.skeleton;
    let part = skeleton.keys.iter().filter(|(place, _)| *place == Place::UserPart).map(|&(_, key)| key).min();
    let first = skeleton.key(Place::System).or_else(|| skeleton.key(Place::Head));
    [first, skeleton.key(Place::Tail), part].map(|key| key.unwrap_or(0))
}

/// A request as a group sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The account.
    pub account: u64,
    /// Its organisation or, where none is named, its network.
    pub party: u64,
    /// What it takes.
    pub target: u32,
    /// What it asks.
    pub content: u64,
    /// What its wording is worth, in thousandths of a nat.
    pub wording: MilliNats,
}

impl Party {
    /// The sender of a request.
    #[must_use]
    pub fn of(caller: &Caller, reading: &Reading) -> Self {
        let named = [caller.organisation, caller.network, caller.account];
        Self {
            account: caller.account,
            party: named.into_iter().find(|digest| *digest != 0).unwrap_or(0),
            target: short(Client::of(caller, reading).target),
            content: reading.asks(caller.account),
            wording: reading.wording,
        }
    }
}

/// Begins a group in a blank slot.
pub fn begin(slot: &mut [u8], now: Timestamp) {
    slot.fill(0);
    Fields::new(slot).set_u32(BEGUN, u32::try_from(now.0 / SECOND).unwrap_or(u32::MAX));
}

/// Takes a party in; whether it is new for certain. A group that is full stays as it is until its window is over, then it
/// begins anew.
pub fn join(slot: &mut [u8], party: &Party, families: &Families, now: Timestamp) -> bool {
    let rules = &families.skeleton_spread;
    if Group::of(slot).parties() >= rules.parties_full {
        let begun = Timestamp(u64::from(Fields::new(&*slot).u32(BEGUN)) * SECOND);
        let window = u64::from(rules.window_hours) * HOUR;
        // One that begins far from now began under a clock that was wrong.
        if !now.is_due(Timestamp(begun.0.saturating_add(window)), 2 * window) {
            return false;
        }
        let first = Fields::new(&*slot).u32(FIRST);
        begin(slot, now);
        Fields::new(&mut *slot).set_u32(FIRST, first);
    }
    let mut fields = Fields::new(slot);
    if fields.u32(FIRST) == 0 {
        fields.set_u32(FIRST, marks(party));
    }
    let bits = cohort::content_bit(party.content);
    let (low, high) = ((bits & u128::from(u64::MAX)) as u64, (bits >> 64) as u64);
    fields.set_u64(CONTENTS, fields.u64(CONTENTS) | low);
    fields.set_u64(CONTENTS + 8, fields.u64(CONTENTS + 8) | high);
    let account = Medium::add(fields.slice_mut(ACCOUNTS..PARTIES), party.account);
    if !account || !Medium::add(fields.slice_mut(PARTIES..TARGETS_AT), party.party) {
        return false;
    }
    let Some(place) = target(&fields, party.target) else { return false };
    fields.set_u32(place, party.target);
    fields.set_u16(place + 4, fields.u16(place + 4).saturating_add(1));
    let wording = fields.u32(WORDING).cast_signed().saturating_add(party.wording);
    fields.set_u32(WORDING, wording.cast_unsigned());
    true
}

/// Takes over, before anybody joins, who came first when the template had another name: who joins, or somebody else.
pub fn inherit(slot: &mut [u8], party: &Party, first: bool) {
    let mut fields = Fields::new(slot);
    if first {
        fields.set_u32(FIRST, marks(party));
    } else if fields.u32(FIRST) == 0 {
        fields.set_u32(FIRST, NOBODY);
    }
}

/// Marks of a party and of an account, half of the number each; never 0.
fn marks(party: &Party) -> u32 {
    short(party.party) & 0xffff_0000 | short(party.account) & 0xffff | 0x1_0001
}

/// The place of a target, or a free one.
fn target<B: AsRef<[u8]>>(fields: &Fields<B>, target: u32) -> Option<usize> {
    let mut places = (0..TARGETS).map(|index| TARGETS_AT + index * TARGET);
    places.find(|&at| fields.u16(at + 4) == 0 || fields.u32(at) == target)
}

/// What a slot says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    counts: [(u64, u32); TARGETS],
    contents: u128,
    wording: MilliNats,
    first: u32,
}

/// What a group's evidence is worth, in thousandths of a nat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worth {
    /// Of its targets.
    pub focus: MilliNats,
    /// Of its wording.
    pub wording: MilliNats,
}

impl Worth {
    /// Both.
    #[must_use]
    pub fn total(self) -> MilliNats {
        self.focus.saturating_add(self.wording)
    }
}

impl Group {
    /// Reads a slot.
    #[must_use]
    pub fn of(slot: &[u8]) -> Self {
        let fields = Fields::new(slot);
        let count = |index: usize| {
            let at = TARGETS_AT + index * TARGET;
            (u64::from(fields.u32(at)), u32::from(fields.u16(at + 4)))
        };
        Self {
            counts: std::array::from_fn(count),
            contents: u128::from(fields.u64(CONTENTS)) | u128::from(fields.u64(CONTENTS + 8)) << 64,
            wording: fields.u32(WORDING).cast_signed(),
            first: fields.u32(FIRST),
        }
    }

    /// Whether a party, or its account from anywhere, was the first in it.
    #[must_use]
    pub fn begun_by(&self, party: &Party) -> bool {
        let differing = self.first ^ marks(party);
        differing & 0xffff == 0 || differing >> 16 == 0
    }

    /// Unrelated parties in it.
    #[must_use]
    pub fn parties(&self) -> u32 {
        self.counts.iter().map(|&(_, count)| count).sum()
    }

    /// Whether it can be evidence against a request for this target at all: enough parties, that ask different things,
    /// four in five of this target. A prompt that goes viral has one content; a group that only leans one way is a
    /// language or a fashion.
    #[must_use]
    #[inline(never)]
    pub fn counts(&self, target: u32, families: &Families) -> bool {
        let parties = self.parties();
        let from = families.skeleton_spread.parties_from.max(families.cohort_synchrony.parties_from);
        parties >= from
            && self.contents().saturating_mul(2) >= parties
            && self.taking(target).saturating_mul(5) >= parties.saturating_mul(4)
    }

    /// What its evidence is worth against everybody's targets; families that are switched off are silent.
    #[must_use]
    #[inline(never)]
    pub fn worth(&self, shares: &Shares, families: &Families) -> Worth {
        let taken = self.counts.iter().take_while(|&&(_, count)| count > 0).count();
        let counts = self.counts.get(..taken).unwrap_or_default();
        let parties = self.parties();
        let share = |target| shares.ln_share(u32::try_from(target).unwrap_or(0));
        let focus = || cohort::focus(counts, parties, share).min(families.cohort_synchrony.focus_most.0);
        let bound = families.harvest_content.group_most.0;
        let wording = || cohort::wording(i64::from(self.wording), parties, bound);
        Worth {
            focus: if families.cohort_synchrony.enabled { focus() } else { 0 },
            wording: if families.harvest_content.enabled { wording() } else { 0 },
        }
    }

    /// Different contents, estimated.
    #[must_use]
    pub fn contents(&self) -> u32 {
        cohort::distinct(self.contents)
    }

    /// Parties that take a target.
    #[must_use]
    pub fn taking(&self, target: u32) -> u32 {
        self.counts.iter().filter(|(of, _)| *of == u64::from(target)).map(|&(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests;
