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

/// A count of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Input,
    Output,
    Reasoning,
    Cached,
}

/// What a string, number or word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Nothing,
    Id,
    Finish,
    /// The kind of an event, or of an item.
    Kind,
    Count(Count),
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

const fn step(into: Place, take: Take) -> Step {
    Step { into, take }
}

const fn into(into: Place) -> Step {
    step(into, Take::Nothing)
}

const fn take(take: Take) -> Step {
    step(Place::Nothing, take)
}

/// A document.
pub(crate) const DOCUMENT: Step = into(Place::Top);
/// What is skipped.
pub(crate) const NOTHING: Step = into(Place::Nothing);
/// A call in a place where the finish reason does not tell of it.
pub(crate) const CALLED: Step = into(Place::Call);

/// Reasoning in the clear.
pub(crate) const REASONING: Step = into(Place::Reasoning);

/// What a key announces.
pub(crate) fn announced(place: Place, key: &[u8]) -> Step {
    match place {
        Place::Top => top(key),
        Place::Usage => usage(key),
        Place::Choice => match key {
            b"finish_reason" | b"finishReason" => take(Take::Finish),
            b"text" => take(Take::Text),
            b"message" | b"delta" | b"content" => into(Place::Message),
            _ => NOTHING,
        },
        Place::Message => message(key),
        Place::Block | Place::Reasoning => block(place, key),
        Place::Item => item(key),
        Place::Said if key == b"refusal" => take(Take::Refusal),
        Place::Part => match key {
            b"text" => take(Take::Text),
            b"thoughtSignature" | b"thought_signature" => take(Take::Blob),
            b"functionCall" | b"function_call" => CALLED,
            _ => NOTHING,
        },
        Place::Call => match key {
            b"function" | b"custom" | b"extra_content" | b"google" => into(Place::Call),
            b"arguments" | b"input" => take(Take::Text),
            b"thought_signature" => take(Take::Blob),
            _ => NOTHING,
        },
        Place::Incomplete if key == b"reason" => take(Take::Finish),
        Place::Feedback if matches!(key, b"blockReason" | b"block_reason") => take(Take::Blocked),
        _ => NOTHING,
    }
}

fn top(key: &[u8]) -> Step {
    match key {
        b"type" => take(Take::Kind),
        b"id" | b"responseId" | b"response_id" => take(Take::Id),
        b"usage" | b"usageMetadata" | b"usage_metadata" => into(Place::Usage),
        b"stop_reason" | b"stopReason" | b"status" => take(Take::Finish),
        b"choices" | b"candidates" => into(Place::Choice),
        // Anthropic's message_start, OpenAI's response.completed: the answer so far.
        b"message" | b"response" => into(Place::Top),
        b"delta" => step(Place::Block, Take::Text),
        b"content" | b"content_block" => step(Place::Block, Take::Text),
        b"output" | b"item" => into(Place::Item),
        b"part" => into(Place::Said),
        b"incomplete_details" => into(Place::Incomplete),
        b"promptFeedback" | b"prompt_feedback" => into(Place::Feedback),
        b"refusal" => take(Take::Refusal),
        b"bytes" => take(Take::Event),
        _ => NOTHING,
    }
}

fn usage(key: &[u8]) -> Step {
    let count = match key {
        b"prompt_tokens" | b"input_tokens" | b"inputTokens" | b"promptTokenCount" => Count::Input,
        b"completion_tokens" | b"output_tokens" | b"outputTokens" | b"candidatesTokenCount" => Count::Output,
        b"thoughtsTokenCount" | b"reasoning_tokens" | b"thinking_tokens" => Count::Reasoning,
        b"cache_read_input_tokens" | b"cacheReadInputTokens" | b"cachedContentTokenCount" | b"cached_tokens" => {
            Count::Cached
        }
        b"prompt_tokens_details"
        | b"input_tokens_details"
        | b"completion_tokens_details"
        | b"output_tokens_details" => return into(Place::Usage),
        _ => return NOTHING,
    };
    take(Take::Count(count))
}

fn message(key: &[u8]) -> Step {
    match key {
        b"content" => step(Place::Block, Take::Text),
        b"parts" => into(Place::Part),
        b"refusal" => take(Take::Refusal),
        b"reasoning_content" | b"reasoning" => take(Take::Text),
        b"reasoning_details" | b"thinking_blocks" => into(Place::Block),
        b"tool_calls" | b"function_call" => into(Place::Call),
        _ => NOTHING,
    }
}

fn block(place: Place, key: &[u8]) -> Step {
    match key {
        b"text" | b"thinking" | b"summary" | b"partial_json" => take(Take::Text),
        b"signature" | b"redactedContent" => take(Take::Blob),
        b"reasoningText" | b"reasoningContent" => into(Place::Reasoning),
        _ if place == Place::Reasoning => NOTHING,
        b"data" | b"encrypted_content" => take(Take::Blob),
        b"stop_reason" => take(Take::Finish),
        b"toolUse" => into(Place::Call),
        _ => NOTHING,
    }
}

fn item(key: &[u8]) -> Step {
    match key {
        b"type" => take(Take::Kind),
        b"encrypted_content" => take(Take::Blob),
        b"content" | b"summary" => into(Place::Said),
        // Converse's answer.
        b"message" => into(Place::Message),
        _ => NOTHING,
    }
}
