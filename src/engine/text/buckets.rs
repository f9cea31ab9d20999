//! The word features of a request: buckets that its words, and pairs of neighbours, are hashed into, each counted once.

use crate::words::{Word, mix};

/// Buckets there are.
pub const WORDS: usize = 1 << 14;
/// Most buckets of a request that are counted.
const MOST: usize = 4096;

/// The buckets that were met.
#[derive(Clone, Debug)]
pub struct Buckets {
    seen: Vec<u64>,
    met: Vec<u16>,
    previous: Word,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { seen: vec![0; WORDS / 64], met: Vec::with_capacity(1024), previous: 0 }
    }
}

impl Buckets {
    /// Takes the next word, and what [`mix`] makes of it.
    #[inline]
    pub fn word(&mut self, word: Word, mixed: u64) {
        self.add(mixed);
        if self.previous != 0 {
            self.add(mix(word ^ self.previous.rotate_left(17)));
        }
        self.previous = word;
    }

    #[inline(always)]
    fn add(&mut self, hash: u64) {
        let bucket = hash as usize % WORDS;
        if let Some(bits) = self.seen.get_mut(bucket / 64) {
            let bit = 1_u64 << (bucket % 64);
            if *bits & bit == 0 && self.met.len() < MOST {
                *bits |= bit;
                self.met.push(u16::try_from(bucket).unwrap_or(0));
            }
        }
    }

    /// The buckets, in order of appearance, each once.
    #[must_use]
    pub fn met(&self) -> &[u16] {
        &self.met
    }
}
