//! Gemini generateContent and streamGenerateContent, on AI Studio and Vertex. Protobuf's JSON: every field may be named
//! in camel case or in snake case.

use super::answer::{Answer, Finish, usage};
use super::draft::{Draft, each, members, turns};
use super::{Kind, Language, Role, block, params};
use crate::json::{Reader, Token};

pub(super) struct Gemini;

impl Language for Gemini {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            "model" => draft.model(value),
            "systemInstruction" | "system_instruction" => draft.instructions(|draft| content(value, draft)),
            "contents" => turns(value, draft, content),
            "tools" => {
                draft.outside();
                each(value, |value| tools(value, draft));
            }
            "cachedContent" | "cached_content" => {
                draft.cache(value);
                draft.stored(value);
            }
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "responseId" | "response_id" => answer.id(value),
            "usageMetadata" | "usage_metadata" => usage(value, answer),
            "promptFeedback" | "prompt_feedback" => members(value, |key, value| {
                if matches!(key, "blockReason" | "block_reason") && value.peek() == Token::String {
                    answer.note(Finish::Filter);
                }
            }),
            "candidates" => each(value, |value| {
                members(value, |key, value| match key {
                    "finishReason" | "finish_reason" => answer.finish(value),
                    "content" => {
                        called(&mut value.clone(), answer);
                        content(value, &mut answer.draft);
                    }
                    _ => {}
                });
            }),
            _ => {}
        }
    }
}

/// Notes a call, which this dialect's finish reason does not tell.
fn called(value: &mut Reader<'_>, answer: &mut Answer) {
    members(value, |key, value| {
        if key == "parts" {
            each(value, |value| {
                members(value, |key, _| {
                    if matches!(key, "functionCall" | "function_call") {
                        answer.note(Finish::ToolUse);
                    }
                });
            });
        }
    });
}

fn tools(value: &mut Reader<'_>, draft: &mut Draft) {
    const SCHEMAS: &[&str] = &["parameters", "parametersJsonSchema", "parameters_json_schema"];
    members(value, |key, value| match key {
        "functionDeclarations" | "function_declarations" => each(value, |value| block::tool(value, draft, SCHEMAS)),
        // A tool that Google runs: its name is all there is.
        _ => draft.named(value, Role::System, Kind::ToolSchema),
    });
}

fn content(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    if draft.string(value, Role::User, Kind::Text) {
        return;
    }
    let mut speaker = None;
    members(value, |key, value| match key {
        "role" => speaker = value.short().map(|name| role(&name)).or(speaker),
        "parts" => block::content(value, draft, part),
        // A bare part where a content should stand.
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        _ => {}
    });
    if let Some(speaker) = speaker {
        draft.speaker(mark, speaker);
    }
}

fn part(value: &mut Reader<'_>, draft: &mut Draft) {
    let (mark, mut thought) = (draft.mark(), false);
    members(value, |key, value| match key {
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "thought" => thought = value.peek() == Token::True,
        "thoughtSignature" | "thought_signature" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        "inlineData" | "inline_data" | "fileData" | "file_data" => draft.media(value),
        "functionCall" | "function_call" => block::call(value, draft, &["args"]),
        "functionResponse" | "function_response" => members(value, |key, value| match key {
            "response" => response(value, draft),
            "parts" => block::content(value, draft, |value, draft| members(value, |_, value| draft.media(value))),
            _ => {}
        }),
        "executableCode" | "executable_code" => members(value, |key, value| {
            if key == "code" {
                draft.string(value, Role::Assistant, Kind::ToolCall);
            }
        }),
        "codeExecutionResult" | "code_execution_result" => members(value, |key, value| {
            if key == "output" {
                draft.string(value, Role::Tool, Kind::ToolResult);
            }
        }),
        _ => {}
    });
    if thought {
        draft.thinking(mark);
    }
}

/// Takes what a function gave back: an object by the schema, of which Google asks that `output` or `error` holds it.
/// A single string in one is taken out of it; anything else stays raw JSON.
pub(super) fn response(value: &mut Reader<'_>, draft: &mut Draft) {
    let (mut probe, mut fields, mut inner) = (value.clone(), 0u32, None);
    members(&mut probe, |key, value| {
        fields = fields.saturating_add(1);
        if matches!(key, "output" | "result" | "error") {
            inner = Some(value.clone());
        }
    });
    match inner {
        // Cut before it is clear which of the two it is.
        None if fields == 0 && probe.truncated() => {}
        Some(mut inner) if fields == 1 => draft.value(&mut inner, Role::Tool, Kind::ToolResult),
        _ => draft.value(value, Role::Tool, Kind::ToolResult),
    }
}

fn role(name: &str) -> Role {
    match name {
        "model" | "assistant" => Role::Assistant,
        "system" => Role::System,
        "function" | "tool" => Role::Tool,
        _ => Role::User,
    }
}
