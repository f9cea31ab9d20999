//! The rules document: what the engine holds suspicious, how much, and what follows.

use super::families::Families;
use super::lists::{Campaign, Exception, Migration, Order};
use super::names::Weights;
use super::reader::Reader;
use super::section::{choice, section};
use super::values::{MAX_WHOLE, Milli, decimal};
#[cfg(feature = "deflate")]
use crate::codec::{self, Decoded, Encoding};
#[cfg(feature = "deflate")]
use crate::evidence::wording::BYTES;
use crate::evidence::wording::Model;

/// The only format there is.
pub const FORMAT: u32 = 1;

/// Highest version of rules: what an RFC 9651 integer holds, as labels carry it.
pub const MAX_VERSION: u64 = 999_999_999_999_999;

section! {
    /// Rules of Azeotrope.
    pub struct Document {
        /// Format of this document.
        format: u32 = FORMAT, FORMAT..=FORMAT;
        /// Version of these rules; only grows. 0: the rules built into the engine.
        version: u64 = 0, 0..=MAX_VERSION;
        /// What people call these rules.
        name: String = "built-in".to_owned(), 0..=128;
        /// When these rules end; from then on the built-in ones observe in their place.
        expires: Option<u64> = None, 1..=MAX_WHOLE, "seconds since 1970-01-01T00:00:00Z";
        /// Scores from which the rungs of the ladder are reached.
        thresholds: Thresholds = Thresholds::default(), ();
        /// How the sidecar keeps the thresholds at what traffic does.
        keep: Keep = Keep::default(), ();
        /// What each evidence family is worth, and its thresholds.
        families: Families = Families::default(), ();
        /// How callers are throttled.
        throttle: Throttle = Throttle::default(), ();
        /// What callers may use, whatever the evidence says; nothing: as much as they like.
        budgets: Budgets = Budgets::default(), ();
        /// What a degraded caller does not get.
        degrade: Degrade = Degrade::default(), ();
        /// Who is never acted upon.
        allow: Vec<Exception> = Vec::new(), (0..=8_192, ());
        /// Who is acted upon, whatever the score.
        deny: Vec<Order> = Vec::new(), (0..=8_192, ());
        /// Accounts that move to others: nothing that goes between them is stolen.
        migrations: Vec<Migration> = Vec::new(), (0..=8_192, ());
        /// The model that judges wording; absent: wording is not judged.
        content: Option<Content> = Some(Content::built_in()), ();
        /// Campaigns that the sidecar has found.
        campaigns: Vec<Campaign> = Vec::new(), (0..=1_024, ());
    }
    required ["format", "version"]
}

section! {
    /// Scores (log-odds) from which the rungs of the ladder are reached; each at least the one before.
    pub struct Thresholds {
        /// Score from which a request is labelled.
        observe: Milli = Milli::of(4.5), 0.0..=100.0, "nats";
        /// Score from which a caller is throttled.
        throttle: Milli = Milli::of(7.5), 0.0..=100.0, "nats";
        /// Score from which a caller is blocked.
        block: Milli = Milli::of(9.5), 0.0..=100.0, "nats";
    }
    check Thresholds::ordered
}

impl Thresholds {
    fn ordered(&self, reader: &mut Reader) {
        for (low, low_name, high, high_name) in
            [(self.observe, "observe", self.throttle, "throttle"), (self.throttle, "throttle", self.block, "block")]
        {
            if low > high {
                let reason =
                    [&decimal(high.number()), " is below `", low_name, "` (", &decimal(low.number()), ")"].concat();
                reader.member(high_name, |reader| reader.problem(reason));
            }
        }
    }
}

section! {
    /// How the sidecar keeps the thresholds: at a share of the accounts that belong to no campaign.
    pub struct Keep {
        /// Whether it does.
        enabled: bool = false, ();
        /// One in so many accounts may be labelled.
        observe_one_in: u32 = 1_000, 10..=10_000_000, "accounts";
        /// One in so many may be throttled.
        throttle_one_in: u32 = 10_000, 10..=10_000_000, "accounts";
        /// One in so many may be blocked.
        block_one_in: u32 = 100_000, 10..=10_000_000, "accounts";
        /// Where thresholds stay at least.
        floor: Floor = Floor::default(), ();
        /// Where they stay at most.
        ceiling: Ceiling = Ceiling::default(), ();
        /// Those that stay where they are written.
        pinned: Vec<Rung> = Vec::new(), (0..=3, ());
        /// Accounts of one population (those that speak one dialect) from which it has a say.
        accounts_from: u32 = 1_000, 100..=10_000_000, "accounts";
        /// Most that a threshold moves at once.
        step: Milli = Milli::of(0.5), 0.1..=10.0, "nats";
    }
    check Keep::possible
}

