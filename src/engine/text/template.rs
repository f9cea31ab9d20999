//! One pass over a text's words: what a skeleton is made of, and the word features on the way.

use crate::buckets::Buckets;
use crate::minhash::{MinHash, SHINGLE, Signature};
use crate::words::{Word, Words, mix};

/// Words of the head and tail keys.
pub const HEAD: usize = 8;

/// Words that are read at once.
const AT_ONCE: usize = 64;
/// Words before them that a shingle may begin with.
const BEFORE: usize = SHINGLE - 1;

/// A text under reading, piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text {
    minhash: MinHash,
    count: usize,
    order: u64,
    head: u64,
    /// The last words, the one of number `n` at `n % HEAD`.
    last: [Word; HEAD],
}

impl Text {
    /// Reads a piece of text, which no shingle shares with the piece before; its words are features, too.
    pub fn read(&mut self, piece: &str, features: &mut Buckets) {
        // Some words at once, and then one thing after the other of them: each has what it needs at hand. Before them are those
        // that a shingle may begin with.
        let (mut words, mut room, mut kept) = (Words::new(piece), [0; BEFORE + AT_ONCE], 0);
        loop {
            let count = room.get_mut(kept..).map_or(0, |free| words.fill(free));
            let all = room.get(..kept + count).unwrap_or(&[]);
            let fresh = all.get(kept..).unwrap_or(&[]);
            self.take(fresh, features);
            self.minhash.read(all);
            if kept + count < room.len() {
                return;
            }
            room.copy_within(AT_ONCE.., 0);
            kept = BEFORE;
        }
    }

    /// Takes words for all but their shingles.
    #[inline(always)]
    fn take(&mut self, words: &[Word], features: &mut Buckets) {
        let head = words.len().min(HEAD.saturating_sub(self.count));
        if let Some((first, others)) = words.split_at_checked(head) {
            self.follow(first, features);
            if head > 0 {
                self.head = self.order;
            }
            self.follow(others, features);
        }
        for (place, &word) in words.iter().enumerate().skip(words.len().saturating_sub(HEAD)) {
            if let Some(last) = self.last.get_mut((self.count + place) % HEAD) {
                *last = word;
            }
        }
        self.count += words.len();
    }

    /// Takes words for their order, and as features.
    fn follow(&mut self, words: &[Word], features: &mut Buckets) {
        self.order = words.iter().fold(self.order, |order, &word| order.wrapping_mul(0x1000_0000_01b3) ^ word);
        features.read(words);
    }

    /// Words read.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// All words, in their order.
    #[must_use]
    pub fn whole(&self) -> u64 {
        mix(self.order).max(1)
    }

    /// The first [`HEAD`] words.
    #[must_use]
    pub fn head(&self) -> u64 {
        mix(self.head).max(1)
    }

    /// The last [`HEAD`] words.
    #[must_use]
    pub fn tail(&self) -> u64 {
        let (newer, older) = self.last.split_at(self.count % HEAD);
        older.iter().chain(newer).fold(1_u64, |hash, &word| mix(hash ^ word)).max(1)
    }

    /// MinHash values of the words.
    #[must_use]
    pub fn signature(self) -> Signature {
        self.minhash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Text {
        let mut read = Text::default();
        read.read(text, &mut Buckets::default());
        read
    }

    #[test]
    fn head_and_tail_are_the_first_and_the_last_words() {
        for between in ["", " one", " one two three", " one two three four five six seven eight nine"] {
            let text = read(&format!("a b c d e f g h{between} i j k l m n o p"));
            let (head, tail) = (read("a b c d e f g h"), read("i j k l m n o p"));
            assert_eq!((text.head(), text.tail()), (head.head(), tail.tail()), "{between}");
        }
    }

    #[test]
    fn shingles_are_those_of_the_whole_text_however_many_words_are_read_at_once() {
        for count in (0..300).step_by(7) {
            let text: String =
                (0..count).map(|n| format!("{} ", ["ab", "cd", "efg", "h"][n % 4].repeat(1 + n % 5))).collect();
            let mut minhash = MinHash::default();
            minhash.read(&Words::new(&text).collect::<Vec<_>>());
            assert_eq!((read(&text).count(), read(&text).signature()), (count, minhash.finish()));
        }
    }

    #[test]
    fn a_text_in_pieces_has_the_words_of_all_and_no_shingle_across() {
        let mut pieces = Text::default();
        ["a b c", "d e f"].iter().for_each(|piece| pieces.read(piece, &mut Buckets::default()));
        let whole = read("a b c d e f");
        assert_eq!((pieces.whole(), pieces.count(), pieces.tail()), (whole.whole(), 6, whole.tail()));
        assert_eq!(pieces.signature(), Signature::default());
    }
}
