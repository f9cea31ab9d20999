//! How a client program is set: its sampling parameters as one digest.
//!
//! Unrelated people set their own; the accounts of one pipeline are set by one program. Says nothing alone: all users of
//! one app share its settings too.

use super::hash::Rolling;
use super::key::{DigestKey, Domain};
use crate::dialect::Params;

/// The keyed digest of a request's parameters.
#[must_use]
pub fn settings(params: &Params, digests: &DigestKey) -> u64 {
    let optional = |value: Option<u64>| value.map_or(0, |value| value.saturating_add(1));
    let signed = |value: Option<i32>| value.map_or(0, |value| u64::from(value.cast_unsigned()).saturating_add(1));
    let flags = [params.logprobs, params.logit_bias, params.stream, params.stop, params.structured, params.penalty];
    let mut rolling = Rolling::default();
    rolling.number(optional(params.max_tokens.map(u64::from)));
    rolling.number(signed(params.temperature));
    rolling.number(signed(params.top_p));
    rolling.number(optional(params.n.map(u64::from)));
    rolling.number(optional(params.thinking.map(u64::from)));
    rolling.number(flags.iter().fold(1, |bits, &flag| bits << 1 | u64::from(flag)));
    digests.digest(Domain::Settings, &rolling.finish().to_le_bytes())
}
