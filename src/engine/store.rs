//! What the engine asks of a place that keeps bytes: get and compare-and-swap, nothing more.
//!
//! The filter implements [`Store`] on Proxy-Wasm shared data, `replay` and the tests in memory ([`MemoryStore`]).

use std::collections::HashMap;

/// The version of a stored value, as the store hands it out: given back on [`Store::swap`].
pub type Version = u32;

/// A swap that did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapError {
    /// Somebody else wrote since the value was read (or created the key): read again and retry.
    Conflict,
    /// The store cannot be written now; the engine goes on without.
    Unavailable,
}

/// Reads a value.
pub trait Get {
    /// The value under `key` and its version, or `None` where there is none.
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)>;
}

/// Reads and replaces values under optimistic concurrency.
pub trait Store: Get {
    /// Writes `value` if `key` still has the version `seen`; with `None`, only if the key does not exist yet.
    ///
    /// # Errors
    /// [`SwapError::Conflict`] when another writer was faster, [`SwapError::Unavailable`] when the store refuses.
    fn swap(&mut self, key: &str, value: &[u8], seen: Option<Version>) -> Result<(), SwapError>;
}

/// A store in memory, with the same compare-and-swap rules as Proxy-Wasm shared data.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    values: HashMap<String, (Vec<u8>, Version)>,
    next: Version,
}

impl MemoryStore {
    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing was stored yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.values.iter().map(|(key, (value, _))| key.len() + value.len()).sum()
    }
}

impl Get for MemoryStore {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.values.get(key).cloned()
    }
}

impl Store for MemoryStore {
    fn swap(&mut self, key: &str, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        if self.values.get(key).map(|(_, version)| *version) != seen {
            return Err(SwapError::Conflict);
        }
        self.next = self.next.wrapping_add(1).max(1);
        self.values.insert(key.to_owned(), (value.to_vec(), self.next));
        Ok(())
    }
}
