//! A hash table with a fixed number of pages in a store that can neither delete nor expire.
//!
//! A key digest picks a page with its upper half; on the page it may take any slot. Nothing of an account or of time is
//! ever part of a store key: those are `{prefix}.{layout}.{index}`, as many as there are pages, so the memory of a
//! table is known before its first request ([`Table::bytes`]).
//!
//! **Kept**: every update that returned `Ok`, exactly, whatever other workers did meanwhile (compare-and-swap), for as
//! long as the key keeps its slot. **Lost**: an update that met a faster writer [`ATTEMPTS`] times in a row or a store
//! that refuses ([`Lost`], for the caller to count); the slot of the key that weighs least when a new key comes to a
//! full page. A slot weighs its updates, each half as much every half-life: a flood of new keys takes places from each
//! other and from what has gone quiet, and at most one heavy slot of a page.
//!
//! **Flooding one page** on purpose takes keys that fall on it: digests are keyed ([`crate::digest::key`]), so who
//! does not know the key cannot choose a page. **Foreign bytes** (another plugin in the same namespace, an older
//! layout, another geometry or epoch) are an empty page, and overwritten. What is inside a slot is never trusted either:
//! see [`super`].
//!
//! A new layout number means new store keys: on Envoy the pages of the old one stay until the process ends. Raise it
//! only for what the header cannot tell apart (the meaning of a slot's bytes).

pub use super::page::Slot;
use super::page::{Layout, MAX_BYTES};
use crate::store::{Get, Key, Store, SwapError};
use crate::time::{DAY, Timestamp};

/// How often an update is tried, which bounds it to about 64 × 3 µs. On a host an update is a small part of a request
/// and two tries are rare; 16 workers at random in nothing but updates of one slot fail 7 tries in 10, 64 in a row once
/// in 10^10. It is no guarantee: workers in a tight loop can fall into step, so that one's swap always comes between the
/// other's read and swap. Such an update ends as [`Lost::Contended`], and is told.
pub const ATTEMPTS: u32 = 64;

/// An update that left no trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lost {
    /// The key is 0: there is nobody to count for.
    NoKey,
    /// Other writers were faster [`ATTEMPTS`] times in a row.
    Contended,
    /// The store cannot be written.
    Unavailable,
}

/// A table. Plain numbers: make it anew from the configuration wherever it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    prefix: &'static str,
    pages: u32,
    layout: Layout,
    /// What was looked at may be looked at again for a moment.
    lasting: bool,
}

impl Table {
    /// A table of `pages` pages (at least 1) whose slots hold `slot_bytes` (at most 4,064) bytes each. `prefix` keeps
    /// it apart from other tables and from other plugins (`azeotrope.account`), `layout` from older meanings.
    #[must_use]
    pub const fn new(prefix: &'static str, layout: u16, pages: u32, slot_bytes: u16) -> Self {
        let most = Layout::MOST_SLOT_BYTES;
        let slot_bytes = if slot_bytes > most { most } else { slot_bytes };
        let slots = Layout::most_slots(slot_bytes);
        let pages = if pages == 0 { 1 } else { pages };
        let layout = Layout { layout, epoch: 0, slot_bytes, slots, half_life: DAY, timeless: false };
        Self { prefix, pages, layout, lasting: false }
    }

    /// The table of the largest size within `bytes`, as [`Table::bytes`] counts; at least one page.
    #[must_use]
    pub const fn within(prefix: &'static str, layout: u16, bytes: usize, slot_bytes: u16) -> Self {
        let one = Self::new(prefix, layout, 1, slot_bytes);
        let page = one.layout.bytes() + one.key_bytes(u32::MAX);
        let pages = bytes / page;
        Self::new(prefix, layout, if pages > u32::MAX as usize { u32::MAX } else { pages as u32 }, slot_bytes)
    }

    /// Half-life of a slot's weight in milliseconds. Default: a day.
    #[must_use]
    pub const fn half_life(mut self, milliseconds: u64) -> Self {
        self.layout.half_life = milliseconds;
        self
    }

    /// Its contents mean the same whenever they were written, or mend themselves: a key keeps its slot when the clock was
    /// more than a day ahead. Default: such a slot is free.
    #[must_use]
    pub const fn timeless(mut self) -> Self {
        self.layout.timeless = true;
        self
    }

