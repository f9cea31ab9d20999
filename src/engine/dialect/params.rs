//! Parameters, by every name the dialects have for them.

use super::draft::{Draft, each, members};
use super::{Kind, Params, Role};
use crate::json::{Reader, Token};

/// How deep parameters may be grouped (`generationConfig.thinkingConfig`, `additionalModelRequestFields.thinking`).
const MAX_GROUPS: u8 = 2;

// What degradation changes it finds by these names, too.

/// Whether log probabilities are asked for.
pub(crate) const LOGPROBS: &[&str] =
    &["logprobs", "top_logprobs", "prompt_logprobs", "responseLogprobs", "response_logprobs"];

/// How many answers.
pub(crate) const N: &[&str] = &["n", "candidateCount", "candidate_count", BEST_OF];
/// Of how many answers one is given.
const BEST_OF: &str = "best_of";

/// The longest answer.
pub(crate) const LENGTH: &[&str] = &[
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "maxOutputTokens",
    "maxTokens",
];

/// How to reason.
pub(crate) const REASONING: &[&str] =
    &["thinking", "thinkingConfig", "thinking_config", "reasoning", "reasoning_config", "reasoningConfig"];

/// The longest reasoning, within [`REASONING`].
pub(crate) const BUDGET: &[&str] = &["budget_tokens", "budgetTokens", "thinkingBudget", "thinking_budget"];

/// Groups of parameters.
pub(crate) const GROUPS: &[&str] = &[
    "generationConfig",
    "generation_config",
    "inferenceConfig",
    "additionalModelRequestFields",
    "output_config",
    "outputConfig",
    "completion_args",
    "sampling_params",
    "text",
];

/// What says in which form the answer is to be, and what stands within it.
const FORMATS: &[&str] =
    &["response_format", "output_format", "format", "textFormat", "json_schema", "structure", "jsonSchema"];

/// A schema that the answer has to meet.
const SCHEMAS: &[&str] = &["schema", "responseSchema", "response_schema", "responseJsonSchema", "response_json_schema"];

/// How deep a schema may stand (`outputConfig.textFormat.structure.jsonSchema.schema`).
const MAX_FORMATS: u8 = 4;

/// Takes a parameter, or a group of them; leaves what is none.
pub(super) fn read(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
    if !SCHEMAS.contains(&key) {
        schema(key, &mut value.clone(), draft, MAX_FORMATS);
    }
    grouped(key, value, &mut draft.prompt.params, MAX_GROUPS);
}

/// Takes the schema of the answer and what is said of it: a model reads both as it reads instructions.
fn schema(key: &str, value: &mut Reader<'_>, draft: &mut Draft, deep: u8) {
    if SCHEMAS.contains(&key) {
        draft.outside();
        draft.value(value, Role::System, Kind::Schema);
    } else if key == "description" && deep < MAX_FORMATS {
        draft.string(value, Role::System, Kind::Schema);
    } else if deep > 0 && (FORMATS.contains(&key) || GROUPS.contains(&key)) {
        each(value, |value| members(value, |key, value| schema(key, value, draft, deep.saturating_sub(1))));
    }
}

fn grouped(key: &str, value: &mut Reader<'_>, params: &mut Params, groups: u8) {
    match key {
        key if LENGTH.contains(&key) => set(&mut params.max_tokens, whole(value)),
        "temperature" => set(&mut params.temperature, thousandths(value)),
        "top_p" | "topP" => set(&mut params.top_p, thousandths(value)),
        BEST_OF => params.n = params.n.max(whole(value)),
        key if N.contains(&key) => set(&mut params.n, whole(value)),
        "stream" => params.stream = value.boolean().unwrap_or(params.stream),
        "background" | "deferred" => params.background |= value.boolean() == Some(true),
        key if LOGPROBS.contains(&key) => {
            // A count asks for them too, 0 included: the answer's own tokens are then given.
            params.logprobs |= matches!(value.peek(), Token::True | Token::Number);
        }
        "logit_bias" => params.logit_bias = filled(value),
        "stop" | "stop_sequences" | "stopSequences" => params.stop = filled(value),
        "presence_penalty" | "frequency_penalty" | "presencePenalty" | "frequencyPenalty" => {
            params.penalty |= thousandths(value).is_some_and(|penalty| penalty != 0);
        }
        "prompt_cache_key" | "cachedContent" | "cached_content" | "cache_control" => {
            params.cache |= filled(value);
        }
        "response_format" | "output_format" | "format" | "textFormat" => format(value, params),
        "responseMimeType" | "response_mime_type" => {
            if let Some(mime) = value.short() {
                params.structured = mime != "text/plain";
            }
        }
        "responseSchema" | "response_schema" | "responseJsonSchema" | "response_json_schema" => {
            params.structured |= filled(value);
        }
        "reasoning_effort" | "effort" | "thinking_level" => effort(value, params),
        key if REASONING.contains(&key) => thinking(value, params),
        key if groups > 0 && GROUPS.contains(&key) => {
            members(value, |key, value| grouped(key, value, params, groups.saturating_sub(1)));
        }
        _ => {}
    }
}

