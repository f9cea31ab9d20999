//! Bytes of what goes between filters and sidecars: whole numbers in little endian, lists after their length.
//!
//! By hand and not by a serialiser: of what the module may weigh, one would take eight times what this does. Reading is
//! bounded by what is there: nothing is allocated for a length that is only claimed.

/// Writes.
#[derive(Debug, Default)]
pub(crate) struct Out(pub(crate) Vec<u8>);

impl Out {
    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// The length of a list that has at most 255 items; what is beyond must not be written.
    pub(crate) fn count(&mut self, length: usize) {
        self.u8(u8::try_from(length).unwrap_or(u8::MAX));
    }

    /// Bytes after their number.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
    }

    /// At most 16 numbers of which many are 0: those that are not, after a mask of which.
    pub(crate) fn sparse(&mut self, values: &[u64]) {
        let mask =
            values.iter().zip(0..16_u32).filter(|(value, _)| **value != 0).fold(0, |mask, (_, at)| mask | 1 << at);
        self.u16(mask);
        values.iter().filter(|value| **value != 0).for_each(|&value| self.u64(value));
    }
}

/// Reads; `None` where there is not enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct In<'a>(pub(crate) &'a [u8]);

impl<'a> In<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn hash(&mut self) -> Option<[u8; 32]> {
        self.array()
    }

    /// What [`Out::bytes`] wrote.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    /// Text of at most 255 bytes after their number.
    pub(crate) fn text(&mut self) -> Option<String> {
        let length = usize::from(self.u8()?);
        std::str::from_utf8(self.take(length)?).ok().map(str::to_owned)
    }

    /// What [`Out::sparse`] wrote; `None` where it has more numbers than are wanted.
    pub(crate) fn sparse<const N: usize>(&mut self) -> Option<[u64; N]> {
        let mask = self.u16()?;
        let mut values = [0; N];
        for (at, value) in values.iter_mut().enumerate() {
            if mask >> at & 1 == 1 {
                *value = self.u64()?;
            }
        }
        (mask >> N == 0).then_some(values)
    }

    /// A list after its length, of at most `most` items.
    pub(crate) fn list<T>(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = usize::from(self.u8()?);
        let mut list = Vec::new();
        for _ in 0..length {
            list.push(item(self)?);
        }
        (length <= most).then_some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_claim_is_not_believed() {
        let mut out = Out::default();
        out.sparse(&[0, 7, 0, u64::MAX]);
        out.bytes(b"abc");
        out.i32(-5);
        let mut read = In(&out.0);
        assert_eq!(read.sparse::<4>(), Some([0, 7, 0, u64::MAX]));
        assert_eq!((read.bytes(), read.i32(), read.u8()), (Some(&b"abc"[..]), Some(-5), None));
        assert_eq!(In(&out.0).sparse::<3>(), None, "more numbers than are wanted");
        assert_eq!(In(&[255, 255, 255, 255, 1]).bytes(), None);
        assert_eq!(In(&[2, 1]).list(9, In::u8), None);
        assert_eq!(In(&[2, 1, 1]).list(1, In::u8), None);
    }
}
