//! The AWS event stream (`application/vnd.amazon.eventstream`), in pieces.
//!
//! A message is: its length and that of its headers (`u32`, big-endian), a CRC-32 of these eight bytes, the headers, the
//! payload, a CRC-32 of all before. The first checksum is checked, because lengths that are wrong lose the stream; the
//! second guards what is passed on as it is, and is its reader's affair.

/// Bytes of the lengths and their checksum.
pub(crate) const PRELUDE: usize = 12;
/// Bytes of the checksum behind a message.
pub(crate) const TRAILER: usize = 4;
/// Longest message: AWS allows 24 MiB.
const MAX_MESSAGE: u32 = 24 << 20;

/// What a piece of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    /// A piece of a payload.
    Data(&'b [u8]),
    /// A message is over.
    End,
}

/// The lengths of a message: all of it, and its headers; `None` where they make no sense.
pub(crate) fn lengths(prelude: &[u8; PRELUDE]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(*prelude.get(at..)?.first_chunk()?));
    let (message, headers, sum) = (word(0)?, word(4)?, word(8)?);
    let room = message.checked_sub((PRELUDE + TRAILER) as u32)?;
    (message <= MAX_MESSAGE && headers <= room && sum == crc32(prelude.get(..8)?)).then_some((message, headers))
}

/// CRC-32 as in Ethernet and gzip. Four bits a step: the messages are short, the module is to stay small.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let table: [u32; 16] = std::array::from_fn(|index| {
        (0..4).fold(index as u32, |sum, _| if sum & 1 == 0 { sum >> 1 } else { (sum >> 1) ^ 0xEDB8_8320 })
    });
    let step = |sum: u32| table.get((sum & 15) as usize).map_or(0, |entry| (sum >> 4) ^ entry);
    !bytes.iter().fold(u32::MAX, |sum, byte| step(step(sum ^ u32::from(*byte))))
}

/// A stream of messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    prelude: [u8; PRELUDE],
    /// How much of the prelude is here.
    begun: usize,
    /// Bytes to come of the headers, the payload and the checksum.
    left: [u32; 3],
    lost: bool,
}

impl Frames {
    /// Whether the stream made no sense from some point on.
    pub(super) fn lost(&self) -> bool {
        self.lost
    }

    /// Whether no message is open.
    pub(super) fn between(&self) -> bool {
        self.begun == 0
    }

    /// Gives each piece of `bytes` to `out`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        while !bytes.is_empty() && !self.lost {
            if self.begun < PRELUDE {
                bytes = self.begin(bytes);
                continue;
            }
            let payload = self.left.first() == Some(&0);
            let Some(left) = self.left.iter_mut().find(|left| **left > 0) else { return };
            let length = bytes.len().min(*left as usize);
            *left = left.saturating_sub(length as u32);
            let Some((piece, rest)) = bytes.split_at_checked(length) else { return };
            bytes = rest;
            if payload && self.left.get(2) == Some(&(TRAILER as u32)) {
                out(Piece::Data(piece));
            }
            if self.left == [0; 3] {
                self.begun = 0;
                out(Piece::End);
            }
        }
    }

    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let length = bytes.len().min(PRELUDE.saturating_sub(self.begun));
        let (piece, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        for (place, byte) in self.prelude.iter_mut().skip(self.begun).zip(piece) {
            *place = *byte;
        }
        self.begun = self.begun.saturating_add(length);
        if self.begun == PRELUDE {
            match lengths(&self.prelude) {
                Some((message, headers)) => {
                    let payload = message.saturating_sub(headers).saturating_sub((PRELUDE + TRAILER) as u32);
                    self.left = [headers, payload, TRAILER as u32];
                }
                None => self.lost = true,
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_ethernet() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
