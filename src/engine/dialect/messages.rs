//! Anthropic Messages, as its own API, Bedrock InvokeModel and Vertex rawPredict carry it; and the text completions
//! (`prompt`, `max_tokens_to_sample`) that came before it and that Bedrock still takes; and what is said to an agent, in events.

use super::answer::{Answer, usage};
use super::draft::{Draft, each, members, turns};
use super::{Kind, Language, Role, block, params};
use crate::json::Reader;

pub(super) struct Messages;

impl Language for Messages {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            "model" => draft.model(value),
            "system" | "instructions" => draft.instructions(|draft| block::content(value, draft, part)),
            "messages" => turns(value, draft, message),
            // It works on them, and its answers are fetched by other requests.
            "events" | "initial_events" => {
                draft.prompt.params.background = true;
                turns(value, draft, message);
            }
            // An agent's instructions, changed for one session.
            "agent" => members(value, |key, value| {
                if matches!(key, "model" | "system") {
                    Self::request(key, value, draft);
                }
            }),
            "prompt" => {
                draft.next_turn();
                draft.string(value, Role::User, Kind::Text);
            }
            "tools" => {
                draft.outside();
                each(value, |value| block::tool(value, draft, &["input_schema"]));
            }
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "id" => answer.id(value),
            "usage" => usage(value, answer),
            "stop_reason" => answer.finish(value),
            "content" => block::content(value, &mut answer.draft, part),
            _ => {}
        }
    }
}

fn message(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    let mut speaker = None;
    members(value, |key, value| match key {
        "role" => speaker = value.short().map(|name| role(&name)).or(speaker),
        "type" => speaker = value.short().and_then(|kind| event(&kind)).or(speaker),
        "content" => block::content(value, draft, part),
        // What an agent is to achieve.
        "description" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "rubric" => part(value, draft),
        _ => {}
    });
    if let Some(speaker) = speaker {
        draft.speaker(mark, speaker);
    }
}

fn part(value: &mut Reader<'_>, draft: &mut Draft) {
    let (mut name, mut input, mut kind, mut of_a_tool) = (None, None, None, false);
    // Read when it is clear what it is.
    let mut content = None;
    members(value, |key, value| match key {
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "thinking" => {
            draft.string(value, Role::Assistant, Kind::Thinking);
        }
        // `data` is redacted thinking; `encrypted_content` a compaction.
        "signature" | "data" | "encrypted_content" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        "name" => name = Some(value.clone()),
        "input" => input = Some(value.clone()),
        "type" => kind = value.short(),
        "tool_use_id" => of_a_tool = true,
        "source" => block::source(value, draft),
        "context" | "title" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "content" => content = Some(value.clone()),
        "cache_control" => draft.cache(value),
        _ => {}
    });
    if let Some(mut content) = content {
        let mark = draft.mark();
        match kind.as_deref() {
            // The model's own summary of what came before.
            Some("compaction") if draft.string(&mut content, Role::Assistant, Kind::Text) => {}
            Some("mid_conv_system") => {
                block::enclosed(&mut content, draft);
                draft.speaker(mark, Role::System);
            }
            Some(kind) if kind.ends_with("tool_result") => block::result(&mut content, draft),
            // Cut before its type: what comes in such lengths comes from tools.
            None if of_a_tool || value.truncated() => block::result(&mut content, draft),
            // What the user brings along.
            _ => block::enclosed(&mut content, draft),
        }
    }
    if input.is_some() {
        draft.values(Role::Assistant, Kind::ToolCall, &mut [name, input]);
    }
}

/// Who speaks in an event, where it is not the user.
fn event(kind: &str) -> Option<Role> {
    match kind {
        "system.message" => Some(Role::System),
        kind => kind.ends_with("tool_result").then_some(Role::Tool),
    }
}

fn role(name: &str) -> Role {
    match name {
        "system" => Role::System,
        "assistant" => Role::Assistant,
        _ => Role::User,
    }
}
