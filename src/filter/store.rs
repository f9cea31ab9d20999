//! Proxy-Wasm shared data as the engine's store: one a proxy process, shared by its workers.

use crate::abi::{self, Status};
use crate::metrics::{self, Metric};
use azeotrope_engine::store::{Get, Store, SwapError, Version};
use std::cell::Cell;

/// What every key begins with. Shared data is divided by `vm_id` only and Istio leaves that empty, so plugins of others
/// may share ours.
const PREFIX: &str = "azeotrope.";

/// A compare-and-swap number that no value has: the host compares only if the key exists, so writing with it inserts a
/// key that is absent and fails on one that is there. (With 0 the host would overwrite, and a count would be lost.)
/// The host numbers its writes upwards from 1 and would get here after four billion of them.
const ABSENT: Version = u32::MAX;

/// Shared data, and how it went.
#[derive(Debug, Default)]
pub(crate) struct SharedStore {
    /// Swaps that another writer won.
    conflicts: u32,
    /// Reads that failed.
    failed: Cell<u32>,
}

impl SharedStore {
    /// Adds up how it went.
    pub(crate) fn tally(&self) {
        metrics::add(Metric::StoreConflict, self.conflicts);
        metrics::add(Metric::HostError, self.failed.get());
    }
}

fn name(key: &str) -> String {
    [PREFIX, key].concat()
}

impl Get for SharedStore {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        match abi::shared(&name(key)) {
            Ok(found) => Some(found),
            Err(Status::NOT_FOUND) => None,
            Err(_) => {
                self.failed.set(self.failed.get().saturating_add(1));
                None
            }
        }
    }
}

impl Store for SharedStore {
    fn swap(&mut self, key: &str, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        // 0 would overwrite unseen.
        let cas = seen.filter(|version| *version != 0).unwrap_or(ABSENT);
        match abi::set_shared(&name(key), value, cas) {
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
