//! The request languages of LLM APIs, read into one form.
//!
//! One file a dialect. Each is a visitor over [`crate::json`] that keeps what it read when the document is cut short,
//! ignores what it does not know, and never builds a tree. What the rest of the engine needs of a request is a
//! [`Prompt`]: the document and a list of [`Part`]s that point into it. Nothing is copied or unescaped before somebody
//! reads it, and most of a long conversation nobody does.
//!
//! Blocks are told apart by the fields they have rather than by their `type`, so the order of a block's fields changes
//! nothing and a block of a type yet unknown gives what is familiar in it.

mod answer;
pub mod batch;
mod block;
mod chat_completions;
mod completions;
mod converse;
mod draft;
mod gemini;
mod interactions;
mod messages;
pub(crate) mod params;
mod responses;
#[cfg(test)]
mod tests;

pub(crate) use answer::finish;
pub use answer::{Answer, Finish, read_answer};
pub(crate) use draft::clip;
pub use draft::{MAX_NAME, MAX_PARTS, MAX_TURNS};

use crate::json::{Reader, plain, resume, source, unescaped};
use crate::route::Route;
use batch::Batch;
use draft::Draft;
use std::borrow::Cow;

/// The API that a path speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenAI Chat Completions: `POST /v1/chat/completions`.
    ChatCompletions,
    /// OpenAI Completions (legacy): `POST /v1/completions`.
    Completions,
    /// OpenAI Responses: `POST /v1/responses`.
    Responses,
    /// Anthropic Messages: `POST /v1/messages`, Bedrock InvokeModel, Vertex rawPredict.
    Messages,
    /// Gemini generateContent and streamGenerateContent.
    Gemini,
    /// Bedrock Converse and ConverseStream.
    Converse,
    /// Gemini Interactions: `POST /v1beta/interactions`.
    Interactions,
}

impl Dialect {
    /// All dialects, by number.
    pub const ALL: [Self; 7] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::Messages,
        Self::Gemini,
        Self::Converse,
        Self::Interactions,
    ];
}

/// Who speaks in a [`Part`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Standing instructions: system or developer prompt.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
    /// The result of a tool.
    Tool,
}

/// What a [`Part`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Plain text.
    Text,
    /// Reasoning or its summary, in the clear: clients strip it from earlier turns.
    Thinking,
    /// The definition of a tool: its name and description and, as raw JSON, its schema.
    ToolSchema,
    /// The schema that the answer is to meet, as raw JSON, and what is said of it.
    Schema,
    /// A call the model made: name and arguments.
    ToolCall,
    /// What a tool gave back.
    ToolResult,
    /// An opaque reasoning blob: `signature`, `encrypted_content`, `thoughtSignature`, `redacted_thinking`.
    Blob,
    /// An image, audio or file: present, never decoded; its span is empty.
    Media,
}

/// A range of bytes of [`Prompt::document`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// It is what stands between a string's quotes; else a value as it stands.
    pub string: bool,
}

impl Span {
    /// How many bytes it has in the document, escapes and all.
    #[must_use]
    pub fn bytes(self) -> u32 {
        self.end.saturating_sub(self.start)
    }
}

/// A piece of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index of the message in its list (0 for system prompts and tool schemas outside the list).
    pub turn: u16,
    /// Who speaks.
    pub role: Role,
    /// What it is.
    pub kind: Kind,
    /// Where its text is.
    pub span: Span,
}

