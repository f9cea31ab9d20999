//! The engine's request path, one stage at a time, over bodies from standard input (one a line).
//!
//! `time`: nanoseconds a body of every stage, medians of many rounds; the same program runs natively and as wasm.
//! `once <stage> <times>`: the stage that many times over all bodies inside [`measured`], for callgrind to count.

use azeotrope_bench_engine::{Bench, STAGES, Stage};
use std::error::Error;
use std::io::Read;
use std::time::Instant;

/// The module's allocator.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: azeotrope_allocator::Memory = azeotrope_allocator::memory();

/// Rounds of which the median counts.
const ROUNDS: usize = 31;

/// What callgrind counts: it is told to look into this function only.
#[inline(never)]
fn measured(bench: &mut Bench<'_>, stage: Stage, bodies: &[&str]) {
    bench.all(stage, bodies);
}

fn time(bench: &mut Bench<'_>, stage: Stage, bodies: &[&str]) -> u128 {
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
