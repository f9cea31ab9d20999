//! One LLM call: who sends and what it speaks, then read and judged, then answered or let through, then settled.

use crate::abi::Level;
use crate::host;
use crate::metrics::{self, Metric};
use crate::store::SharedStore;
use crate::tell;
use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::codec::{self, Decoded};
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::route::Route;
use azeotrope_engine::verdict::{Action, Verdict};
use std::rc::Rc;

/// A call whose body is awaited.
#[derive(Debug)]
pub(crate) struct Call {
    /// The configuration it started with.
    pub(crate) engine: Rc<Engine>,
    /// What it speaks.
    pub(crate) route: Route,
    /// Who sends it.
    pub(crate) caller: Caller,
    /// `content-encoding`, where there is one.
    pub(crate) encoding: Vec<u8>,
}

/// A call that was judged and let through: what is left to do when its answer comes.
#[derive(Debug)]
pub(crate) struct Judged {
    engine: Rc<Engine>,
    caller: Caller,
    reading: Reading,
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
        let now = host::now();
        let reading = self.read(body, whole);
        let mut store = SharedStore::default();
        // Campaigns reach the filter through its rules; there is no other feed yet.
        let feed = Feed::default();
        let verdict = self.engine.judge(&mut store, &feed, &self.caller, &reading, now);
        store.tally();
        self.tally(&reading, &verdict);

        let label = verdict.label(now);
        host::label_stream(&label);
        if verdict.would >= Action::Throttle {
            let level = if verdict.action >= Action::Throttle { Level::Warn } else { Level::Info };
            tell::traffic(level, now, format_args!("{:?}: {label}", self.route.dialect));
        }
        if verdict.action.refuses() && host::respond(&self.engine.reply(&self.route, &verdict)) {
            return Outcome::Replied;
        }
        if held {
            host::label_request(&label);
        }
        Outcome::Pass(Box::new(Judged { engine: self.engine, caller: self.caller, reading }))
    }

    /// Reads a body; one that cannot be read still counts, as unread.
    fn read(&self, body: Option<&[u8]>, whole: bool) -> Reading {
        let limit = self.engine.config().inspect_bytes;
        match body.map(|body| codec::decode(&self.encoding, body, limit)) {
            Some(Decoded::Body { bytes, truncated }) => self.engine.read(&self.route, &bytes, whole && !truncated),
            Some(Decoded::Unsupported) | None => Reading { unread: true, ..self.engine.read(&self.route, b"", false) },
        }
    }

    fn tally(&self, reading: &Reading, verdict: &Verdict) {
        metrics::count(metrics::requests(self.route.dialect));
        metrics::count(metrics::verdict(verdict.action));
        metrics::count(metrics::would(verdict.would));
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
    pub(crate) fn settle(self, status: u16) {
        let mut store = SharedStore::default();
        let lost = self.engine.settle(&mut store, &self.caller, &self.reading, status, host::now());
        metrics::add(Metric::StoreLost, lost);
        store.tally();
    }
}
