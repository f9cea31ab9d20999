//! Zstandard (RFC 8878).
//!
//! A frame says how much memory its decoder shall set aside, and a hostile one says much. Only the first `max_out` bytes
//! are wanted and no match can reach back further than they do, so each frame gets a header of our own with a window of
//! that size. Blocks are handed over whole, one by one: what came before a cut or a corrupt block stays.

use super::Output;
use super::work::Work;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read;

/// Most frames of a body, skippable ones included; real clients send one.
const MAX_FRAMES: usize = 64;

/// Smallest window given: a block has up to 128 KiB.
const MIN_WINDOW: usize = 128 * 1_024;

/// An empty raw block that ends a frame.
const LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// Undoes zstd.
pub(super) fn zstd(body: &[u8], max_out: usize) -> Output {
    let mut out = Vec::new();
    let mut rest = body;
    let mut work = Work::of_body();
    // How much text there is so far the decoder does not tell.
    work.goes_on(max_out, false);
    for _ in 0..MAX_FRAMES {
        if rest.is_empty() {
            return (out, body.is_empty());
        }
        let next = match skippable(rest) {
            Some(skipped) => skipped,
            None => frame(rest, &mut out, max_out, &mut work),
        };
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    (out, true)
}

/// What follows a skippable frame: `None` where this is none, `Some(None)` where it is cut.
fn skippable(body: &[u8]) -> Option<Option<&[u8]>> {
    let [0x50..=0x5F, 0x2A, 0x4D, 0x18, a, b, c, d, rest @ ..] = body else {
        return None;
    };
    Some(usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok().and_then(|size| rest.get(size..)))
}

/// Appends a frame's content; what follows the frame, or `None` where this is no frame or only its beginning was taken.
fn frame<'a>(body: &'a [u8], out: &mut Vec<u8>, max_out: usize, work: &mut Work) -> Option<&'a [u8]> {
    let (blocks, checksum) = header(body)?;
    let room = max_out.checked_sub(out.len())?;
    let mut decoder = FrameDecoder::new();
    decoder.init(own_header(room).as_slice()).ok()?;
    let mut rest = Some(blocks);
    while let Some((block, after, last)) = rest.and_then(next_block) {
        // More can be collected than the window keeps: the limit is reached.
        if !work.goes_on(0, true)
            || decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)).is_err()
            || decoder.can_collect() > 0 && !last
        {
            rest = None;
        } else {
            rest = Some(after);
        }
        if last {
            break;
        }
    }
    let whole = decoder.is_finished();
    if !whole {
        decoder.decode_blocks(LAST_BLOCK.as_slice(), BlockDecodingStrategy::UptoBlocks(1)).ok();
    }
    let fits = collect(&mut decoder, out, max_out);
    if whole && fits { rest?.get(if checksum { 4 } else { 0 }..) } else { None }
}

/// Takes what is decoded, up to the limit; whether that was all.
fn collect(decoder: &mut FrameDecoder, out: &mut Vec<u8>, max_out: usize) -> bool {
    let start = out.len();
    let size = decoder.can_collect().min(max_out.saturating_sub(start));
    out.resize(start.saturating_add(size), 0);
    let mut filled = start;
    while let Some(space) = out.get_mut(filled..).filter(|space| !space.is_empty()) {
        match decoder.read(space) {
            Ok(read) if read > 0 => filled = filled.saturating_add(read),
            _ => break,
        }
    }
    out.truncate(filled);
    decoder.can_collect() == 0
}

/// The blocks of a frame and whether a checksum follows them; `None` where this is no frame, or wants a dictionary.
fn header(body: &[u8]) -> Option<(&[u8], bool)> {
    let [0x28, 0xB5, 0x2F, 0xFD, descriptor, rest @ ..] = body else {
        return None;
    };
    let single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!single_segment);
    let dictionary = [0usize, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
    let content_size = match descriptor >> 6 {
        0 => usize::from(single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let (fields, blocks) = rest.split_at_checked(dictionary.checked_add(window)?.checked_add(content_size)?)?;
    let ids = fields.get(window..)?.get(..dictionary)?;
    ids.iter().all(|byte| *byte == 0).then_some((blocks, descriptor & 4 != 0))
}

/// A frame header without checksum, dictionary and content size, and with a window of at least `room` bytes.
fn own_header(room: usize) -> [u8; 6] {
    let window = room.max(MIN_WINDOW).checked_next_power_of_two().unwrap_or(MIN_WINDOW);
    let exponent = u8::try_from(window.trailing_zeros().saturating_sub(10).min(31)).unwrap_or(0);
    [0x28, 0xB5, 0x2F, 0xFD, 0, exponent.wrapping_shl(3)]
}

/// A whole block with its header, what follows it, and whether it is the frame's last.
fn next_block(rest: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let [a, b, c, ..] = rest else {
        return None;
    };
    let header = u32::from_le_bytes([*a, *b, *c, 0]);
    let size = usize::try_from(header >> 3).ok()?;
    let content = match (header >> 1) & 3 {
        0 | 2 => size,
        1 => 1,
        _ => return None,
    };
    let (block, after) = rest.split_at_checked(content.checked_add(3)?)?;
    Some((block, after, header & 1 != 0))
}
