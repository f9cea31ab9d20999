//! The shape of a request: sizes and switches, no words.

use super::asked::Asked;
use crate::dialect::{Kind, Params, Prompt, Role};

/// Sizes in bytes of the document, counts saturating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Text of what is asked.
    pub user: u32,
    /// Text of the system prompt, unless that is what is asked.
    pub system: u32,
    /// Text of everything else: earlier turns, tool results.
    pub context: u32,
    /// Answers of the model in the conversation.
    pub answers: u16,
    /// Tools defined or tool results present.
    pub tools: bool,
    /// Images, audio or files present.
    pub media: bool,
    /// Parameters.
    pub params: Params,
}

impl Shape {
    pub(super) fn of(prompt: &Prompt<'_>, asked: Asked<'_>) -> Self {
        let mut shape = Self { params: prompt.params, ..Self::default() };
        let mut answered = None;
        for part in &prompt.parts {
            let bytes = part.span.bytes();
            match (part.role, part.kind) {
                (_, Kind::ToolSchema | Kind::ToolCall | Kind::ToolResult) => shape.tools = true,
                (_, Kind::Media) => shape.media = true,
                (Role::System, Kind::Text) => shape.system = shape.system.saturating_add(bytes),
                (_, Kind::Text) => shape.context = shape.context.saturating_add(bytes),
                (_, Kind::Blob | Kind::Thinking | Kind::Schema) => {}
            }
            if part.role == Role::Assistant && answered != Some(part.turn) {
                answered = Some(part.turn);
                shape.answers = shape.answers.saturating_add(1);
            }
        }
        shape.user = asked.texts().fold(0, |sum: u32, part| sum.saturating_add(part.span.bytes()));
        let among = if asked.of_system() { &mut shape.system } else { &mut shape.context };
        *among = among.saturating_sub(shape.user);
        shape
    }
}
