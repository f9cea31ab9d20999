//! What remains of a request: keyed digests and small numbers. Text ends here.
//!
//! | digest | keeps | loses |
//! |---|---|---|
//! | [`skeleton`] | the template: system prompt, tools, masked wording of what is asked | payload, numbers, the middle of long texts and of many |
//! | [`content`] | what is asked, to the letter | layout, case, punctuation |
//! | [`conversation`] | which conversation is continued | system prompt, reasoning, blobs, short changes amid long texts |
//! | blobs | which reasoning blob, or id of an answer, is sent back | all of it |
//! | [`settings`] | how the client program is set | nothing else of it |
//! | [`shape`] | sizes and switches | words |

mod asked;
pub mod conversation;
pub mod key;
mod prequery;
pub mod settings;
pub mod shape;
pub mod skeleton;

use azeotrope_text::letters;
pub use azeotrope_text::{content, hash, minhash, words};

use crate::dialect::{self, Dialect, Kind, Prompt};
use crate::evidence::wording::Features;
use crate::{route::Route, rules::Config};
use asked::Asked;
use content::Content;
use conversation::Conversation;
use key::{DigestKey, Digester, Domain};
use shape::Shape;
use skeleton::{Piece, Skeleton};

/// Blobs of a request that are looked at; a replay sends one or two.
pub const BLOBS: usize = 8;
/// Bytes below which a blob is no evidence: real signatures have hundreds, a placeholder is anybody's.
pub const SHORTEST_BLOB: usize = 24;

/// The content of a request that leaves to the model what is asked: another each time.
pub const DRAWN: u64 = u64::MAX;

/// A request, digested: everything that verdicts and observations are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The dialect it was read as; `None` when it was not read.
    pub dialect: Option<Dialect>,
    /// The body could not be read (no JSON, unknown codec).
    pub unread: bool,
    /// Only its beginning was read.
    pub truncated: bool,
    /// It is a batch; stays where the request was read.
    pub batch: Option<dialect::batch::Batch>,
    /// The model asked for, keyed.
    pub model: u64,
    /// The line of models it is of (its name without digits: what a release does not change), keyed.
    pub line: u64,
    /// The client program's parameters, keyed.
    pub settings: u64,
    /// The template, keyed.
    pub skeleton: Skeleton,
    /// What is asked, to the letter, keyed; 0 for small talk, [`DRAWN`] where the model is to say it.
    pub content: u64,
    /// The longest paragraph of what is asked, where it has several, keyed: a payload, whatever the wording around it.
    pub payload: u64,
    /// What is asked holds an entry of an indexed public set.
    pub corpus: bool,
    /// The conversation, keyed.
    pub conversation: Conversation,
    /// The id of the answer that it goes on from, and reasoning blobs sent back, keyed, at most [`BLOBS`].
    pub blobs: Vec<u64>,
    /// Sizes and switches; they stay where the request was read.
    pub shape: Shape,
    /// Log-odds of the wording being a harvest's, in thousandths of a nat.
    pub wording: i32,
    /// The same under the digest key before this one, while one is configured.
    pub before: Option<Box<Self>>,
}

impl Reading {
    /// Reads and digests a body.
    #[must_use]
    pub fn of(route: &Route, body: &[u8], whole: bool, config: &Config) -> Self {
        let keys = &config.callers.keys;
        // Keyed, so that who sends a batch does not know which request of it will be read.
        let draw = |requests: u32| {
            let drawn = keys.current.tagged(Domain::Batch, 0, body.len() as u64);
            drawn.checked_rem(u64::from(requests)).unwrap_or(0) as u32
        };
        let prompt = dialect::read_drawing(route, body, &draw);
        let under = |key| {
            let mut reading = Self::of_prompt(&prompt, key, config);
            reading.dialect = Some(route.dialect);
            reading.truncated |= !whole;
            reading
        };
        let before = keys.previous.as_ref().map(|key| Box::new(under(key)));
        Self { before, ..under(&keys.current) }
    }

