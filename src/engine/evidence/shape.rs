//! Account shape: full rate from the first hour, round the clock, one key from many networks and by many programs.
//!
//! Honest services do each of these, so each is worth little and all together too little to act. Who does three of them and
//! asks in a harvest's words is observed: a batch job comes from one network, an app's key runs one program.
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | requests, decaying with a half-life of a day |
//! | 8 | 4 | first seen, seconds since the Unix epoch |
//! | 12 | 4 | requests of the first hour |
//! | 16 | 4 | the hour last counted, since the Unix epoch |
//! | 20 | 48 | requests of each of the last 24 hours |
//! | 68 | 4 | the day (UTC) that what follows is of |
//! | 72 | 48 | HLL of networks |
//! | 120 | 12 | HLL of client programs |
//! | 132 | 12 | HLL of skeletons |
//! | 144 | 64 | the last 16 keys counted, short digests |
//! | 208 | 10 | what the model refused: [`search`] |
//!
//! HLLs forget nothing, so they begin anew with every day.

use super::spread::{KEYS, short};
use super::{Evidence, cohort, search};
use crate::caller::Caller;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::families::AccountShape;
use crate::sketch::{
    decay::DecayingCounter,
    fields::Fields,
    hll::{Medium, Small},
};
use crate::time::{DAY, HOUR, SECOND, Timestamp};
use crate::verdict::Reason;

const REQUESTS: usize = 0;
const FIRST: usize = REQUESTS + DecayingCounter::BYTES;
const FIRST_HOUR: usize = FIRST + 4;
const HOUR_AT: usize = FIRST_HOUR + 4;
const HOURS: usize = HOUR_AT + 4;
const DAY_AT: usize = HOURS + 2 * 24;
const NETWORKS: usize = DAY_AT + 4;
const AGENTS: usize = NETWORKS + Medium::BYTES;
const SKELETONS: usize = AGENTS + Small::BYTES;
const JOINED: usize = SKELETONS + Small::BYTES;
/// Keys that an account is known to have been counted under.
const JOINED_KEYS: usize = 16;
const SEARCH: usize = JOINED + 4 * JOINED_KEYS;
/// Bytes of a slot.
pub const BYTES: u16 = (SEARCH + search::BYTES) as u16;

const COUNTER: DecayingCounter = DecayingCounter::new(DAY);
/// Requests an hour, on average, below which the hours of a day say nothing about variation.
const HOURLY: u32 = 4;
/// Signs from which the wording of a request counts beside them.
const SIGNS: usize = 3;
/// How often it counts, and what it is worth at most, in thousandths of a nat: 0.9 nats are observed with three signs
/// (`tests/detection/families/lone.json`), and no wording acts with all of them.
const WORDING_FACTOR: MilliNats = 2;
const WORDING_MOST: MilliNats = 3_000;

/// Begins an account in a blank slot.
pub fn begin(slot: &mut [u8], now: Timestamp) {
    let mut fields = Fields::new(slot);
    fields.set_u32(FIRST, seconds(now));
    fields.set_u32(HOUR_AT, hour(now));
    fields.set_u32(DAY_AT, day(now));
}

/// Counts an answered request. Returns the keys among `keys` that the account was not yet counted under, 0 for the rest.
pub fn count(slot: &mut [u8], caller: &Caller, keys: [u64; KEYS], now: Timestamp) -> [u64; KEYS] {
    let mut fields = Fields::new(slot);
    COUNTER.add(fields.slice_mut(REQUESTS..FIRST), now, 1);
    if now.since(Timestamp(u64::from(fields.u32(FIRST)) * SECOND)) < HOUR {
        fields.set_u32(FIRST_HOUR, fields.u32(FIRST_HOUR).saturating_add(1));
    }
    advance(&mut fields, now);
    let at = HOURS + 2 * (hour(now) % 24) as usize;
    fields.set_u16(at, fields.u16(at).saturating_add(1));
    for (digest, from, to) in [(caller.network, NETWORKS, AGENTS), (caller.agent, AGENTS, SKELETONS)] {
        note(fields.slice_mut(from..to), digest);
    }
    note(fields.slice_mut(SKELETONS..JOINED), keys.into_iter().find(|key| *key != 0).unwrap_or(0));
    keys.map(|key| if key != 0 && joined(fields.slice_mut(JOINED..SEARCH), short(key)) { key } else { 0 })
}

/// Takes note that the model refused a request.
pub fn refused(slot: &mut [u8], reading: &Reading, now: Timestamp) {
    let mut fields = Fields::new(slot);
    advance(&mut fields, now);
    search::refused(fields.slice_mut(SEARCH..usize::from(BYTES)), reading);
}

/// Notes a digest in the HLL that fills `bytes`; 0 is none.
fn note(bytes: &mut [u8], digest: u64) {
    match bytes.len() {
        _ if digest == 0 => false,
        Medium::BYTES => Medium::add(bytes, digest),
        _ => Small::add(bytes, digest),
    };
}

