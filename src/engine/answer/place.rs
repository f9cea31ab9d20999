//! Where in an answer, or in an event of a stream, a value stands, and what it is good for.
//!
//! One grammar for all dialects: they do not contradict each other, and gateways mix them. Only places that are named
//! here are entered, so that nothing the model writes (a tool's arguments) is taken for the provider's word.

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An answer or an event.
    Top,
    /// Counts of tokens.
    Usage,
    /// One of several answers.
    Choice,
    /// What the model said.
    Message,
    /// A piece of what it said, or what one grew by.
    Block,
    /// An item of OpenAI's Responses.
    Item,
    /// A piece of such an item.
    Said,
    /// A part of Gemini's.
    Part,
    /// Reasoning of Converse's.
    Reasoning,
    /// A call of a tool.
    Call,
    /// Why an answer is not complete.
    Incomplete,
    /// What Gemini says of a prompt.
    Feedback,
    /// Nothing in it matters.
    Nothing,
}

/// What a string, number or word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Nothing,
    Id,
    Finish,
    /// The kind of an event, or of an item.
    Kind,
    /// Tokens read.
    Input,
    /// Tokens written.
    Output,
    /// Tokens of reasoning.
    Reasoned,
    /// Tokens from a cache.
    Cached,
    /// An opaque reasoning blob.
    Blob,
    /// What the model wrote: counted, not kept.
    Text,
    /// A refusal in words.
    Refusal,
    /// Gemini's word for a prompt that it did not answer.
    Blocked,
    /// The event that an event of AWS carries, base64.
    Event,
}

/// What is done with the value that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it is as an object, or each object of it as an array.
    pub(crate) into: Place,
    /// What it is else.
    pub(crate) take: Take,
}

/// A document.
pub(crate) const DOCUMENT: Step = Step { into: Place::Top, take: Take::Nothing };
/// What is skipped.
pub(crate) const NOTHING: Step = Step { into: Place::Nothing, take: Take::Nothing };
/// Reasoning in the clear.
pub(crate) const REASONING: Step = Step { into: Place::Reasoning, take: Take::Nothing };

/// What keys announce, place by place. A table, for the module must stay small.
#[rustfmt::skip]
const KEYS: &[(Place, &[&str], Place, Take)] = {
    use Place as P;
    use Take as T;
    &[
        (P::Top, &["type"], P::Nothing, T::Kind),
        // OpenAI's text where it is a string, a block's growth where it is an object.
        (P::Top, &["delta", "content", "content_block"], P::Block, T::Text),
        (P::Top, &["choices", "candidates"], P::Choice, T::Nothing),
        (P::Top, &["id", "responseId", "response_id"], P::Nothing, T::Id),
        (P::Top, &["usage", "usageMetadata", "usage_metadata"], P::Usage, T::Nothing),
        (P::Top, &["stop_reason", "stopReason", "status"], P::Nothing, T::Finish),
        // Anthropic's message_start, OpenAI's response.completed: the answer so far.
        (P::Top, &["message", "response"], P::Top, T::Nothing),
        (P::Top, &["output", "item"], P::Item, T::Nothing),
        (P::Top, &["part"], P::Said, T::Nothing),
        (P::Top, &["incomplete_details"], P::Incomplete, T::Nothing),
        (P::Top, &["promptFeedback", "prompt_feedback"], P::Feedback, T::Nothing),
        (P::Top, &["refusal"], P::Nothing, T::Refusal),
        (P::Top, &["bytes"], P::Nothing, T::Event),
        (P::Usage, &["prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount"], P::Nothing, T::Input),
        (P::Usage, &["completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount"], P::Nothing, T::Output),
        (P::Usage, &["thoughtsTokenCount", "reasoning_tokens", "thinking_tokens"], P::Nothing, T::Reasoned),
        (P::Usage, &["cache_read_input_tokens", "cacheReadInputTokens", "cachedContentTokenCount", "cached_tokens"], P::Nothing, T::Cached),
        (P::Usage, &["prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details"], P::Usage, T::Nothing),
        (P::Choice, &["finish_reason", "finishReason"], P::Nothing, T::Finish),
        (P::Choice, &["text"], P::Nothing, T::Text),
        (P::Choice, &["message", "delta", "content"], P::Message, T::Nothing),
        (P::Message, &["content"], P::Block, T::Text),
        (P::Message, &["parts"], P::Part, T::Nothing),
        (P::Message, &["refusal"], P::Nothing, T::Refusal),
        (P::Message, &["reasoning_content", "reasoning"], P::Nothing, T::Text),
        (P::Message, &["reasoning_details", "thinking_blocks"], P::Block, T::Nothing),
        (P::Message, &["tool_calls", "function_call"], P::Call, T::Nothing),
        (P::Block, &["text", "thinking", "summary", "partial_json"], P::Nothing, T::Text),
        (P::Block, &["signature", "data", "encrypted_content"], P::Nothing, T::Blob),
        (P::Block, &["reasoningContent"], P::Reasoning, T::Nothing),
        (P::Block, &["stop_reason"], P::Nothing, T::Finish),
        (P::Block, &["toolUse"], P::Call, T::Nothing),
        (P::Reasoning, &["text"], P::Nothing, T::Text),
        (P::Reasoning, &["signature", "redactedContent"], P::Nothing, T::Blob),
        (P::Reasoning, &["reasoningText"], P::Reasoning, T::Nothing),
        (P::Item, &["type"], P::Nothing, T::Kind),
        (P::Item, &["encrypted_content"], P::Nothing, T::Blob),
        (P::Item, &["content", "summary"], P::Said, T::Nothing),
        // Converse's answer.
        (P::Item, &["message"], P::Message, T::Nothing),
        (P::Said, &["refusal"], P::Nothing, T::Refusal),
        (P::Part, &["text"], P::Nothing, T::Text),
        (P::Part, &["thoughtSignature", "thought_signature"], P::Nothing, T::Blob),
        (P::Part, &["functionCall", "function_call"], P::Call, T::Nothing),
        (P::Call, &["function", "custom", "extra_content", "google"], P::Call, T::Nothing),
        (P::Call, &["arguments", "input"], P::Nothing, T::Text),
        (P::Call, &["thought_signature"], P::Nothing, T::Blob),
        (P::Incomplete, &["reason"], P::Nothing, T::Finish),
        (P::Feedback, &["blockReason", "block_reason"], P::Nothing, T::Blocked),
    ]
};

/// What a key announces.
#[inline(never)]
pub(crate) fn announced(place: Place, key: &[u8]) -> Step {
    let named = |keys: &[&str]| keys.iter().any(|name| name.as_bytes() == key);
    let found = KEYS.iter().find(|(at, keys, ..)| *at == place && named(keys));
    found.map_or(NOTHING, |(.., into, take)| Step { into: *into, take: *take })
}
