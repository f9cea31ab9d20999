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
    /// A step of Gemini's Interactions, or a content of one.
    Step,
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
    /// Tokens put into a cache.
    Kept,
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

/// What the keys of a place announce. Tables, for the module must stay small.
#[rustfmt::skip]
fn keys(place: Place) -> &'static [(&'static [&'static str], Place, Take)] {
    use Place as P;
    use Take as T;
    match place {
        P::Top => &[
            (&["type"], P::Nothing, T::Kind),
            // OpenAI's text where it is a string, a block's growth where it is an object.
            (&["delta", "content", "content_block"], P::Block, T::Text),
            (&["choices", "candidates"], P::Choice, T::Nothing),
            (&["id", "responseId", "response_id", "conversation_id"], P::Nothing, T::Id),
            (&["usage", "usageMetadata", "usage_metadata"], P::Usage, T::Nothing),
            (&["stop_reason", "stopReason", "status"], P::Nothing, T::Finish),
            // Anthropic's message_start, OpenAI's response.completed: the answer so far.
            (&["message", "response", "interaction"], P::Top, T::Nothing),
            (&["output", "item"], P::Item, T::Nothing),
            (&["part"], P::Said, T::Nothing),
            (&["step", "steps", "outputs"], P::Step, T::Nothing),
            (&["incomplete_details"], P::Incomplete, T::Nothing),
            (&["promptFeedback", "prompt_feedback"], P::Feedback, T::Nothing),
            (&["refusal"], P::Nothing, T::Refusal),
            (&["bytes"], P::Nothing, T::Event),
        ],
        P::Usage => &[
            (&["prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount", "total_input_tokens"], P::Nothing, T::Input),
            (&["completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount", "total_output_tokens"], P::Nothing, T::Output),
            (&["thoughtsTokenCount", "reasoning_tokens", "thinking_tokens", "total_thought_tokens"], P::Nothing, T::Reasoned),
            (&["cache_read_input_tokens", "cacheReadInputTokens", "cachedContentTokenCount", "cached_tokens", "total_cached_tokens"], P::Nothing, T::Cached),
            (&["cache_creation_input_tokens", "cacheWriteInputTokens"], P::Nothing, T::Kept),
            (&["prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details"], P::Usage, T::Nothing),
        ],
        P::Choice => &[
            (&["finish_reason", "finishReason"], P::Nothing, T::Finish),
            (&["text"], P::Nothing, T::Text),
            (&["message", "delta", "content"], P::Message, T::Nothing),
        ],
        P::Message => &[
            (&["content"], P::Block, T::Text),
            (&["parts"], P::Part, T::Nothing),
            (&["refusal"], P::Nothing, T::Refusal),
            (&["reasoning_content", "reasoning"], P::Nothing, T::Text),
            (&["reasoning_details", "thinking_blocks"], P::Block, T::Nothing),
            (&["tool_calls", "function_call"], P::Call, T::Nothing),
        ],
        P::Block => &[
            (&["text", "thinking", "summary", "partial_json"], P::Nothing, T::Text),
            (&["signature", "data", "encrypted_content"], P::Nothing, T::Blob),
            (&["reasoningContent"], P::Reasoning, T::Nothing),
            (&["stop_reason"], P::Nothing, T::Finish),
            (&["toolUse"], P::Call, T::Nothing),
        ],
        P::Reasoning => &[
            (&["text"], P::Nothing, T::Text),
            (&["signature", "redactedContent"], P::Nothing, T::Blob),
            (&["reasoningText"], P::Reasoning, T::Nothing),
        ],
        P::Item => &[
            (&["type"], P::Nothing, T::Kind),
            (&["encrypted_content"], P::Nothing, T::Blob),
            (&["content", "summary"], P::Said, T::Nothing),
            // Converse's answer.
            (&["message"], P::Message, T::Nothing),
        ],
        P::Said => &[
            (&["refusal"], P::Nothing, T::Refusal),
        ],
        P::Part => &[
            (&["text"], P::Nothing, T::Text),
            (&["thoughtSignature", "thought_signature"], P::Nothing, T::Blob),
            (&["functionCall", "function_call"], P::Call, T::Nothing),
        ],
        P::Step => &[
            (&["text"], P::Nothing, T::Text),
            (&["signature"], P::Nothing, T::Blob),
            (&["content", "summary"], P::Step, T::Nothing),
        ],
        P::Call => &[
            (&["function", "custom", "extra_content", "google"], P::Call, T::Nothing),
            (&["arguments", "input"], P::Nothing, T::Text),
            (&["thought_signature"], P::Nothing, T::Blob),
        ],
        P::Incomplete => &[
            (&["reason"], P::Nothing, T::Finish),
        ],
        P::Feedback => &[
            (&["blockReason", "block_reason"], P::Nothing, T::Blocked),
        ],
        P::Nothing => &[],
    }
}

/// What a key announces.
#[inline(never)]
pub(crate) fn announced(place: Place, key: &[u8]) -> Step {
    // Of names as long as the key, most differ in the last letter already.
    let is = |name: &&str| name.len() == key.len() && name.as_bytes().last() == key.last() && name.as_bytes() == key;
    let named = |names: &[&str]| names.iter().any(is);
    let found = keys(place).iter().find(|(names, ..)| named(names));
    found.map_or(NOTHING, |(_, into, take)| Step { into: *into, take: *take })
}
