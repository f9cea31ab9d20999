//! Changes of the feed as bytes.

use super::feed::{Change, Profile};
use crate::nats::MilliNats;
use crate::rules::FamilySet;
use crate::time::Timestamp;
use crate::wire::{In, Out};

const ACCOUNT: u8 = 0;
const CROWD: u8 = 1;
const KEY: u8 = 2;
const PROFILE: u8 = 3;

/// Values of an attribute that a profile has at most.
const VALUES: usize = 64;
/// What is so of a profile, in bits; one that a sidecar of before 2026-11-26 wrote is confirmed.
const PIVOTS: u8 = 1;
const UNCONFIRMED: u8 = 2;

impl Change {
    /// Changes, one after the other.
    #[must_use]
    pub fn write_all(changes: &[Self]) -> Vec<u8> {
        let mut out = Out::default();
        changes.iter().for_each(|change| change.write(&mut out));
        out.0
    }

    /// What [`Change::write_all`] wrote.
    #[must_use]
    pub fn read_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let (mut input, mut changes) = (In(bytes), Vec::new());
        while !input.0.is_empty() {
            changes.push(Self::read(&mut input)?);
        }
        Some(changes)
    }

    fn write(&self, out: &mut Out) {
        match self {
            Self::Account { account, campaign, score, families, until } => {
                out.u8(ACCOUNT);
                out.u64(*account);
                write_link(out, *campaign, *score, *families, *until);
            }
            Self::Crowd { campaign, score, families, until, filters } => {
                out.u8(CROWD);
                write_link(out, *campaign, *score, *families, *until);
                filters.iter().for_each(|filter| out.bytes(filter));
            }
            Self::Key { key, campaign, lift, until } => {
                out.u8(KEY);
                out.u64(*key);
                out.u32(*campaign);
                out.i32(*lift);
                out.u64(until.0);
            }
            Self::Profile { campaign, profile } => {
                out.u8(PROFILE);
                out.u32(*campaign);
                write_profile(out, profile);
            }
        }
    }

    fn read(input: &mut In<'_>) -> Option<Self> {
        Some(match input.u8()? {
            ACCOUNT => {
                let account = input.u64()?;
                let (campaign, score, families, until) = read_link(input)?;
                Self::Account { account, campaign, score, families, until }
            }
            CROWD => {
                let (campaign, score, families, until) = read_link(input)?;
                let filters = [input.bytes()?.to_vec(), input.bytes()?.to_vec()];
                Self::Crowd { campaign, score, families, until, filters }
            }
            KEY => {
                let (key, campaign, lift) = (input.u64()?, input.u32()?, input.i32()?);
                Self::Key { key, campaign, lift, until: Timestamp(input.u64()?) }
            }
            PROFILE => Self::Profile { campaign: input.u32()?, profile: read_profile(input)? },
            _ => return None,
        })
    }
}

fn write_link(out: &mut Out, campaign: u32, score: MilliNats, families: FamilySet, until: Timestamp) {
    out.u32(campaign);
    out.i32(score);
    out.u16(families.bits());
    out.u64(until.0);
}

fn read_link(input: &mut In<'_>) -> Option<(u32, MilliNats, FamilySet, Timestamp)> {
    Some((input.u32()?, input.i32()?, FamilySet::of_bits(input.u16()?), Timestamp(input.u64()?)))
}

fn write_profile(out: &mut Out, profile: &Profile) {
    let name = profile.name.as_bytes();
    let name = name.get(..usize::from(u8::MAX)).unwrap_or(name);
    out.count(name.len());
    out.0.extend_from_slice(name);
    out.i32(profile.base);
    for list in [&profile.targets, &profile.settings, &profile.agents] {
        let list = list.get(..VALUES).unwrap_or(list);
        out.count(list.len());
        for &(value, lift) in list {
            out.u64(value);
            out.i32(lift);
        }
    }
    let unconfirmed = if profile.confirmed { 0 } else { UNCONFIRMED };
    out.u8(unconfirmed | profile.pivot.map_or(0, |_| PIVOTS));
    out.u64(profile.pivot.unwrap_or(0));
}

fn read_profile(input: &mut In<'_>) -> Option<Profile> {
    let value = |input: &mut In<'_>| Some((input.u64()?, input.i32()?));
    let (name, base) = (input.text()?, input.i32()?);
    let [targets, settings, agents] =
        [input.list(VALUES, value)?, input.list(VALUES, value)?, input.list(VALUES, value)?];
    let (is, model) = (input.u8()?, input.u64()?);
    let (pivot, confirmed) = ((is & PIVOTS != 0).then_some(model), is & UNCONFIRMED == 0);
    Some(Profile { name, confirmed, base, targets, settings, agents, pivot })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Family;

    fn changes() -> Vec<Change> {
        let families = FamilySet::of(&[Family::BlobProvenance, Family::TechniqueSearch]);
        let until = Timestamp(77);
        let profile = Profile {
            name: "c-1".into(),
            confirmed: true,
            base: -3,
            targets: vec![(1, 2)],
            settings: vec![(3, -4), (u64::MAX, 5)],
            agents: Vec::new(),
            pivot: Some(9),
        };
        vec![
            Change::Profile { campaign: 2, profile },
            Change::Profile { campaign: 3, profile: Profile::default() },
            Change::Account { account: u64::MAX, campaign: 2, score: -1, families, until },
            Change::Key { key: 5, campaign: 2, lift: 6, until },
            Change::Crowd { campaign: 2, score: 8, families, until, filters: [vec![1; 300], Vec::new()] },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Change::read_all(&Change::write_all(&changes())), Some(changes()));
    }

    #[test]
    fn what_is_cut_or_unknown_is_refused() {
        let ends: Vec<usize> = (0..=5).map(|count| Change::write_all(&changes()[..count]).len()).collect();
        let bytes = Change::write_all(&changes());
        for cut in 0..bytes.len() {
            assert_eq!(Change::read_all(&bytes[..cut]).is_some(), ends.contains(&cut), "{cut}");
        }
        assert_eq!(Change::read_all(&[9]), None);
    }

    #[cfg(not(target_family = "wasm"))]
    proptest::proptest! {
        #[test]
        fn whatever_bytes_come_are_read_or_refused(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000),
        ) {
            if let Some(changes) = Change::read_all(&bytes) {
                assert!(changes.len() * 8 <= bytes.len());
                let mut feed = super::super::feed::Feed::default();
                changes.iter().for_each(|change| {
                    feed.apply(change);
                });
            }
        }
    }
}
