//! Content encodings, undone whole and as a body passes.

use crate::{Witness, number, place};
use azeotrope_engine::codec::{self, Decoded, Encoding, Passing};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use ruzstd::encoding::{CompressionLevel, compress_to_vec as zstd};

/// Values of `content-encoding`.
const NAMES: [&str; 6] = ["gzip", "deflate", "zstd", "identity", "gzip, deflate", "br"];
/// Limits, ascending.
const LIMITS: [usize; 3] = [64, 4_096, 65_536];
/// Bytes that a passing body is followed for: it has no limit of its own, its reader keeps nothing.
const FOLLOWED: usize = 1 << 20;

fn decode<'a>(name: &str, body: &'a [u8], limit: usize) -> Decoded<'a> {
    codec::decode(Encoding::of([name.as_bytes()]), body, limit)
}

/// Any bytes under any name: bounded, the same up to each limit, the same however they come.
pub(crate) fn encoding(input: &[u8], witness: &mut Witness) {
    for name in NAMES {
        let mut before: Option<Vec<u8>> = None;
        for limit in LIMITS {
            let Decoded::Body { bytes, truncated } = decode(name, input, limit) else { break };
            let as_it_is = &*bytes == input;
            assert!(bytes.len() <= limit || as_it_is, "{name}: {} of {limit}", bytes.len());
            assert!(before.as_ref().is_none_or(|before| bytes.starts_with(before) || as_it_is), "{name} at {limit}");
            witness.see(&(name, limit, &bytes, truncated));
            if !as_it_is {
                witness.note_taken();
            }
            before = (!as_it_is).then(|| bytes.into_owned());
        }
        passing(name, input, before.as_deref(), witness);
    }
    packed(input);
}

/// As the body passes, and what was undone of the whole.
fn passing(name: &str, input: &[u8], whole: Option<&[u8]>, witness: &mut Witness) {
    let Some(passed) = passed(name, [input]) else { return };
    let (first, second) = input.split_at(place(number(input), input.len()));
    // Where a stream is damaged the last bytes before that are lost or not, by how it came; a whole one is looked at in [`packed`].
    let follows = |pieces: Option<Vec<u8>>| pieces.is_some_and(|of| of.starts_with(&passed) || passed.starts_with(&of));
    assert!(follows(self::passed(name, [first, second])), "{name}");
    assert!(follows(self::passed(name, input.chunks(1))), "{name}");
    witness.see(&passed);
    // Passing, a body's first member is read; whole, all of them, up to a limit. Bare deflate is read whole only.
    if let Some(whole) = whole.filter(|_| name == "gzip") {
        assert!(whole.starts_with(&passed) || passed.starts_with(whole), "{name}");
    }
}

fn passed<'a>(name: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let (mut passing, mut out) = (Passing::of(Encoding::of([name.as_bytes()]))?, Vec::new());
    for piece in pieces {
        passing.push(piece, &mut |bytes| {
            let room = FOLLOWED.saturating_sub(out.len()).min(bytes.len());
            out.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        });
    }
    Some(out)
}

/// What is packed is what is unpacked.
fn packed(text: &[u8]) {
    let head = b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec();
    let gzip = [head, compress_to_vec(text, 1), vec![0; 8]].concat();
    let bodies =
        [("gzip", gzip), ("deflate", compress_to_vec_zlib(text, 1)), ("zstd", zstd(text, CompressionLevel::Fastest))];
    for (name, body) in bodies {
        let Decoded::Body { bytes, truncated } = decode(name, &body, text.len()) else {
            assert_eq!(name, "", "is undone");
            return;
        };
        assert!(!truncated && *bytes == *text, "{name}");
        if let Some(passed) = passed(name, body.chunks(7)) {
            assert!(passed == text, "{name}");
        }
    }
}
