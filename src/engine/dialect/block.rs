//! Shapes that more than one dialect uses: tool definitions, tool calls, plain documents.

use super::draft::{Draft, each, members};
use super::{Kind, Role};
use crate::json::{Reader, Token};

/// Takes a tool definition, or its inner object, whose schema is under one of `schemas`.
pub(super) fn tool(value: &mut Reader<'_>, draft: &mut Draft, schemas: &[&str]) {
    let (mut name, mut description, mut schema, mut hosted) = (None, None, None, None);
    members(value, |key, value| match key {
        "name" => name = Some(value.clone()),
        "description" => description = Some(value.clone()),
        "type" => hosted = Some(value.clone()),
        "cache_control" => draft.cache(value),
        "function" | "custom" if value.peek() == Token::Object => {
            members(value, |key, value| match key {
                "name" => name = Some(value.clone()),
                "description" => description = Some(value.clone()),
                key if schemas.contains(&key) => schema = Some(value.clone()),
                _ => {}
            });
        }
        key if schemas.contains(&key) => schema = Some(value.clone()),
        _ => {}
    });
    // A tool that the provider runs may have a type and no name.
    if name.is_none() && !value.truncated() {
        name = hosted.filter(|kind| !matches!(kind.clone().short().as_deref(), Some("function" | "custom")));
    }
    draft.values(Role::System, Kind::ToolSchema, &mut [name, description, schema]);
}

/// Takes a call `{name, arguments}`, whose arguments are under one of `arguments` as a string or as JSON.
pub(super) fn call(value: &mut Reader<'_>, draft: &mut Draft, arguments: &[&str]) {
    let (mut name, mut input) = (None, None);
    members(value, |key, value| match key {
        "name" => name = Some(value.clone()),
        key if arguments.contains(&key) => input = Some(value.clone()),
        _ => {}
    });
    draft.values(Role::Assistant, Kind::ToolCall, &mut [name, input]);
}

/// Takes a string, or an array of strings and blocks, with `block` for each block: what most dialects call content.
pub(super) fn content(value: &mut Reader<'_>, draft: &mut Draft, mut block: impl FnMut(&mut Reader<'_>, &mut Draft)) {
    each(value, |value| {
        if !draft.string(value, Role::User, Kind::Text) {
            block(value, draft);
        }
    });
}

/// Takes the summary of what the model thought, in texts.
pub(super) fn summary(value: &mut Reader<'_>, draft: &mut Draft) {
    content(value, draft, |value, draft| {
        members(value, |key, value| {
            if key == "text" {
                draft.string(value, Role::Assistant, Kind::Thinking);
            }
        });
    });
}

/// Takes what a document or a search result holds: a string, or blocks of which text and media are kept. It looks no deeper: whoever
/// encloses one in another takes no stack.
pub(super) fn enclosed(value: &mut Reader<'_>, draft: &mut Draft) {
    content(value, draft, |value, draft| {
        members(value, |key, value| match key {
            "text" => {
                draft.string(value, Role::User, Kind::Text);
            }
            "source" => draft.media(value),
            _ => {}
        });
    });
}

/// Takes a search result of Converse's.
pub(super) fn found(value: &mut Reader<'_>, draft: &mut Draft) {
    let mut content = None;
    members(value, |key, value| match key {
        "title" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "content" => content = Some(value.clone()),
        _ => {}
    });
    if let Some(mut content) = content {
        enclosed(&mut content, draft);
    }
}

/// Takes what a tool gave back: a string, or blocks of which text and media are kept.
pub(super) fn result(value: &mut Reader<'_>, draft: &mut Draft) {
    let mark = draft.mark();
    content(value, draft, |value, draft| {
        members(value, |key, value| match key {
            "text" | "stdout" | "stderr" | "title" | "output" => {
                draft.string(value, Role::User, Kind::Text);
            }
            "json" => draft.value(value, Role::User, Kind::Text),
            "image_url" | "image" | "video" | "file_data" | "file_id" | "input_audio" => draft.media(value),
            "source" | "document" => source(value, draft),
            "searchResult" => found(value, draft),
            // One level below, as in documents, search results and the output of code.
            "content" => enclosed(value, draft),
            "cache_control" => draft.cache(value),
            _ => {}
        });
    });
    draft.speaker(mark, Role::Tool);
}

/// Where a source keeps what is no text, or says where it is.
const BYTES: &[&str] = &["bytes", "url", "file_id", "s3Location"];

/// Takes the source of an image or document: its text where it is given as text, else a medium.
pub(super) fn source(value: &mut Reader<'_>, draft: &mut Draft) {
    // The address of a search result.
    if value.peek() != Token::Object {
        return;
    }
    let (mut plain, mut data, mut inner, mut media) = (false, None, None, None);
    members(value, |key, value| match key {
        "type" => plain = value.short().as_deref() == Some("text"),
        "data" => data = Some(value.clone()),
        "text" => (plain, data) = (true, Some(value.clone())),
        "content" => inner = Some(value.clone()),
        // Converse has the source one level below the document.
        "source" => {
            members(value, |key, value| match key {
                "text" => (plain, data) = (true, Some(value.clone())),
                "content" => inner = Some(value.clone()),
                key if BYTES.contains(&key) => media = Some(value.clone()),
                _ => {}
            });
        }
        // What Converse's says of itself.
        "context" => {
            draft.string(value, Role::User, Kind::Text);
        }
        key if BYTES.contains(&key) => media = Some(value.clone()),
        _ => {}
    });
    match (plain, data, inner, media) {
        (true, Some(mut text), ..) => {
            draft.string(&mut text, Role::User, Kind::Text);
        }
        (_, _, Some(mut blocks), _) => enclosed(&mut blocks, draft),
        (_, Some(mut some), ..) | (.., Some(mut some)) => draft.media(&mut some),
        _ => {}
    }
}