/// Sampling and output parameters, where the request names them. Numbers are kept as thousandths so that the engine
/// has no floating-point surprises between hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Largest answer asked for, in tokens.
    pub max_tokens: Option<u32>,
    /// Sampling temperature × 1000.
    pub temperature: Option<i32>,
    /// Nucleus sampling × 1000.
    pub top_p: Option<i32>,
    /// Answers asked for (`n`, `candidateCount`, `best_of`).
    pub n: Option<u32>,
    /// Thinking budget in tokens; `Some(0)` when reasoning is asked for without a budget.
    pub thinking: Option<u32>,
    /// Log probabilities asked for.
    pub logprobs: bool,
    /// `logit_bias` given.
    pub logit_bias: bool,
    /// A streamed answer asked for.
    pub stream: bool,
    /// The answer is to be made in the background, and fetched by another request (`background`, xAI's `deferred`).
    pub background: bool,
    /// Nothing is asked: what it says, if anything, is kept for requests to come.
    pub kept: bool,
    /// Stop sequences given.
    pub stop: bool,
    /// A structured answer (JSON mode or schema) asked for.
    pub structured: bool,
    /// A prompt-cache mark is present (`cache_control`, `cachePoint`, `cachedContent`, `prompt_cache_key`).
    pub cache: bool,
    /// Presence or frequency penalty given and not zero.
    pub penalty: bool,
}

/// A request, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt<'a> {
    /// The body, in UTF-8.
    pub document: Cow<'a, [u8]>,
    /// The model as the caller names it (from the body, or from the path where the dialect has it there).
    pub model: String,
    /// The pieces, in the order of the document.
    pub parts: Vec<Part>,
    /// Parameters.
    pub params: Params,
    /// An earlier answer that this request continues (`previous_response_id`, `previous_interaction_id`), or the conversation that
    /// is kept, as found.
    pub previous: String,
    /// A template that the provider keeps (OpenAI's and Bedrock's stored prompts, Gemini's cached content), by its name.
    pub stored: String,
    /// How many messages the list had as far as it was read.
    pub turns: u16,
    /// It is a batch.
    pub batch: Option<Batch>,
    /// The document ended early, was no JSON from some point on, or a limit cut it: what is here is its beginning.
    pub truncated: bool,
}

impl Prompt<'_> {
    /// A span as it stands in the document; empty for one that is not of this prompt.
    #[must_use]
    pub fn raw(&self, span: Span) -> &[u8] {
        self.document.get(span.start as usize..span.end as usize).unwrap_or(&[])
    }

    /// The text of a span.
    #[must_use]
    pub fn text(&self, span: Span) -> Cow<'_, str> {
        let raw = self.raw(span);
        // A string that closes has its quote after it.
        let cut = span.end as usize >= self.document.len();
        readable(span, raw, cut)
    }

    /// The text that the first `most` bytes of a span stand for.
    #[must_use]
    pub fn beginning(&self, span: Span, most: usize) -> Cow<'_, str> {
        match self.raw(span).get(..most) {
            Some(raw) => readable(span, raw, true),
            None => self.text(span),
        }
    }

    /// The text that the last `most` bytes of a span stand for.
    #[must_use]
    pub fn end(&self, span: Span, most: usize) -> Cow<'_, str> {
        let raw = self.raw(span);
        let start = u32::try_from(resume(raw, raw.len().saturating_sub(most))).unwrap_or(u32::MAX);
        self.text(Span { start: span.start.saturating_add(start), ..span })
    }
}

fn readable(span: Span, raw: &[u8], cut: bool) -> Cow<'_, str> {
    if span.string { unescaped(raw, cut) } else { plain(raw, cut) }
}

/// How a dialect is read.
trait Language {
    /// Takes one top-level field of a request; what it leaves is skipped.
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft);

    /// Takes one top-level field of an answer; what it leaves is skipped.
    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer);
}

