//! Batches: many requests in one body.

use super::draft;
use crate::json::Reader;

/// How deep the requests of a batch are: `batch.inputConfig.requests.requests[].request` in Gemini, in Messages
/// `requests[].params`.
const DEPTH: u8 = 3;

/// Whether a field of this name at the top of a body holds a batch, in whatever case.
pub(crate) fn is(key: &str) -> bool {
    ["requests", "batch"].iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Takes each request of a batch, in the order of the document; what is none is skipped.
pub(crate) fn requests<'a>(value: &mut Reader<'a>, take: &mut dyn FnMut(&mut Reader<'a>)) {
    within(value, DEPTH, take);
}

fn within<'a>(value: &mut Reader<'a>, depth: u8, take: &mut dyn FnMut(&mut Reader<'a>)) {
    draft::each(value, |value| {
        draft::members(value, |key, value| match key {
            "request" | "params" => take(value),
            "inputConfig" | "input_config" | "requests" if depth > 0 => within(value, depth.saturating_sub(1), take),
            _ => {}
        });
    });
}
