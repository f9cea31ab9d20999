//! What must hold for any bytes that come from outside, a target for every reader of such bytes.
//!
//! A target takes bytes and asserts: that nothing panics, that what comes out is bounded, and what the reader promises
//! beyond that. It shows what it saw to a [`Witness`]; natively and as wasm that must be the same to the bit. One list of
//! targets serves three runners: the test below (every corpus, with every `cargo test`), libFuzzer (`make fuzz`), and
//! `azeotrope-fuzz`, which `make check-parity` runs in both worlds.

mod checks;
#[path = "../../src/filter/pairs.rs"]
#[allow(dead_code, reason = "the filter uses all of it")]
mod pairs;
#[path = "../../src/filter/shelf.rs"]
#[allow(dead_code, reason = "the filter uses all of it")]
mod shelf;

use peak_alloc::PeakAlloc;
use siphasher::sip::SipHasher13;
use std::fmt::{Debug, Write};
use std::hash::Hasher as _;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Heap that a target may take however short its input is: engines, tables, the windows of decoders.
const HEAP_ANYHOW: usize = 12 << 20;
/// Heap that a target may take for every byte of its input.
const HEAP_A_BYTE: usize = 256;

/// Sees what a target saw.
#[derive(Debug, Default)]
pub struct Witness {
    /// `None`: looks away.
    hasher: Option<SipHasher13>,
    taken: bool,
}

impl Witness {
    /// One that remembers.
    #[must_use]
    pub fn attentive() -> Self {
        Self { hasher: Some(SipHasher13::new()), taken: false }
    }

    /// Shows it something.
    pub fn see(&mut self, what: &impl Debug) {
        if self.hasher.is_some() {
            // Writing to a hasher cannot fail.
            let _ = writeln!(self, "{what:?}");
        }
    }

    /// Tells it that the reader has taken the input, rather than refused it.
    pub fn note_taken(&mut self) {
        self.taken = true;
    }

    /// Whether the reader has taken the input.
    #[must_use]
    pub fn taken(&self) -> bool {
        self.taken
    }

    /// What it saw, in a number.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.hasher.as_ref().map_or(0, |hasher| hasher.finish())
    }
}

impl Write for Witness {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if let Some(hasher) = &mut self.hasher {
            hasher.write(text.as_bytes());
        }
        Ok(())
    }
}

/// A reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its folder in `corpus/`, too.
    pub name: &'static str,
    run: fn(&[u8], &mut Witness),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "json", run: checks::json::json },
    Target { name: "request", run: checks::request::request },
    Target { name: "exchange", run: checks::request::exchange },
    Target { name: "degrade", run: checks::degrade::request },
    Target { name: "rewrite", run: checks::degrade::answer },
    Target { name: "answer", run: checks::answer::answer },
    Target { name: "encoding", run: checks::encoding::encoding },
    Target { name: "route", run: checks::caller::route },
    Target { name: "caller", run: checks::caller::caller },
    Target { name: "headers", run: checks::headers::headers },
    Target { name: "label", run: checks::headers::label },
    Target { name: "rules", run: checks::documents::rules },
    Target { name: "configuration", run: checks::documents::configuration },
    Target { name: "bundle", run: checks::bundle::bundle },
    Target { name: "feed", run: checks::wire::feed },
    Target { name: "corpus", run: checks::wire::corpus },
    Target { name: "observations", run: checks::wire::observations },
    Target { name: "snapshot", run: checks::wire::snapshot },
    Target { name: "pages", run: checks::pages::pages },
    Target { name: "sketches", run: checks::pages::sketches },
];

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Checks an input.
    ///
    /// # Panics
    /// What must hold does not.
    pub fn check(&self, input: &[u8], witness: &mut Witness) {
        (self.run)(input, witness);
    }

    /// [`Target::check`], and that it takes no more heap than its input's size allows. For one thread alone.
    ///
    /// # Panics
    /// What must hold does not.
    pub fn check_alone(&self, input: &[u8], witness: &mut Witness) {
        let before = HEAP.current_usage();
        HEAP.reset_peak_usage();
        self.check(input, witness);
        let taken = HEAP.peak_usage().saturating_sub(before);
        let allowed = HEAP_ANYHOW.saturating_add(input.len().saturating_mul(HEAP_A_BYTE));
        assert!(taken <= allowed, "{taken} bytes of heap for {} of input", input.len());
    }
}

/// The pieces of an input that is several: everything up to each newline.
fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|byte| *byte == b'\n')
}

/// A number that any input has, to cut it at places that the fuzzer can steer.
fn number(input: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(input);
    hasher.finish()
}

/// A place in `0..=length` that a number picks.
fn place(number: u64, length: usize) -> usize {
    (number % (length as u64).saturating_add(1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn corpus(target: &Target) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_corpus_passes_its_target() {
        for target in TARGETS {
            let files = corpus(target);
            assert!(!files.is_empty(), "{} has no corpus", target.name);
            for file in files {
                let input = std::fs::read(&file).unwrap();
                let failed = std::panic::catch_unwind(|| target.check(&input, &mut Witness::attentive())).is_err();
                assert!(!failed, "{}", file.display());
            }
        }
    }

    #[test]
    fn a_witness_tells_one_thing_from_another() {
        let told = |values: &[u8]| {
            let mut witness = Witness::attentive();
            values.iter().for_each(|value| witness.see(value));
            witness.tell()
        };
        assert_eq!(told(&[1, 2]), told(&[1, 2]));
        assert_ne!(told(&[1, 2]), told(&[2, 1]));
        assert_ne!(told(&[12]), told(&[1, 2]));
    }
}
