//! Several proxies and one sidecar in one process: what `replay` runs.

use crate::trace::Exchange;
use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::{Criteria, Feed, Joiner, Limits};
use azeotrope_engine::dialect::{Answer, read_answer};
use azeotrope_engine::digest::{Reading, blob_digest};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::evidence::view::View;
use azeotrope_engine::observation::{self, Event, Fate};
use azeotrope_engine::route::Route;
use azeotrope_engine::rules;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::{SECOND, Timestamp};
use azeotrope_engine::verdict::{Assessment, Verdict};

/// How long a change of the feed takes to every proxy: the sidecar's promise is five seconds at most, one is usual.
const DELAY: u64 = SECOND;
/// As many as a proxy keeps to itself, whatever the clock of the trace says.
const WAITING: usize = 256;

/// One proxy: its shared data, the feed as it last came, and what it has seen and not told yet.
#[derive(Default)]
struct Proxy {
    store: MemoryStore,
    feed: Feed,
    seen: Vec<(Timestamp, Event)>,
}

impl Proxy {
    /// Tells what it has seen.
    fn tell(&mut self, sidecar: &mut Joiner) {
        self.seen.drain(..).for_each(|(at, event)| sidecar.hear(&event, at));
    }

    /// When it does: every `flush` milliseconds, `late` after the full number of them.
    fn tells(&self, flush: u64, late: u64, now: Timestamp) -> Option<Timestamp> {
        let (first, _) = self.seen.first()?;
        // At once, then; and where the clock has stepped back since.
        if self.seen.len() >= WAITING || *first > now {
            return Some(Timestamp::default());
        }
        Some(Timestamp((first.0.saturating_sub(late) / flush + 1) * flush + late))
    }
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
    /// How often a proxy tells what it has seen, in milliseconds: as plugins do that are not told otherwise.
    flush: u64,
    turn: usize,
    synchronised: Timestamp,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(engine: &'a Engine, proxies: usize, sidecar: bool) -> Self {
        let proxy = || Proxy { feed: if sidecar { Feed::of_sidecar() } else { Feed::default() }, ..Proxy::default() };
        let proxies = std::iter::repeat_with(proxy).take(proxies.max(1)).collect();
        let sidecar = sidecar.then(|| Joiner::new(Limits::default(), Criteria::of(&engine.config().rules.document)));
        let flush = u64::from(rules::Sidecar::default().flush_milliseconds);
        Self { engine, proxies, sidecar, flush, turn: 0, synchronised: Timestamp::default() }
    }

    /// The most that ever spoke against an account, in thousandths of a nat, by the sidecar's reckoning.
    pub(crate) fn standing(&self, account: u64) -> i32 {
        let known = self.sidecar.as_ref().and_then(|sidecar| sidecar.account(account));
        known.map_or(0, |known| known.most)
    }

    /// The account of an exchange.
    pub(crate) fn account(&self, exchange: &Exchange<'_>) -> u64 {
        let route = self.engine.route(exchange.method.as_bytes(), exchange.path.as_bytes());
        self.engine.caller(route.map(|route| route.dialect), &exchange.headers(), b"", None).account
    }

    /// Ends the traffic: the second tier hears what it has not heard yet.
    pub(crate) fn end(&mut self) {
        if let Some(sidecar) = &mut self.sidecar {
            self.proxies.iter_mut().for_each(|proxy| proxy.tell(sidecar));
        }
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
        let caller = engine.caller(Some(route.dialect), &exchange.headers(), b"", None);
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
        let verdict = engine.judge(&proxy.store, &proxy.feed, &caller, &reading, now);
        let status = exchange.response.as_ref().map(|response| response.status);
        let (refused, heard) = (verdict.action.refuses(), self.sidecar.is_some());
        let fate = Fate::of(&verdict, status.filter(|_| !refused));
        if heard && (refused || status.is_none_or(observation::told)) {
            let Verdict { would, score, .. } = verdict;
            proxy.seen.push((now, Event::Request { caller, reading: reading.clone(), would, score, fate }));
        }
        let Some(response) = exchange.response.as_ref().filter(|_| !refused) else { return verdict };
        engine.settle(&mut proxy.store, &caller, &reading, response.status, now);
        let refused = observation::refused(response.status);
        let answer = if refused { Answer::default() } else { read_answer(route.dialect, response.body()) };
        let key = &engine.config().callers.keys.current;
        let blobs = engine.gives(&route, &answer.id, answer.blobs().map(|blob| blob_digest(blob, key)));
        engine.given(&mut proxy.store, &caller, &blobs, now);
        engine.ended(&mut proxy.store, &caller, &reading, answer.finish, now);
        if heard && refused {
            proxy.seen.push((now, Event::Refused { caller, reading }));
        }
        if heard && !blobs.is_empty() {
            proxy.seen.push((now, Event::Given { caller, blobs }));
        }
        verdict
    }

