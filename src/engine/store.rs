//! What the engine asks of a place that keeps bytes: get and compare-and-swap; and room for what was read, so that nothing is
//! read twice.
//!
//! The filter implements [`Store`] on Proxy-Wasm shared data, `replay` and the tests in memory ([`MemoryStore`]).

use crate::digits;
use std::collections::HashMap;

/// The version of a stored value, as the store hands it out: given back on [`Store::swap`].
pub type Version = u32;

/// Where a value is: under a name, which may have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Keys are compared often, and this is what they differ in.
    number: Option<u32>,
    /// Of a page of a table: what its bytes mean.
    layout: Option<u16>,
    name: &'static str,
}

impl Key {
    /// What there is one of.
    #[must_use]
    pub const fn alone(name: &'static str) -> Self {
        Self { number: None, layout: None, name }
    }

    /// One of several.
    #[must_use]
    pub const fn numbered(name: &'static str, number: u32) -> Self {
        Self { number: Some(number), layout: None, name }
    }

    /// A page of a table.
    #[must_use]
    pub const fn page(table: &'static str, layout: u16, page: u32) -> Self {
        Self { number: Some(page), layout: Some(layout), name: table }
    }

    /// All of it, for a store that goes by names: `{prefix}{name}.{layout}.{number}`.
    #[must_use]
    pub fn name(self, prefix: &str) -> String {
        let mut name = String::with_capacity(prefix.len() + self.bytes());
        name.push_str(prefix);
        name.push_str(self.name);
        for number in [self.layout.map(u32::from), self.number].into_iter().flatten() {
            name.push('.');
            digits::push(&mut name, u64::from(number));
        }
        name
    }

    /// Length of [`Key::name`] without a prefix.
    #[must_use]
    pub const fn bytes(self) -> usize {
        let layout = if let Some(layout) = self.layout { 1 + length(layout as u32) } else { 0 };
        let number = if let Some(number) = self.number { 1 + length(number) } else { 0 };
        self.name.len() + layout + number
    }
}

/// How many digits a number has.
const fn length(number: u32) -> usize {
    match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

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
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)>;

    /// Shows a value that was shared a moment ago, if it is at hand: whether it was.
    fn shared(&self, key: Key, look: &mut dyn FnMut(&[u8])) -> bool {
        let _ = (key, look);
        false
    }

    /// A value that was only looked at, and that others may be shown as well for a moment.
    fn share(&self, key: Key, value: &[u8], version: Version) {
        let _ = (key, value, version);
    }

    /// Takes a value back that was only looked at: a store that is far away may hand it out once more.
    fn put_back(&self, key: Key, value: Vec<u8>, version: Version) {
        let _ = (key, value, version);
    }
}

/// Reads and replaces values under optimistic concurrency.
pub trait Store: Get {
    /// Writes `value` if `key` still has the version `seen`; with `None`, only if the key does not exist yet.
    ///
    /// # Errors
    /// [`SwapError::Conflict`] when another writer was faster, [`SwapError::Unavailable`] when the store refuses.
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<Version>) -> Result<(), SwapError>;
}

/// A store in memory, with the same compare-and-swap rules as Proxy-Wasm shared data.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    values: HashMap<Key, (Vec<u8>, Version)>,
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
        self.values.iter().map(|(key, (value, _))| key.bytes() + value.len()).sum()
    }
}

impl Get for MemoryStore {
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)> {
        self.values.get(&key).cloned()
    }

    /// All of it is at hand.
    fn shared(&self, key: Key, look: &mut dyn FnMut(&[u8])) -> bool {
        self.values.get(&key).map(|(value, _)| look(value)).is_some()
    }
}

impl Store for MemoryStore {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        let next = self.next.wrapping_add(1).max(1);
        match (self.values.get_mut(&key), seen) {
            (Some((kept, version)), Some(seen)) if *version == seen => {
                kept.clear();
                kept.extend_from_slice(value);
                *version = next;
            }
            (None, None) => {
                self.values.insert(key, (value.to_vec(), next));
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

    const KEY: Key = Key::alone("key");

    #[test]
    fn a_key_has_a_name_as_long_as_it_says() {
        for (key, name) in [
            (Key::alone("t"), "t"),
            (Key::numbered("t", 0), "t.0"),
            (Key::numbered("t", 10), "t.10"),
            (Key::page("t", 1, 9), "t.1.9"),
            (Key::page("t", u16::MAX, u32::MAX), "t.65535.4294967295"),
        ] {
            assert_eq!((&*key.name(""), key.bytes()), (name, name.len()));
            assert_eq!(key.name("ours."), format!("ours.{name}"));
        }
    }

    #[test]
    fn a_swap_needs_the_version_last_seen() {
        let mut store = MemoryStore::default();
        assert_eq!(store.swap(KEY, b"1", Some(1)), Err(SwapError::Conflict));
        assert_eq!(store.swap(KEY, b"1", None), Ok(()));
        assert_eq!(store.swap(KEY, b"2", None), Err(SwapError::Conflict));
        let (_, version) = store.get(KEY).unwrap();
        assert_eq!(store.swap(KEY, b"22", Some(version)), Ok(()));
        assert_eq!(store.swap(KEY, b"3", Some(version)), Err(SwapError::Conflict));
        assert_eq!(store.get(KEY).unwrap().0, b"22");
        assert_eq!((store.len(), store.bytes(), store.is_empty()), (1, 5, false));
    }
}
