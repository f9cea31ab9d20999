//! gzip (RFC 1952) and deflate, which on the web is zlib (RFC 1950) and now and then the bare format (RFC 1951).
//! Checksums are not verified: the upstream does that.

use super::Output;
use super::work::Work;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// First guess at how far a body expands: JSON of prompts compresses to a third or less.
const EXPANSION: usize = 4;

/// Undoes gzip: all members, as servers read them; each has a block at least.
pub(super) fn gzip(body: &[u8], max_out: usize) -> Output {
    let mut inflater = Inflater::new(body.len(), max_out);
    let mut rest = body;
    while let Some(stream) = member(rest) {
        match inflater.run(stream, 0) {
            // CRC and length stand after each member.
            Some(used) => rest = stream.get(used.saturating_add(8)..).unwrap_or(&[]),
            None => return inflater.cut(),
        }
        // What follows the last member and is none is padding.
        if !rest.starts_with(b"\x1F\x8B") {
            return inflater.whole();
        }
    }
    inflater.cut()
}

/// Undoes deflate, with or without zlib's header.
pub(super) fn deflate(body: &[u8], max_out: usize) -> Output {
    let zlib = matches!(body, [cmf, flg, ..] if cmf & 0x0F == 8 && u16::from_be_bytes([*cmf, *flg]) % 31 == 0);
    let mut inflater = Inflater::new(body.len(), max_out);
    let flags = if zlib { TINFL_FLAG_PARSE_ZLIB_HEADER } else { 0 };
    if inflater.run(body, flags).is_some() {
        return inflater.whole();
    }
    if zlib && inflater.filled == 0 {
        return match inflater.run(body, 0) {
            Some(_) => inflater.whole(),
            None => inflater.cut(),
        };
    }
    inflater.cut()
}

/// The deflate stream of a gzip member; `None` where the header is none or cut.
pub(super) fn member(body: &[u8]) -> Option<&[u8]> {
    let [0x1F, 0x8B, 8, flags, _, _, _, _, _, _, rest @ ..] = body else {
        return None;
    };
    let mut rest = rest;
    if flags & 4 != 0 {
        let [low, high, extra @ ..] = rest else {
            return None;
        };
        rest = extra.get(usize::from(u16::from_le_bytes([*low, *high]))..)?;
    }
    // File name and comment, each ended by a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = rest.get(rest.iter().position(|byte| *byte == 0)?.checked_add(1)?..)?;
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// Inflates into a buffer that grows to its limit and no further.
struct Inflater {
    state: Box<DecompressorOxide>,
    out: Vec<u8>,
    filled: usize,
    max_out: usize,
    work: Work,
}

impl Inflater {
    fn new(body: usize, max_out: usize) -> Self {
        let guess = body.saturating_mul(EXPANSION).clamp(1_024, max_out.max(1_024));
        Self { state: Box::default(), out: vec![0; guess], filled: 0, max_out, work: Work::of_body() }
    }

    /// Inflates one stream behind what is there; how many bytes it took, or `None` where it has no end or a limit was
    /// reached before.
    fn run(&mut self, stream: &[u8], flags: u32) -> Option<usize> {
        // Without the flag for more input, a stream that is cut would be read on as if zeros followed.
        let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_HAS_MORE_INPUT;
        let flags = flags | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        let first = self.filled;
        self.state.init();
        let mut used = 0usize;
        loop {
            // A match may not reach into the member before.
            let (Some(input), Some(out)) = (stream.get(used..), self.out.get_mut(first..)) else {
                return None;
            };
            let at = self.filled.saturating_sub(first);
            let (status, read, wrote) = decompress(&mut self.state, input, out, at, flags);
            used = used.saturating_add(read);
            self.filled = self.filled.saturating_add(wrote);
            if !self.work.goes_on(wrote, matches!(status, TINFLStatus::BlockBoundary | TINFLStatus::Done)) {
                return None;
            }
            match status {
                TINFLStatus::Done => return Some(used),
                TINFLStatus::BlockBoundary => {}
                TINFLStatus::HasMoreOutput if self.filled <= self.max_out => {
                    // One byte over the limit tells a body that just fits from one that does not.
                    let size = self.out.len().saturating_mul(2).min(self.max_out.saturating_add(1));
                    if size <= self.out.len() {
                        return None;
                    }
                    self.out.resize(size, 0);
                }
                _ => return None,
            }
        }
    }

    fn whole(self) -> Output {
        let over = self.filled > self.max_out;
        let (bytes, _) = self.cut();
        (bytes, over)
    }

    fn cut(mut self) -> Output {
        self.out.truncate(self.filled.min(self.max_out));
        (self.out, true)
    }
}
