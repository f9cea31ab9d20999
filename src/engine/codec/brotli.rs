//! Brotli (RFC 7932), without the large-window extension: a window has 16 MiB at most.

use super::Output;
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// Bytes written at a time.
const STEP: usize = 16 * 1_024;

/// Undoes brotli.
pub(super) fn brotli(body: &[u8], max_out: usize) -> Output {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut out = Vec::new();
    let (mut left, mut used, mut filled, mut total) = (body.len(), 0usize, 0usize, 0usize);
    loop {
        // One byte over the limit tells a body that just fits from one that does not.
        let size = filled.saturating_add(STEP).min(max_out.saturating_add(1));
        out.resize(size, 0);
        let mut room = size.saturating_sub(filled);
        let result = BrotliDecompressStream(
            &mut left,
            &mut used,
            body,
            &mut room,
            &mut filled,
            &mut out,
            &mut total,
            &mut state,
        );
        let more = matches!(result, BrotliResult::NeedsMoreOutput) && filled <= max_out;
        if !more {
            let whole = matches!(result, BrotliResult::ResultSuccess) && filled <= max_out;
            out.truncate(filled.min(max_out));
            return (out, !whole);
        }
    }
}
