//! A fast hash over bytes, for what is compared as a whole: eight bytes a step, mixed at the end.
//!
//! Not keyed and not cryptographic. What leaves the engine is passed through the keyed digests (`digest::key`) first.

use crate::words::mix;

const MULTIPLIER: u64 = 0x9fb2_1c65_1e98_df25;

/// An incremental hash of parts; the split into parts matters, their order too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rolling(u64);

impl Rolling {
    /// Takes a number.
    #[inline]
    pub fn number(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_add(1).wrapping_mul(MULTIPLIER);
        self.0 ^= self.0 >> 32;
    }

    /// Takes bytes and their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<8>();
        for block in blocks {
            self.number(u64::from_le_bytes(*block));
        }
        let tail = rest.iter().fold(0_u64, |tail, &byte| (tail << 8) | u64::from(byte));
        self.number(tail ^ ((bytes.len() as u64) << 56));
    }

    /// The hash so far; never 0.
    #[must_use]
    pub fn finish(self) -> u64 {
        mix(self.0).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&str]) -> u64 {
        let mut rolling = Rolling::default();
        parts.iter().for_each(|part| rolling.bytes(part.as_bytes()));
        rolling.finish()
    }

    #[test]
    fn every_byte_their_order_and_the_split_count() {
        let all = [
            of(&["abcdefghij"]),
            of(&["abcdefghik"]),
            of(&["bacdefghij"]),
            of(&["abcde", "fghij"]),
            of(&[]),
            of(&[""]),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
    }
}
