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

    /// A value that was only looked at, and that others may be handed as well for a moment.
    fn share(&self, key: &str, value: &[u8], version: Version) {
        let _ = (key, value, version);
    }

    /// Takes a value back that was only looked at: a store that is far away may hand it out once more.
    fn put_back(&self, key: String, value: Vec<u8>, version: Version) {
        let _ = (key, value, version);
    }
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
        let next = self.next.wrapping_add(1).max(1);
        match (self.values.get_mut(key), seen) {
            (Some((kept, version)), Some(seen)) if *version == seen => {
                kept.clear();
                kept.extend_from_slice(value);
                *version = next;
            }
            (None, None) => {
                self.values.insert(key.to_owned(), (value.to_vec(), next));
            }
            _ => return Err(SwapError::Conflict),
        }
        self.next = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_needs_the_version_last_seen() {
        let mut store = MemoryStore::default();
        assert_eq!(store.swap("key", b"1", Some(1)), Err(SwapError::Conflict));
        assert_eq!(store.swap("key", b"1", None), Ok(()));
        assert_eq!(store.swap("key", b"2", None), Err(SwapError::Conflict));
        let (_, version) = store.get("key").unwrap();
        assert_eq!(store.swap("key", b"22", Some(version)), Ok(()));
        assert_eq!(store.swap("key", b"3", Some(version)), Err(SwapError::Conflict));
        assert_eq!(store.get("key").unwrap().0, b"22");
        assert_eq!((store.len(), store.bytes(), store.is_empty()), (1, 5, false));
    }
}
