//! What filters tell the sidecar: digests, small numbers and outcomes; never text, keys or addresses.
//!
//! A batch is [`FORMAT`], a [`Header`] and observations, in the bytes of `codec`. Times go as differences, so that the
//! clocks of proxies do not matter: the sidecar counts back from when the batch came.

mod codec;
mod queue;

pub use queue::{Load, Queue};

use crate::caller::Caller;
use crate::digest::Reading;
use crate::time::{MINUTE, Timestamp};
use crate::verdict::{Action, Reason, Verdict};
use crate::wire::In;
use std::fmt;

/// The only format there is; first byte of a batch.
pub const FORMAT: u8 = 1;
/// Largest batch, in bytes.
pub const MAX_BATCH: usize = 4 << 20;
/// Longest name of a proxy, in bytes.
pub const MAX_NAME: usize = 128;
/// Oldest that an observation is taken to be, in milliseconds; one that waited longer counts as this old.
pub const MAX_AGE: u64 = 5 * MINUTE;

/// Who sends a batch, and how it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The proxy process; its VMs have it in common.
    pub process: u64,
    /// The VM.
    pub sender: u64,
    /// Number of the batch; grows with each. One that is sent twice has the same.
    pub sequence: u64,
    /// Version of the bundle in force; 0: none, what is configured or built in.
    pub rules: u64,
    /// Observations that did not fit since the VM began.
    pub lost: u64,
    /// What people call the proxy: Envoy's node id. At most [`MAX_NAME`] bytes.
    pub name: String,
    /// Milliseconds from the first observation to the sending.
    pub age: u32,
}

/// Something that was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Milliseconds after the first of its batch; before it, for a request is told of when it was answered, and at the time when it
    /// came.
    pub after: i32,
    /// What.
    pub event: Event,
}

/// What was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was judged.
    Request {
        /// Who sent it.
        caller: Caller,
        /// What it was.
        reading: Reading,
        /// What the evidence asked for.
        would: Action,
        /// Evidence, in thousandths of a nat.
        score: i32,
        /// What became of it.
        fate: Fate,
    },
    /// A request was refused for load: upstream (429 or 5xx), or here. Told right behind it.
    Refused {
        /// Who sent it.
        caller: Caller,
        /// What it was.
        reading: Reading,
    },
    /// An answer gave its caller reasoning blobs.
    Given {
        /// Who got them.
        caller: Caller,
        /// Their digests.
        blobs: Vec<u64>,
    },
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Upstream answered it.
    #[default]
    Answered,
    /// It was refused here for what speaks against its sender: upstream never had it.
    RefusedHere,
    /// It was refused for load: by upstream, or here, for a budget is used up. Clients send such a request again by themselves,
    /// and whoever sends it may have made up his key.
    RefusedForLoad,
}

impl Fate {
    /// Of a request that was judged so; `status`: of upstream's answer, where it had one.
    #[must_use]
    pub fn of(verdict: &Verdict, status: Option<u16>) -> Self {
        let over_budget = || verdict.reasons.contains(&Reason::OverBudget.code());
        match (status, verdict.action) {
            (Some(status), _) if refused(status) => Self::RefusedForLoad,
            (Some(_), _) | (None, Action::Allow | Action::Observe | Action::Degrade) => Self::Answered,
            (None, Action::Throttle) if over_budget() => Self::RefusedForLoad,
            (None, Action::Throttle | Action::Block) => Self::RefusedHere,
        }
    }
}

/// A batch as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Who sent it.
    pub header: Header,
    /// What was observed, in order.
    pub observations: Vec<Observation>,
}

/// Why bytes are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More than [`MAX_BATCH`] bytes.
    TooLarge,
    /// Another format; the number that stands there.
    Format(u8),
    /// Cut short, or not what a filter writes.
    Damaged,
    /// Something in it is longer than it can be; what.
    TooMany(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(to, "more than {MAX_BATCH} bytes"),
            Self::Format(found) => write!(to, "format {found}; {FORMAT} is known here"),
            Self::Damaged => to.write_str("cut short or damaged"),
            Self::TooMany(what) => write!(to, "too many or too long: {what}"),
        }
    }
}

impl Batch {
    /// Reads a batch.
    ///
    /// # Errors
    /// What is wrong with it; nothing of such a batch may be used.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let (header, mut rest) = Self::begin(bytes)?;
        let mut observations = Vec::new();
        while !rest.0.is_empty() {
            observations.push(codec::read(&mut rest)?);
        }
        Ok(Self { header, observations })
    }

    fn begin(bytes: &[u8]) -> Result<(Header, In<'_>), Refusal> {
        if bytes.len() > MAX_BATCH {
            return Err(Refusal::TooLarge);
        }
        let (format, rest) = bytes.split_first().ok_or(Refusal::Damaged)?;
        if *format != FORMAT {
            return Err(Refusal::Format(*format));
        }
        let mut rest = In(rest);
        let header = codec::read_header(&mut rest)?;
        Ok((header, rest))
    }

    /// The observations with their times, for who received the batch at `received`.
    pub fn timed(&self, received: Timestamp) -> impl Iterator<Item = (Timestamp, &Event)> {
        let age = u64::from(self.header.age);
        self.observations.iter().map(move |Observation { after, event }| {
            let age = age.saturating_add_signed(-i64::from(*after)).min(MAX_AGE);
            (Timestamp(received.0.saturating_sub(age)), event)
        })
    }
}

/// Whether a request that upstream answered so is told of: what it turns away (401, 403) has not shown whose it is, and
/// what it cannot make sense of (other 4xx) asks for nothing.
#[must_use]
pub fn told(status: u16) -> bool {
    matches!(status, 200..=399 | 429 | 500..)
}

/// Whether upstream refused for load.
#[must_use]
pub fn refused(status: u16) -> bool {
    status == 429 || status >= 500
}

#[cfg(test)]
mod tests;
