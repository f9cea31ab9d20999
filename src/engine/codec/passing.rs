//! `content-encoding` of a body that passes: undone piece by piece, in memory of one size (43 KiB for gzip and deflate).
//!
//! For answers. Those that come as zstd or brotli, or under several encodings, are not read.

use super::Encoding;
#[cfg(feature = "deflate")]
use super::{inflate::member, work::Work};
#[cfg(feature = "deflate")]
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags::*},
};

/// Longest gzip header: servers send ten bytes, and may add a file name.
#[cfg(feature = "deflate")]
const HEADER: usize = 1 << 10;
/// How far back what comes may refer.
#[cfg(feature = "deflate")]
const WINDOW: usize = 32 << 10;

/// A body that passes.
pub struct Passing(Stage);

/// Bytes that undoing an encoding takes: what has come of the text refers 32 KiB back.
const STATE: usize = 44 << 10;

enum Stage {
    /// Without encoding.
    Plain,
    /// A gzip header, as far as it has come.
    #[cfg(feature = "deflate")]
    Header(Vec<u8>),
    /// Deflated.
    #[cfg(feature = "deflate")]
    Deflated(Deflated),
    /// Ended, damaged, or more work than it is worth: what follows is nothing.
    #[cfg(feature = "deflate")]
    Over,
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Passing")
    }
}

impl Passing {
    /// What undoes `encoding`; `None` for one that is not read.
    #[must_use]
    pub fn of(encoding: Encoding) -> Option<Self> {
        match encoding {
            Encoding::Plain => Some(Self(Stage::Plain)),
            #[cfg(feature = "deflate")]
            Encoding::Gzip => Some(Self(Stage::Header(Vec::new()))),
            #[cfg(feature = "deflate")]
            Encoding::Deflate => Some(Self(Stage::Deflated(Deflated::new(TINFL_FLAG_PARSE_ZLIB_HEADER)))),
            _ => None,
        }
    }

    /// Whether there is nothing to undo.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Stage::Plain)
    }

    /// Bytes that it occupies.
    #[must_use]
    pub fn occupies(&self) -> usize {
        if self.is_plain() { 0 } else { STATE }
    }

    /// Takes the next bytes; gives `take` what they stand for.
    pub fn push(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) {
        match &mut self.0 {
            Stage::Plain => take(bytes),
            #[cfg(feature = "deflate")]
            Stage::Header(header) => {
                header.extend_from_slice(bytes);
                let Some(stream) = member(header) else {
                    if header.len() > HEADER {
                        self.0 = Stage::Over;
                    }
                    return;
                };
                let mut deflated = Deflated::new(0);
                let goes_on = deflated.undo(stream, take);
                self.0 = if goes_on { Stage::Deflated(deflated) } else { Stage::Over };
            }
            #[cfg(feature = "deflate")]
            Stage::Deflated(deflated) => {
                if !deflated.undo(bytes, take) {
                    self.0 = Stage::Over;
                }
            }
            #[cfg(feature = "deflate")]
            Stage::Over => {}
        }
    }
}

/// A deflated body, as far as it has come.
#[cfg(feature = "deflate")]
struct Deflated {
    state: Box<DecompressorOxide>,
    /// The text before, and where in it more is written.
    window: Vec<u8>,
    at: usize,
    flags: u32,
    work: Work,
}

#[cfg(feature = "deflate")]
impl Deflated {
    fn new(flags: u32) -> Self {
        let flags = flags | TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_IGNORE_ADLER32 | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
        Self { state: Box::default(), window: vec![0; WINDOW], at: 0, flags, work: Work::of_answer() }
    }

