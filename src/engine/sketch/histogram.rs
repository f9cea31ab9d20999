//! A histogram of 16 kinds in 32 bytes: shares that follow change.
//!
//! Each bucket is a `u16`. When one would overflow all are halved, so old events fade by number, not by time: shares
//! stay right to about 1 in 65,536, absolute counts are kept only until the first halving.

/// Buckets of a histogram.
pub const BUCKETS: usize = 16;

/// Bytes of a histogram.
pub const BYTES: usize = BUCKETS * 2;

fn buckets(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().take(BUCKETS).map(|pair| u16::from_le_bytes(*pair))
}

/// Counts one event of kind `bucket`; kinds from 16 on count as 15.
pub fn add(bytes: &mut [u8], bucket: usize) {
    let (pairs, _) = bytes.as_chunks_mut::<2>();
    let index = bucket.min(BUCKETS - 1);
    if pairs.get(index).is_some_and(|pair| *pair == u16::MAX.to_le_bytes()) {
        for pair in pairs.iter_mut().take(BUCKETS) {
            *pair = (u16::from_le_bytes(*pair) / 2).to_le_bytes();
        }
    }
    if let Some(pair) = pairs.get_mut(index) {
        *pair = u16::from_le_bytes(*pair).saturating_add(1).to_le_bytes();
    }
}

/// The count of one kind; 0 for kinds from 16 on.
#[must_use]
pub fn count(bytes: &[u8], bucket: usize) -> u16 {
    buckets(bytes).nth(bucket).unwrap_or(0)
}

/// The sum of all kinds.
#[must_use]
pub fn total(bytes: &[u8]) -> u32 {
    buckets(bytes).map(u32::from).sum()
}

/// How many kinds hold at least `share` thousandths of all events (and at least one event).
#[must_use]
pub fn occupied(bytes: &[u8], share: u32) -> usize {
    let least = u64::from(total(bytes)) * u64::from(share);
    buckets(bytes).filter(|count| *count > 0 && u64::from(*count) * 1000 >= least).count()
}

/// The largest kind's part of all events, in thousandths; 0 where there are none.
#[must_use]
pub fn largest(bytes: &[u8]) -> u32 {
    let largest = buckets(bytes).max().map_or(0, u32::from);
    largest.saturating_mul(1000).checked_div(total(bytes)).unwrap_or(0)
}

/// The kind of a size on a doubling scale: 0 for 0, 1 for 1, 2 for 2–3, 3 for 4–7 … 15 for 16,384 and more.
#[must_use]
pub fn doubling(value: u64) -> usize {
    (u64::BITS - value.leading_zeros()).min(15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_until_a_bucket_is_full() {
        let mut bytes = [0; BYTES];
        for event in 0..65_535 {
            add(&mut bytes, if event % 3 == 0 { 4 } else { 20 });
        }
        assert_eq!(
            (count(&bytes, 4), count(&bytes, 15), count(&bytes, 16), total(&bytes)),
            (21_845, 43_690, 0, 65_535)
        );
        assert_eq!((largest(&bytes), occupied(&bytes, 1), occupied(&bytes, 400)), (666, 2, 1));
    }

    #[test]
    fn shares_outlive_overflow_and_follow_change() {
        let mut bytes = [0; BYTES];
        for event in 0..1_000_000 {
            add(&mut bytes, usize::from(event % 10 == 0));
        }
        assert!((899..=901).contains(&largest(&bytes)), "{}", largest(&bytes));
        for _ in 0..1_000_000 {
            add(&mut bytes, 7);
        }
        assert!(largest(&bytes) > 990 && count(&bytes, 7) > 32_000);
    }

    #[test]
    fn sizes_fall_on_a_doubling_scale() {
        assert_eq!([0, 1, 2, 3, 4, 16_383, 16_384, u64::MAX].map(doubling), [0, 1, 2, 2, 3, 14, 15, 15]);
    }

    #[test]
    fn any_bytes_and_any_length_are_survived() {
        for len in 0..40 {
            let mut bytes = vec![0xFF; len];
            add(&mut bytes, 15);
            let _ = (total(&bytes), largest(&bytes), occupied(&bytes, u32::MAX));
        }
        assert_eq!((largest(&[]), occupied(&[0; 32], 0)), (0, 0));
    }
}
