//! Answers, in pieces and whole.

use super::is_json;
use crate::{Witness, number, place};
use azeotrope_engine::answer::{Framing, Reader, Taken};
use azeotrope_engine::dialect::{Dialect, MAX_NAME, read_answer};
use azeotrope_engine::digest::BLOBS;
use azeotrope_engine::digest::key::DigestKey;

/// The same is taken however an answer is cut, and whichever way its document comes.
pub(crate) fn answer(input: &[u8], witness: &mut Witness) {
    for framing in [Framing::Json, Framing::Events, Framing::Frames] {
        let whole = taken(framing, [input]);
        assert!(whole.id.len() <= MAX_NAME && whole.blobs.len() <= BLOBS);
        assert_eq!(taken(framing, input.chunks(1)), whole, "{framing:?}");
        let (first, second) = input.split_at(place(number(input), input.len()));
        let (second, third) = second.split_at(place(number(first), second.len()));
        assert_eq!(taken(framing, [first, second, third]), whole, "{framing:?}");
        witness.see(&whole);
    }
    for dialect in Dialect::ALL {
        let answer = read_answer(dialect, input);
        assert!(answer.id.len() <= MAX_NAME);
        let blobs: usize = answer.blobs().map(str::len).sum();
        assert!(blobs <= input.len().saturating_mul(3));
        witness.see(&answer);
    }
    carried(input);
}

/// A document as it is, and as the one event of a stream.
fn carried(document: &[u8]) {
    // In frames what stands under `bytes` is an event of its own.
    let plain = !document.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\\'));
    if !plain || !document.starts_with(b"{") || document.windows(5).any(|part| part == b"bytes") || !is_json(document) {
        return;
    }
    let alone = told(taken(Framing::Json, [document]));
    let event = [b"data: ", document, b"\n\n"].concat();
    assert_eq!(told(taken(Framing::Events, [&event[..]])), alone);
    assert_eq!(told(taken(Framing::Frames, [&frame(document)[..]])), alone);
}

/// Without what depends on where the end of an answer is told.
fn told(taken: Taken) -> Taken {
    Taken { output_tokens: None, estimated: false, truncated: false, ..taken }
}

fn taken<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Taken {
    let mut reader = Reader::new(framing, DigestKey::default());
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// A message of the AWS event stream without headers.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_add(16);
    let mut message = [length.to_be_bytes(), [0; 4]].concat();
    message.extend(crc32(&message).to_be_bytes());
    message.extend_from_slice(payload);
    message.extend(crc32(&message).to_be_bytes());
    message
}

fn crc32(bytes: &[u8]) -> u32 {
    let bit = |sum: u32| if sum & 1 == 0 { sum >> 1 } else { (sum >> 1) ^ 0xEDB8_8320 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum)))
}
