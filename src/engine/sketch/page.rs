//! One page: a header and slots, found and replaced within 4 KiB.
//!
//! Little-endian. Header: magic `AZPG`, layout `u16`, slot bytes `u16`, epoch `u32`, slots `u16`, 2 bytes 0. Slot: key
//! `u64` (0: free), last update `u32` in seconds since the Unix epoch, weight `u32` in units of 1/1024 update, contents.

use super::{decay, fields::Fields};
use crate::time::{DAY, SECOND, Timestamp};

/// Largest page: what Proxy-Wasm shared data moves at about the price of 8 bytes.
pub(super) const MAX_BYTES: usize = 4096;

const HEADER_BYTES: usize = 16;
const SLOT_HEADER_BYTES: usize = 16;
const MAGIC: u32 = u32::from_le_bytes(*b"AZPG");

/// A slot from further in the future than this was not written by us, or under a clock that was wrong: it is free.
const MAX_AHEAD: u64 = DAY;

/// How a page is laid out, and which contents are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) layout: u16,
    pub(super) epoch: u32,
    pub(super) slot_bytes: u16,
    pub(super) slots: u16,
    /// Half-life of weights, in milliseconds.
    pub(super) half_life: u64,
    /// Contents mean the same whenever they were written: a clock that was wrong does not take a key's slot from it.
    pub(super) timeless: bool,
}

impl Layout {
    /// How many slots of `slot_bytes` go on a page.
    pub(super) const fn most_slots(slot_bytes: u16) -> u16 {
        ((MAX_BYTES - HEADER_BYTES) / (SLOT_HEADER_BYTES + slot_bytes as usize)) as u16
    }

    /// The most a slot can hold so that one fits.
    pub(super) const MOST_SLOT_BYTES: u16 = (MAX_BYTES - HEADER_BYTES - SLOT_HEADER_BYTES) as u16;

    pub(super) const fn stride(self) -> usize {
        SLOT_HEADER_BYTES + self.slot_bytes as usize
    }

    pub(super) const fn bytes(self) -> usize {
        HEADER_BYTES + self.slots as usize * self.stride()
    }

    fn header(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut header = Fields::new(&mut bytes);
        header.set_u32(0, MAGIC);
        header.set_u16(4, self.layout);
        header.set_u16(6, self.slot_bytes);
        header.set_u32(8, self.epoch);
        header.set_u16(12, self.slots);
        bytes
    }

    /// A page without entries.
    pub(super) fn blank(self) -> Vec<u8> {
        let mut page = vec![0; self.bytes()];
        if let Some(header) = page.first_chunk_mut() {
            *header = self.header();
        }
        page
    }

    /// Whether `page` was written under this very layout.
    pub(super) fn owns(self, page: &[u8]) -> bool {
        page.len() == self.bytes() && page.first_chunk() == Some(&self.header())
    }

    /// The contents of the slot of `key`.
    pub(super) fn find(self, page: &[u8], key: u64) -> Option<&[u8]> {
        let slots = page.get(HEADER_BYTES..)?.chunks_exact(self.stride());
        slots.into_iter().find(|slot| Fields::new(slot).u64(0) == key)?.get(SLOT_HEADER_BYTES..)
    }

    /// The slot of `key`, or the one that it takes over: a free one, else that of the least weight today, of these the
    /// one that was idle longest.
    pub(super) fn claim(self, page: &mut [u8], key: u64, now: Timestamp) -> Option<Slot<'_>> {
        let found = self.place(page, key, now);
        let (header, contents) = page
            .get_mut(HEADER_BYTES..)?
            .chunks_exact_mut(self.stride())
            .nth(found.index)?
            .split_first_chunk_mut::<SLOT_HEADER_BYTES>()?;
        let mut fields = Fields::new(header);
        let touched = Timestamp(u64::from(fields.u32(8)) * SECOND);
        let weight = if found.fresh { 0 } else { self.weight(&fields, now) };
        if found.fresh {
            contents.fill(0);
        }
        fields.set_u64(0, key);
        let latest = if found.fresh || ahead(touched, now) { seconds(now) } else { fields.u32(8).max(seconds(now)) };
        fields.set_u32(8, latest);
        fields.set_u32(12, weight.saturating_add(decay::ONE));
        let idle = if found.fresh { 0 } else { now.since(touched) };
        Some(Slot { fields, contents, fresh: found.fresh, idle })
    }

    fn place(self, page: &[u8], key: u64, now: Timestamp) -> Place {
        let slots = || page.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(self.stride()).map(Fields::new);
        let is_ahead = |slot: &Fields<&[u8]>| ahead(Timestamp(u64::from(slot.u32(8)).saturating_mul(SECOND)), now);
        // Most keys have a slot: what the others weigh is worked out where one has none.
        if let Some(index) = slots().position(|slot| slot.u64(0) == key && (self.timeless || !is_ahead(&slot))) {
            return Place { index, fresh: false };
        }
        let rank = |slot: &Fields<&[u8]>| match slot.u64(0) == 0 || is_ahead(slot) {
            true => (0, 0),
            false => (self.weight(slot, now).max(1), slot.u32(8)),
        };
        let lightest = slots().enumerate().min_by_key(|(_, slot)| rank(slot));
        Place { index: lightest.map_or(0, |(index, _)| index), fresh: true }
    }

    /// What a slot weighs today.
    fn weight<B: AsRef<[u8]>>(self, slot: &Fields<B>, now: Timestamp) -> u32 {
        let step = (self.half_life / decay::STEPS).max(1);
        let step_of = |seconds: u32| (u64::from(seconds) * SECOND).checked_div(step).unwrap_or(0);
        decay::fade(slot.u32(12), step_of(seconds(now)).saturating_sub(step_of(slot.u32(8))))
    }
}

struct Place {
    index: usize,
    fresh: bool,
}

fn ahead(touched: Timestamp, now: Timestamp) -> bool {
    touched.since(now) > MAX_AHEAD
}

fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.0 / SECOND).unwrap_or(u32::MAX)
}

/// A slot in the hands of an update.
#[derive(Debug)]
pub struct Slot<'a> {
    fields: Fields<&'a mut [u8; SLOT_HEADER_BYTES]>,
    contents: &'a mut [u8],
    fresh: bool,
    idle: u64,
}

impl Slot<'_> {
    /// Whether the key had no slot before this update.
    #[must_use]
    pub fn fresh(&self) -> bool {
        self.fresh
    }

    /// Milliseconds since the update before, to the second; 0 for a fresh slot or where the clock stepped back.
    #[must_use]
    pub fn idle(&self) -> u64 {
        self.idle
    }

    /// The contents.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.contents
    }

    /// The contents, to change.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.contents
    }

    /// Makes the slot worth as much as `updates` more updates (each update weighs 1 by itself) when a place is needed:
    /// for slots that hold evidence.
    pub fn keep(&mut self, updates: u32) {
        let weight = self.fields.u32(12).saturating_add(updates.saturating_mul(decay::ONE));
        self.fields.set_u32(12, weight);
    }
}
