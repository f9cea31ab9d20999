//! What an answer gave out.

use super::place::Take;
use crate::dialect::{CONVERSATION, Finish, MAX_NAME, finish};
use crate::digest::key::{DigestKey, Digester, Domain};
use crate::digest::{BLOBS, SHORTEST_BLOB, spelled};
use crate::digits;
use crate::json::Reader;

/// Bytes of text that are about a token, where nobody told how many there were.
pub const BYTES_OF_A_TOKEN: u64 = 4;
/// Bytes that a label takes, usually.
const LABEL: usize = 96;
/// Digits that a count of tokens does not have.
const WHOLE: usize = 16;

/// What an answer gave out, as far as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Tokens read, cached ones included where the dialect counts them in.
    pub input_tokens: Option<u64>,
    /// Tokens written; with those of reasoning, but for Gemini, which counts them apart.
    pub output_tokens: Option<u64>,
    /// Tokens of reasoning, where the dialect tells.
    pub reasoning_tokens: Option<u64>,
    /// Input tokens that came from a cache.
    pub cached_tokens: Option<u64>,
    /// Input tokens that were put into a cache, where the dialect counts them apart.
    pub kept_tokens: Option<u64>,
    /// `output_tokens` is worked out from the length of the text: nobody told, or the answer was cut before its end.
    pub estimated: bool,
    /// Why the model stopped.
    pub finish: Finish,
    /// The answer's id, at most [`MAX_NAME`] bytes; empty where there is none.
    pub id: String,
    /// Keyed digests of the opaque reasoning blobs given out ([`crate::digest::blob_digest`]): the first
    /// [`BLOBS`], each once.
    pub blobs: Vec<u64>,
    /// It ended before its end was told: the client or upstream has gone, or it is no answer.
    pub truncated: bool,
    /// Events, or documents, that were no JSON; and a stream's frames that made no sense.
    pub unread: u32,
}

impl Taken {
    /// What it cost, as an RFC 9651 dictionary for the access log.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = String::with_capacity(LABEL);
        let counts = [
            ("in=", self.input_tokens),
            ("out=", self.output_tokens),
            ("reasoning=", self.reasoning_tokens),
            ("cached=", self.cached_tokens),
            ("kept=", self.kept_tokens),
        ];
        for (name, count) in counts {
            if let Some(count) = count {
                label.push_str(name);
                digits::push(&mut label, count);
                label.push_str(", ");
            }
        }
        label.push_str("finish=");
        label.push_str(self.finish.name());
        for (name, holds) in [(", estimated", self.estimated), (", truncated", self.truncated)] {
            if holds {
                label.push_str(name);
            }
        }
        label
    }

    /// Whether it came to its end and told its tokens.
    #[must_use]
    pub fn tells_all(&self) -> bool {
        self.input_tokens.is_some() && self.output_tokens.is_some() && !self.estimated && !self.truncated
    }

    pub(super) fn note(&mut self, finish: Finish) {
        self.finish = self.finish.max(finish);
    }
}

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Taking {
    pub(super) taken: Taken,
    /// The end was told: a finish reason, `[DONE]`.
    pub(super) ended: bool,
    /// The event is of a kind that only announces what comes.
    pub(super) announces: bool,
    /// Bytes the model wrote.
    text: u64,
    key: DigestKey,
    blob: Option<(Digester, usize)>,
}

impl Taking {
    pub(super) fn new(key: DigestKey) -> Self {
        Self { taken: Taken::default(), ended: false, announces: false, text: 0, key, blob: None }
    }

    /// Takes a piece of a string that is not kept as a whole; `false` for one that is.
    pub(super) fn piece(&mut self, take: Take, piece: &[u8]) -> bool {
        match take {
            Take::Text => self.text = self.text.saturating_add(piece.len() as u64),
            Take::Refusal => self.taken.note(Finish::Refusal),
            Take::Blob => {
                let (digester, bytes) = self.blob.get_or_insert_with(|| (self.key.digester(Domain::Blob), 0));
                spelled(piece, digester);
                *bytes = bytes.saturating_add(piece.len());
            }
            Take::Nothing | Take::Event => {}
            _ => return false,
        }
        true
    }

    /// Takes a value whose bytes, as far as they are kept, are `held`: a string, or a number or word.
    pub(super) fn value(&mut self, take: Take, held: &[u8], string: bool) {
        let word = std::str::from_utf8(held).unwrap_or("");
        if !string || matches!(take, Take::Input | Take::Output | Take::Reasoned | Take::Cached | Take::Kept) {
            return self.count(take, word);
        }
        match take {
            Take::Blob => self.blob(),
            Take::Blocked => self.taken.note(Finish::Filter),
            // Whose conversation it is, Mistral says first, and then which message.
            Take::Id if self.taken.id.starts_with(CONVERSATION) => {}
            Take::Id => {
                self.taken.id.clear();
                self.taken.id.push_str(word);
            }
            Take::Finish => {
                self.ended |= !matches!(word, "in_progress" | "queued");
                self.taken.note(finish(word));
            }
            Take::Kind => match word {
                "message_stop" => self.ended = true,
                // The blob in it is not yet the one that counts.
                "response.output_item.added" => self.announces = true,
                "function_call" | "custom_tool_call" => self.taken.note(Finish::ToolUse),
                _ => {}
            },
            _ => {}
        }
    }

    fn count(&mut self, take: Take, word: &str) {
        let field = match take {
            Take::Input => &mut self.taken.input_tokens,
            Take::Output => &mut self.taken.output_tokens,
            Take::Reasoned => &mut self.taken.reasoning_tokens,
            Take::Cached => &mut self.taken.cached_tokens,
            Take::Kept => &mut self.taken.kept_tokens,
            _ => return,
        };
        // Nearly all are whole numbers. The reader takes a number at the very end for one that was cut.
        let whole = || if word.len() < WHOLE { word.parse().ok() } else { None };
        if let Some(count) = whole().or_else(|| Reader::new(&[word, " "].concat()).count()) {
            *field = Some(count);
        }
    }

    fn blob(&mut self) {
        let Some((digester, bytes)) = self.blob.take() else { return };
        let (digest, blobs) = (digester.finish(), &mut self.taken.blobs);
        if bytes >= SHORTEST_BLOB && blobs.len() < BLOBS && !blobs.contains(&digest) && !self.announces {
            blobs.push(digest);
        }
    }

    /// An event is over, however it ended.
    pub(super) fn event(&mut self) {
        self.announces = false;
        self.blob = None;
    }

    /// What was taken. `whole`: the end was seen.
    pub(super) fn finish(mut self, whole: bool) -> Taken {
        let taken = &mut self.taken;
        taken.truncated = !whole;
        let estimate = self.text.div_ceil(BYTES_OF_A_TOKEN);
        // Who goes early is told what the beginning said: Anthropic's message_start says 1.
        let told = taken.output_tokens.filter(|told| whole || *told >= estimate);
        if told.is_none() && self.text > 0 {
            (taken.output_tokens, taken.estimated) = (Some(estimate), true);
        }
        self.taken
    }
}

/// Most bytes of a value that is kept.
pub(super) const MAX_HELD: usize = MAX_NAME;
