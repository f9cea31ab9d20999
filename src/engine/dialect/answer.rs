//! A whole answer that was not streamed: what it cost, how it ended and which blobs it gave out.

use super::draft::{Draft, each, members, name};
use super::{Dialect, Language};
use super::{chat_completions, completions, converse, gemini, interactions, messages, responses};
use crate::json::{Reader, source};

/// Why the model stopped. Where an answer says more than one thing, the greater one stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finish {
    /// Not said, or by a word yet unknown.
    #[default]
    Unknown,
    /// It was done.
    Stop,
    /// It wants a tool's result.
    ToolUse,
    /// The limit of tokens, its own or the context window's.
    Length,
    /// A filter outside the model cut it off, or blocked the prompt.
    Filter,
    /// The model refused.
    Refusal,
}

impl Finish {
    /// Its name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stop => "stop",
            Self::ToolUse => "tool_use",
            Self::Length => "length",
            Self::Filter => "filter",
            Self::Refusal => "refusal",
        }
    }
}

/// An answer, read.
#[derive(Debug, Default)]
pub struct Answer {
    /// Tokens read, cached ones included where the dialect counts them in.
    pub input_tokens: Option<u64>,
    /// Tokens written; with those of reasoning, but for Google's, which count them apart.
    pub output_tokens: Option<u64>,
    /// Tokens of reasoning, where the dialect tells.
    pub reasoning_tokens: Option<u64>,
    /// Input tokens that came from a cache.
    pub cached_tokens: Option<u64>,
    /// Why the model stopped.
    pub finish: Finish,
    /// The answer's id, at most [`super::MAX_NAME`] bytes; empty where there is none.
    pub id: String,
    /// The document ended early or was no JSON from some point on.
    pub truncated: bool,
    pub(super) draft: Draft,
}

impl Answer {
    /// The opaque reasoning blobs given out, in the order of the document.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        self.draft.blobs.iter().flatten().filter(|blob| !blob.is_empty()).map(String::as_str)
    }

    pub(super) fn id(&mut self, value: &mut Reader<'_>) {
        name(value, &mut self.id);
    }

    pub(super) fn note(&mut self, finish: Finish) {
        self.finish = self.finish.max(finish);
    }

    pub(super) fn finish(&mut self, value: &mut Reader<'_>) {
        if let Some(word) = value.short() {
            self.note(finish(&word));
        }
    }
}

/// Reads the body of an answer that was not streamed. Never fails; what is no such answer gives an empty one.
#[must_use]
pub fn read_answer(dialect: Dialect, body: &[u8]) -> Answer {
    let take = match dialect {
        Dialect::ChatCompletions => chat_completions::ChatCompletions::answer,
        Dialect::Completions => completions::Completions::answer,
        Dialect::Responses => responses::Responses::answer,
        Dialect::Messages => messages::Messages::answer,
        Dialect::Gemini => gemini::Gemini::answer,
        Dialect::Converse => converse::Converse::answer,
        Dialect::Interactions => interactions::Interactions::answer,
    };
    let document = source(body);
    let mut reader = Reader::over(&document);
    let mut answer = Answer::default();
    answer.draft.blobs = Some(Vec::new());
    // Gemini streams a JSON array of answers where no event stream was asked for.
    each(&mut reader, |reader| {
        if !reader.object() {
            reader.fail();
        }
        while let Some(key) = reader.key() {
            take(&key, reader, &mut answer);
        }
    });
    answer.truncated = reader.truncated() || answer.draft.prompt.truncated;
    answer
}

/// Takes an answer's token counts, by every name the dialects have for them.
pub(super) fn usage(value: &mut Reader<'_>, answer: &mut Answer) {
    members(value, |key, value| match key {
        "prompt_tokens" | "input_tokens" | "inputTokens" | "promptTokenCount" | "total_input_tokens" => {
            set(&mut answer.input_tokens, value);
        }
        "completion_tokens" | "output_tokens" | "outputTokens" | "candidatesTokenCount" | "total_output_tokens" => {
            set(&mut answer.output_tokens, value);
        }
        "thoughtsTokenCount" | "total_thought_tokens" => set(&mut answer.reasoning_tokens, value),
        "cache_read_input_tokens" | "cacheReadInputTokens" | "cachedContentTokenCount" | "total_cached_tokens" => {
            set(&mut answer.cached_tokens, value);
        }
        "prompt_tokens_details" | "input_tokens_details" | "completion_tokens_details" | "output_tokens_details" => {
            members(value, |key, value| match key {
                "cached_tokens" => set(&mut answer.cached_tokens, value),
                "reasoning_tokens" | "thinking_tokens" => set(&mut answer.reasoning_tokens, value),
                _ => {}
            });
        }
        _ => {}
    });
}

fn set(field: &mut Option<u64>, value: &mut Reader<'_>) {
    if let Some(count) = value.count() {
        *field = Some(count);
    }
}

/// What a dialect's word says.
pub(crate) fn finish(word: &str) -> Finish {
    const WORDS: &[(Finish, &[&str])] = &[
        (Finish::Stop, &["stop", "end_turn", "stop_sequence", "STOP", "completed", "eos"]),
        (Finish::ToolUse, &["tool_calls", "function_call", "tool_use", "pause_turn", "requires_action"]),
        (
            Finish::Length,
            &[
                "length",
                "max_tokens",
                "max_output_tokens",
                "model_context_window_exceeded",
                "MAX_TOKENS",
                "incomplete",
                "budget_exceeded",
            ],
        ),
        (
            Finish::Filter,
            &[
                "content_filter",
                "content_filtered",
                "guardrail_intervened",
                "SAFETY",
                "RECITATION",
                "BLOCKLIST",
                "PROHIBITED_CONTENT",
                "SPII",
                "IMAGE_SAFETY",
                "MODEL_ARMOR",
            ],
        ),
        (Finish::Refusal, &["refusal"]),
    ];
    WORDS.iter().find(|(_, words)| words.contains(&word)).map_or(Finish::Unknown, |(finish, _)| *finish)
}
