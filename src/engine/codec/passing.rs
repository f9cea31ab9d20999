//! `content-encoding` of a body that passes: undone piece by piece, in memory of one size (43 KiB for gzip and deflate).
//!
//! For answers. Those that come as zstd or brotli, or under several encodings, are not read.

use super::identity;
#[cfg(feature = "deflate")]
use super::inflate::member;
#[cfg(feature = "deflate")]
use miniz_oxide::{DataFormat, MZFlush, inflate::stream::InflateState, inflate::stream::inflate};

/// Longest gzip header: servers send ten bytes, and may add a file name.
#[cfg(feature = "deflate")]
const HEADER: usize = 1 << 10;
/// Bytes that are undone at a time.
#[cfg(feature = "deflate")]
const PIECE: usize = 4 << 10;

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
    Deflated(Box<InflateState>),
    /// Ended, or damaged: what follows is nothing.
    #[cfg(feature = "deflate")]
    Over,
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Passing")
    }
}

impl Passing {
    /// What undoes `encoding`, the value of `content-encoding` (empty: none); `None` for one that is not read.
    #[must_use]
    pub fn of(encoding: &[u8]) -> Option<Self> {
        let name = encoding.trim_ascii().to_ascii_lowercase();
        match name.as_slice() {
            name if identity(name) => Some(Self(Stage::Plain)),
            #[cfg(feature = "deflate")]
            b"gzip" | b"x-gzip" => Some(Self(Stage::Header(Vec::new()))),
            #[cfg(feature = "deflate")]
            b"deflate" => Some(Self(Stage::Deflated(InflateState::new_boxed(DataFormat::Zlib)))),
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
                let mut state = InflateState::new_boxed(DataFormat::Raw);
                let goes_on = undo(&mut state, stream, take);
                self.0 = if goes_on { Stage::Deflated(state) } else { Stage::Over };
            }
            #[cfg(feature = "deflate")]
            Stage::Deflated(state) => {
                if !undo(state, bytes, take) {
                    self.0 = Stage::Over;
                }
            }
            #[cfg(feature = "deflate")]
            Stage::Over => {}
        }
    }
}

/// Undoes one piece; whether more may follow.
#[cfg(feature = "deflate")]
fn undo(state: &mut InflateState, mut bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> bool {
    let mut piece = [0; PIECE];
    loop {
        let done = inflate(state, bytes, &mut piece, MZFlush::None);
        take(piece.get(..done.bytes_written).unwrap_or_default());
        bytes = bytes.get(done.bytes_consumed..).unwrap_or_default();
        match done.status {
            Ok(miniz_oxide::MZStatus::Ok) if done.bytes_written == PIECE || !bytes.is_empty() => {
                if done.bytes_written == 0 && done.bytes_consumed == 0 {
                    return false;
                }
            }
            Ok(miniz_oxide::MZStatus::Ok) | Err(miniz_oxide::MZError::Buf) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
#[cfg(feature = "deflate")]
mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    fn undone(encoding: &[u8], body: &[u8], size: usize) -> Vec<u8> {
        let (mut passing, mut out) = (Passing::of(encoding).expect("an encoding that is read"), Vec::new());
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
        let mut passing = Passing::of(b"gzip").unwrap();
        endless.chunks(64).for_each(|piece| passing.push(piece, &mut |_| panic!("nothing stands there")));
        assert!(matches!(passing.0, Stage::Over));
    }

    #[test]
    fn encodings_that_are_not_read_are_told() {
        for encoding in [&b"br"[..], b"zstd", b"gzip, gzip"] {
            assert!(Passing::of(encoding).is_none());
        }
    }
}