    /// Brings what proxies have seen to the sidecar, and the feed to the proxies, when it is time.
    fn synchronise(&mut self, now: Timestamp) {
        let Some(sidecar) = &mut self.sidecar else { return };
        // Each at times of its own: so the sidecar often hears of an echo before what it is one of.
        let apart = self.flush / self.proxies.len() as u64;
        let due = |(place, proxy): (u64, &Proxy)| Some((proxy.tells(self.flush, place * apart, now)?, place));
        let mut telling: Vec<_> = (0..).zip(&self.proxies).filter_map(due).filter(|(at, _)| *at <= now).collect();
        telling.sort_unstable();
        for (_, place) in telling {
            let Some(proxy) = self.proxies.get_mut(place as usize) else { continue };
            proxy.tell(sidecar);
        }
        if !now.is_past(self.synchronised, DELAY) {
            return;
        }
        self.synchronised = now;
        // Campaigns have other places then.
        let anew = sidecar.make_room(now).map(|_| sidecar.feed(usize::MAX, now));
        let changes = sidecar.take_changes();
        for proxy in &mut self.proxies {
            if anew.is_some() {
                proxy.feed = Feed::of_sidecar();
            }
            for change in anew.as_ref().unwrap_or(&changes) {
                proxy.feed.apply(change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::rules::Config;
    use serde_json::{Value, json};

    const BLOB: &str = "EqQBCkYIBxgCKkBZ4aTdWl0Yl5qkZ0m1w7s3b9Kx0q2R";

    /// A request that asks, or sends a blob back and asks for what is in it; every answer has a blob of its own.
    fn line(id: u64, account: &str, blob: Option<&str>) -> String {
        let question = format!("Number {id} of the questions that {account} has about bridges over rivers in Bavaria");
        let mut messages = vec![json!({ "role": "user", "content": question })];
        if let Some(blob) = blob {
            let thought = json!({ "type": "thinking", "thinking": "", "signature": blob });
            messages.push(json!({ "role": "assistant", "content": [thought, { "type": "text", "text": "Yes." }] }));
            messages
                .push(json!({ "role": "user", "content": format!("{account} asks: {id}: what was that thought?") }));
        }
        let given: Value = if id == 0 { BLOB.into() } else { format!("{BLOB}-{id}").into() };
        json!({
            "id": id, "t": 1_790_000_000 + 2 * id, "method": "POST", "path": "/v1/messages",
            "headers": { "x-api-key": format!("sk-ant-{account}"), "x-forwarded-for": format!("20.{id}.{id}.1") },
            "body": { "model": "claude-opus-4", "max_tokens": 100, "messages": messages },
            "response": { "status": 200, "body": { "content": [{ "type": "thinking", "signature": given }] } },
        })
        .to_string()
    }

    fn reasons(fleet: &mut Fleet<'_>, line: &str) -> Vec<&'static str> {
        fleet.exchange(&Exchange::parse(line.as_bytes()).unwrap()).reasons
    }

    #[test]
    fn a_proxy_tells_a_theft_of_its_own_traffic_and_the_sidecar_what_went_through_two() {
        let engine = Engine::of(Config::for_replay(None).unwrap());
        let mut fleet = Fleet::new(&engine, 2, true);
        // Exchanges go to the proxies in turn: the owner's to one, the first thief's to the other.
        assert!(reasons(&mut fleet, &line(0, "owner", None)).is_empty());
        assert!(reasons(&mut fleet, &line(1, "first", Some(BLOB))).is_empty(), "this proxy never saw the blob");
        assert_eq!(reasons(&mut fleet, &line(2, "second", Some(BLOB))), ["blob_provenance"]);
        // Three hands are a campaign: the sidecar has seen all of them.
        for (id, account) in [(3, "first"), (4, "second")] {
            let told = reasons(&mut fleet, &line(id, account, None));
            assert!(told.starts_with(&["campaign_member", "blob_provenance"]), "{account}: {told:?}");
        }
        assert!(reasons(&mut fleet, &line(5, "stranger", None)).is_empty());
    }

    #[test]
    fn where_the_clock_of_a_trace_stands_still_the_sidecar_hears_of_it_all_the_same() {
        let engine = Engine::of(Config::for_replay(None).unwrap());
        let mut fleet = Fleet::new(&engine, 1, true);
        let exchanges = WAITING as u64 / 2;
        for id in 0..=exchanges {
            let mut line: Value = serde_json::from_str(&line(id, "somebody", None)).unwrap();
            line["t"] = 1_790_000_000.into();
            fleet.exchange(&Exchange::parse(line.to_string().as_bytes()).unwrap());
        }
        assert_eq!((fleet.sidecar().unwrap().known(), fleet.proxies[0].seen.len()), (1, 2));
    }

    /// The same question from whoever sends it.
    fn asked(id: u64, account: &str) -> String {
        let mut line: Value = serde_json::from_str(&line(id, account, None)).unwrap();
        line["body"]["messages"][0]["content"] = "How wide is the oldest bridge over the river Regen?".into();
        line.to_string()
    }

    #[test]
    fn who_sends_at_once_what_was_refused_here_to_a_campaigns_account_is_of_it() {
        let engine = Engine::of(Config::for_replay(None).unwrap());
        let judged = |id: u64| {
            let mut fleet = Fleet::new(&engine, 1, true);
            for (id, account, blob) in
                [(0, "owner", None), (1, "first", Some(BLOB)), (2, "second", Some(BLOB)), (3, "third", Some(BLOB))]
            {
                reasons(&mut fleet, &line(id, account, blob));
            }
            let refused = fleet.exchange(&Exchange::parse(asked(4, "first").as_bytes()).unwrap());
            assert!(refused.action.refuses(), "{refused:?}");
            reasons(&mut fleet, &asked(id, "next"));
            reasons(&mut fleet, &line(id + 1, "next", None))
        };
        assert_eq!(judged(5).first(), Some(&"campaign_member"));
        assert!(judged(50).is_empty(), "a minute and a half later");
    }

    #[test]
    fn without_a_sidecar_a_theft_through_another_proxy_is_not_seen() {
        let engine = Engine::of(Config::for_replay(None).unwrap());
        let mut fleet = Fleet::new(&engine, 2, false);
        for (id, account, blob) in [(0, "owner", None), (1, "first", Some(BLOB)), (2, "owner", Some(BLOB))] {
            assert!(reasons(&mut fleet, &line(id, account, blob)).is_empty(), "{account}");
        }
        assert!(reasons(&mut fleet, &line(3, "first", Some(BLOB))).is_empty());
    }
}
