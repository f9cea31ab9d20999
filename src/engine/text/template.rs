//! One pass over a text's words: what a skeleton is made of, and the word features on the way.

use crate::buckets::Buckets;
use crate::minhash::{MinHash, Signature};
use crate::words::{Word, Words, mix};

/// Words of the head and tail keys.
pub const HEAD: usize = 8;

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
        self.minhash.pause();
        let Self { mut minhash, mut count, mut order, mut head, mut last } = *self;
        Words::new(piece).for_each(|word| {
            let mixed = mix(word);
            features.word(word, mixed);
            minhash.push(word);
            order = order.wrapping_mul(0x1000_0000_01b3) ^ mixed;
            if let Some(place) = last.get_mut(count % HEAD) {
                *place = word;
            }
            count += 1;
            if count <= HEAD {
                head = order;
            }
        });
        *self = Self { minhash, count, order, head, last };
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
    fn a_text_in_pieces_has_the_words_of_all_and_no_shingle_across() {
        let mut pieces = Text::default();
        ["a b c", "d e f"].iter().for_each(|piece| pieces.read(piece, &mut Buckets::default()));
        let whole = read("a b c d e f");
        assert_eq!((pieces.whole(), pieces.count(), pieces.tail()), (whole.whole(), 6, whole.tail()));
        assert_eq!(pieces.signature(), Signature::default());
    }
}
