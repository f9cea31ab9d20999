//! Batches: many requests in one body.

use super::draft;
use crate::json::Reader;

/// How deep the requests of a batch are: `batch.inputConfig.requests.requests[].request` in Gemini, in Messages
/// `requests[].params`, at xAI `batch_requests[].batch_request.chat_get_completion`; `requests[].body` elsewhere.
const DEPTH: u8 = 3;

/// Requests of a batch that were seen, and the bytes of the body that they were seen in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub requests: u32,
    /// Bytes.
    pub bytes: u32,
}

impl Batch {
    /// How many there are likely to be in the whole body, which has `bytes`; at least one.
    #[must_use]
    pub fn requests_in(self, bytes: u64) -> u64 {
        let seen = u64::from(self.requests).max(1);
        bytes.saturating_mul(seen).checked_div(u64::from(self.bytes)).unwrap_or(seen).max(seen)
    }
}

/// Whether a field of this name at the top of a body holds a batch, in whatever case.
pub(crate) fn is(key: &str) -> bool {
    ["requests", "batch", "batch_requests"].iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Takes each request of a batch, in the order of the document; what is none is skipped.
pub(crate) fn requests<'a>(value: &mut Reader<'a>, take: &mut dyn FnMut(&mut Reader<'a>)) {
    within(value, DEPTH, take);
}

fn within<'a>(value: &mut Reader<'a>, depth: u8, take: &mut dyn FnMut(&mut Reader<'a>)) {
    draft::each(value, |value| {
        draft::members(value, |key, value| match key {
            "request" | "params" | "body" | "chat_get_completion" => take(value),
            "inputConfig" | "input_config" | "requests" | "batch_request" if depth > 0 => {
                within(value, depth.saturating_sub(1), take);
            }
            _ => {}
        });
    });
}