    /// Its keys are those of many: what was found of one may be as old as the store likes ([`Get::share`]). Default: it is
    /// what the store holds.
    #[must_use]
    pub const fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// Another epoch: pages of any other one count as empty. A reset for a store that cannot delete. Default: 0.
    #[must_use]
    pub const fn epoch(mut self, epoch: u32) -> Self {
        self.layout.epoch = epoch;
        self
    }

    /// How many keys have a place at the same time, if they spread evenly.
    #[must_use]
    pub const fn slots(&self) -> u64 {
        self.pages as u64 * self.layout.slots as u64
    }

    /// The most that keys and values ever take in the store, in bytes. A host adds its own per entry: Envoy about 100.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        (self.pages as usize).saturating_mul(self.layout.bytes() + self.key_bytes(self.pages - 1))
    }

    /// Length of a page's key, for a page of this index.
    const fn key_bytes(&self, index: u32) -> usize {
        Key::page(self.prefix, self.layout.layout, index).bytes()
    }

    fn store_key(&self, key: u64) -> Key {
        let page = ((key >> 32) * u64::from(self.pages)) >> 32;
        Key::page(self.prefix, self.layout.layout, page as u32)
    }

    /// Changes the slot of `key`: one read and one swap, repeated when somebody else was faster.
    ///
    /// `init` sees a fresh slot's zeroed bytes first. `f` may run several times, each on the newest bytes; only the last
    /// run counts, so what it learns leaves through its result, not through what it captures.
    ///
    /// # Errors
    /// [`Lost`], when nothing was written.
    pub fn update<S: Store, R>(
        &self,
        store: &mut S,
        key: u64,
        now: Timestamp,
        init: impl Fn(&mut [u8]),
        mut f: impl FnMut(&mut Slot<'_>) -> R,
    ) -> Result<R, Lost> {
        let mut result = None;
        self.change(store, key, now, &mut |slot| {
            if slot.fresh() {
                init(slot.bytes_mut());
            }
            result = Some(f(slot));
        })?;
        result.ok_or(Lost::Unavailable)
    }

    /// [`Table::update`] without its types: in the module once, not for every caller.
    #[inline(never)]
    fn change<S: Store>(
        &self,
        store: &mut S,
        key: u64,
        now: Timestamp,
        f: &mut dyn FnMut(&mut Slot<'_>),
    ) -> Result<(), Lost> {
        if key == 0 {
            return Err(Lost::NoKey);
        }
        let place = self.store_key(key);
        for _ in 0..ATTEMPTS {
            let (mut page, version) = match store.get(place) {
                Some((page, version)) if self.layout.owns(&page) => (page, Some(version)),
                foreign => (self.layout.blank(), foreign.map(|(_, version)| version)),
            };
            // A page that is ours always has a slot to claim.
            f(&mut self.layout.claim(&mut page, key, now).ok_or(Lost::Unavailable)?);
            match store.swap(place, &page, version) {
                Ok(()) => return Ok(()),
                Err(SwapError::Conflict) => {}
                Err(SwapError::Unavailable) => return Err(Lost::Unavailable),
            }
        }
        Err(Lost::Contended)
    }

    /// Looks at the slot of `key`, where it has one. One read; changes nothing, weight included.
    pub fn peek<R>(&self, store: &impl Get, key: u64, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let (mut f, mut found) = (Some(f), None);
        self.look(store, key, &mut |slot| found = f.take().map(|f| f(slot)));
        found
    }

    /// [`Table::peek`] without its types: in the module once.
    #[inline(never)]
    fn look(&self, store: &impl Get, key: u64, f: &mut dyn FnMut(&[u8])) {
        if key == 0 {
            return;
        }
        let mut show = |page: &[u8]| {
            let slot = if self.layout.owns(page) { self.layout.find(page, key) } else { None };
            slot.map(&mut *f).is_some()
        };
        let place = self.store_key(key);
        if self.lasting && store.shared(place, &mut |page| _ = show(page)) {
            return;
        }
        let Some((page, version)) = store.get(place) else { return };
        if show(&page) && self.lasting {
            store.share(place, &page, version);
        }
        store.put_back(place, page, version);
    }
}

/// What several tables together ever take, in bytes.
#[must_use]
pub fn bytes(tables: &[Table]) -> usize {
    tables.iter().map(Table::bytes).fold(0, usize::saturating_add)
}

const _: () = assert!(Layout::most_slots(Layout::MOST_SLOT_BYTES) == 1 && MAX_BYTES == 4096);

#[cfg(test)]
mod tests;
