//! Proxy-Wasm shared data as the engine's store: one a proxy process, shared by its workers.

use crate::abi::{self, Status};
use crate::metrics::{self, Metric};
use crate::moment;
use azeotrope_engine::store::{Get, Key, Store, SwapError, Version};
use std::cell::{Cell, RefCell};

/// What every key begins with. Shared data is divided by `vm_id` only and Istio leaves that empty, so plugins of others
/// may share ours.
const PREFIX: &str = "azeotrope.";

/// A compare-and-swap number that no value has: the host compares only if the key exists, so writing with it inserts a
/// key that is absent and fails on one that is there. (With 0 the host would overwrite, and a count would be lost.)
/// The host numbers its writes upwards from 1 and would get here after four billion of them.
const ABSENT: Version = u32::MAX;

/// Pages that all exchanges on their way keep in one VM at most: 4 MiB. Beyond it, pages are read again.
const MOST_KEPT: usize = 1_024;

thread_local! {
    static KEPT: Cell<usize> = const { Cell::new(0) };
}

/// Values that were read for a verdict and are wanted again when the exchange is counted. They may be old by then: the
/// version that they had shows it when one is written.
#[derive(Debug, Default)]
pub(crate) struct Pages(Vec<(Key, Vec<u8>, Version)>);

impl Drop for Pages {
    fn drop(&mut self) {
        KEPT.set(KEPT.get().saturating_sub(self.0.len()));
    }
}

/// Shared data, and how it went.
#[derive(Debug, Default)]
pub(crate) struct SharedStore {
    /// What was read, and not written since.
    read: RefCell<Vec<(Key, Vec<u8>, Version)>>,
    /// Swaps that another writer won.
    conflicts: u32,
    /// Reads that failed.
    failed: Cell<u32>,
}

impl SharedStore {
    /// Shared data of which some was read before.
    pub(crate) fn of(mut pages: Pages) -> Self {
        let read = std::mem::take(&mut pages.0);
        KEPT.set(KEPT.get().saturating_sub(read.len()));
        Self { read: RefCell::new(read), ..Self::default() }
    }

    /// What was read, for when it is wanted again, where there is room for it.
    pub(crate) fn keep(self) -> Pages {
        let read = self.read.into_inner();
        let kept = KEPT.get().saturating_add(read.len());
        if kept > MOST_KEPT {
            return Pages::default();
        }
        KEPT.set(kept);
        Pages(read)
    }

    /// Adds up how it went.
    pub(crate) fn tally(&self) {
        metrics::add(Metric::StoreConflict, self.conflicts);
        metrics::add(Metric::HostError, self.failed.get());
    }
}

impl Get for SharedStore {
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)> {
        if let Ok(mut read) = self.read.try_borrow_mut()
            && let Some(place) = read.iter().position(|(of, ..)| *of == key)
        {
            let (_, value, version) = read.swap_remove(place);
            return Some((value, version));
        }
        if let Some(seen) = moment::page(key) {
            return Some(seen);
        }
        match abi::shared(&key.name(PREFIX)) {
            Ok(found) => Some(found),
            Err(Status::NOT_FOUND) => None,
            Err(_) => {
                self.failed.set(self.failed.get().saturating_add(1));
                None
            }
        }
    }

    fn shared(&self, key: Key, look: &mut dyn FnMut(&[u8])) -> bool {
        moment::look(key, look)
    }

    fn share(&self, key: Key, value: &[u8], version: Version) {
        moment::keep(key, value, version);
    }

    fn put_back(&self, key: Key, value: Vec<u8>, version: Version) {
        if let Ok(mut read) = self.read.try_borrow_mut() {
            read.push((key, value, version));
        }
    }
}

impl Store for SharedStore {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        moment::forget(key);
        // 0 would overwrite unseen.
        let cas = seen.filter(|version| *version != 0).unwrap_or(ABSENT);
        match abi::set_shared(&key.name(PREFIX), value, cas) {
            Ok(()) => Ok(()),
            Err(Status::CAS_MISMATCH) => {
                self.conflicts = self.conflicts.saturating_add(1);
                Err(SwapError::Conflict)
            }
            // The engine tells what it could not count.
            Err(_) => Err(SwapError::Unavailable),
        }
    }
}
