//! OpenAI Completions (legacy): one prompt or several, no roles.

use super::answer::{Answer, usage};
use super::draft::{Draft, each, members};
use super::{Kind, Language, Role, params};
use crate::json::{Reader, Token};

pub(super) struct Completions;

impl Language for Completions {
    fn request(key: &str, value: &mut Reader<'_>, draft: &mut Draft) {
        match key {
            "model" => draft.model(value),
            "prompt" => prompts(value, draft),
            "suffix" => {
                draft.string(value, Role::User, Kind::Text);
            }
            _ => params::read(key, value, draft),
        }
    }

    fn answer(key: &str, value: &mut Reader<'_>, answer: &mut Answer) {
        match key {
            "id" => answer.id(value),
            "usage" => usage(value, answer),
            "choices" => each(value, |value| {
                members(value, |key, value| {
                    if key == "finish_reason" {
                        answer.finish(value);
                    }
                });
            }),
            _ => {}
        }
    }
}

/// Takes the prompts of a list, each a turn of its own, or a single one. A list of token ids counts as one prompt and is not read.
pub(super) fn prompts(value: &mut Reader<'_>, draft: &mut Draft) {
    let mut tokens = false;
    each(value, |value| match value.peek() {
        Token::String if draft.next_turn() => {
            draft.string(value, Role::User, Kind::Text);
        }
        Token::Array => {
            draft.next_turn();
        }
        Token::Number if !tokens => tokens = draft.next_turn(),
        _ => {}
    });
}
