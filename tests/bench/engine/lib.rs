//! The engine's request path, one stage at a time: what `main.rs` (native, wasm, callgrind) and `benches/stages.rs`
//! (criterion) measure.

use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::dialect;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::route::Route;
use azeotrope_engine::sketch::table::Table;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;
use std::error::Error;
use std::hint::black_box;

/// Times that everybody was seen before: the path of an account's thousandth request, not of its first.
const KNOWN: usize = 3;
/// Pages like those of accounts.
const PAGES: Table = Table::new("bench", 1, 64, 218);

/// Stages, by name.
pub const STAGES: [(&str, Stage); 8] = [
    ("caller", Stage::Caller),
    ("parse", Stage::Parse),
    ("digests", Stage::Digests),
    ("read", Stage::Read),
    ("judge", Stage::Judge),
    ("settle", Stage::Settle),
    ("page", Stage::Page),
    ("request", Stage::Request),
];

/// A part of what the engine does for a request.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// Who sends.
    Caller,
    /// The body's parts.
    Parse,
    /// Digests of parts that were parsed before.
    Digests,
    /// Both of these.
    Read,
    /// Evidence and verdict.
    Judge,
    /// Counting.
    Settle,
    /// One read and one change of a slot in a full page.
    Page,
    /// All of a request: caller, read, judge, label, settle.
    Request,
}

/// Digests a body that was parsed before.
type Digests<'a> = Box<dyn Fn(&Engine) -> Reading + 'a>;

/// An engine that knows its callers, and what each stage needs of those before it.
pub struct Bench<'a> {
    engine: Engine,
    route: Route,
    feed: Feed,
    store: MemoryStore,
    callers: Vec<Caller>,
    digests: Vec<Digests<'a>>,
    readings: Vec<Reading>,
    at: u64,
}

fn identified(engine: &Engine, route: &Route, account: usize) -> Caller {
    engine.caller(Some(route.dialect), &headers(account), b"192.0.2.1:4000", None)
}

fn headers(account: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let headers = [
        (":authority", "api.example.com".to_owned()),
        (":method", "POST".to_owned()),
        (":path", "/v1/chat/completions".to_owned()),
        ("authorization", format!("Bearer sk-bench-{account}")),
        ("content-type", "application/json".to_owned()),
        ("user-agent", "OpenAI/Python 2.8.0".to_owned()),
        ("x-forwarded-for", format!("10.0.{}.{}", account / 256, account % 256)),
    ];
    headers.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect()
}

fn digests<'a>(route: &Route, body: &'a str) -> Digests<'a> {
    let prompt = dialect::read(route, body.as_bytes());
    Box::new(move |engine| {
        let config = engine.config();
        Reading::of_prompt(&prompt, &config.callers.keys.current, config)
    })
}

impl<'a> Bench<'a> {
    /// Everybody has sent his body a few times.
    ///
    /// # Errors
    /// The engine does not start.
    pub fn new(bodies: &[&'a str]) -> Result<Self, Box<dyn Error>> {
        let engine = Engine::new(b"{}").map_err(|problems| format!("{problems:?}"))?;
        let route = engine.route(b"POST", b"/v1/chat/completions").ok_or("no route")?;
        let callers = (0..bodies.len()).map(|n| identified(&engine, &route, n)).collect();
        let digests = bodies.iter().map(|body| digests(&route, body)).collect();
        let readings = bodies.iter().map(|body| engine.read(&route, body.as_bytes(), true)).collect();
        let (feed, store, at) = (Feed::default(), MemoryStore::default(), 1_800_000_000_000);
        let mut bench = Self { engine, route, feed, store, callers, digests, readings, at };
        for _ in 0..KNOWN {
            bench.all(Stage::Request, bodies);
        }
        for key in 1..PAGES.slots() {
            bench.page(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        Ok(bench)
    }

    /// A stage for every body, in turn.
    pub fn all(&mut self, stage: Stage, bodies: &[&str]) {
        for (place, body) in bodies.iter().enumerate() {
            self.run(stage, place, body);
        }
    }

    fn page(&mut self, key: u64) {
        let now = Timestamp(self.at);
        black_box(PAGES.peek(&self.store, key, |slot| slot.first().copied()));
        black_box(PAGES.update(&mut self.store, key, now, |_| (), |slot| slot.keep(1))).ok();
    }

    /// A stage for the body at a place.
    pub fn run(&mut self, stage: Stage, body: usize, text: &str) {
        self.at += 1;
        let now = Timestamp(self.at);
        let (Some(caller), Some(digests), Some(reading)) =
            (self.callers.get(body), self.digests.get(body), self.readings.get(body))
        else {
            return;
        };
        match stage {
            Stage::Caller => {
                black_box(identified(&self.engine, &self.route, body));
            }
            Stage::Parse => drop(black_box(dialect::read(&self.route, text.as_bytes()))),
            Stage::Digests => drop(black_box(digests(&self.engine))),
            Stage::Read => drop(black_box(self.engine.read(&self.route, text.as_bytes(), true))),
            Stage::Judge => drop(black_box(self.engine.judge(&self.store, &self.feed, caller, reading, now))),
            Stage::Settle => {
                black_box(self.engine.settle(&mut self.store, caller, reading, 200, now));
            }
            Stage::Page => self.page((body as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            Stage::Request => {
                let caller = identified(&self.engine, &self.route, body);
                let reading = self.engine.read(&self.route, text.as_bytes(), true);
                let verdict = self.engine.judge(&self.store, &self.feed, &caller, &reading, now);
                black_box(verdict.label(now));
                black_box(self.engine.settle(&mut self.store, &caller, &reading, 200, now));
            }
        }
    }
}
