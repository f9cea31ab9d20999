//! Degradation, openly: what a degraded caller asks for less of, and what its answers lose. Each change has a name that
//! the caller is told.
//!
//! Nothing is written anew: a document keeps its bytes, their order and every unknown field, but for the spans that
//! change. What cannot be read whole is not touched.

mod answer;
mod edits;
mod request;
mod stream;
#[cfg(test)]
mod tests;

pub use request::request;
pub use stream::{MAX_HELD, Rewriter};

/// Something that is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Log probabilities are not asked for.
    Logprobs,
    /// Only one answer is asked for.
    N,
    /// The answer's length is limited.
    MaxTokens,
    /// The budget for reasoning is limited.
    ThinkingBudget,
    /// Reasoning and its summaries are without text.
    ReasoningText,
}

/// Which changes were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes(u8);

impl Changes {
    const ALL: [(Change, &'static str); 5] = [
        (Change::Logprobs, "logprobs"),
        (Change::N, "n"),
        (Change::MaxTokens, "max-tokens"),
        (Change::ThinkingBudget, "thinking-budget"),
        (Change::ReasoningText, "reasoning-text"),
    ];

    /// Adds a change.
    pub fn note(&mut self, change: Change) {
        self.0 |= 1 << change as u8;
    }

    /// Adds all of `others`.
    pub fn join(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their names, as the header `x-azeotrope-degraded` and the log tell them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(move |(change, _)| self.0 & (1 << *change as u8) != 0).map(|(_, name)| name)
    }
}

/// A request that asks for less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degraded {
    /// The body to send on in place of the caller's.
    pub body: Vec<u8>,
    /// What is different in it.
    pub changes: Changes,
}