    /// What it asks, for who counts how many different things are: one that is [`DRAWN`] is told from others by `nth`.
    #[must_use]
    pub fn asks(&self, nth: u64) -> u64 {
        if self.content == DRAWN { words::mix(nth) } else { self.content }
    }

    /// Every name of its template: under the digest key in force and, while one is configured, the one before.
    pub fn templates(&self) -> impl Iterator<Item = u64> {
        let before = self.before.iter().flat_map(|before| &before.skeleton.keys);
        self.skeleton.keys.iter().chain(before).map(|&(_, key)| key)
    }

    /// Digests what was read. A prompt of which nothing could be read is `unread`.
    #[must_use]
    pub fn of_prompt(prompt: &Prompt<'_>, digests: &DigestKey, config: &Config) -> Self {
        let asked = Asked::of(prompt);
        let pieces = asked.pieces(prompt, content::READ);
        let drawn = prequery::opens(prompt);
        let (skeleton, shape, features) = scan(prompt, asked, &pieces, digests, drawn);
        let content = Content::of(pieces.iter().map(|piece| &*piece.start));
        let keyed = |domain, hash: u64| if hash == 0 { 0 } else { digests.digest(domain, &hash.to_le_bytes()) };
        Self {
            dialect: None,
            unread: prompt.parts.is_empty() && !prompt.params.kept,
            truncated: prompt.truncated,
            batch: prompt.batch,
            model: digests.digest(Domain::Model, prompt.model.as_bytes()),
            line: line(&prompt.model, digests),
            settings: settings::settings(&prompt.params, digests),
            skeleton,
            content: if drawn { DRAWN } else { keyed(Domain::Content, content.whole) },
            payload: keyed(Domain::Payload, content.payload),
            corpus: content.all().any(|digest| config.corpora.iter().any(|corpus| corpus.contains(digest))),
            conversation: Conversation::of(prompt, digests),
            blobs: blobs(prompt, digests),
            shape,
            wording: config.rules.wording(&features),
            before: None,
        }
    }
}

/// The features of a request that the content model is trained on.
#[must_use]
pub fn features(prompt: &Prompt<'_>) -> Features {
    let asked = Asked::of(prompt);
    scan(prompt, asked, &asked.pieces(prompt, content::READ), &DigestKey::default(), false).2
}

