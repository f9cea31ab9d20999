//! A map of bounded size: two generations, the older one dropped whole.
//!
//! Entries live in the young generation; one found in the old is moved up. When the young is full it becomes the old and
//! what the old still held is forgotten. So between `capacity` and twice that many of the most recently used keys are
//! kept, each operation costs O(1) amortised, and nothing has to be scanned.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Keys are keyed digests already: hashing them again would buy nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// A hash map over digests.
pub type DigestMap<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// The bounded map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Generations<V> {
    young: DigestMap<V>,
    old: DigestMap<V>,
    capacity: usize,
    forgotten: u64,
}

impl<V> Generations<V> {
    /// A map that keeps at least the `capacity` most recently used entries.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { young: DigestMap::default(), old: DigestMap::default(), capacity: capacity.max(1), forgotten: 0 }
    }

    /// The value under `key`, without keeping it alive.
    #[must_use]
    pub fn peek(&self, key: u64) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// The value under `key`.
    pub fn get(&mut self, key: u64) -> Option<&mut V> {
        if !self.young.contains_key(&key)
            && let Some(value) = self.old.remove(&key)
        {
            self.insert(key, value);
        }
        self.young.get_mut(&key)
    }

    /// Puts a value under `key`.
    pub fn insert(&mut self, key: u64, value: V) {
        if self.young.len() >= self.capacity {
            let full = std::mem::take(&mut self.young);
            self.forgotten += self.old.len() as u64;
            self.old = full;
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Begins a generation: what was not used since the one before began is forgotten.
    pub fn turn(&mut self) {
        self.forgotten += self.old.len() as u64;
        self.old = std::mem::take(&mut self.young);
    }

    /// Takes the value under `key` out.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    /// All entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &V)> {
        self.young.iter().chain(&self.old).map(|(&key, value)| (key, value))
    }

    /// All values, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut())
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries were dropped for room.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_two_generations() {
        let mut map = Generations::new(100);
        (0..10_000).for_each(|key| map.insert(key, key));
        assert!(map.len() <= 200);
        assert_eq!(map.forgotten() + map.len() as u64, 10_000);
    }

    #[test]
    fn what_is_not_used_for_two_turns_is_forgotten() {
        let mut map = Generations::new(100);
        map.insert(7, "used");
        map.insert(8, "not used");
        map.turn();
        assert_eq!(map.get(7), Some(&mut "used"));
        assert_eq!(map.peek(8), Some(&"not used"));
        map.turn();
        assert_eq!((map.peek(7), map.peek(8), map.len()), (Some(&"used"), None, 1));
    }

    #[test]
    fn what_is_used_stays() {
        let mut map = Generations::new(100);
        map.insert(7, "kept");
        for key in 1000..5000 {
            map.insert(key, "passing");
            assert_eq!(map.get(7), Some(&mut "kept"));
        }
        assert_eq!(map.peek(1000), None);
    }
}
