//! The word features of a request: buckets that its words, and pairs of neighbours, are hashed into, each counted once.

use crate::words::Word;

/// Buckets there are.
pub const WORDS: usize = 1 << 14;
/// A bit for each of them.
const SEEN: usize = WORDS / 64;
/// Most buckets of a request that are counted.
const MOST: usize = 4096;
/// Buckets of most requests, for which there is room from the start.
const ROOM: usize = 1024;

/// The buckets that were met.
#[derive(Clone, Debug)]
pub struct Buckets {
    seen: Vec<u64>,
    /// The first `count` of them, and room for more.
    met: Vec<u16>,
    count: usize,
    previous: Word,
}

impl Default for Buckets {
    fn default() -> Self {
        Self { seen: vec![0; SEEN], met: vec![0; ROOM], count: 0, previous: 0 }
    }
}

impl Buckets {
    /// Takes the next words.
    #[inline]
    pub fn read(&mut self, words: &[Word]) {
        let wanted = (self.count + 2 * words.len()).min(MOST);
        if wanted > self.met.len() {
            self.met.resize(wanted.max(2 * self.met.len()).min(MOST), 0);
        }
        let Some(seen) = self.seen.first_chunk_mut() else { return };
        let (met, mut count, mut previous) = (self.met.as_mut_slice(), self.count, self.previous);
        for &word in words {
            add(seen, met, &mut count, word);
            if previous != 0 {
                add(seen, met, &mut count, word ^ previous.rotate_left(17));
            }
            previous = word;
        }
        (self.count, self.previous) = (count, previous);
    }

    /// The buckets, in order of appearance, each once.
    #[must_use]
    pub fn met(&self) -> &[u16] {
        self.met.get(..self.count).unwrap_or(&[])
    }
}

/// Whether a bucket is new is as good as random: no branch hangs on it.
#[inline(always)]
fn add(seen: &mut [u64; SEEN], met: &mut [u16], count: &mut usize, hash: u64) {
    let bucket = hash as usize % WORDS;
    if let Some(place) = met.get_mut(*count)
        && let Some(bits) = seen.get_mut(bucket / 64)
    {
        *place = bucket as u16;
        *count += (!*bits >> (bucket % 64) & 1) as usize;
        *bits |= 1 << (bucket % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::mix;
    use std::collections::HashSet;

    #[test]
    fn words_and_pairs_are_met_once_each_in_their_order_and_no_more_than_so_many() {
        let words: Vec<Word> = (0..5_000_u64).map(|n| mix(n / 2 % 3_000 + 1)).collect();
        let (mut buckets, mut wanted, mut seen) = (Buckets::default(), Vec::new(), HashSet::new());
        let mut previous = None;
        for &word in &words {
            let pair = previous.map(|before: Word| word ^ before.rotate_left(17));
            for hash in [Some(word), pair].into_iter().flatten() {
                let bucket = (hash % WORDS as u64) as u16;
                if seen.insert(bucket) {
                    wanted.push(bucket);
                }
            }
            previous = Some(word);
        }
        words.chunks(61).for_each(|some| buckets.read(some));
        assert!(wanted.len() > MOST);
        assert_eq!(buckets.met(), &wanted[..MOST]);
    }
}