/// Takes an answer's format: anything but plain text is structured.
fn format(value: &mut Reader<'_>, params: &mut Params) {
    each(value, |value| {
        members(value, |key, value| match key {
            "type" => {
                if let Some(kind) = value.short() {
                    params.structured |= kind != "text";
                }
            }
            // Gemini Interactions: a text of another type.
            "mime_type" => params.structured |= value.short().is_some_and(|mime| mime != "text/plain"),
            _ => {}
        });
    });
}

/// Takes how hard to think: asks for reasoning without a budget, unless it says `none`.
fn effort(value: &mut Reader<'_>, params: &mut Params) {
    if let Some(effort) = value.short() {
        if effort.eq_ignore_ascii_case("none") {
            params.thinking = None;
        } else {
            params.thinking = params.thinking.or(Some(0));
        }
    }
}

/// Takes a thinking configuration: on without a budget, on with one, or off.
fn thinking(value: &mut Reader<'_>, params: &mut Params) {
    let (mut on, mut off, mut budget) = (false, false, None);
    members(value, |key, value| match key {
        "type" | "effort" | "thinkingLevel" | "thinking_level" | "maxReasoningEffort" => {
            if let Some(word) = value.short() {
                let none = word.eq_ignore_ascii_case("disabled") || word.eq_ignore_ascii_case("none");
                (on, off) = (on | !none, none);
            }
        }
        "enabled" | "includeThoughts" | "include_thoughts" => on |= value.boolean() == Some(true),
        // OpenRouter's name for it.
        "max_tokens" => budget = value.thousandths(),
        key if BUDGET.contains(&key) => budget = value.thousandths(),
        _ => {}
    });
    // Gemini: -1 leaves the budget to the model, 0 turns thinking off.
    match budget {
        _ if off => params.thinking = None,
        Some(0) => params.thinking = None,
        Some(budget) => {
            params.thinking = Some(u32::try_from(budget / 1000).unwrap_or(if budget < 0 { 0 } else { u32::MAX }))
        }
        None if on => params.thinking = params.thinking.or(Some(0)),
        None => {}
    }
}

/// Whether something is given: not null, `false`, zero, or empty.
fn filled(value: &mut Reader<'_>) -> bool {
    match value.peek() {
        Token::Null | Token::False | Token::End => false,
        Token::True => true,
        Token::Number => value.thousandths().is_some_and(|number| number != 0),
        Token::String => value.short().is_some_and(|text| !text.is_empty()),
        Token::Array => {
            let mut any = false;
            if value.array() {
                while value.item() {
                    any = true;
                }
            }
            any
        }
        Token::Object => {
            let mut any = false;
            members(value, |_, _| any = true);
            any
        }
    }
}

fn set<T>(field: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *field = value;
    }
}

fn whole(value: &mut Reader<'_>) -> Option<u32> {
    value.count().map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

fn thousandths(value: &mut Reader<'_>) -> Option<i32> {
    let limits = i64::from(i32::MIN)..=i64::from(i32::MAX);
    value.thousandths().map(|v| i32::try_from(v.clamp(*limits.start(), *limits.end())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(name: &str, value: &str) -> Params {
        let (text, mut draft) = (format!("{{\"{name}\":{value}}}"), Draft::default());
        members(&mut Reader::new(&text), |key, value| read(key, value, &mut draft));
        draft.prompt.params
    }

    #[test]
    fn every_name_that_degradation_knows_is_read() {
        for (names, value, is_read) in [
            (LOGPROBS, "5", (|params| params.logprobs) as fn(&Params) -> bool),
            (N, "5", |params| params.n == Some(5)),
            (LENGTH, "5", |params| params.max_tokens == Some(5)),
            (REASONING, "{\"type\":\"enabled\"}", |params| params.thinking == Some(0)),
            (GROUPS, "{\"max_tokens\":5}", |params| params.max_tokens == Some(5)),
        ] {
            names.iter().for_each(|name| assert!(is_read(&params(name, value)), "{name}"));
        }
        for (group, name) in REASONING.iter().flat_map(|group| BUDGET.iter().map(move |name| (group, name))) {
            assert_eq!(params(group, &format!("{{\"{name}\":5}}")).thinking, Some(5), "{group}.{name}");
        }
    }
}
