//! Bedrock Converse and ConverseStream. The model is in the path.

use super::answer::{Answer, usage};
use super::draft::{Draft, each, members, turns};
use super::{Kind, Language, Role, block, params};
use crate::json::Reader;

pub(super) struct Converse;

impl Language for Converse {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            "modelId" => draft.model(value),
            "system" => draft.instructions(|draft| block::content(value, draft, part)),
            "messages" => turns(value, draft, message),
            "toolConfig" => {
                draft.outside();
                members(value, |key, value| {
                    if key == "tools" {
                        each(value, |value| tool(value, draft));
                    }
                });
            }
            // The values of a stored prompt's placeholders: the caller's own words.
            "promptVariables" => members(value, |_, value| part(value, draft)),
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "usage" => usage(value, answer),
            "stopReason" => answer.finish(value),
            "output" => members(value, |key, value| {
                if key == "message" {
                    message(value, &mut answer.draft);
                }
            }),
            _ => {}
        }
    }
}

fn message(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    let mut assistant = false;
    members(value, |key, value| match key {
        "role" => assistant = value.short().as_deref() == Some("assistant"),
        "content" => block::content(value, draft, part),
        _ => {}
    });
    if assistant {
        draft.speaker(mark, Role::Assistant);
    }
}

fn part(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "image" | "video" | "audio" => draft.media(value),
        "document" => block::source(value, draft),
        "searchResult" => block::found(value, draft),
        "toolUse" => block::call(value, draft, &["input"]),
        "toolResult" => members(value, |key, value| {
            if key == "content" {
                block::result(value, draft);
            }
        }),
        "guardContent" => members(value, |key, value| match key {
            "text" => texts(value, draft),
            "image" => draft.media(value),
            _ => {}
        }),
        "citationsContent" => members(value, |key, value| {
            if key == "content" {
                each(value, |value| texts(value, draft));
            }
        }),
        "reasoningContent" => reasoning(value, draft),
        "cachePoint" => draft.cache(value),
        _ => {}
    });
}

fn texts(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| {
        if key == "text" {
            draft.string(value, Role::User, Kind::Text);
        }
    });
}

fn reasoning(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "reasoningText" => members(value, |key, value| match key {
            "text" => {
                draft.string(value, Role::Assistant, Kind::Thinking);
            }
            "signature" => {
                draft.string(value, Role::Assistant, Kind::Blob);
            }
            _ => {}
        }),
        "redactedContent" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        _ => {}
    });
}

fn tool(value: &mut Reader<'_>, draft: &mut Draft) {
    members(value, |key, value| match key {
        "toolSpec" => {
            let (mut name, mut description, mut schema) = (None, None, None);
            members(value, |key, value| match key {
                "name" => name = Some(value.clone()),
                "description" => description = Some(value.clone()),
                "inputSchema" => members(value, |key, value| {
                    if key == "json" {
                        schema = Some(value.clone());
                    }
                }),
                _ => {}
            });
            draft.values(Role::System, Kind::ToolSchema, &mut [name, description, schema]);
        }
        // A tool that Amazon runs: its name is all there is.
        "systemTool" => members(value, |key, value| {
            if key == "name" {
                draft.string(value, Role::System, Kind::ToolSchema);
            }
        }),
        "cachePoint" => draft.cache(value),
        _ => {}
    });
}