/// Moves on to the hour and day of `now`: what is over is cleared. A clock that steps back clears nothing.
fn advance<B: AsRef<[u8]> + AsMut<[u8]>>(fields: &mut Fields<B>, now: Timestamp) {
    let (last, this) = (fields.u32(HOUR_AT), hour(now));
    for passed in last.saturating_add(1)..=this.min(last.saturating_add(24)) {
        fields.set_u16(HOURS + 2 * (passed % 24) as usize, 0);
    }
    fields.set_u32(HOUR_AT, last.max(this));
    if day(now) > fields.u32(DAY_AT) {
        fields.slice_mut(NETWORKS..usize::from(BYTES)).fill(0);
        fields.set_u32(DAY_AT, day(now));
    }
}

/// Puts a key among those known, in place of the oldest; whether it is new.
fn joined(keys: &mut [u8], key: u32) -> bool {
    let (places, _) = keys.as_chunks_mut::<4>();
    let known = places.iter().position(|place| *place == key.to_le_bytes());
    if let Some(first) = places.get_mut(..=known.unwrap_or(JOINED_KEYS - 1)) {
        first.rotate_right(1);
    }
    if let Some(first) = places.first_mut() {
        *first = key.to_le_bytes();
    }
    known.is_none()
}

/// What is known of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Requests lately: an event weighs half as much every day.
    pub requests: u32,
    /// Requests of its first hour; 0 once it is older than a day: how it started says nothing about today.
    pub first_hour: u32,
    /// Requests of the last 24 hours, of the busiest of them, and in how many there were any.
    pub day: (u32, u32, u32),
    /// Networks today, estimated.
    pub networks: u64,
    /// Client programs today, estimated.
    pub agents: u64,
    /// Skeletons today, estimated.
    pub skeletons: u64,
    /// Wordings of one payload that the model refused today.
    pub refused: u32,
}

impl Account {
    /// Reads a slot.
    #[must_use]
    pub fn of(slot: &[u8], now: Timestamp) -> Self {
        let fields = Fields::new(slot);
        let old = now.since(Timestamp(u64::from(fields.u32(FIRST)) * SECOND)) >= DAY;
        let (last, this) = (fields.u32(HOUR_AT), hour(now));
        let (mut sum, mut most, mut active) = (0_u32, 0, 0);
        for hour in (0..24).map_while(|ago| last.checked_sub(ago)) {
            // Of the last 24 hours: those that the slot was not moved on to since it was written are empty.
            if this.saturating_sub(hour) < 24 {
                let count = u32::from(fields.u16(HOURS + 2 * (hour % 24) as usize));
                sum = sum.saturating_add(count);
                most = count.max(most);
                active += u32::from(count > 0);
            }
        }
        let today = fields.u32(DAY_AT) == self::day(now);
        let of = |count: u64| if today { count } else { 0 };
        Self {
            requests: COUNTER.read(fields.slice(REQUESTS..FIRST), now),
            first_hour: if old { 0 } else { fields.u32(FIRST_HOUR) },
            day: (sum, most, active),
            networks: of(Medium::count(fields.slice(NETWORKS..AGENTS))),
            agents: of(Small::count(fields.slice(AGENTS..SKELETONS))),
            skeletons: of(Small::count(fields.slice(SKELETONS..JOINED))),
            refused: if today { search::wordings(fields.slice(SEARCH..usize::from(BYTES))) } else { 0 },
        }
    }

    /// Whether the last day had no quiet hours and no busy ones.
    fn round_the_clock(&self, rules: &AccountShape) -> bool {
        let (sum, most, active) = self.day;
        let even = u64::from(most) * 24 * 1_000 <= u64::from(sum) * u64::from(rules.busiest_hour.0.unsigned_abs());
        active >= rules.active_hours_from && sum >= HOURLY * 24 && even
    }

    /// What speaks against a request of it whose wording is worth `wording`.
    pub fn evidence(&self, rules: &AccountShape, wording: MilliNats, evidence: &mut Evidence) {
        let few = self.skeletons < u64::from(rules.skeletons_below);
        let found = [
            (Reason::FullRate, few && self.first_hour >= rules.first_hour_from),
            (Reason::RoundTheClock, few && self.round_the_clock(rules)),
            (Reason::ManyNetworks, self.networks >= u64::from(rules.networks_from)),
            (Reason::ManyAgents, self.agents >= u64::from(rules.agents_from)),
        ];
        let worth = rules.each.0;
        let signs = found.iter().filter(|(_, found)| *found);
        signs.clone().for_each(|&(reason, _)| evidence.add(reason, worth));
        if wording >= cohort::HARVEST && signs.count() >= SIGNS {
            evidence.add(Reason::HarvestContent, wording.saturating_mul(WORDING_FACTOR).min(WORDING_MOST));
        }
    }
}

fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.0 / SECOND).unwrap_or(u32::MAX)
}

fn hour(now: Timestamp) -> u32 {
    u32::try_from(now.0 / HOUR).unwrap_or(u32::MAX)
}

fn day(now: Timestamp) -> u32 {
    u32::try_from(now.0 / DAY).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
