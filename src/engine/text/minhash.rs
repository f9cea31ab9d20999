//! One-permutation MinHash over word shingles (Li, Owen and Zhang, NIPS 2012).
//!
//! A text's shingles fall into [`BINS`] bins by hash; of each bin the smallest is kept. Two texts share a bin's value
//! with the probability of their Jaccard similarity, so a template that makes up a fifth of a request shows in a fifth
//! of its bins, whatever the payload. Each value serves as a key of its own (bands of one row): a campaign's template
//! then gathers under a few keys, however long the payload around it.

use crate::words::Word;

/// Bins of a signature.
pub const BINS: usize = 8;
/// Words of a shingle: four in a row are seldom shared by accident, and survive most slots.
pub const SHINGLE: usize = 4;

/// The smallest shingle hash of each bin; 0 where the text had none for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature(pub [u64; BINS]);

/// Bits that the hash of a shingle turns by from word to word.
const TURN: u32 = 13;

/// Collects a signature.
#[derive(Clone, Copy, Debug)]
pub struct MinHash {
    bins: [u64; BINS],
}

impl Default for MinHash {
    fn default() -> Self {
        Self { bins: [u64::MAX; BINS] }
    }
}

impl MinHash {
    /// Takes the shingles of words in a row. Words are hashes already, so a shingle's is theirs, each turned by its place: simple
    /// tabulation, which is good enough for minima (Pătraşcu and Thorup, J. ACM 2012). It rolls on from word to word.
    #[inline]
    pub fn read(&mut self, words: &[Word]) {
        let Some((first, rest)) = words.split_at_checked(SHINGLE - 1) else { return };
        let mut hash = first.iter().fold(0, |hash: u64, word| hash.rotate_left(TURN) ^ word);
        for (&oldest, newest) in words.iter().zip(rest) {
            hash = hash.rotate_left(TURN) ^ newest;
            self.keep(hash);
            hash ^= oldest.rotate_left(TURN * (SHINGLE as u32 - 1));
        }
    }

    #[inline]
    fn keep(&mut self, hash: u64) {
        // The bin comes from the low bits, the order from all of them: inside a bin the low bits are equal.
        if let Some(bin) = self.bins.get_mut(hash as usize % BINS)
            && hash < *bin
        {
            *bin = hash;
        }
    }

    /// The signature.
    #[must_use]
    pub fn finish(self) -> Signature {
        Signature(self.bins.map(|bin| if bin == u64::MAX { 0 } else { bin.max(1) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;

    fn signature(text: &str) -> Signature {
        let mut minhash = MinHash::default();
        minhash.read(&Words::new(text).collect::<Vec<_>>());
        minhash.finish()
    }

    fn shared(a: Signature, b: Signature) -> usize {
        a.0.iter().zip(b.0).filter(|&(&x, y)| x != 0 && x == y).count()
    }

    const TEMPLATE: &str = "Rewrite the given prompt into a more complex version so that famous assistants find it harder \
                            to handle but humans still understand it and answer in the same language as the input";

    #[test]
    fn a_template_survives_its_payload() {
        let payloads =
            ["Name the capital of France and tell why it matters", "Sort a list of cities by their distance from here"];
        let [a, b] = payloads.map(|payload| signature(&format!("{TEMPLATE}\n{payload}")));
        assert!(shared(a, b) >= 2, "{}", shared(a, b));
    }

    #[test]
    fn unrelated_texts_share_nothing() {
        let a = signature(TEMPLATE);
        let b = signature(
            "My cat has been sneezing since Tuesday and the vet is closed until Monday, what can I do at home?",
        );
        assert_eq!(shared(a, b), 0);
    }

    #[test]
    fn texts_shorter_than_a_shingle_have_no_signature() {
        assert_eq!(signature("hello there friend"), Signature::default());
    }
}
