//! Score → action → reply.

pub mod judge;
pub mod label;
pub mod ladder;
pub mod reason;
pub mod reply;

pub use judge::{Assessment, assess};
pub use label::Label;
pub use ladder::{Backing, carried_out, ladder};
pub use reason::Reason;
pub use reply::Reply;

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing to say.
    #[default]
    Allow,
    /// Told to upstream and logs, let through.
    Observe,
    /// 429 with Retry-After.
    Throttle,
    /// Let through with openly named reductions.
    Degrade,
    /// 403.
    Block,
}

impl Action {
    /// All actions, the mildest first.
    pub const ALL: [Self; 5] = [Self::Allow, Self::Observe, Self::Throttle, Self::Degrade, Self::Block];

    /// Its name in labels, logs and replay output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Observe => "observe",
            Self::Throttle => "throttle",
            Self::Degrade => "degrade",
            Self::Block => "block",
        }
    }

    /// The action of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether the request is answered here instead of by upstream.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Throttle | Self::Block)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

/// What the engine says of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is done: in observe mode never above [`Action::Observe`].
    pub action: Action,
    /// What the evidence, an operator's order or a budget asks for, whatever the mode.
    pub would: Action,
    /// Evidence (log-odds) in thousandths of a nat, as thresholds are kept.
    pub score: i32,
    /// Reason codes: [`Reason::code`].
    pub reasons: Vec<&'static str>,
    /// The campaign the account belongs to, where one is named.
    pub campaign: Option<String>,
    /// Seconds after which a throttled caller may try again.
    pub retry_after: u32,
    /// What a refused caller quotes when asking why, and the operator finds in the log: the account's digest, or the
    /// network's where there is no account; 0: none.
    pub case: u64,
    /// Version of the rules that judged; 0: built-in.
    pub rules: u64,
}

impl Verdict {
    /// The verdict as an RFC 9651 structured-field dictionary, for the header `x-azeotrope` and the filter state:
    /// see [`label`].
    #[must_use]
    pub fn label(&self, now: Timestamp) -> String {
        label::write(self, now)
    }
}
