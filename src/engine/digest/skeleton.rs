//! The skeleton of a request: what stays when a pipeline fills its template with the next payload.
//!
//! Kept: the system prompt and the tool schemas as a whole, the first and the last words of the last user turn, and
//! MinHash values of both texts, all over masked words ([`super::words`]). Lost: payload, numbers, quotes, code, and
//! everything beyond the first and last [`EDGE`] bytes of a text. Each value is a key under which accounts gather; one
//! that survives is enough.

use super::key::{DigestKey, Domain};
use super::minhash::BINS;
use super::words::{Words, mix};
pub use azeotrope_text::template::{EDGE, HEAD};

use crate::dialect::{Kind, Prompt, Role};
use azeotrope_text::buckets::Buckets;
use azeotrope_text::template::{Text, edge};

/// Words below which a system prompt says nothing ("You are a helpful assistant.").
pub const SYSTEM_WORDS: usize = 8;

/// What a key was made from. The same words in another place give another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The whole masked system prompt.
    System,
    /// Part of the system prompt.
    SystemPart,
    /// The tool schemas.
    Tools,
    /// The first words of the last user turn.
    Head,
    /// The last words of the last user turn.
    Tail,
    /// Part of the last user turn.
    UserPart,
}

impl Place {
    /// All places, by number.
    pub const ALL: [Self; 6] = [Self::System, Self::SystemPart, Self::Tools, Self::Head, Self::Tail, Self::UserPart];
}

/// Most keys of a skeleton.
pub const KEYS: usize = 4 + 2 * BINS;

/// The keys of a request's skeleton, keyed digests all; at most [`KEYS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skeleton {
    /// Keys and what each was made from.
    pub keys: Vec<(Place, u64)>,
}

impl Skeleton {
    /// The key of one place, if there is one.
    #[must_use]
    pub fn key(&self, place: Place) -> Option<u64> {
        self.keys.iter().find(|(of, _)| *of == place).map(|&(_, key)| key)
    }

    pub(super) fn of(prompt: &Prompt, last: u16, digests: &DigestKey, features: &mut Buckets) -> Self {
        let mut skeleton = Self { keys: Vec::with_capacity(KEYS) };
        let mut add = |place: Place, hash: u64| {
            if hash != 0 {
                let mut bytes = [place as u8; 9];
                bytes.iter_mut().skip(1).zip(hash.to_le_bytes()).for_each(|(to, from)| *to = from);
                skeleton.keys.push((place, digests.digest(Domain::Skeleton, &bytes)));
            }
        };
        let mut system = Text::default();
        let mut tools = 0_u64;
        for part in prompt.parts.iter().filter(|part| part.role == Role::System) {
            match part.kind {
                Kind::Text => system.read(prompt.slice(part.span), features),
                Kind::ToolSchema => {
                    Words::new(edge(prompt.slice(part.span)).0)
                        .for_each(|word| tools = mix(tools ^ word).wrapping_add(word));
                }
                _ => {}
            }
        }
        if system.count() >= SYSTEM_WORDS {
            add(Place::System, system.whole());
            system.signature().0.into_iter().for_each(|bin| add(Place::SystemPart, bin));
        }
        add(Place::Tools, tools);
        let mut user = Text::default();
        for part in
            prompt.parts.iter().filter(|part| part.role == Role::User && part.turn == last && part.kind == Kind::Text)
        {
            user.read(prompt.slice(part.span), features);
        }
        if user.count() >= HEAD {
            add(Place::Head, user.head());
            add(Place::Tail, user.tail());
        }
        user.signature().0.into_iter().for_each(|bin| add(Place::UserPart, bin));
        skeleton
    }
}
