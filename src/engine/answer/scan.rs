//! A push reader for JSON: fed in pieces of any size, it keeps where it is and no document.
//!
//! Its memory is fixed: the places that it is in (a few, as [`super::place`] knows them), a count of brackets for what
//! it skips, and [`MAX_HELD`] bytes of a key or short value. So an event, or an answer, may be of any size.

use super::place::{self, Place, Step, Take};
use super::taken::{MAX_HELD, Taking};
use super::text::Text;
use crate::base64;
use crate::dialect::Finish;

/// Most containers that are entered: what the dialects need, twice.
const MAX_OPEN: usize = 24;
/// Base64 digits that are undone at a time; a multiple of 4.
const DIGITS: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a value, a key or a bracket.
    Between,
    Key,
    String,
    /// Within a number or a word.
    Word,
    /// The document is over, or none from here on.
    Over,
}

/// Whether a byte may be in a number or a word.
fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// A JSON document, or one after the other, in pieces.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    /// What is open and matters: the step of its items or of itself, and whether it is an array.
    open: Vec<(Step, bool)>,
    /// How many brackets are open of what does not matter.
    skipped: u32,
    /// What the value that comes next is.
    step: Step,
    /// The next string is a key.
    key: bool,
    text: Text,
    held: Vec<u8>,
    begun: bool,
    whole: bool,
    /// Reads the events that these events carry.
    carried: Option<Box<Self>>,
}

impl Scanner {
    /// `carries`: strings named `bytes` hold the events that matter, as in Bedrock's InvokeModelWithResponseStream.
    pub(super) fn new(carries: bool) -> Self {
        Self {
            state: State::Between,
            open: Vec::new(),
            skipped: 0,
            step: place::DOCUMENT,
            key: false,
            text: Text::default(),
            held: Vec::new(),
            begun: false,
            whole: false,
            carried: carries.then(|| Box::new(Self::new(false))),
        }
    }

    /// Whether the document is over.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// Ends the document; what follows is another one. `false` where it had begun and was not whole.
    pub(super) fn restart(&mut self) -> bool {
        let fine = self.whole || !self.begun;
        self.state = State::Between;
        self.open.clear();
        self.skipped = 0;
        self.step = place::DOCUMENT;
        self.key = false;
        self.begun = false;
        self.whole = false;
        fine
    }

    /// Goes on with `bytes`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut Taking) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.state {
                State::Over => return,
                State::Between => {
                    if !self.between(byte) {
                        continue;
                    }
                    rest
                }
                State::Word => {
                    let end = bytes.iter().position(|byte| !of_word(*byte));
                    let (word, rest) = bytes.split_at_checked(end.unwrap_or(bytes.len())).unwrap_or((bytes, &[]));
                    self.hold(word);
                    if end.is_some() {
                        self.end_of_word(out);
                    }
                    rest
                }
                State::Key | State::String => match self.string(bytes, out) {
                    Some(rest) => {
                        self.end_of_string(out);
                        rest
                    }
                    None => return,
                },
            };
        }
    }

    /// Takes a byte between values; `false` where it is the first of a word, and not taken.
    fn between(&mut self, byte: u8) -> bool {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => return true,
            // A byte-order mark.
            0xEF | 0xBB | 0xBF if !self.begun => return true,
            b'"' => {
                self.text = Text::default();
                self.held.clear();
                self.state = if self.key && self.skipped == 0 { State::Key } else { State::String };
            }
            b'{' | b'[' => self.enter(byte == b'['),
            b'}' | b']' => self.leave(),
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' => {
                self.held.clear();
                self.state = State::Word;
                self.begun = true;
                return false;
            }
            _ => self.state = State::Over,
        }
        self.begun = true;
        true
    }

    fn enter(&mut self, array: bool) {
        let nested = array && self.open.last().is_some_and(|(_, array)| *array);
        let known = array || self.step.into != Place::Nothing;
        if self.skipped > 0 || !known || nested || self.open.len() >= MAX_OPEN {
            self.skipped = self.skipped.saturating_add(1);
        } else {
            self.open.push((self.step, array));
            self.key = !array;
        }
    }

    fn leave(&mut self) {
        if self.skipped > 0 {
            self.skipped = self.skipped.saturating_sub(1);
        } else {
            self.open.pop();
        }
        if self.skipped == 0 {
            self.next();
        }
    }

    /// A value is over: what comes next is a key, an item, or nothing.
    fn next(&mut self) {
        self.state = State::Between;
        match self.open.last() {
            Some((step, true)) => (self.step, self.key) = (*step, false),
            Some((_, false)) => (self.step, self.key) = (place::NOTHING, true),
            None => (self.state, self.whole) = (State::Over, true),
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = MAX_HELD.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// What becomes of a string here.
    fn take(&self) -> Take {
        if self.skipped > 0 { Take::Nothing } else { self.step.take }
    }

    fn string<'b>(&mut self, bytes: &'b [u8], out: &mut Taking) -> Option<&'b [u8]> {
        let (mut text, key, take) = (self.text, self.state == State::Key, self.take());
        let rest = text.feed(bytes, &mut |piece| match take {
            Take::Event if !key && self.carried.is_some() => self.carry(piece, out),
            _ if key || !out.piece(take, piece) => self.hold(piece),
            _ => {}
        });
        self.text = text;
        rest
    }

    fn end_of_string(&mut self, out: &mut Taking) {
        if self.state == State::Key {
            let place = self.open.last().map_or(Place::Nothing, |(step, _)| step.into);
            self.step = place::announced(place, &self.held);
            if place == Place::Part && self.step.into == Place::Call {
                out.taken.note(Finish::ToolUse);
            }
            (self.state, self.key) = (State::Between, false);
            return;
        }
        let take = self.take();
        if take == Take::Event && self.carried.is_some() {
            self.undo(out);
            let fine = self.carried.as_mut().is_none_or(|carried| carried.restart());
            out.taken.unread = out.taken.unread.saturating_add(u32::from(!fine));
        } else {
            out.value(take, &self.held, true);
        }
        self.end_of_value();
    }

    fn end_of_word(&mut self, out: &mut Taking) {
        out.value(self.take(), &self.held, false);
        self.end_of_value();
    }

    fn end_of_value(&mut self) {
        self.state = State::Between;
        if self.skipped == 0 {
            self.next();
        }
    }

    /// Takes digits of base64, to be undone by the block: how they were split must not matter.
    fn carry(&mut self, mut digits: &[u8], out: &mut Taking) {
        while !digits.is_empty() {
            let room = DIGITS.saturating_sub(self.held.len()).min(digits.len());
            let Some((piece, rest)) = digits.split_at_checked(room) else { return };
            self.held.extend_from_slice(piece);
            digits = rest;
            if self.held.len() >= DIGITS {
                self.undo(out);
            }
        }
    }

    /// Reads on in the event that is carried.
    fn undo(&mut self, out: &mut Taking) {
        let Some(carried) = &mut self.carried else { return };
        let mut bytes = Vec::with_capacity(DIGITS);
        base64::decode(&self.held, &mut bytes);
        carried.feed(&bytes, out);
        self.held.clear();
    }

    /// Bytes that are allocated.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let carried = self.carried.as_ref().map_or(0, |carried| carried.held());
        carried + self.held.capacity() + self.open.capacity() * size_of::<(Step, bool)>()
    }
}
