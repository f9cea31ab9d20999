//! OpenAI Responses: a string, or a list of items of which messages are only one kind; and the conversations that OpenAI and
//! Mistral keep, in the same items.

use super::answer::{Answer, Finish, usage};
use super::draft::{Draft, each, members};
use super::{Kind, Language, Role, block, params};
use crate::json::{Reader, Token};

pub(super) struct Responses;

impl Language for Responses {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            "model" | "agent_id" => draft.model(value),
            "previous_response_id" => draft.previous(value),
            // Goes on from what is kept there, as from an earlier answer.
            "conversation" if value.peek() == Token::Object => members(value, |key, value| {
                if key == "id" {
                    draft.previous(value);
                }
            }),
            "conversation" => draft.previous(value),
            "input" | "inputs" | "items" => input(value, draft),
            "instructions" => draft.instructions(|draft| block::content(value, draft, item)),
            "prompt" => members(value, |key, value| match key {
                "id" => draft.stored(value),
                // The values of a stored prompt's placeholders: the caller's own words.
                "variables" => members(value, |_, value| block::content(value, draft, part)),
                _ => {}
            }),
            "tools" => {
                draft.outside();
                each(value, |value| block::tool(value, draft, &["parameters", "format"]));
            }
            "include" => each(value, |value| {
                if value.short().is_some_and(|name| name.ends_with(".logprobs")) {
                    draft.prompt.params.logprobs = true;
                }
            }),
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "id" | "conversation_id" => answer.id(value),
            "usage" => usage(value, answer),
            "status" => answer.finish(value),
            "incomplete_details" => members(value, |key, value| {
                if key == "reason" {
                    answer.finish(value);
                }
            }),
            "output" => each(value, |value| {
                outcome(&mut value.clone(), answer);
                item(value, &mut answer.draft);
            }),
            _ => {}
        }
    }
}

/// Notes a call or a refusal, which this dialect's status does not tell.
fn outcome(value: &mut Reader<'_>, answer: &mut Answer) {
    members(value, |key, value| match key {
        "type" => {
            if matches!(value.short().as_deref(), Some("function_call" | "custom_tool_call")) {
                answer.note(Finish::ToolUse);
            }
        }
        "content" => each(value, |value| {
            members(value, |key, value| {
                if key == "refusal" && value.peek() == Token::String {
                    answer.note(Finish::Refusal);
                }
            });
        }),
        _ => {}
    });
}

fn input(value: &mut Reader<'_>, draft: &mut Draft) {
    each(value, |value| {
        // References to what is stored say nothing; they are still one message of the list.
        let counted = matches!(value.peek(), Token::String | Token::Object) && draft.next_turn();
        if counted && !draft.string(value, Role::User, Kind::Text) {
            item(value, draft);
        }
    });
}

fn item(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    let (mut speaker, mut of_the_model, mut name, mut call) = (None, false, None, None);
    members(value, |key, value| match key {
        "role" => speaker = value.short().map(|name| role(&name)).or(speaker),
        "content" => block::content(value, draft, part),
        "summary" => block::summary(value, draft),
        "encrypted_content" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        "type" => of_the_model = value.short().is_some_and(|kind| written_by_the_model(&kind)),
        "name" => name = Some(value.clone()),
        "arguments" | "input" | "action" | "operation" | "code" | "queries" => call = Some(value.clone()),
        "output" => block::result(value, draft),
        "result" => draft.media(value),
        // A bare part where an item should stand.
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "image_url" | "file_data" | "file_url" => draft.media(value),
        _ => {}
    });
    if call.is_some() {
        draft.values(Role::Assistant, Kind::ToolCall, &mut [name, call]);
    }
    if let Some(speaker) = speaker.or(of_the_model.then_some(Role::Assistant)) {
        draft.speaker(mark, speaker);
    }
}

/// Whether an item without a role is the model's by its kind.
fn written_by_the_model(kind: &str) -> bool {
    matches!(kind, "reasoning" | "output_text" | "compaction") || kind.ends_with("_call")
}

fn part(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "text" | "refusal" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "image_url" | "file_data" | "file_url" | "file_id" | "input_audio" => draft.media(value),
        _ => {}
    });
}

fn role(name: &str) -> Role {
    match name {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::User,
    }
}