    /// Undoes one piece; whether more may follow.
    fn undo(&mut self, mut bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> bool {
        loop {
            let (status, read, wrote) = decompress(&mut self.state, bytes, &mut self.window, self.at, self.flags);
            let end = self.at.saturating_add(wrote);
            take(self.window.get(self.at..end).unwrap_or_default());
            self.at = end % WINDOW;
            bytes = bytes.get(read..).unwrap_or_default();
            let goes_on = self.work.goes_on(wrote, status == TINFLStatus::BlockBoundary);
            match status {
                TINFLStatus::HasMoreOutput | TINFLStatus::BlockBoundary if goes_on => {}
                status => return status == TINFLStatus::NeedsMoreInput,
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "deflate")]
mod tests {
    use super::super::tests::flushed;
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    fn undone(encoding: &[u8], body: &[u8], size: usize) -> Vec<u8> {
        let (mut passing, mut out) =
            (Passing::of(Encoding::of([encoding])).expect("an encoding that is read"), Vec::new());
        body.chunks(size.max(1)).for_each(|piece| passing.push(piece, &mut |bytes| out.extend_from_slice(bytes)));
        out
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let name = b"\x1F\x8B\x08\x08\0\0\0\0\0\x03answer.json\0".to_vec();
        [name, compress_to_vec(text, 6), vec![0; 8]].concat()
    }

    #[test]
    fn whatever_the_pieces_the_body_is_the_same() {
        let text = "data: {\"usage\": {\"output_tokens\": 7}}\n\n".repeat(500).into_bytes();
        for size in [1, 2, 7, 100, 4096, 1 << 20] {
            assert_eq!(undone(b"gzip", &gzip(&text), size), text, "{size}");
            assert_eq!(undone(b"Deflate", &compress_to_vec_zlib(&text, 6), size), text, "{size}");
            assert_eq!(undone(b"", &text, size), text, "{size}");
            assert_eq!(undone(b"identity", &text, size), text, "{size}");
        }
    }

    #[test]
    fn a_body_that_is_cut_gives_what_came() {
        let text = b"The quick brown fox jumps over the lazy dog. ".repeat(2000);
        let body = gzip(&text);
        let half = undone(b"gzip", &body[..body.len() / 2], 64);
        assert!(!half.is_empty() && text.starts_with(&half), "{}", half.len());
    }

    #[test]
    fn damage_and_endless_headers_end_it() {
        assert_eq!(undone(b"gzip", &[0x41; 4096], 16), b"");
        let endless = [b"\x1F\x8B\x08\x08\0\0\0\0\0\x03".to_vec(), vec![b'a'; 1 << 16]].concat();
        let mut passing = Passing::of(Encoding::Gzip).unwrap();
        endless.chunks(64).for_each(|piece| passing.push(piece, &mut |_| panic!("nothing stands there")));
        assert!(matches!(passing.0, Stage::Over));
    }

    #[test]
    fn blocks_that_hold_nothing_end_it_and_those_of_a_stream_do_not() {
        let empty = |count: usize| [0, 0, 0, 0xFF, 0xFF].repeat(count);
        let gzip = |deflated: &[u8]| [b"\x1F\x8B\x08\0\0\0\0\0\0\0", deflated].concat();
        // Each event is flushed: two blocks.
        let events =
            "event: ping\ndata: {\"type\": \"ping\", \"of\": \"a stream of many\"}\n\n".repeat(9_000).into_bytes();
        let stream = flushed(&events, 64);
        assert!(undone(b"gzip", &gzip(&stream), 1 << 14) == events);
        assert!(undone(b"gzip", &gzip(&[empty(60), stream.clone()].concat()), 1 << 14) == events);
        assert_eq!(undone(b"gzip", &gzip(&[empty(70), stream.clone()].concat()), 1 << 14), b"");
        // However much it has given before.
        let half = &flushed(&events, 1 << 16);
        let begun = half.len() / 2;
        let (mut passing, mut given) = (Passing::of(Encoding::Gzip).unwrap(), 0);
        for piece in [&gzip(&half[..begun])[..], &empty(2_000)] {
            passing.push(piece, &mut |bytes| given += bytes.len());
        }
        assert!(given > 1 << 15 && matches!(passing.0, Stage::Over));
    }

    #[test]
    fn encodings_that_are_not_read_are_told() {
        for encoding in [&b"br"[..], b"zstd", b"gzip, gzip"] {
            assert!(Passing::of(Encoding::of([encoding])).is_none());
        }
    }
}
