//! What a sidecar manages and what it takes, for the README: `make sidecar-pace` prints it.

use super::duty::Duty;
use crate::directory::Directory;
use crate::store::{self, Cursor, Store};
use azeotrope_engine::caller::Caller;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::digest::skeleton::{Place, Skeleton};
use azeotrope_engine::digest::words::mix;
use azeotrope_engine::observation::{Fate, Header, Queue};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use std::time::{Duration, Instant};

/// Accounts, and requests of each.
const ACCOUNTS: u64 = 1_000_000;
const EACH: u64 = 2;
/// Requests of a batch: a worker's half second at 1,000 a second.
const BATCH: u64 = 500;
const START: u64 = 1_790_000_000_000;

fn caller(n: u64) -> Caller {
    Caller { account: mix(n) | 1, network: mix(n ^ 0xabcd) | 1, agent: n % 50 + 1, ..Caller::default() }
}

/// A person's request: eleven keys of a template, of which one in twenty is shared with many.
fn reading(n: u64) -> Reading {
    let places = [Place::System, Place::Head, Place::Tail, Place::UserPart];
    let key = |at: u64| if at == 0 && n.is_multiple_of(20) { mix(n % 1_000) } else { mix(n * 31 + at) };
    let keys = (0..11).map(|at| (places[at as usize % 4], key(at))).collect();
    Reading {
        dialect: Some(Dialect::Messages),
        model: n % 9 + 1,
        line: n % 5 + 1,
        settings: mix(n % 40),
        content: mix(n ^ 0x77),
        skeleton: Skeleton { keys },
        wording: -200,
        ..Reading::default()
    }
}

fn batch(first: u64) -> Vec<u8> {
    let mut queue = Queue::new(1 << 20);
    for n in first..first + BATCH {
        let at = Timestamp(START + n);
        queue.request(&caller(n % ACCOUNTS), &reading(n), &Verdict::default(), Fate::Answered, (at, at));
    }
    let header = Header { sender: 1, sequence: first + 1, name: "edge".into(), ..Header::default() };
    queue.take().unwrap().batch(header, Timestamp(START + first + BATCH))
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn append(name: &str, store: &dyn Store, batches: &[Vec<u8>]) {
    let begun = Instant::now();
    for (batch, sequence) in batches.iter().zip(1..) {
        store.append(1, sequence, START, batch).unwrap();
    }
    let each = begun.elapsed().as_secs_f64() / batches.len() as f64;
    println!(
        "{name}: {:.2} ms a batch, {:.0} observations a second over one connection",
        each * 1e3,
        BATCH as f64 / each
    );
    let begun = Instant::now();
    let (mut read, mut cursor) = (0, Cursor::default());
    while let Some(last) = store.read(&cursor, 256).unwrap().last().map(|entry| entry.cursor.clone()) {
        read += 1;
        cursor = last;
    }
    println!("{name}: all of it read again in {:.2} s ({read} calls)", begun.elapsed().as_secs_f64());
}

#[test]
#[ignore = "prints what is measured; takes a minute"]
fn sidecar_pace() {
    let before = resident();
    let mut duty = Duty::for_measurement();
    let (mut bytes, mut busy) = (0, Duration::ZERO);
    for first in (0..ACCOUNTS * EACH).step_by(BATCH as usize) {
        let batch = batch(first);
        bytes += batch.len() as u64;
        let begun = Instant::now();
        duty.take(Timestamp(START + first), &batch);
        busy += begun.elapsed();
    }
    let count = ACCOUNTS * EACH;
    println!("bytes an observation: {}", bytes / count);
    println!("joined: {:.0} observations a second on one core", count as f64 / busy.as_secs_f64());
    println!("{ACCOUNTS} accounts, {count} requests: {} MiB", resident() - before);
    let begun = Instant::now();
    let snapshot = duty.snapshot().unwrap();
    println!("snapshot: {} MiB in {:.1} s", snapshot.len() >> 20, begun.elapsed().as_secs_f64());
    drop((snapshot, duty));
    let batches: Vec<_> = (0..400).map(|n| batch(n * BATCH)).collect();
    let directory = Directory::new();
    append("embedded store", &*store::open(None, Some(&directory.0)).unwrap(), &batches);
    if let Ok(url) = std::env::var("AZEOTROPE_STORE") {
        append("redis", &*store::open(Some(&url), None).unwrap(), &batches);
    }
}
