//! One LLM call: who sends and what it speaks, then read and judged, then answered or let through, then settled.

use crate::abi::Level;
use crate::host;
use crate::live::Live;
use crate::metrics::{self, Metric};
use crate::moment;
use crate::store::{Pages, SharedStore};
use crate::tell;
use azeotrope_engine::budget::Grant;
use azeotrope_engine::bundle::Running;
use azeotrope_engine::caller::Caller;
use azeotrope_engine::codec::{self, Decoded, Encoding};
use azeotrope_engine::degrade::Changes;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::observation;
use azeotrope_engine::route::Route;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::{Action, Reason, Verdict};
use std::rc::Rc;

/// A call whose body is awaited. Of what a client writes it keeps nothing longer than a model's name: how many are open at once is
/// for clients to say.
#[derive(Debug)]
pub(crate) struct Call {
    /// What the worker runs.
    pub(crate) live: Rc<Live>,
    /// The rules it started with.
    pub(crate) engine: Rc<Engine>,
    /// What it speaks.
    pub(crate) route: Route,
    /// Who sends it.
    pub(crate) caller: Caller,
    /// What `content-encoding` says.
    pub(crate) encoding: Encoding,
    /// What `content-length` announces.
    pub(crate) length: Option<usize>,
    /// The client has signed it (AWS Signature Version 4): whoever changes the body makes it another's.
    pub(crate) signed: bool,
}

/// A call that was judged and let through: what is left to do when its answer comes.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) live: Rc<Live>,
    pub(crate) engine: Rc<Engine>,
    pub(crate) route: Route,
    pub(crate) caller: Caller,
    pub(crate) reading: Reading,
    pub(crate) verdict: Verdict,
    /// When it was judged: an exchange that upstream accepts counts then, as in `replay`.
    pub(crate) at: Timestamp,
    /// What was read to judge it.
    pages: Pages,
    /// What is held for it in its budgets.
    pub(crate) grant: Option<Grant>,
    /// Its caller is degraded; what was changed in the request.
    pub(crate) degraded: Option<Changes>,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Pass(Box<Judged>),
    /// It was answered here.
    Replied,
}

impl Call {
    /// Judges the call and carries the verdict out. `body` as received, `None` if the host would not hand it out; `whole`:
    /// nothing follows it; `held`: the request headers have not gone upstream yet.
    pub(crate) fn judge(self, body: Option<&[u8]>, whole: bool, held: bool) -> Outcome {
        let now = moment::now();
        let (reading, said) = self.read(body, whole);
        let mut store = SharedStore::default();
        let mut verdict = self.judged(&store, &reading, now);
        let bytes = self.length.unwrap_or(0).max(body.map_or(0, <[u8]>::len)).max(said) as u64;
        let grant = self.engine.reserve(&mut store, &self.caller, &reading, bytes, &mut verdict, now);
        metrics::add(Metric::StoreLost, grant.as_ref().map_or(0, |grant| grant.lost));
        store.tally();
        self.tally(&reading, &verdict);

        let label = verdict.label(now);
        host::label_stream(&label);
        if verdict.would >= Action::Throttle {
            let level = if verdict.action >= Action::Throttle { Level::Warn } else { Level::Info };
            tell::traffic(level, now, format_args!("{:?}: {label}", self.route.dialect));
        }
        if verdict.action.refuses() {
            let mut reply = self.engine.reply(&self.route, &verdict);
            reply.headers.extend(grant.iter().flat_map(|grant| grant.remaining.headers(self.route.dialect, now)));
            if host::respond(&reply) {
                self.live.replied(&self.caller, &reading, &verdict, now);
                return Outcome::Replied;
            }
        }
        if held {
            host::label_request(&label);
            if self.engine.config().ratelimit_tokens {
                host::tell_ratelimit(self.engine.estimate(&reading, bytes, now).tokens());
            }
        }
        let degraded = (verdict.action == Action::Degrade).then(|| {
            if held {
                host::ask_for_plain();
            }
            self.degrade(body.filter(|_| held && whole), now)
        });
        let Self { live, engine, route, caller, .. } = self;
        let (at, pages) = (now, store.keep());
        Outcome::Pass(Box::new(Judged { live, engine, route, caller, reading, verdict, at, pages, grant, degraded }))
    }

    /// The verdict, by the rules and campaigns in force.
    pub(crate) fn judged(&self, store: &SharedStore, reading: &Reading, now: Timestamp) -> Verdict {
        let judge = |running: &Running| self.engine.judge(store, running.feed(), &self.caller, reading, now);
        self.live.running(judge).unwrap_or_default()
    }

    /// Makes the request ask for less. `body`: all of it, where it has not gone upstream yet, nor its headers.
    fn degrade(&self, body: Option<&[u8]>, now: Timestamp) -> Changes {
        let Some(body) = body.filter(|_| self.encoding == Encoding::Plain && !self.signed) else {
            metrics::count(Metric::DegradeMissed);
            return Changes::default();
        };
        let changed = self.engine.degraded(&self.route, body, now);
        let changed = changed.filter(|changed| host::replace_body(&changed.body, self.length.is_some()));
        metrics::add(Metric::DegradedRequests, u32::from(changed.is_some()));
        changed.map_or(Changes::default(), |changed| changed.changes)
    }

    /// Reads a body, and how many bytes it has without its encoding; one that cannot be read still counts, as unread.
    fn read(&self, body: Option<&[u8]>, whole: bool) -> (Reading, usize) {
        let limit = self.engine.config().inspect_bytes;
        match body.map(|body| codec::decode(self.encoding, body, limit)) {
            Some(Decoded::Body { bytes, truncated }) => {
                (self.engine.read(&self.route, &bytes, whole && !truncated), bytes.len())
            }
            Some(Decoded::Unsupported) | None => {
                (Reading { unread: true, ..self.engine.read(&self.route, b"", false) }, 0)
            }
        }
    }

    fn tally(&self, reading: &Reading, verdict: &Verdict) {
        metrics::count(metrics::requests(self.route.dialect));
        metrics::count(metrics::verdict(verdict.action));
        metrics::count(metrics::would(verdict.would));
        metrics::add(Metric::OverBudget, u32::from(verdict.reasons.contains(&Reason::OverBudget.code())));
        if reading.unread {
            metrics::count(Metric::Unread);
        }
        if reading.truncated {
            metrics::count(Metric::Truncated);
        }
    }
}

impl Judged {
    /// Takes note of the answer's status.
    pub(crate) fn settle(&mut self, status: u16) {
        let mut store = SharedStore::of(std::mem::take(&mut self.pages));
        let now = if observation::refused(status) { moment::now() } else { self.at };
        self.live.status(&self.caller, &self.reading, &self.verdict, status, self.at);
        let lost = self.engine.settle(&mut store, &self.caller, &self.reading, status, now);
        metrics::add(Metric::StoreLost, lost);
        store.tally();
    }
}
