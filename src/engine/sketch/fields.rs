//! Typed access to the bytes of a slot: checked, little-endian, without a panic.

use std::ops::Range;

/// A view of bytes as numbers at offsets.
///
/// Made over `&[u8]` it reads, over `&mut [u8]` it also writes. A field that does not lie wholly inside reads as zero
/// (or an empty slice), and a write to it is dropped: a slot of the wrong size is a bug, not a reason to trap.
///
/// ```
/// use azeotrope_engine::sketch::fields::Fields;
/// let mut slot = [0u8; 8];
/// let mut fields = Fields::new(&mut slot[..]);
/// fields.set_u16(2, 513);
/// assert_eq!(fields.u16(2), 513);
/// assert_eq!(slot, [0, 0, 1, 2, 0, 0, 0, 0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Fields<B>(B);

impl<B: AsRef<[u8]>> Fields<B> {
    /// A view of `bytes`.
    pub const fn new(bytes: B) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        let found = self.0.as_ref().get(offset..).and_then(<[u8]>::first_chunk::<N>);
        found.copied().unwrap_or([0; N])
    }

    /// The byte at `offset`.
    #[must_use]
    pub fn u8(&self, offset: usize) -> u8 {
        u8::from_le_bytes(self.array(offset))
    }

    /// The 16-bit number at `offset`.
    #[must_use]
    pub fn u16(&self, offset: usize) -> u16 {
        u16::from_le_bytes(self.array(offset))
    }

    /// The 32-bit number at `offset`.
    #[must_use]
    pub fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    /// The 64-bit number at `offset`.
    #[must_use]
    pub fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.array(offset))
    }

    /// The bytes of `range`; empty where it does not lie wholly inside.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        self.0.as_ref().get(range).unwrap_or_default()
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Fields<B> {
    fn put<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        if let Some(place) = self.0.as_mut().get_mut(offset..).and_then(<[u8]>::first_chunk_mut::<N>) {
            *place = value;
        }
    }

    /// Writes the byte at `offset`.
    pub fn set_u8(&mut self, offset: usize, value: u8) {
        self.put(offset, value.to_le_bytes());
    }

    /// Writes the 16-bit number at `offset`.
    pub fn set_u16(&mut self, offset: usize, value: u16) {
        self.put(offset, value.to_le_bytes());
    }

    /// Writes the 32-bit number at `offset`.
    pub fn set_u32(&mut self, offset: usize, value: u32) {
        self.put(offset, value.to_le_bytes());
    }

    /// Writes the 64-bit number at `offset`.
    pub fn set_u64(&mut self, offset: usize, value: u64) {
        self.put(offset, value.to_le_bytes());
    }

    /// The bytes of `range`, to change; empty where it does not lie wholly inside.
    #[must_use]
    pub fn slice_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        self.0.as_mut().get_mut(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_comes_back_as_written() {
        let mut bytes = [0u8; 15];
        let mut fields = Fields::new(&mut bytes[..]);
        fields.set_u8(0, 7);
        fields.set_u16(1, 0xA1B2);
        fields.set_u32(3, 0xDEAD_BEEF);
        fields.set_u64(7, u64::MAX - 1);
        let fields = Fields::new(&bytes[..]);
        assert_eq!((fields.u8(0), fields.u16(1), fields.u32(3), fields.u64(7)), (7, 0xA1B2, 0xDEAD_BEEF, u64::MAX - 1));
    }

    #[test]
    fn a_field_across_the_end_reads_zero_and_is_not_written() {
        let mut bytes = [0xFFu8; 8];
        let mut fields = Fields::new(&mut bytes[..]);
        assert_eq!((fields.u64(1), fields.u16(usize::MAX), fields.slice(4..9)), (0, 0, &[][..]));
        fields.set_u64(1, 0);
        fields.set_u32(usize::MAX, 0);
        assert!(fields.slice_mut(9..10).is_empty());
        assert_eq!(bytes, [0xFF; 8]);
    }
}
