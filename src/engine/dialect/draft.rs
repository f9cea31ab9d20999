//! A prompt in the making: where every dialect writes, and where the bounds are kept.

use super::{Kind, Part, Prompt, Role, Span};
use crate::json::{Reader, Token};
use std::borrow::Cow;
use std::ops::Range;

/// Most parts kept of a request. A long agent session has some hundreds; 2,048 parts are 32 KiB of memory.
pub const MAX_PARTS: usize = 2_048;

/// Most messages counted of a request: beyond what a context window takes of real ones.
pub const MAX_TURNS: u16 = 4_096;

/// Most bytes kept of a model's name, and of an earlier answer's id. Bedrock's inference-profile ARNs, the longest in
/// use, stay just below.
pub const MAX_NAME: usize = 128;

/// A prompt in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) prompt: Prompt<'static>,
    /// Only blobs are wanted: an answer is being read.
    pub(super) blobs: Option<Vec<String>>,
    turn: u16,
}

impl Draft {
    /// Starts the next message of the list; `false` where no more are counted.
    pub(super) fn next_turn(&mut self) -> bool {
        if self.prompt.turns >= MAX_TURNS {
            self.prompt.truncated = true;
            return false;
        }
        self.turn = self.prompt.turns;
        self.prompt.turns = self.prompt.turns.saturating_add(1);
        true
    }

    /// What follows stands outside the list of messages.
    pub(super) fn outside(&mut self) {
        self.turn = 0;
    }

    /// Takes the instructions that stand outside the list of messages.
    pub(super) fn instructions(&mut self, take: impl FnOnce(&mut Self)) {
        self.outside();
        let mark = self.mark();
        take(self);
        self.speaker(mark, Role::System);
    }

    /// Takes a string as a part, without one for an empty string; `false`, taking nothing, where the value is none.
    pub(super) fn string(&mut self, value: &mut Reader<'_>, role: Role, kind: Kind) -> bool {
        if value.peek() != Token::String {
            return false;
        }
        match &mut self.blobs {
            None => {
                let place = value.string().unwrap_or_default();
                self.span(role, kind, &place, true);
            }
            Some(blobs) if kind == Kind::Blob && blobs.len() < MAX_PARTS => {
                blobs.extend(value.short().map(Cow::into_owned));
            }
            Some(_) => {}
        }
        true
    }

    /// Takes a string as it is, and any other value as raw JSON; nothing for `null`.
    pub(super) fn value(&mut self, value: &mut Reader<'_>, role: Role, kind: Kind) {
        if self.blobs.is_some() || matches!(value.peek(), Token::Null | Token::End) || self.string(value, role, kind) {
            return;
        }
        let place = value.place();
        value.skip();
        self.span(role, kind, &(place..value.past()), false);
    }

    /// Takes several values, each a part, in the order given, whatever their order in the document.
    pub(super) fn values(&mut self, role: Role, kind: Kind, values: &mut [Option<Reader<'_>>]) {
        values.iter_mut().flatten().for_each(|value| self.value(value, role, kind));
    }

    /// Takes the key before `value` as a part: its name is all there is.
    pub(super) fn named(&mut self, value: &Reader<'_>, role: Role, kind: Kind) {
        if self.blobs.is_none() {
            self.span(role, kind, &value.named(), true);
        }
    }

    /// Notes an image, audio or file, unless the value is `null`; its bytes are not read.
    pub(super) fn media(&mut self, value: &mut Reader<'_>) {
        if self.blobs.is_none() && !matches!(value.peek(), Token::Null | Token::End) {
            self.push(Role::User, Kind::Media, Span::default());
        }
    }

    /// Notes a prompt-cache mark, unless the value is `null`.
    pub(super) fn cache(&mut self, value: &mut Reader<'_>) {
        self.prompt.params.cache |= value.peek() != Token::Null;
    }

    /// Takes the model's name.
    pub(super) fn model(&mut self, value: &mut Reader<'_>) {
        name(value, &mut self.prompt.model);
    }

    /// Takes the id of an earlier answer.
    pub(super) fn previous(&mut self, value: &mut Reader<'_>) {
        name(value, &mut self.prompt.previous);
    }

    /// Takes the name of a template that the provider keeps.
    pub(super) fn stored(&mut self, value: &mut Reader<'_>) {
        name(value, &mut self.prompt.stored);
    }

    /// How many parts there are: a place to give to [`Draft::speaker`].
    pub(super) fn mark(&self) -> usize {
        self.prompt.parts.len()
    }

    /// Gives the parts written since `mark` to the speaker of their message, who may be named after them in the
    /// document: dialects write a message's own parts as [`Role::User`] first.
    pub(super) fn speaker(&mut self, mark: usize, role: Role) {
        for part in self.prompt.parts.iter_mut().skip(mark).filter(|part| part.role == Role::User) {
            part.role = role;
            if role == Role::Tool && part.kind == Kind::Text {
                part.kind = Kind::ToolResult;
            }
        }
    }

    /// Makes the text written since `mark` the model's reasoning, which some dialects mark beside it.
    pub(super) fn thinking(&mut self, mark: usize) {
        for part in self.prompt.parts.iter_mut().skip(mark).filter(|part| part.kind == Kind::Text) {
            (part.role, part.kind) = (Role::Assistant, Kind::Thinking);
        }
    }

    fn span(&mut self, role: Role, kind: Kind, place: &Range<usize>, string: bool) {
        if !place.is_empty() {
            self.push(role, kind, Span { start: offset(place.start), end: offset(place.end), string });
        }
    }

    fn push(&mut self, role: Role, kind: Kind, span: Span) {
        if self.prompt.parts.len() < MAX_PARTS {
            self.prompt.parts.push(Part { turn: self.turn, role, kind, span });
        } else {
            self.prompt.truncated = true;
        }
    }
}

/// The first [`MAX_NAME`] bytes of a name, cut on a character boundary.
pub(crate) fn clip(text: &str) -> &str {
    let mut end = text.len().min(MAX_NAME);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or("")
}

/// Takes a bounded name; the last one of several wins, what is no string changes nothing.
pub(super) fn name(value: &mut Reader<'_>, out: &mut String) {
    if let Some(text) = value.short() {
        out.clear();
        out.push_str(clip(&text));
    }
}

/// Takes every item of an array, or the value itself where it is none.
pub(super) fn each<'a>(value: &mut Reader<'a>, mut take: impl FnMut(&mut Reader<'a>)) {
    each_of(value, &mut take);
}

// Once in the module, not once a caller.
#[inline(never)]
fn each_of<'a>(value: &mut Reader<'a>, take: &mut dyn FnMut(&mut Reader<'a>)) {
    if value.array() {
        while value.item() {
            take(value);
        }
    } else {
        take(value);
    }
}

/// Takes every message of the list, as far as they are counted.
pub(super) fn turns(value: &mut Reader<'_>, draft: &mut Draft, message: impl Fn(&mut Reader<'_>, &mut Draft)) {
    each(value, |value| {
        if draft.next_turn() {
            message(value, draft);
        }
    });
}

/// Takes every member of an object; what is none is left alone.
pub(super) fn members<'a>(value: &mut Reader<'a>, mut take: impl FnMut(&str, &mut Reader<'a>)) {
    members_of(value, &mut take);
}

// Once in the module, not once a caller.
#[inline(never)]
fn members_of<'a>(value: &mut Reader<'a>, take: &mut dyn FnMut(&str, &mut Reader<'a>)) {
    if value.object() {
        while let Some(key) = value.key() {
            take(&key, value);
        }
    }
}

fn offset(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
