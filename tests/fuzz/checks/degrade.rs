//! Degradation: what is changed, and that nothing else is.

use super::{enforcing, is_json, route};
use crate::{Witness, number, place};
use azeotrope_engine::answer::{Framing, Reader, Taken};
use azeotrope_engine::degrade::{self, MAX_HELD, Rewriter};
use azeotrope_engine::dialect::{self, Dialect, Prompt};
use azeotrope_engine::digest::key::DigestKey;
use azeotrope_engine::time::Timestamp;

/// What an edit may add: a limit where there was none.
const ADDED: usize = 64;

/// A degraded request is JSON where the request was, asks for no more than is allowed, and says the same.
pub(crate) fn request(input: &[u8], witness: &mut Witness) {
    let engine = enforcing();
    let limits = &engine.config().rules.document.degrade;
    for dialect in Dialect::ALL {
        let route = route(dialect);
        let Some(degraded) = engine.degraded(&route, input, Timestamp(1)) else { continue };
        witness.see(&degraded);
        assert!(!degraded.changes.is_empty());
        let edits = degraded.changes.names().count();
        assert!(degraded.body.len() <= input.len().saturating_mul(2).saturating_add(ADDED.saturating_mul(edits)));
        // What is no JSON is forgiven more or less, by us and by upstreams.
        if !is_json(input) {
            continue;
        }
        assert!(is_json(&degraded.body), "{dialect:?} {}", String::from_utf8_lossy(&degraded.body));
        let (before, after) = (dialect::read(&route, input), dialect::read(&route, &degraded.body));
        let texts = |prompt: &Prompt<'_>| -> Vec<String> {
            prompt.parts.iter().map(|part| prompt.text(part.span).into_owned()).collect()
        };
        assert_eq!(texts(&before), texts(&after), "{dialect:?}");
        assert!(!after.params.logprobs && after.params.n.is_none_or(|n| n <= 1), "{:?}", after.params);
        let most = limits.max_tokens.saturating_add(limits.thinking_tokens);
        assert!(after.params.max_tokens.is_none_or(|tokens| tokens <= most), "{:?}", after.params);
        // Once is enough.
        let again = degrade::request(dialect, &degraded.body, limits);
        assert_eq!(again, None, "{dialect:?} {}", String::from_utf8_lossy(&degraded.body));
    }
}

/// A degraded answer is the same however it is cut, JSON where it was, and tells its reader what it told before.
pub(crate) fn answer(input: &[u8], witness: &mut Witness) {
    for framing in [Framing::Json, Framing::Events, Framing::Frames] {
        let (whole, rewriter) = rewritten(framing, MAX_HELD, [input]);
        witness.see(&(&whole, rewriter.changes(), rewriter.untouched()));
        let (first, second) = input.split_at(place(number(input), input.len()));
        assert_eq!(rewritten(framing, MAX_HELD, [first, second]).0, whole, "{framing:?}");
        assert_eq!(rewritten(framing, MAX_HELD, input.chunks(1)).0, whole, "{framing:?}");
        if rewriter.changes().is_empty() {
            assert_eq!(whole, input, "{framing:?}");
        }
        if framing == Framing::Json && is_json(input) {
            assert!(is_json(&whole), "{}", String::from_utf8_lossy(&whole));
        }
        assert_eq!(told(taken(framing, input)), told(taken(framing, &whole)), "{framing:?}");
        // What is too long passes; nothing is lost.
        let (short, rewriter) = rewritten(framing, 48, input.chunks(5));
        assert!(!rewriter.changes().is_empty() || short == input, "{framing:?}");
    }
}

fn rewritten<'a>(framing: Framing, most: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Rewriter) {
    let (mut rewriter, mut out) = (Rewriter::new(framing, most), Vec::new());
    pieces.into_iter().for_each(|piece| rewriter.push(piece, &mut out));
    rewriter.finish(&mut out);
    (out, rewriter)
}

fn taken(framing: Framing, answer: &[u8]) -> Taken {
    let mut reader = Reader::new(framing, DigestKey::default());
    reader.push(answer);
    reader.finish()
}

/// Without what is estimated from the length of the text, or may be: of an answer that was cut.
fn told(taken: Taken) -> Taken {
    let output_tokens = taken.output_tokens.filter(|_| !taken.estimated && !taken.truncated);
    Taken { output_tokens, estimated: false, ..taken }
}
