//! The stages of a request under criterion: `make bench-stages`, or `cargo bench -p azeotrope-bench-engine -- 4096/digests`.
//! Bodies of real prompts come from the files that AZEOTROPE_BODIES names, `bodies-<bytes>.txt`, one a line.

use azeotrope_bench_engine::{Bench, STAGES};
use criterion::{BenchmarkId, Criterion, Throughput};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Bodies of a size that are taken in turn.
const BODIES: usize = 24;

fn files(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(size) = name.strip_prefix("bodies-").and_then(|name| name.strip_suffix(".txt")?.parse().ok()) {
            found.push((size, path));
        }
    }
    found.sort();
    if found.is_empty() { Err(format!("{} has no bodies", folder.display()).into()) } else { Ok(found) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::var("AZEOTROPE_BODIES").map_err(|_| "AZEOTROPE_BODIES names no folder: use `make bench-stages`")?;
    let mut criterion = Criterion::default().configure_from_args();
    for (size, path) in files(Path::new(&folder))? {
        let text = std::fs::read_to_string(path)?;
        let bodies: Vec<&str> = text.lines().take(BODIES).collect();
        let mut bench = Bench::new(&bodies)?;
        let mut group = criterion.benchmark_group(size.to_string());
        group.throughput(Throughput::Bytes(size));
        for (name, stage) in STAGES {
            let mut turn = (0..bodies.len()).cycle();
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| {
                    let place = turn.next().unwrap_or(0);
                    bench.run(stage, place, bodies.get(place).unwrap_or(&""));
                });
            });
        }
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}
