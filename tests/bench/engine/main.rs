//! The engine's request path, one stage at a time, over bodies from standard input (one a line).
//!
//! `time`: nanoseconds a body of every stage, medians of many rounds; the same program runs natively and as wasm.
//! `once <stage> <times>`: the stage that many times over all bodies inside [`measured`], for callgrind to count.

use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::route::Route;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;
use std::error::Error;
use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

/// Rounds of which the median counts.
const ROUNDS: usize = 31;
/// Stages, by name.
const STAGES: [(&str, Stage); 6] = [
    ("caller", Stage::Caller),
    ("parse", Stage::Parse),
    ("read", Stage::Read),
    ("judge", Stage::Judge),
    ("settle", Stage::Settle),
    ("request", Stage::Request),
];

#[derive(Clone, Copy)]
enum Stage {
    /// Who sends.
    Caller,
    /// The body's parts.
    Parse,
    /// Parts and digests.
    Read,
    /// Evidence and verdict.
    Judge,
    /// Counting.
    Settle,
    /// All of a request: caller, read, judge, label, settle.
    Request,
}

struct Bench {
    engine: Engine,
    route: Route,
    feed: Feed,
    store: MemoryStore,
    callers: Vec<Caller>,
    readings: Vec<Reading>,
    at: u64,
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

impl Bench {
    fn new(bodies: &[&str]) -> Result<Self, Box<dyn Error>> {
        let engine = Engine::new(b"{}").map_err(|problems| format!("{problems:?}"))?;
        let route = engine.route(b"POST", b"/v1/chat/completions").ok_or("no route")?;
        let callers = (0..bodies.len()).map(|n| engine.caller(&headers(n), b"192.0.2.1:4000", None)).collect();
        let readings = bodies.iter().map(|body| engine.read(&route, body.as_bytes(), true)).collect();
        let at = 1_800_000_000_000;
        Ok(Self { engine, route, feed: Feed::default(), store: MemoryStore::default(), callers, readings, at })
    }

    fn run(&mut self, stage: Stage, body: usize, text: &str) {
        let (Some(caller), Some(reading)) = (self.callers.get(body), self.readings.get(body)) else { return };
        self.at += 1;
        let now = Timestamp(self.at);
        match stage {
            Stage::Caller => drop(black_box(self.engine.caller(&headers(body), b"192.0.2.1:4000", None))),
            Stage::Parse => drop(black_box(azeotrope_engine::dialect::read(&self.route, text.as_bytes()))),
            Stage::Read => drop(black_box(self.engine.read(&self.route, text.as_bytes(), true))),
            Stage::Judge => drop(black_box(self.engine.judge(&self.store, &self.feed, caller, reading, now))),
            Stage::Settle => {
                black_box(self.engine.settle(&mut self.store, caller, reading, 200, now));
            }
            Stage::Request => {
                let caller = self.engine.caller(&headers(body), b"192.0.2.1:4000", None);
                let reading = self.engine.read(&self.route, text.as_bytes(), true);
                let verdict = self.engine.judge(&self.store, &self.feed, &caller, &reading, now);
                black_box(verdict.label(now));
                black_box(self.engine.settle(&mut self.store, &caller, &reading, 200, now));
            }
        }
    }
}

/// What callgrind counts: it is told to look into this function only.
#[inline(never)]
fn measured(bench: &mut Bench, stage: Stage, bodies: &[&str]) {
    for (place, body) in bodies.iter().enumerate() {
        bench.run(stage, place, body);
    }
}

fn time(bench: &mut Bench, stage: Stage, bodies: &[&str]) -> u128 {
    let mut rounds: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            measured(bench, stage, bodies);
            begin.elapsed().as_nanos() / bodies.len().max(1) as u128
        })
        .collect();
    rounds.sort_unstable();
    rounds.get(ROUNDS / 2).copied().unwrap_or(0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let bodies: Vec<&str> = input.lines().filter(|line| !line.is_empty()).collect();
    let mut bench = Bench::new(&bodies)?;
    // Everybody is known: the path of an account's thousandth request, not of its first.
    for _ in 0..3 {
        measured(&mut bench, Stage::Request, &bodies);
    }
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["time"] => {
            for (name, stage) in STAGES {
                println!("{name} {}", time(&mut bench, stage, &bodies));
            }
        }
        ["once", name, times] => {
            let (_, stage) = STAGES.iter().find(|(of, _)| of == name).ok_or("no such stage")?;
            for _ in 0..times.parse::<u32>()? {
                measured(&mut bench, *stage, &bodies);
            }
        }
        _ => {
            return Err("usage: azeotrope-bench-engine time | once <stage> <times>   (bodies on standard input)".into());
        }
    }
    Ok(())
}
