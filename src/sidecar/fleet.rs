//! Several proxies and one sidecar in one process: what `replay` runs.

use crate::trace::Exchange;
use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::{Criteria, Feed, Joiner, Limits};
use azeotrope_engine::dialect::read_answer;
use azeotrope_engine::digest::{Reading, blob_digest};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::evidence::view::View;
use azeotrope_engine::route::Route;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::{SECOND, Timestamp};
use azeotrope_engine::verdict::{Assessment, Verdict};

/// How long a change of the feed takes to every proxy: the sidecar's promise is five seconds at most, one is usual.
const DELAY: u64 = SECOND;

/// One proxy: its shared data, and the feed as it last came.
#[derive(Default)]
struct Proxy {
    store: MemoryStore,
    feed: Feed,
}

/// What a verdict is worked out from.
pub(crate) struct Examined {
    /// Who sent the exchange.
    pub(crate) caller: Caller,
    /// Its request.
    pub(crate) reading: Reading,
    /// The verdict, its evidence and its campaign.
    pub(crate) assessment: Assessment,
    /// The counters of the proxy that judged.
    pub(crate) view: View,
}

/// The fleet.
pub(crate) struct Fleet<'a> {
    engine: &'a Engine,
    proxies: Vec<Proxy>,
    sidecar: Option<Joiner>,
    turn: usize,
    synchronised: Timestamp,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(engine: &'a Engine, proxies: usize, sidecar: bool) -> Self {
        let proxies = std::iter::repeat_with(Proxy::default).take(proxies.max(1)).collect();
        let sidecar = sidecar.then(|| Joiner::new(Limits::default(), Criteria::of(&engine.config().rules.document)));
        Self { engine, proxies, sidecar, turn: 0, synchronised: Timestamp::default() }
    }

    /// The second tier, where there is one.
    pub(crate) fn sidecar(&self) -> Option<&Joiner> {
        self.sidecar.as_ref()
    }

    /// What the verdict of [`Fleet::exchange`] will be worked out from; `None` for what is no LLM call.
    pub(crate) fn examine(&mut self, exchange: &Exchange<'_>) -> Option<Examined> {
        let now = exchange.time();
        self.synchronise(now);
        let (_, caller, reading) = self.read(exchange)?;
        let proxy = self.proxies.get(self.next())?;
        let assessment = self.engine.assess(&proxy.store, &proxy.feed, &caller, &reading, now);
        let view = View::of(self.engine.config(), &proxy.store, &caller, &reading, now);
        Some(Examined { caller, reading, assessment, view })
    }

    /// Whose turn it is.
    fn next(&self) -> usize {
        (self.turn + 1) % self.proxies.len()
    }

    fn read(&self, exchange: &Exchange<'_>) -> Option<(Route, Caller, Reading)> {
        let engine = self.engine;
        let route = engine.route(exchange.method.as_bytes(), exchange.path.as_bytes())?;
        let caller = engine.caller(&exchange.headers(), b"", None);
        let body = exchange.body();
        let inspected = body.get(..engine.config().inspect_bytes).unwrap_or(body);
        let reading = engine.read(&route, inspected, inspected.len() == body.len());
        Some((route, caller, reading))
    }

    /// Sends an exchange through the next proxy.
    pub(crate) fn exchange(&mut self, exchange: &Exchange<'_>) -> Verdict {
        let now = exchange.time();
        self.synchronise(now);
        self.turn = self.next();
        let Some((route, caller, reading)) = self.read(exchange) else { return Verdict::default() };
        let (engine, Some(proxy)) = (self.engine, self.proxies.get_mut(self.turn)) else { return Verdict::default() };
        let verdict = engine.judge(&mut proxy.store, &proxy.feed, &caller, &reading, now);
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.observe(&caller, &reading, now);
        }
        let Some(response) = &exchange.response else { return verdict };
        if verdict.action.refuses() {
            return verdict;
        }
        engine.settle(&mut proxy.store, &caller, &reading, response.status, now);
        if let Some(sidecar) = &mut self.sidecar {
            if response.status == 429 || response.status >= 500 {
                sidecar.refused(&caller, &reading, now);
            } else {
                for blob in read_answer(route.dialect, response.body()).blobs() {
                    sidecar.given(blob_digest(blob, &engine.config().callers.keys.current), &caller, now);
                }
            }
        }
        verdict
    }

    /// Brings the feed to the proxies, when it is time.
    fn synchronise(&mut self, now: Timestamp) {
        if now.since(self.synchronised) < DELAY {
            return;
        }
        self.synchronised = now;
        let Some(sidecar) = &mut self.sidecar else { return };
        for change in sidecar.take_changes() {
            self.proxies.iter_mut().for_each(|proxy| proxy.feed.apply(&change));
        }
    }
}
