//! Answers without the text of reasoning.
//!
//! Strings are emptied and nothing else: every block, event, index and signature stays where the SDKs expect it, and what
//! a client sends back in the next turn is still accepted.

use super::edits::{Edits, inside};
use super::{Change, Changes};
use crate::answer::place::{self, Place, Step};
use crate::json::{Reader, Token};

/// Deepest place that is looked at: the dialects need 8.
const MAX_DEPTH: usize = 12;

/// An answer, or an event, without the text of reasoning; `None` where it has none, or is no whole JSON document.
pub(super) fn silenced(document: &[u8]) -> Option<(Vec<u8>, Changes)> {
    let text = std::str::from_utf8(document).ok()?;
    let (mut reader, mut edits) = (Reader::new(text), Edits::new(text));
    enter(&mut edits, &mut reader, place::DOCUMENT, MAX_DEPTH);
    if reader.truncated() {
        return None;
    }
    edits.finish()
}

/// Looks into an object, or each object of an array.
fn enter<'a>(edits: &mut Edits<'a>, value: &mut Reader<'a>, step: Step, depth: usize) {
    let Some(depth) = depth.checked_sub(1).filter(|_| step.into != Place::Nothing) else { return };
    match value.peek() {
        Token::Array => {
            edits.walk(value, true, &mut |edits, _, value| {
                enter(edits, value, step, depth);
                None
            });
        }
        Token::Object => object(edits, value, step.into, depth),
        _ => {}
    }
}

fn object<'a>(edits: &mut Edits<'a>, value: &mut Reader<'a>, place: Place, depth: usize) {
    // What turns out to be reasoning by what stands beside it, which may come later.
    let (mut marked, mut perhaps) = (place == Place::Reasoning, Vec::new());
    edits.walk(value, false, &mut |edits, key, value| {
        match (key, value.peek()) {
            ("type", Token::String) => marked |= value.short().is_some_and(|kind| is_reasoning(&kind)),
            ("thought", Token::True) => marked = true,
            ("text" | "delta" | "summary", Token::String) => perhaps.push(inside(value)),
            ("thinking" | "reasoning_content" | "reasoning", Token::String) => {
                edits.empty(value, Change::ReasoningText);
            }
            // Mistral's, and what several have for a summary.
            ("thinking" | "summary", Token::Array) => enter(edits, value, place::REASONING, depth),
            // What a summary of Interactions grows by.
            ("content", Token::Object) if place == Place::Block => {
                edits.walk(value, false, &mut |_, key, value| {
                    if key == "text" && value.peek() == Token::String {
                        perhaps.push(inside(value));
                    }
                    None
                });
            }
            _ => enter(edits, value, place::announced(place, key.as_bytes()), depth),
        }
        None
    });
    if marked {
        perhaps.into_iter().for_each(|span| edits.empty_span(span, Change::ReasoningText));
    }
}

/// Whether an event, item, part or detail of this kind says what the model thought.
fn is_reasoning(kind: &str) -> bool {
    matches!(kind, "summary_text" | "thought_summary") || kind.as_bytes().windows(9).any(|part| part == b"reasoning")
}
