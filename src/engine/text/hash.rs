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

/// Bytes above which [`sampled`] leaves some out.
pub const LONG: usize = 1024;
/// Bytes of each end of a long text that are hashed without a gap.
const END: usize = 256;
/// Of a long text, eight bytes in so many are hashed between its ends.
const STRIDE: usize = 32;

/// A hash of bytes and their number in four lanes, which do not wait for each other. Of more than [`LONG`] bytes the ends
/// are hashed, and eight in every [`STRIDE`] between: a change of that many in a row is always seen.
#[must_use]
pub fn sampled(bytes: &[u8]) -> u64 {
    let mut lanes = Lanes([1, 2, 3, 4]);
    let (mut head, mut tail) = (bytes, &[][..]);
    if bytes.len() > LONG
        && let Some((start, rest)) = bytes.split_at_checked(END)
        && let Some((middle, _)) = rest.split_at_checked(rest.len() - END)
    {
        head = start;
        tail = rest.get(middle.len() - middle.len() % (4 * STRIDE)..).unwrap_or(&[]);
        for stretch in middle.as_chunks::<{ 4 * STRIDE }>().0 {
            if let [a, b, c, d] = stretch.as_chunks::<STRIDE>().0 {
                let samples = [a, b, c, d].map(|piece| piece.first_chunk::<8>().copied().unwrap_or_default());
                lanes.take(&samples);
            }
        }
    }
    let mut rolling = Rolling::default();
    for end in [head, tail] {
        let (blocks, rest) = end.as_chunks::<32>();
        for block in blocks {
            if let &[a, b, c, d] = block.as_chunks::<8>().0 {
                lanes.take(&[a, b, c, d]);
            }
        }
        rolling.bytes(rest);
    }
    lanes.0.into_iter().for_each(|lane| rolling.number(lane));
    rolling.number(bytes.len() as u64);
    rolling.finish()
}

/// Four hashes side by side.
struct Lanes([u64; 4]);

impl Lanes {
    #[inline]
    fn take(&mut self, blocks: &[[u8; 8]; 4]) {
        for (lane, block) in self.0.iter_mut().zip(blocks) {
            *lane = (*lane ^ u64::from_le_bytes(*block)).wrapping_mul(MULTIPLIER).rotate_left(29);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_ends_and_every_longer_change_between_count() {
        let text: Vec<u8> = (0..5_000_u32).map(|n| (n * n % 251) as u8).collect();
        for length in [0, 1, 31, 32, 33, 900, LONG, LONG + 1, 3_000, 5_000] {
            let text = &text[..length];
            let whole = sampled(text);
            for at in (0..length).step_by(7) {
                let mut other = text.to_vec();
                let near = length <= LONG || at < END || at >= length - END;
                let change = if near { 1 } else { 40 };
                other[at..length.min(at + change)].iter_mut().for_each(|byte| *byte ^= 0x55);
                assert_ne!(sampled(&other), whole, "{length} at {at}");
            }
            if let Some(shorter) = length.checked_sub(1) {
                assert_ne!(sampled(&text[..shorter]), whole);
            }
        }
    }

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
