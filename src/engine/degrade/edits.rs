//! Changes to a document in place: everything that is not changed keeps its bytes and its order.

use super::{Change, Changes};
use crate::json::{Reader, Token};

/// A document and what is changed in it.
#[derive(Debug)]
pub(super) struct Edits<'a> {
    text: &'a str,
    /// First byte, one past the last, and what stands there instead; in the document's order.
    spans: Vec<(usize, usize, String)>,
    pub(super) changes: Changes,
}

/// The end of an object that was walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Where a member more can be put.
    at: usize,
    /// Whether one stands before it.
    kept: bool,
}

impl<'a> Edits<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, spans: Vec::new(), changes: Changes::default() }
    }

    /// Puts `instead` in place of a span.
    pub(super) fn replace(&mut self, from: usize, to: usize, instead: String, change: Change) {
        // Nearly always the last one.
        let at = self.spans.iter().rposition(|(before, ..)| *before <= from).map_or(0, |at| at.saturating_add(1));
        self.spans.insert(at, (from, to, instead));
        self.changes.note(change);
    }

    /// Empties a string, where the value is one.
    pub(super) fn empty(&mut self, value: &mut Reader<'a>, change: Change) {
        if value.peek() == Token::String {
            self.empty_span(inside(value), change);
        }
    }

    /// Empties what stands between the quotes of a string.
    pub(super) fn empty_span(&mut self, (from, to): (usize, usize), change: Change) {
        if from < to {
            self.replace(from, to, String::new(), change);
        }
    }

    /// Walks the members of an object, or with `array` the items of an array, and takes out those for which `keep` says
    /// `false`; `None`, taking nothing, where the value is none.
    pub(super) fn walk(
        &mut self,
        value: &mut Reader<'a>,
        array: bool,
        keep: &mut dyn FnMut(&mut Self, &str, &mut Reader<'a>) -> Option<Change>,
    ) -> Option<Tail> {
        if !if array { value.array() } else { value.object() } {
            return None;
        }
        let mut from = value.past();
        let mut tail = Tail { at: from, kept: false };
        loop {
            let key = match array {
                true => value.item().then_some("".into()),
                false => value.key(),
            };
            let Some(key) = key else { return Some(tail) };
            let change = keep(self, &key, value);
            let end = value.past();
            let Some(change) = change else {
                tail = Tail { at: end, kept: true };
                from = end;
                continue;
            };
            // With the comma before it, or, where nothing is before it, the one behind it.
            let to = if tail.kept { end } else { self.past_comma(end) };
            self.replace(from, to, String::new(), change);
            from = to;
        }
    }

    fn past_comma(&self, end: usize) -> usize {
        let rest = self.text.get(end..).unwrap_or("");
        let next = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let blank = rest.len().saturating_sub(next.len());
        if next.starts_with(',') { end.saturating_add(blank).saturating_add(1) } else { end }
    }

    /// Puts a member behind the last one that stays.
    pub(super) fn append(&mut self, tail: Tail, member: &str, change: Change) {
        let comma = if tail.kept { "," } else { "" };
        self.replace(tail.at, tail.at, [comma, member].concat(), change);
    }

    /// The document as it is now; `None` where nothing was changed.
    pub(super) fn finish(self) -> Option<(Vec<u8>, Changes)> {
        if self.spans.is_empty() {
            return None;
        }
        let (mut out, mut at) = (Vec::with_capacity(self.text.len()), 0);
        for (from, to, instead) in &self.spans {
            out.extend_from_slice(self.text.get(at..*from).unwrap_or("").as_bytes());
            out.extend_from_slice(instead.as_bytes());
            at = at.max(*to);
        }
        out.extend_from_slice(self.text.get(at..).unwrap_or("").as_bytes());
        Some((out, self.changes))
    }
}

/// Takes a string, and tells what stands between its quotes.
pub(super) fn inside(value: &mut Reader<'_>) -> (usize, usize) {
    let from = value.place().saturating_add(1);
    (from, value.past().saturating_sub(1))
}
