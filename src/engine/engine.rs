//! The engine as a shell sees it: route → caller → read → judge → settle, with a budget reserved before and charged after,
//! and what an answer gave told.

use crate::answer;
use crate::budget::{self, Grant};
use crate::caller::Caller;
use crate::campaign::Feed;
use crate::degrade::{self, Degraded, Rewriter};
use crate::dialect::{Dialect, Finish};
use crate::digest::{self, Reading};
use crate::route::Route;
use crate::rules::{Config, Problem};
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{Assessment, Reply, Verdict};

/// One configuration, compiled. Immutable: a changed configuration is a new engine, and a request finishes on the one
/// it started with.
#[derive(Debug)]
pub struct Engine {
    config: Config,
}

impl Engine {
    /// Compiles a plugin configuration (JSON; `{}` or empty gives the built-in rules in observe mode).
    ///
    /// # Errors
    /// Every problem found, each with its JSON path; nothing is half-applied.
    pub fn new(configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        Config::parse(configuration).map(|config| Self { config })
    }

    /// An engine of a configuration that was compiled elsewhere.
    #[must_use]
    pub fn of(config: Config) -> Self {
        Self { config }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Which dialect this request speaks; `None` for what is no LLM call: it passes untouched and uncounted.
    #[must_use]
    pub fn route(&self, method: &[u8], path: &[u8]) -> Option<Route> {
        self.config.routes.find(method, path)
    }

    /// Who sends, as keyed digests. `dialect`: that of the [`Engine::route`]; `headers` in the order received, names in lower case,
    /// values as raw bytes; `peer` is the address of the connection's other end (`1.2.3.4:5678`, `[::1]:80` or without a port).
    #[must_use]
    pub fn caller<B: AsRef<[u8]>>(
        &self,
        dialect: Option<Dialect>,
        headers: &[(B, B)],
        peer: &[u8],
        claim: Option<&[u8]>,
    ) -> Caller {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        self.config.callers.identify(dialect, &headers, peer, claim)
    }

    /// Reads as much of a (decompressed) body as the shell kept. `whole`: the body ended within it.
    #[must_use]
    pub fn read(&self, route: &Route, body: &[u8], whole: bool) -> Reading {
        Reading::of(route, body, whole, &self.config)
    }

    /// Judges the exchange by what was counted before. Costs at most ten reads of `store`, fifteen while the digest key is
    /// rotated; of a first turn that nothing speaks against five.
    pub fn judge<S: Store>(
        &self,
        store: &S,
        feed: &Feed,
        caller: &Caller,
        reading: &Reading,
        now: Timestamp,
    ) -> Verdict {
        self.assess(store, feed, caller, reading, now).verdict
    }

    /// The verdict of [`Engine::judge`] and what it was worked out from, for who has to explain it.
    pub fn assess<S: Store>(
        &self,
        store: &S,
        feed: &Feed,
        caller: &Caller,
        reading: &Reading,
        now: Timestamp,
    ) -> Assessment {
        crate::verdict::assess(&self.config, store, feed, caller, reading, now)
    }

    /// Takes note of how the exchange ended, and counts it: `status` as the caller got it from upstream (never for our own
    /// replies). Returns how many updates of counters were lost.
    pub fn settle<S: Store>(
        &self,
        store: &mut S,
        caller: &Caller,
        reading: &Reading,
        status: u16,
        now: Timestamp,
    ) -> u32 {
        crate::evidence::count(&self.config, self.config.in_force(now).rules, store, caller, reading, status, now)
    }

    /// Puts a request that was judged to its budgets, where the rules have any for it; `bytes`: the length of its body.
    /// Where nothing is left `verdict` refuses it; what is left is for response headers either way
    /// ([`budget::Remaining::headers`]). Costs no read of `store` without budgets, else two a budget, of at most three.
    pub fn reserve<S: Store>(
        &self,
        store: &mut S,
        caller: &Caller,
        reading: &Reading,
        bytes: u64,
        verdict: &mut Verdict,
        now: Timestamp,
    ) -> Option<Grant> {
        budget::reserve(&self.config, store, caller, verdict, self.estimate(reading, bytes, now), now)
    }

    /// What a request with a body of `bytes` may cost at most, as budgets reserve it.
    #[must_use]
    pub fn estimate(&self, reading: &Reading, bytes: u64, now: Timestamp) -> budget::Estimate {
        budget::Estimate::of(reading, bytes, self.config.in_force(now).rules.document.budgets.assumed_tokens)
    }

    /// Settles what was reserved, once the answer is over, however it ended; `taken`: what was read of it, if anybody did. Returns
    /// how many updates were lost.
    pub fn charge<S: Store>(
        &self,
        store: &mut S,
        grant: &Grant,
        route: &Route,
        status: u16,
        taken: Option<&answer::Taken>,
        now: Timestamp,
    ) -> u32 {
        budget::settle(&self.config, store, grant, (route.dialect, status, taken), now)
    }

    /// The request that a degraded caller may make in place of `body`, which must be whole and without
    /// `content-encoding`; `None`: the same one.
    #[must_use]
    pub fn degraded(&self, route: &Route, body: &[u8], now: Timestamp) -> Option<Degraded> {
        degrade::request(route.dialect, body, &self.config.in_force(now).rules.document.degrade)
    }

    /// What takes the text of reasoning out of a degraded caller's answer, where the rules say so.
    #[must_use]
    pub fn rewriter(&self, content_type: &[u8], now: Timestamp) -> Option<Rewriter> {
        let wanted = self.config.in_force(now).rules.document.degrade.reasoning_text;
        wanted.then(|| Rewriter::new(answer::Framing::of(content_type), degrade::MAX_HELD))
    }

    /// A reader of the answer, which is given its body as it passes; `content_type` as upstream named it.
    #[must_use]
    pub fn answer(&self, content_type: &[u8]) -> answer::Reader {
        answer::Reader::new(answer::Framing::of(content_type), self.config.callers.keys.current)
    }

    /// What an answer of this id with these blobs gave to its caller ([`digest::given`]).
    #[must_use]
    pub fn gives(&self, route: &Route, id: &str, blobs: impl IntoIterator<Item = u64>) -> Vec<u64> {
        digest::given(route.dialect, id, blobs, &self.config.callers.keys.current)
    }

    /// Takes note of what the answer gave to the caller, as [`Engine::gives`] has it; the first [`crate::digest::BLOBS`] count.
    /// Returns how many updates were lost.
    pub fn given<S: Store>(&self, store: &mut S, caller: &Caller, blobs: &[u64], now: Timestamp) -> u32 {
        crate::evidence::given(&self.config, self.config.in_force(now).rules, store, caller, blobs, now)
    }

    /// Takes note of how the model ended its answer: refusals of one payload in ever new words are a search for what it
    /// lets through. Costs nothing where it did not refuse. Returns how many updates were lost.
    pub fn ended<S: Store>(
        &self,
        store: &mut S,
        caller: &Caller,
        reading: &Reading,
        finish: Finish,
        now: Timestamp,
    ) -> u32 {
        match finish {
            Finish::Refusal | Finish::Filter => crate::evidence::refused(&self.config, store, caller, reading, now),
            _ => 0,
        }
    }

    /// The answer to a request that is not let through, in the caller's dialect.
    #[must_use]
    pub fn reply(&self, route: &Route, verdict: &Verdict) -> Reply {
        Reply::of(route, verdict, self.config.contact.as_deref())
    }
}
