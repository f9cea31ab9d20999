//! The targets outside libFuzzer.
//!
//! `azeotrope-fuzz inputs <folder> <count>`: every file of the corpora in `folder`, and so many mutations of each, to
//! standard output. `azeotrope-fuzz witness`: takes those from standard input and prints what each target saw, a line an
//! input. The same program runs natively and as wasm: its lines must be the same. `azeotrope-fuzz seeds <folder>` writes
//! the first inputs of binary formats, where such a format has changed.

mod seeds;

use azeotrope_fuzz::{TARGETS, Witness};
use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["inputs", folder, count] => inputs(Path::new(folder), count.parse()?),
        ["seeds", folder] => seeds(Path::new(folder)),
        ["witness"] => witness(),
        _ => Err("usage: azeotrope-fuzz inputs <folder of corpora> <mutations> | witness | seeds <folder>".into()),
    }
}

/// An input: the number of its target, its length, itself.
fn put(out: &mut impl Write, target: usize, input: &[u8]) -> Outcome {
    out.write_all(&[u8::try_from(target)?])?;
    out.write_all(&u32::try_from(input.len())?.to_le_bytes())?;
    Ok(out.write_all(input)?)
}

fn inputs(folder: &Path, mutations: u64) -> Outcome {
    let mut out = std::io::stdout().lock();
    for (number, target) in TARGETS.iter().enumerate() {
        let mut files: Vec<_> = std::fs::read_dir(folder.join(target.name))?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        files.sort();
        for file in files {
            let input = std::fs::read(file)?;
            put(&mut out, number, &input)?;
            for seed in 0..mutations {
                put(&mut out, number, &mutated(&input, seed))?;
            }
        }
    }
    Ok(())
}

/// The input with a few pieces changed, moved or taken out: always the same ones.
fn mutated(input: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % (below as u64).max(1)) as usize
    };
    let mut bytes = input.to_vec();
    for _ in 0..=next(4) {
        let from = next(bytes.len().saturating_add(1)).min(bytes.len());
        let to = from.saturating_add(next(12)).min(bytes.len());
        let piece: Vec<u8> = match next(4) {
            0 => Vec::new(),
            1 => vec![next(256) as u8; next(9)],
            2 => input.iter().skip(next(input.len())).take(next(40)).copied().collect(),
            _ => bytes.iter().skip(from).take(to.saturating_sub(from)).map(|byte| byte ^ 1 << next(8)).collect(),
        };
        bytes.splice(from..to, piece);
    }
    bytes
}

fn seeds(folder: &Path) -> Outcome {
    for (target, name, bytes) in seeds::seeds() {
        std::fs::write(folder.join(target).join(name), bytes)?;
    }
    Ok(())
}

fn witness() -> Outcome {
    let mut all = Vec::new();
    std::io::stdin().read_to_end(&mut all)?;
    let (mut rest, mut out) = (all.as_slice(), std::io::stdout().lock());
    while let Some(([number, a, b, c, d], after)) = rest.split_first_chunk::<5>() {
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let (input, after) = after.split_at_checked(length).ok_or("an input that is cut short")?;
        let target = TARGETS.get(usize::from(*number)).ok_or("an input of no target")?;
        let mut witness = Witness::attentive();
        target.check_alone(input, &mut witness);
        writeln!(out, "{} {:016x}", target.name, witness.tell())?;
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_fuzz::Target;

    #[test]
    fn what_our_writers_wrote_into_the_corpora_is_still_read() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        for (target, name, _) in seeds::seeds() {
            let input = std::fs::read(corpora.join(target).join(name)).unwrap();
            let mut witness = Witness::default();
            Target::named(target).unwrap().check(&input, &mut witness);
            assert!(
                witness.taken(),
                "{target}/{name} is refused: `cargo run -p azeotrope-fuzz seeds tests/fuzz/corpus` writes it anew"
            );
        }
    }
}