/// Takes one top-level field of a request.
type Take = fn(&str, &mut Reader<'_>, &mut Draft);

/// Fields of orders that call no model where they have no others: to keep items of a conversation, or to set an agent up.
const KEPT: &[&str] = &["items", "metadata", "agent", "environment_id", "title", "resources", "vault_ids", "budget"];

/// How the id of a conversation begins that a path names, with OpenAI and Mistral.
pub(crate) const CONVERSATION: &str = "conv_";

/// In the ARN of a prompt of Bedrock's prompt management, which stands in the model's place.
const STORED_AT_BEDROCK: &str = ":prompt/";

/// Reads one request of a batch, which stands for all: who draws it knows how many there are.
fn drawn(value: &mut Reader<'_>, draft: &mut Draft, take: Take, draw: &dyn Fn(u32) -> u32) {
    let mut count = 0_u32;
    batch::requests(&mut value.clone(), &mut |_| count = count.saturating_add(1));
    let wanted = draw(count);
    let mut place = 0_u32;
    batch::requests(value, &mut |value| {
        if place == wanted {
            draft::members(value, |key, value| take(key, value, draft));
        }
        place = place.saturating_add(1);
    });
    draft.prompt.truncated |= count > 1;
    let seen = draft.prompt.batch.get_or_insert_default();
    seen.requests = seen.requests.saturating_add(count);
}

fn taking(dialect: Dialect) -> Take {
    match dialect {
        Dialect::ChatCompletions => chat_completions::ChatCompletions::request,
        Dialect::Completions => completions::Completions::request,
        Dialect::Responses => responses::Responses::request,
        Dialect::Messages => messages::Messages::request,
        Dialect::Gemini => gemini::Gemini::request,
        Dialect::Converse => converse::Converse::request,
        Dialect::Interactions => interactions::Interactions::request,
    }
}

/// Reads the body of a request; of a batch the first of them. Never fails: what cannot be read is left out, and
/// [`Prompt::truncated`] says when it is the rest of the document.
#[must_use]
pub fn read<'a>(route: &Route, body: &'a [u8]) -> Prompt<'a> {
    read_drawing(route, body, &|_| 0)
}

/// The same; of a batch of so many requests it reads that of the number that is drawn, from 0. Were it always the first, a harmless
/// one there would hide all others.
#[must_use]
pub fn read_drawing<'a>(route: &Route, body: &'a [u8], draw: &dyn Fn(u32) -> u32) -> Prompt<'a> {
    let take = taking(route.dialect);
    let mut of_batch = take;
    let document = source(body);
    let mut reader = Reader::over(&document);
    // Servers written in Go do not mind. The others' keys have capitals in them, and who reads those does.
    if !matches!(route.dialect, Dialect::Gemini | Dialect::Converse | Dialect::Interactions) {
        reader.fold_keys();
    }
    let mut draft = Draft::default();
    draft.prompt.params.stream = route.stream;
    if !reader.object() {
        reader.fail();
    }
    // Behind a request's own text a batch is nothing to a server, but a harmless one would be the last turn to us.
    let mut alone = true;
    draft.prompt.params.kept = matches!(route.dialect, Dialect::Responses | Dialect::Messages);
    while let Some(key) = reader.key() {
        // Most calls are known for one by their dialect, or by their first field.
        draft.prompt.params.kept = draft.prompt.params.kept && KEPT.contains(&&*key);
        // What the requests of a batch speak; the batch comes after it.
        if key == "endpoint" {
            of_batch = match reader.short() {
                Some(path) if path.ends_with("/responses") => responses::Responses::request,
                Some(path) if path.ends_with("/messages") => messages::Messages::request,
                _ => take,
            };
            continue;
        }
        if batch::is(&key) {
            if alone {
                drawn(&mut reader, &mut draft, of_batch, draw);
            }
            continue;
        }
        let before = draft.mark();
        take(&key, &mut reader, &mut draft);
        alone &= draft.mark() == before;
    }
    let mut prompt = draft.prompt;
    prompt.truncated |= reader.truncated();
    prompt.params.kept &= !prompt.truncated;
    prompt.document = document;
    if let Some(batch) = &mut prompt.batch {
        batch.bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
    }
    // The upstream goes by the path where it names the model; a body that says otherwise deceives only us.
    if !route.model.is_empty() {
        let kept = route.dialect == Dialect::Responses && route.model.starts_with(CONVERSATION);
        let named = if kept { &mut prompt.previous } else { &mut prompt.model };
        named.clear();
        named.push_str(draft::clip(&route.model));
    }
    if route.dialect == Dialect::Converse && prompt.model.contains(STORED_AT_BEDROCK) {
        prompt.stored.clone_from(&prompt.model);
    }
    prompt.params.stream |= route.stream;
    prompt
}