/// One pass over the words: the template, the shape, and the features. What is trained on is what is scored.
fn scan(
    prompt: &Prompt<'_>,
    asked: Asked<'_>,
    pieces: &[Piece<'_>],
    digests: &DigestKey,
    drawn: bool,
) -> (Skeleton, Shape, Features) {
    let mut features = Features::default();
    let skeleton = Skeleton::of(prompt, asked, pieces, digests, features.buckets(), drawn);
    let shape = Shape::of(prompt, asked);
    features.shape(&shape);
    (skeleton, shape, features)
}

fn line(model: &str, digests: &DigestKey) -> u64 {
    let letters: String = model.chars().filter(|character| character.is_alphabetic()).map(letters::lower).collect();
    digests.digest(Domain::Model, letters.as_bytes())
}

fn blobs(prompt: &Prompt<'_>, digests: &DigestKey) -> Vec<u64> {
    let found =
        prompt.parts.iter().filter(|part| part.kind == Kind::Blob && part.span.bytes() as usize >= SHORTEST_BLOB);
    let found = found.map(|blob| blob_digest(&prompt.text(blob.span), digests));
    answer_digest(&prompt.previous, digests).into_iter().chain(found).take(BLOBS).collect()
}

/// What an answer gave its caller that nobody else can send back, at most [`BLOBS`]: its id, where a request can go on from that, and
/// the digests of its blobs.
#[must_use]
pub fn given(dialect: Dialect, id: &str, blobs: impl IntoIterator<Item = u64>, digests: &DigestKey) -> Vec<u64> {
    let continued = matches!(dialect, Dialect::Responses | Dialect::Interactions);
    let id = if continued { answer_digest(id, digests) } else { None };
    id.into_iter().chain(blobs).take(BLOBS).collect()
}

/// The keyed digest of an answer's id; `None` where that is so short that it may be anybody's.
fn answer_digest(id: &str, digests: &DigestKey) -> Option<u64> {
    (id.len() >= SHORTEST_BLOB).then(|| digests.digest(Domain::Conversation, id.as_bytes()))
}

/// The keyed digest of a reasoning blob, as requests carry it and responses give it.
#[must_use]
pub fn blob_digest(blob: &str, digests: &DigestKey) -> u64 {
    let mut digester = digests.digester(Domain::Blob);
    spelled(blob.as_bytes(), &mut digester);
    digester.finish()
}

/// Goes on with a piece of a blob. A server may take either alphabet of base64, padded or not (Gemini does, as all of protobuf's
/// JSON): however it is spelled, it is one blob.
pub(crate) fn spelled(piece: &[u8], digester: &mut Digester) {
    let counts = |byte: &u8| !matches!(byte, b'=' | b' ' | b'\t' | b'\r' | b'\n');
    let mut room = [0; 64];
    let mut bytes = piece.iter().filter(|byte| counts(byte)).map(|&byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    });
    loop {
        let mut count = 0;
        for (place, byte) in room.iter_mut().zip(&mut bytes) {
            *place = byte;
            count += 1;
        }
        if count == 0 {
            return;
        }
        digester.write(room.get(..count).unwrap_or(&[]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_the_provider_keeps_is_a_key_whatever_stands_beside_it() {
        let route = Route { dialect: Dialect::Responses, model: String::new(), stream: false };
        let keys = |body: &str| Reading::of(&route, body.as_bytes(), true, &Config::default()).skeleton.keys;
        let of = |id: &str, more: &str| {
            keys(&format!(
                r#"{{"prompt":{{"id":"{id}","variables":{{"text":"{}"}}}}{more}}}"#,
                "many words ".repeat(90)
            ))
        };
        let words: String =
            (0..400).map(|n| format!("w{} ", "abcdefghij".repeat(1 + n % 3).split_at(n % 7).1)).collect();
        let instructions = format!(r#","instructions":"{words}""#);
        let (one, other) = (of("pmpt_1", ""), of("pmpt_2", ""));
        assert_eq!((one[0].0, one[1..] == other[1..]), (skeleton::Place::System, true));
        assert_ne!(one[0], other[0]);
        let beside = of("pmpt_1", &instructions);
        assert!(beside.contains(&one[0]) && beside.len() <= skeleton::KEYS, "{}", beside.len());
    }

    #[test]
    fn a_harmless_request_hides_the_others_of_its_batch_wherever_it_stands_no_more_than_its_share() {
        let route = Route { dialect: Dialect::Messages, model: String::new(), stream: false };
        let request = |text: &str| format!(r#"{{"params":{{"messages":[{{"role":"user","content":"{text}"}}]}}}}"#);
        let config = Config::default();
        let read = |harmless: usize, padding: usize| {
            let of = |n| request(&(if n == harmless { "hello ".repeat(9 + padding) } else { "take this ".repeat(9) }));
            let body = format!(r#"{{"requests":[{}]}}"#, (0..8).map(of).collect::<Vec<_>>().join(","));
            Reading::of(&route, body.as_bytes(), true, &config).skeleton.key(skeleton::Place::Head)
        };
        let taking = read(99, 0);
        assert!(taking.is_some());
        for harmless in 0..8 {
            let hidden = (0..200).filter(|padding| read(harmless, *padding) != taking).count();
            assert!((10..45).contains(&hidden), "{harmless}: {hidden} of 200");
        }
    }
}
