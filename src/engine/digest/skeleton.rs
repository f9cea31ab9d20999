//! The skeleton of a request: what stays when a pipeline fills its template with the next payload.
//!
//! Kept: the system prompt and the tool schemas as a whole, the name of a prompt that the provider keeps, the first and the last words
//! of what is asked, and MinHash values of both texts, all over masked words ([`super::words`]). Lost: payload, numbers, and
//! everything beyond the first and last [`EDGE`] bytes of a text; of a text in many parts, the parts that have [`HALF`] bytes of
//! others before and behind them. Prompts that leave it to the model what is asked ([`super::prequery`]) end alike. Each value is a key
//! under which accounts gather; one that survives is enough.

use super::asked::Asked;
use super::hash::sampled;
use super::key::{DigestKey, Domain};
use super::minhash::BINS;
use super::prequery;
use super::words::{Words, mix};
pub use azeotrope_text::template::HEAD;

use crate::dialect::{Kind, Part, Prompt, Role};
use azeotrope_text::buckets::Buckets;
use azeotrope_text::template::Text;
use std::borrow::Cow;

/// Bytes read of each end of a part: templates stand at the edges, payloads between.
pub const EDGE: usize = 4 * 1024;
/// Bytes read from either end of a text in many parts. Who would hide a template between them pays for as many with every
/// request.
pub const HALF: usize = 16 * 1024;
/// Bytes read of a tool's name, and of what it says of itself.
const TOOL: usize = 256;

/// Words below which a system prompt says nothing ("You are a helpful assistant.").
pub const SYSTEM_WORDS: usize = 8;

/// What a key was made from. The same words in another place give another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The whole masked system prompt, or the name of a prompt that the provider keeps.
    System,
    /// Part of the system prompt.
    SystemPart,
    /// The tool schemas, and that of the answer.
    Tools,
    /// The first words of what is asked.
    Head,
    /// The last words of what is asked.
    Tail,
    /// Part of what is asked.
    UserPart,
}

impl Place {
    /// All places, by number.
    pub const ALL: [Self; 6] = [Self::System, Self::SystemPart, Self::Tools, Self::Head, Self::Tail, Self::UserPart];

    /// Whether it is somewhere within a text: that may be anybody's.
    #[must_use]
    pub const fn is_part(self) -> bool {
        matches!(self, Self::SystemPart | Self::UserPart)
    }
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

    pub(super) fn of(
        prompt: &Prompt<'_>,
        asked: Asked<'_>,
        pieces: &[Piece<'_>],
        digests: &DigestKey,
        features: &mut Buckets,
        drawn: bool,
    ) -> Self {
        let mut skeleton = Self { keys: Vec::with_capacity(KEYS) };
        let mut add = |place: Place, hash: u64| {
            if hash != 0 {
                skeleton.keys.push((place, digests.tagged(Domain::Skeleton, place as u8, hash)));
            }
        };
        if !prompt.stored.is_empty() {
            add(Place::System, sampled(prompt.stored.as_bytes()));
        }
        let mut system = Text::default();
        for part in ends(&prompt.parts, |part| part.role == Role::System && part.kind == Kind::Text) {
            Piece::of(prompt, part, EDGE).read(&mut system, features);
        }
        if system.count() >= SYSTEM_WORDS {
            add(Place::System, system.whole());
            system.signature().0.into_iter().for_each(|bin| add(Place::SystemPart, bin));
        }
        add(Place::Tools, tools(prompt));
        let mut user = Text::default();
        let mut read = |features: &mut Buckets| pieces.iter().for_each(|piece| piece.read(&mut user, features));
        match asked.of_system() {
            // Its words are counted already.
            true => read(&mut Buckets::default()),
            false => read(features),
        }
        let enough = user.count() >= HEAD;
        if enough {
            add(Place::Head, user.head());
        }
        if drawn {
            add(Place::Tail, prequery::END);
        } else if enough {
            add(Place::Tail, user.tail());
        }
        user.signature().0.into_iter().for_each(|bin| add(Place::UserPart, bin));
        skeleton.keys.truncate(KEYS);
        skeleton
    }
}

fn tools(prompt: &Prompt<'_>) -> u64 {
    let mut hash = 0_u64;
    let mut add = |word: u64| hash = mix(hash ^ word).wrapping_add(word);
    for part in ends(&prompt.parts, |part| matches!(part.kind, Kind::ToolSchema | Kind::Schema)) {
        if part.span.string {
            Words::new(&prompt.beginning(part.span, TOOL)).for_each(&mut add);
        } else {
            add(sampled(prompt.raw(part.span)));
        }
    }
    hash
}

/// The parts of a text that are read, in their order: those that begin within [`HALF`] bytes of either end.
pub(super) fn ends<'p>(parts: &'p [Part], of: impl Fn(&Part) -> bool + Copy + 'p) -> impl Iterator<Item = &'p Part> {
    let size = |part: &Part| (part.span.bytes() as usize).min(2 * EDGE);
    let mut behind: usize = parts.iter().filter(|part| of(part)).map(size).sum();
    let mut before = 0_usize;
    parts.iter().filter(move |part| of(part)).filter(move |part| {
        let start = before;
        before = before.saturating_add(size(part));
        behind = behind.saturating_sub(size(part));
        start < HALF || behind < HALF
    })
}

/// A part whose words are read, unescaped once.
pub(super) struct Piece<'p> {
    /// Its beginning: of a short one, all.
    pub(super) start: Cow<'p, str>,
    /// Of one that is longer than two edges, the last of them.
    end: Option<Cow<'p, str>>,
}

impl<'p> Piece<'p> {
    /// `most`: bytes of the beginning that somebody reads.
    pub(super) fn of(prompt: &'p Prompt<'_>, part: &Part, most: usize) -> Self {
        let long = part.span.bytes() as usize > 2 * EDGE;
        Self {
            start: prompt.beginning(part.span, if long { most } else { 2 * EDGE }),
            end: long.then(|| prompt.end(part.span, EDGE)),
        }
    }

    fn read(&self, text: &mut Text, features: &mut Buckets) {
        let Some(end) = &self.end else {
            text.read(&self.start, features);
            return;
        };
        let edge = self.start.floor_char_boundary(EDGE);
        text.read(self.start.get(..edge).unwrap_or(""), features);
        text.read(end, features);
    }
}
