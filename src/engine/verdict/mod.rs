//! Score → action → reply.

use crate::{caller::Caller, digest::Reading, route::Route, rules::Config, store::Store, time::Timestamp};

/// The ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

/// What the engine says of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is done: in observe mode never above [`Action::Observe`].
    pub action: Action,
    /// What the evidence asks for, whatever the mode.
    pub would: Action,
    /// Evidence in hundredths of a natural log-odds unit.
    pub score: i32,
    /// Reason codes.
    pub reasons: Vec<&'static str>,
    /// The campaign the account belongs to, where one is named.
    pub campaign: Option<String>,
    /// Seconds after which a throttled caller may try again.
    pub retry_after: u32,
}

impl Verdict {
    /// The verdict as an RFC 9651 structured-field dictionary, for the header `x-azeotrope` and the filter state.
    #[must_use]
    pub fn label(&self, now: Timestamp) -> String {
        format!("action={:?}, score={}, t={}", self.action, self.score, now.0)
    }
}

/// A reply in place of the upstream's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status: 429 or 403.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body in the caller's dialect.
    pub body: Vec<u8>,
}

impl Reply {
    /// The reply to a request that is not let through.
    #[must_use]
    pub fn of(_route: &Route, _verdict: &Verdict) -> Self {
        Self { status: 429, ..Self::default() }
    }
}

/// Counts and judges an exchange.
pub fn judge<S: Store>(
    _config: &Config,
    _store: &mut S,
    _caller: &Caller,
    _reading: &Reading,
    _now: Timestamp,
) -> Verdict {
    Verdict::default()
}

/// Takes note of how an exchange ended.
pub fn settle<S: Store>(
    _config: &Config,
    _store: &mut S,
    _caller: &Caller,
    _reading: &Reading,
    _status: u16,
    _now: Timestamp,
) {
}