impl Keep {
    fn possible(&self, reader: &mut Reader) {
        let (floor, ceiling) = (&self.floor, &self.ceiling);
        if floor.observe > ceiling.observe || floor.throttle > ceiling.throttle || floor.block > ceiling.block {
            reader.member("ceiling", |reader| reader.problem("is below `floor`"));
        }
    }
}

section! {
    /// Where thresholds stay at least.
    pub struct Floor {
        /// Score from which a request is labelled.
        observe: Milli = Milli::of(3.0), 0.0..=100.0, "nats";
        /// Score from which a caller is throttled.
        throttle: Milli = Milli::of(6.0), 0.0..=100.0, "nats";
        /// Score from which a caller is blocked.
        block: Milli = Milli::of(8.0), 0.0..=100.0, "nats";
    }
}

section! {
    /// Where thresholds stay at most.
    pub struct Ceiling {
        /// Score from which a request is labelled.
        observe: Milli = Milli::of(8.0), 0.0..=100.0, "nats";
        /// Score from which a caller is throttled.
        throttle: Milli = Milli::of(12.0), 0.0..=100.0, "nats";
        /// Score from which a caller is blocked.
        block: Milli = Milli::of(16.0), 0.0..=100.0, "nats";
    }
}

/// A rung that has a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Labelling.
    Observe,
    /// Throttling.
    Throttle,
    /// Blocking.
    Block,
}

choice!(Rung { Observe = "observe", Throttle = "throttle", Block = "block" });

section! {
    /// How callers are throttled.
    pub struct Throttle {
        /// What Retry-After tells a throttled caller.
        retry_after_seconds: u32 = 60, 1..=86_400, "seconds";
    }
}

section! {
    /// What callers may use, whatever the evidence says.
    pub struct Budgets {
        /// Of each account.
        account: Option<Budget> = None, ();
        /// Of each organisation.
        organisation: Option<Budget> = None, ();
        /// Of each campaign's members together.
        campaign: Option<Budget> = None, ();
        /// What an answer is taken to cost before it comes, where the request does not limit it.
        assumed_tokens: u32 = 1_024, 1..=1_000_000, "tokens";
    }
}

section! {
    /// What may be used in any time of this length.
    pub struct Budget {
        /// Requests; absent: any number.
        requests: Option<u32> = None, 1..=1_000_000_000;
        /// Tokens, read and written; absent: any number.
        tokens: Option<u64> = None, 1..=1_000_000_000_000, "tokens";
        /// The time.
        window_seconds: u32 = 60, 1..=86_400, "seconds";
    }
}

section! {
    /// What a degraded caller does not get: each is named to it, and to who reads the log.
    pub struct Degrade {
        /// Log probabilities are not asked for.
        logprobs: bool = true, ();
        /// One answer to a request, however many are asked for.
        single: bool = true, ();
        /// Longest answer; where reasoning has a budget that counts in the answer's length, beside that.
        max_tokens: u32 = 4_096, 16..=1_000_000, "tokens";
        /// Largest budget for reasoning, where one is named.
        thinking_tokens: u32 = 1_024, 1_024..=1_000_000, "tokens";
        /// Reasoning, and summaries of it, are emptied of their text; signatures stay.
        reasoning_text: bool = true, ();
    }
}

section! {
    /// The model that judges wording: hashed, linear, trained by `azeotrope train`.
    pub struct Content {
        /// Its weights.
        weights: Weights = Weights(Model::default()), ();
    }
    required ["weights"]
}

impl Content {
    /// The model that comes with the engine; `tests/detection/README.md` says how it was trained and on what.
    fn built_in() -> Self {
        Self { weights: Weights(Self::unpacked().unwrap_or_default()) }
    }

    /// Packed where this build can unpack.
    #[cfg(feature = "deflate")]
    fn unpacked() -> Option<Model> {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/content.model.zlib"));
        match codec::decode(Encoding::Deflate, packed, BYTES) {
            Decoded::Body { bytes, .. } => Model::from_bytes(&bytes).ok(),
            Decoded::Unsupported => None,
        }
    }

    #[cfg(not(feature = "deflate"))]
    fn unpacked() -> Option<Model> {
        Model::from_bytes(include_bytes!("content.model")).ok()
    }
}

impl Document {
    /// The document as JSON, every knob named.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        super::reader::Value::show(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_model_is_the_one_that_was_trained() {
        let trained = Model::from_bytes(include_bytes!("content.model")).unwrap();
        assert_eq!(Content::built_in().weights.0, trained);
    }
}
