//! Eight bytes of text at once, in one number: which of them are letters, and where a word ends, without a branch a byte.
//!
//! A mark is the top bit of its byte ("SIMD within a register"; Warren, Hacker's Delight, 6-1).

/// Bytes of a block.
pub(crate) const BYTES: usize = 8;

/// One in every byte.
pub(crate) const ONES: u64 = u64::MAX / 0xFF;
/// The top bit of every byte.
pub(crate) const TOPS: u64 = ONES << 7;

/// The block that begins at a place, if it is whole.
#[inline]
pub(crate) fn at(bytes: &[u8], place: usize) -> Option<u64> {
    bytes.get(place..)?.first_chunk().map(|block| u64::from_le_bytes(*block))
}

/// Marks the bytes within a range of ASCII. `block`: without top bits.
#[inline]
fn within(block: u64, first: u8, last: u8) -> u64 {
    let (from_first, beyond) = (block + ONES * u64::from(0x80 - first), block + ONES * u64::from(0x7F - last));
    from_first & !beyond
}

/// Letters of ASCII in lower case; other bytes become others.
#[inline]
pub(crate) fn lower(block: u64) -> u64 {
    block | (ONES * 0x20)
}

/// The first bytes of a block, moved up to its end; before them there are zeros.
#[inline]
pub(crate) fn aligned(block: u64, count: usize) -> u64 {
    block << (8 * (BYTES - count) % 64)
}

/// Bytes of a window.
const WINDOW: usize = 64;

/// What the bytes of a window of a text are, a bit each.
pub(crate) struct Window<'a> {
    text: &'a [u8],
    /// Where it begins.
    base: usize,
    letters: u64,
    /// Digits, and what is beyond ASCII.
    others: u64,
}

/// What comes next in a window.
pub(crate) enum Next {
    /// A word of ASCII letters that ends in it; `block`: what it begins with.
    Letters { start: usize, block: u64, count: usize },
    /// A number, or other letters: or nothing, and the end of the text is near.
    Other(usize),
    /// Another window, from there on.
    Over(usize),
}

impl<'a> Window<'a> {
    /// The window that begins at a place of a text, if that is as long.
    #[inline]
    pub(crate) fn at(text: &'a [u8], base: usize) -> Option<Self> {
        let mut window = Self { text, base, letters: 0, others: 0 };
        let mut read = 0;
        // That there are eight is looked at in the end: the compiler would write all this eight times.
        for block in text.get(base..)?.as_chunks().0.iter().take(WINDOW / BYTES) {
            let block = u64::from_le_bytes(*block);
            let low = block & !TOPS;
            let letters = within(lower(low), b'a', b'z') & !block;
            let others = within(low, b'0', b'9') | block;
            window.letters |= bits(letters) << read;
            window.others |= bits(others) << read;
            read += BYTES;
        }
        (read == WINDOW).then_some(window)
    }

    /// What comes at a place of the text, or behind it.
    #[inline(always)]
    pub(crate) fn next(&self, place: usize) -> Next {
        let at = place - self.base;
        if at >= WINDOW {
            return Next::Over(place);
        }
        let start = at + ((self.letters | self.others) >> at).trailing_zeros() as usize;
        if start >= WINDOW {
            return Next::Over(self.base + WINDOW);
        }
        let count = (!(self.letters >> start)).trailing_zeros() as usize;
        let begins = self.base + start;
        let ends_here = start + count < WINDOW;
        match self::at(self.text, begins) {
            Some(block) if count > 0 && ends_here => Next::Letters { start: begins, block, count },
            // The window cuts it. One that fills a window is no word.
            Some(_) if count > 0 && start > 0 => Next::Over(begins),
            _ => Next::Other(begins),
        }
    }
}

/// The marks of a block as its bits: the product moves each to a place of its own in the uppermost byte.
#[inline]
fn bits(marks: u64) -> u64 {
    (marks >> 7 & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_knows_what_every_byte_is() {
        for byte in 0..=u8::MAX {
            for place in 0..WINDOW {
                let mut text = [b' '; WINDOW];
                text[place] = byte;
                let window = Window::at(&text, 0).unwrap();
                let other = byte.is_ascii_digit() || !byte.is_ascii();
                let bit = |set: bool| u64::from(set) << place;
                assert_eq!(
                    (window.letters, window.others),
                    (bit(byte.is_ascii_alphabetic()), bit(other)),
                    "{byte} at {place}"
                );
            }
        }
        assert!(Window::at(&[b' '; WINDOW - 1], 0).is_none());
    }

    #[test]
    fn the_letters_that_a_block_begins_with_are_at_its_end() {
        for count in 1..=BYTES {
            let mut block = *b"ABCDEFGH";
            let wanted = [&[0; BYTES][count..], &b"abcdefgh"[..count]].concat();
            block[count..].fill(b'?');
            assert_eq!(aligned(lower(u64::from_le_bytes(block)), count).to_le_bytes()[..], wanted);
        }
    }
}
