//! OpenAI Chat Completions, and the fields that servers and gateways which copy it have added.

use super::answer::{Answer, Finish, usage};
use super::draft::{Draft, each, members, turns};
use super::{Kind, Language, Role, block, completions, params};
use crate::json::{Reader, Token};

pub(super) struct ChatCompletions;

impl Language for ChatCompletions {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            // An agent stands where a model could.
            "model" | "agent_id" => draft.model(value),
            "messages" => turns(value, draft, message),
            // OpenRouter, and models of Bedrock's that are asked in one text. Nobody reads it beside messages.
            "prompt" if draft.prompt.turns == 0 => completions::prompts(value, draft),
            "tools" | "functions" => {
                draft.outside();
                each(value, |value| block::tool(value, draft, &["parameters", "format"]));
            }
            // A run of OpenAI's evaluations: one template, asked as often as its source has entries.
            "data_source" => {
                draft.prompt.params.background = true;
                members(value, |key, value| match key {
                    "input_messages" => members(value, |key, value| {
                        if key == "template" {
                            turns(value, draft, message);
                        }
                    }),
                    "model" | "sampling_params" => Self::request(key, value, draft),
                    _ => {}
                });
            }
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "id" => answer.id(value),
            "usage" => usage(value, answer),
            "choices" => each(value, |value| {
                members(value, |key, value| match key {
                    "finish_reason" => answer.finish(value),
                    "message" => spoken(value, answer),
                    _ => {}
                });
            }),
            _ => {}
        }
    }
}

fn spoken(value: &mut Reader<'_>, answer: &mut Answer) {
    let mut again = value.clone();
    message(value, &mut answer.draft);
    members(&mut again, |key, value| {
        if key == "refusal" && value.short().is_some_and(|text| !text.is_empty()) {
            answer.finish = Finish::Refusal;
        }
    });
}

fn message(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    let mut speaker = None;
    members(value, |key, value| match key {
        "role" => speaker = value.short().map(|name| role(&name)).or(speaker),
        "content" => block::content(value, draft, part),
        "refusal" => {
            draft.string(value, Role::Assistant, Kind::Text);
        }
        "reasoning_content" | "reasoning" => {
            draft.string(value, Role::Assistant, Kind::Thinking);
        }
        "reasoning_details" | "thinking_blocks" => {
            let mark = draft.mark();
            each(value, |value| part(value, draft));
            draft.thinking(mark);
        }
        "tool_calls" => each(value, |value| tool_call(value, draft)),
        "function_call" => block::call(value, draft, &["arguments"]),
        "audio" => draft.media(value),
        "cache_control" => draft.cache(value),
        _ => {}
    });
    if let Some(speaker) = speaker {
        draft.speaker(mark, speaker);
    }
}

fn part(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "text" | "refusal" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "thinking" | "summary" => {
            draft.string(value, Role::Assistant, Kind::Thinking);
        }
        "image_url" | "input_audio" | "audio_url" | "video_url" | "file" => draft.media(value),
        // Claude's and OpenRouter's reasoning, as gateways pass it on.
        "signature" | "data" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        "cache_control" => draft.cache(value),
        _ => {}
    });
}

fn tool_call(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "function" | "custom" => block::call(value, draft, &["arguments", "input"]),
        // Gemini's thought signature, through its OpenAI-compatible endpoint.
        "extra_content" => members(value, |key, value| {
            if key == "google" {
                members(value, |key, value| {
                    if key == "thought_signature" && value.peek() == Token::String {
                        draft.string(value, Role::Assistant, Kind::Blob);
                    }
                });
            }
        }),
        _ => {}
    });
}

fn role(name: &str) -> Role {
    match name {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => Role::User,
    }
}
