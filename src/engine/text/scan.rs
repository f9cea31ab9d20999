//! Finding the marks of JSON strings, sixteen bytes a step where the host has no vectors.

use crate::blocks;

/// The first quotation mark.
#[inline]
#[must_use]
pub fn quote(bytes: &[u8]) -> Option<usize> {
    find::<b'"'>(bytes)
}

/// The first backslash.
#[inline]
#[must_use]
pub fn escape(bytes: &[u8]) -> Option<usize> {
    find::<b'\\'>(bytes)
}

/// The first line end.
#[inline]
#[must_use]
pub fn line_end(bytes: &[u8]) -> Option<usize> {
    find::<b'\n'>(bytes)
}

/// How many bytes of a block stand before a backslash; all of them where there is none.
#[inline]
#[must_use]
pub fn before_escape(block: [u8; blocks::BYTES]) -> usize {
    (words::marked::<b'\\'>(block).trailing_zeros() / 8) as usize
}

/// Wasm without SIMD: `memchr` goes by the width of a pointer there, which is half of what the machine has.
#[cfg(all(target_family = "wasm", not(target_feature = "simd128")))]
#[inline]
fn find<const MARK: u8>(bytes: &[u8]) -> Option<usize> {
    words::find::<MARK>(bytes)
}

#[cfg(not(all(target_family = "wasm", not(target_feature = "simd128"))))]
#[inline]
fn find<const MARK: u8>(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(MARK, bytes)
}

mod words {
    use crate::blocks::{ONES, TOPS};

    /// Marks the bytes that are `MARK` in their top bits: for certain up to the first, which is what counts.
    #[inline]
    pub(super) fn marked<const MARK: u8>(block: [u8; 8]) -> u64 {
        let zero = u64::from_le_bytes(block) ^ (ONES * MARK as u64);
        zero.wrapping_sub(ONES) & !zero & TOPS
    }

    #[cfg(any(test, all(target_family = "wasm", not(target_feature = "simd128"))))]
    #[inline]
    pub(super) fn find<const MARK: u8>(bytes: &[u8]) -> Option<usize> {
        let (blocks, rest) = bytes.as_chunks::<8>();
        let (pairs, last) = blocks.as_chunks::<2>();
        let mut at = 0;
        for &[first, second] in pairs {
            let (first, second) = (marked::<MARK>(first), marked::<MARK>(second));
            if first | second != 0 {
                let (before, found) = if first == 0 { (8, second) } else { (0, first) };
                return Some(at + before + (found.trailing_zeros() / 8) as usize);
            }
            at += 16;
        }
        for &block in last {
            let found = marked::<MARK>(block);
            if found != 0 {
                return Some(at + (found.trailing_zeros() / 8) as usize);
            }
            at += 8;
        }
        rest.iter().position(|byte| *byte == MARK).map(|place| at + place)
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_first_mark_is_found_wherever_it_is() {
        for length in 0..70 {
            // Bytes that differ from the mark in one bit, and all others.
            let mut bytes: Vec<u8> =
                (0..length).map(|n: u8| [b'#', b' ', 0xA2, 0x21, b'a', 0xFF][usize::from(n) % 6]).collect();
            assert_eq!(words::find::<b'"'>(&bytes), None);
            for place in (0..bytes.len()).rev() {
                bytes[place] = b'"';
                assert_eq!(words::find::<b'"'>(&bytes), Some(place));
            }
        }
    }
}
