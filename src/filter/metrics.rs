//! Counters and gauges: a fixed set of names (no client chooses one), defined once a VM. Counters end in `_total`, as
//! Prometheus' users expect.
//!
//! What requests count is added up here and told to the host with the next tick, so that a counter costs a request nothing;
//! what no tick follows for, when a configuration ends. On a host without a timer nothing is told: such hosts have no metrics
//! either.

use crate::abi::{self, Kind};
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::verdict::Action;
use std::cell::Cell;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $text:literal,)*) => {
        /// A metric; its name at the host is `wasmcustom.azeotrope.…`, and ends in `_total` if it is a counter.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Metric { $($(#[$doc])* $name,)* }

        const ALL: &[(Kind, &str)] = &[$((Kind::$kind, $text),)*];

        thread_local! {
            // Host ids; `None` until defined.
            static IDS: [Cell<Option<u32>>; ALL.len()] = const { [const { Cell::new(None) }; ALL.len()] };
            // What is counted and not told yet.
            static COUNTS: [Cell<u64>; ALL.len()] = const { [const { Cell::new(0) }; ALL.len()] };
        }
    };
}

metrics! {
    /// Requests in OpenAI Chat Completions.
    ChatCompletions: Counter = "azeotrope.requests.chat_completions",
    /// Requests in OpenAI Completions.
    Completions: Counter = "azeotrope.requests.completions",
    /// Requests in OpenAI Responses.
    Responses: Counter = "azeotrope.requests.responses",
    /// Requests in Anthropic Messages.
    Messages: Counter = "azeotrope.requests.messages",
    /// Requests in Gemini.
    Gemini: Counter = "azeotrope.requests.gemini",
    /// Requests in Bedrock Converse.
    Converse: Counter = "azeotrope.requests.converse",
    /// Requests in Gemini Interactions.
    Interactions: Counter = "azeotrope.requests.interactions",
    /// Verdicts, by what is done.
    Allow: Counter = "azeotrope.verdict.allow",
    /// See [`Metric::Allow`].
    Observe: Counter = "azeotrope.verdict.observe",
    /// See [`Metric::Allow`].
    Throttle: Counter = "azeotrope.verdict.throttle",
    /// See [`Metric::Allow`].
    Degrade: Counter = "azeotrope.verdict.degrade",
    /// See [`Metric::Allow`].
    Block: Counter = "azeotrope.verdict.block",
    /// Verdicts, by what the evidence asks for.
    WouldAllow: Counter = "azeotrope.would.allow",
    /// See [`Metric::WouldAllow`].
    WouldObserve: Counter = "azeotrope.would.observe",
    /// See [`Metric::WouldAllow`].
    WouldThrottle: Counter = "azeotrope.would.throttle",
    /// See [`Metric::WouldAllow`].
    WouldDegrade: Counter = "azeotrope.would.degrade",
    /// See [`Metric::WouldAllow`].
    WouldBlock: Counter = "azeotrope.would.block",
    /// Bodies that could not be read: no JSON, or an encoding this build does not know.
    Unread: Counter = "azeotrope.unread",
    /// Bodies of which only the beginning was read.
    Truncated: Counter = "azeotrope.truncated",
    /// Tokens that upstream read for answers that told.
    InputTokens: Counter = "azeotrope.tokens.input",
    /// Tokens that upstream wrote; estimated where an answer does not tell.
    OutputTokens: Counter = "azeotrope.tokens.output",
    /// Tokens of reasoning, where answers tell.
    ReasoningTokens: Counter = "azeotrope.tokens.reasoning",
    /// Tokens read that came from a cache, where answers tell.
    CachedTokens: Counter = "azeotrope.tokens.cached",
    /// Answers of upstream that were read.
    Answers: Counter = "azeotrope.answers.read",
    /// Answers whose tokens were estimated: nobody told, or they were cut.
    AnswersEstimated: Counter = "azeotrope.answers.estimated",
    /// Answers that ended before their end was told.
    AnswersTruncated: Counter = "azeotrope.answers.truncated",
    /// Answers with a content encoding that is not undone.
    AnswersUnread: Counter = "azeotrope.answers.unread",
    /// Answers in which the model refused.
    AnswersRefused: Counter = "azeotrope.answers.refused",
    /// Requests that were made to ask for less.
    DegradedRequests: Counter = "azeotrope.degraded.requests",
    /// Answers that lost the text of reasoning.
    DegradedAnswers: Counter = "azeotrope.degraded.answers",
    /// Requests of degraded callers that could not be changed: their headers or a part of the body had gone.
    DegradeMissed: Counter = "azeotrope.degraded.missed",
    /// Requests beyond a budget.
    OverBudget: Counter = "azeotrope.budget.over",
    /// Swaps of a page that another worker won; the engine retries.
    StoreConflict: Counter = "azeotrope.store.conflict",
    /// Updates of counters that were lost: shared data refused them, or other workers were faster too many times.
    StoreLost: Counter = "azeotrope.store.lost",
    /// Host calls that failed; the request went on without.
    HostError: Counter = "azeotrope.host.error",
    /// Configurations put into force, counted by every VM that did (workers and main thread).
    ConfigAccepted: Counter = "azeotrope.config.accepted",
    /// Configurations refused, likewise.
    ConfigRefused: Counter = "azeotrope.config.refused",
    /// Bundles put into force, counted by every VM that did.
    BundleAccepted: Counter = "azeotrope.bundle.accepted",
    /// Bundles refused, likewise.
    BundleRefused: Counter = "azeotrope.bundle.refused",
    /// When the bundle in force ends, in seconds since 1970-01-01T00:00:00Z; 0: there is none.
    BundleExpires: Gauge = "azeotrope.bundle.expires_timestamp_seconds",
    /// Observations that the sidecar took.
    SidecarSent: Counter = "azeotrope.sidecar.sent",
    /// Observations that it will never hear of: there was no room, or it did not take them in time.
    SidecarLost: Counter = "azeotrope.sidecar.lost",
    /// Calls to it that failed.
    SidecarFailed: Counter = "azeotrope.sidecar.failed",
    /// Whether it took what was last sent: 1 or 0.
    SidecarReached: Gauge = "azeotrope.sidecar.reached",
    /// How often counters were told: by each worker, and Envoy's main thread, ten times a second.
    Told: Counter = "azeotrope.told",
    /// The version of the rules in force.
    RulesVersion: Gauge = "azeotrope.rules.version",
}

