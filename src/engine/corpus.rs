//! Public prompt sets as binary-fuse filters (Graf and Lemire, 2022): membership in about 18 bits a prompt, one false
//! positive in 65,536.
//!
//! Built offline by `azeotrope corpus index`; here only read, and checked so that a hostile file cannot reach outside.

use std::sync::Arc;
use xorf::{BinaryFuse16, Descriptor, Filter};

/// First bytes of a corpus file.
pub const MAGIC: &[u8; 8] = b"AZCORP1\n";
/// Bytes of a file's header: magic, number of prompts, descriptor.
pub const HEADER: usize = 8 + 8 + 20;
/// Largest file that is read: about 14 million prompts.
pub const LARGEST: usize = 32 << 20;

/// An indexed set of prompts.
#[derive(Clone)]
pub struct Corpus {
    /// Shared: engines of other rules have the same.
    filter: Arc<BinaryFuse16>,
    prompts: u64,
}

impl std::fmt::Debug for Corpus {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Corpus({} prompts)", self.prompts)
    }
}

impl Corpus {
    /// Indexes digests of [`crate::digest::content::Content`]; they are sorted and made unique first.
    ///
    /// # Errors
    /// When there is none, or the filter cannot be built.
    pub fn build(mut digests: Vec<u64>) -> Result<Self, &'static str> {
        digests.sort_unstable();
        digests.dedup();
        if digests.is_empty() {
            return Err("no prompt is long enough to be told from small talk");
        }
        let filter = BinaryFuse16::try_from(&digests)?;
        Ok(Self { filter: Arc::new(filter), prompts: digests.len() as u64 })
    }

    /// Whether a digest is of the set; a false positive in 65,536.
    #[must_use]
    pub fn contains(&self, digest: u64) -> bool {
        self.filter.contains(&digest)
    }

    /// How many prompts were indexed.
    #[must_use]
    pub fn prompts(&self) -> u64 {
        self.prompts
    }

    /// The filter as a file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let descriptor = &self.filter.descriptor;
        let mut bytes = Vec::with_capacity(HEADER + 2 * self.filter.fingerprints.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.prompts.to_le_bytes());
        bytes.extend_from_slice(&descriptor.seed.to_le_bytes());
        for number in [descriptor.segment_length, descriptor.segment_length_mask, descriptor.segment_count_length] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(self.filter.fingerprints.iter().flat_map(|print| print.to_le_bytes()));
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LARGEST {
            return Err("larger than 32 MiB");
        }
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or("no corpus file: too short")?;
        if magic != MAGIC {
            return Err("no corpus file: it does not begin with AZCORP1");
        }
        let (prompts, rest) = rest.split_first_chunk::<8>().ok_or("its header is cut short")?;
        let (seed, rest) = rest.split_first_chunk::<8>().ok_or("its header is cut short")?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or("its header is cut short")?;
        let (mask, rest) = rest.split_first_chunk::<4>().ok_or("its header is cut short")?;
        let (count, prints) = rest.split_first_chunk::<4>().ok_or("its header is cut short")?;
        let descriptor = Descriptor {
            seed: u64::from_le_bytes(*seed),
            segment_length: u32::from_le_bytes(*length),
            segment_length_mask: u32::from_le_bytes(*mask),
            segment_count_length: u32::from_le_bytes(*count),
        };
        let (pairs, odd) = prints.as_chunks::<2>();
        let fingerprints: Box<[u16]> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        let reach = u64::from(descriptor.segment_count_length) + 2 * u64::from(descriptor.segment_length);
        let mask_fits = descriptor.segment_length.is_power_of_two()
            && descriptor.segment_length_mask == descriptor.segment_length - 1
            && descriptor.segment_count_length.is_multiple_of(descriptor.segment_length);
        if !odd.is_empty() || !mask_fits || reach != fingerprints.len() as u64 || descriptor.segment_count_length == 0 {
            return Err("its descriptor does not fit its fingerprints: damaged or cut short");
        }
        let filter = Arc::new(BinaryFuse16 { descriptor, fingerprints });
        Ok(Self { filter, prompts: u64::from_le_bytes(*prompts) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(count: u64) -> Vec<u64> {
        (1..=count).map(crate::digest::words::mix).collect()
    }

    #[test]
    fn every_indexed_prompt_is_found_and_few_others_are() {
        let corpus = Corpus::build(digests(20_000)).unwrap();
        assert!(digests(20_000).iter().all(|&digest| corpus.contains(digest)));
        let strangers = (1_000_000..1_200_000).filter(|&n| corpus.contains(crate::digest::words::mix(n))).count();
        assert!(strangers < 20, "{strangers} of 200,000");
    }

    #[test]
    fn a_file_round_trips_and_damage_is_refused() {
        for count in [1, 2, 3, 10, 1000] {
            let bytes = Corpus::build(digests(count)).unwrap().to_bytes();
            let read = Corpus::from_bytes(&bytes).unwrap();
            assert!(digests(count).iter().all(|&digest| read.contains(digest)), "{count}");
            for cut in [0, 5, HEADER - 1, HEADER, bytes.len() - 1, bytes.len() - 2] {
                assert!(Corpus::from_bytes(&bytes[..cut]).is_err(), "{count} cut at {cut}");
            }
        }
        let mut bytes = Corpus::build(digests(50)).unwrap().to_bytes();
        bytes[24] ^= 0x40;
        assert!(Corpus::from_bytes(&bytes).is_err());
    }
}
