//! Gemini Interactions: a string, contents, or a list of steps of which messages are only two kinds. Until it was generally
//! available it had turns with a role, which held what is a step now.

use super::answer::{Answer, Finish, usage};
use super::draft::{Draft, each, members};
use super::{Kind, Language, Role, block, gemini, params};
use crate::json::{Reader, Token};

pub(super) struct Interactions;

impl Language for Interactions {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            // An agent stands where a model could.
            "model" | "agent" => draft.model(value),
            "previous_interaction_id" => draft.previous(value),
            "system_instruction" => draft.instructions(|draft| block::content(value, draft, piece)),
            "input" => input(value, draft),
            "tools" => {
                draft.outside();
                each(value, |value| block::tool(value, draft, &["parameters"]));
            }
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "id" => answer.id(value),
            "usage" => usage(value, answer),
            "status" => answer.finish(value),
            "steps" | "outputs" => each(value, |value| {
                if is(value, &["function_call"]) {
                    answer.note(Finish::ToolUse);
                }
                step(value, &mut answer.draft);
            }),
            _ => {}
        }
    }
}

/// Whether a step or content is of one of these kinds.
fn is(value: &Reader<'_>, kinds: &[&str]) -> bool {
    let mut found = false;
    members(&mut value.clone(), |key, value| {
        found |= key == "type" && value.short().is_some_and(|kind| kinds.contains(&&*kind));
    });
    found
}

fn input(value: &mut Reader<'_>, draft: &mut Draft) {
    // Contents that follow each other are one message.
    let mut goes_on = false;
    each(value, |value| {
        let text = value.peek() == Token::String;
        let bare = text || is(value, &["text", "image", "audio", "document", "video"]);
        let counted = (text || value.peek() == Token::Object) && (bare && goes_on || draft.next_turn());
        if counted && !draft.string(value, Role::User, Kind::Text) {
            step(value, draft);
        }
        goes_on = bare;
    });
}

fn step(value: &mut Reader<'_>, draft: &mut Draft) {
    let (mark, mut of_the_model) = (draft.mark(), false);
    members(&mut value.clone(), |key, value| match key {
        "type" | "role" => of_the_model |= matches!(value.short().as_deref(), Some("model_output" | "model")),
        "content" => block::content(value, draft, piece),
        _ => {}
    });
    piece(value, draft);
    if of_the_model {
        draft.speaker(mark, Role::Assistant);
    }
}

/// Takes a content, or what a step has beside its contents.
fn piece(value: &mut Reader<'_>, draft: &mut Draft) {
    let (mut name, mut call) = (None, None);
    members(value, |key, value| match key {
        "text" => {
            draft.string(value, Role::User, Kind::Text);
        }
        "summary" => block::summary(value, draft),
        "signature" => {
            draft.string(value, Role::Assistant, Kind::Blob);
        }
        "data" | "uri" => draft.media(value),
        "name" => name = Some(value.clone()),
        "arguments" => call = Some(value.clone()),
        "result" if value.peek() == Token::Object => gemini::response(value, draft),
        "result" => block::result(value, draft),
        _ => {}
    });
    if call.is_some() {
        draft.values(Role::Assistant, Kind::ToolCall, &mut [name, call]);
    }
}
