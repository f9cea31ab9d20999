//! Which conversation a request goes on with.
//!
//! A conversation is the list of its turns without the system prompt, without reasoning and without blobs: clients strip
//! those from earlier turns, operators change the system prompt mid-way. [`Conversation::whole`] names what this request
//! sends; the next request of the same conversation carries it as its [`Conversation::parent`].
//!
//! Of a text over a KiB its ends and samples between are hashed, as it stands in the document: a client that goes on with
//! another's conversation and escapes long texts otherwise is not known again.

use super::hash::{LONG, Rolling, sampled};
use super::key::{DigestKey, Domain};
use crate::dialect::{Kind, Part, Prompt, Role};

/// Digests of a conversation, keyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// All turns up to the last one that is not the model's.
    pub whole: u64,
    /// Bytes of text in `whole`: the next request's `parent_bytes`.
    pub bytes: u32,
    /// All turns before the model's last answer: what the request before this one sent. 0 on a first turn.
    pub parent: u64,
    /// Turns of the model in it.
    pub answers: u16,
    /// Bytes of text in the parent.
    pub parent_bytes: u32,
}

impl Conversation {
    pub(super) fn of(prompt: &Prompt<'_>, digests: &DigestKey) -> Self {
        let mut rolling = Rolling::default();
        let mut found = Self::default();
        let (mut bytes, mut parent, mut whole, mut last) = (0_usize, (0_u64, 0_usize), (0_u64, 0_usize), None);
        for part in prompt.parts.iter().filter(|part| counts(part)) {
            if last != Some((part.turn, part.role)) {
                if part.role == Role::Assistant {
                    found.answers = found.answers.saturating_add(1);
                    if last.is_none_or(|(_, role)| role != Role::Assistant) {
                        parent = (rolling.finish(), bytes);
                    }
                }
                rolling.number(part.role as u64);
                last = Some((part.turn, part.role));
            }
            let raw = prompt.raw(part.span);
            bytes += raw.len();
            rolling.number(if raw.len() > LONG { sampled(raw) } else { sampled(prompt.text(part.span).as_bytes()) });
            if part.role != Role::Assistant {
                whole = (rolling.finish(), bytes);
            }
        }
        // Continued only if something follows the answer: a trailing one is a prefill.
        let ends_with_answer = last.is_some_and(|(_, role)| role == Role::Assistant);
        found.whole = keyed(digests, whole.0);
        found.bytes = u32::try_from(whole.1).unwrap_or(u32::MAX);
        if !ends_with_answer && found.answers > 0 {
            found.parent = keyed(digests, parent.0);
            found.parent_bytes = u32::try_from(parent.1).unwrap_or(u32::MAX);
        }
        found
    }
}

fn counts(part: &Part) -> bool {
    part.role != Role::System && matches!(part.kind, Kind::Text | Kind::ToolCall | Kind::ToolResult)
}

fn keyed(digests: &DigestKey, hash: u64) -> u64 {
    if hash == 0 { 0 } else { digests.digest(Domain::Prefix, &hash.to_le_bytes()) }
}