/// Defines what is not defined yet in this VM, so that every name shows from the start.
pub(crate) fn define() {
    IDS.with(|ids| {
        for (id, (kind, name)) in ids.iter().zip(ALL) {
            if id.get().is_none() {
                let end = if matches!(kind, Kind::Counter) { "_total" } else { "" };
                id.set(abi::define(*kind, &[name, end].concat()).ok());
            }
        }
    });
}

fn id(metric: Metric) -> Option<u32> {
    IDS.with(|ids| ids.get(metric as usize).and_then(Cell::get))
}

/// Adds one.
pub(crate) fn count(metric: Metric) {
    add(metric, 1);
}

/// Adds `by`.
pub(crate) fn add(metric: Metric, by: u32) {
    COUNTS.with(|counts| {
        if let Some(count) = counts.get(metric as usize) {
            count.set(count.get().saturating_add(u64::from(by)));
        }
    });
}

/// Adds one and tells it at once: what no request counts may come where no tick follows.
pub(crate) fn tell(metric: Metric) {
    count(metric);
    tell_all();
}

/// Tells what was counted since the last time.
pub(crate) fn tell_all() {
    IDS.with(|ids| {
        COUNTS.with(|counts| {
            for (id, count) in ids.iter().zip(counts).filter(|(_, count)| count.get() > 0) {
                let by = i64::try_from(count.take()).unwrap_or(i64::MAX);
                // Nothing to be done about a host that does not count.
                let _ = id.get().map(|id| abi::increment(id, by));
            }
        });
    });
}

/// Sets a gauge.
pub(crate) fn set(metric: Metric, value: u64) {
    if let Some(id) = id(metric) {
        let _ = abi::record(id, value);
    }
}

/// The counter of a dialect's requests.
pub(crate) fn requests(dialect: Dialect) -> Metric {
    match dialect {
        Dialect::ChatCompletions => Metric::ChatCompletions,
        Dialect::Completions => Metric::Completions,
        Dialect::Responses => Metric::Responses,
        Dialect::Messages => Metric::Messages,
        Dialect::Gemini => Metric::Gemini,
        Dialect::Converse => Metric::Converse,
        Dialect::Interactions => Metric::Interactions,
    }
}

/// The counter of what is done.
pub(crate) fn verdict(action: Action) -> Metric {
    match action {
        Action::Allow => Metric::Allow,
        Action::Observe => Metric::Observe,
        Action::Throttle => Metric::Throttle,
        Action::Degrade => Metric::Degrade,
        Action::Block => Metric::Block,
    }
}

/// The counter of what the evidence asks for.
pub(crate) fn would(action: Action) -> Metric {
    match action {
        Action::Allow => Metric::WouldAllow,
        Action::Observe => Metric::WouldObserve,
        Action::Throttle => Metric::WouldThrottle,
        Action::Degrade => Metric::WouldDegrade,
        Action::Block => Metric::WouldBlock,
    }
}
