//! Shared data that somebody else wrote, or that was damaged.

use super::{enforcing, route};
use crate::Witness;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::sketch::decay::DecayingCounter;
use azeotrope_engine::sketch::hll::Hll;
use azeotrope_engine::store::{Get, Key, MemoryStore, Store, SwapError, Version};
use azeotrope_engine::time::{DAY, Timestamp};
use azeotrope_engine::verdict::label;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Bytes of a page's header, which says whose it is.
const HEADER: usize = 16;
/// When.
const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// A conversation with a blob, so that every table is asked.
const BODY: &[u8] = br#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Explain your reasoning step by step: why is the sky blue?"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pki"}]},{"role":"user","content":"Go on, in more detail."}]}"#;

/// A store that has of every page what the engine would have written there, but for what the input changed.
struct Damaged<'a> {
    input: &'a [u8],
    store: MemoryStore,
    first: RefCell<BTreeMap<Key, usize>>,
}

impl Get for Damaged<'_> {
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)> {
        let (mut page, version) = self.store.get(key)?;
        // Its own part of the input for each page, over and over; an odd first byte leaves the header alone.
        let mut seen = self.first.borrow_mut();
        let next = seen.len();
        let turn = *seen.entry(key).or_insert(next);
        let length = self.input.len().div_ceil(4).max(1);
        let piece = self.input.get(turn.saturating_mul(length) % self.input.len().max(1)..).unwrap_or_default();
        let from = if self.input.first().is_some_and(|byte| byte & 1 == 1) { HEADER } else { 0 };
        for (byte, with) in page.iter_mut().skip(from).zip(piece.iter().cycle()) {
            *byte ^= with;
        }
        Some((page, version))
    }
}

impl Store for Damaged<'_> {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        let length = self.store.get(key).map(|(page, _)| page.len());
        assert!(length.is_none_or(|length| length == value.len()), "a page keeps its length");
        self.store.swap(key, value, seen)
    }
}

/// An engine that counts on damaged pages: no panic, no page grows, every verdict has a label.
pub(crate) fn pages(input: &[u8], witness: &mut Witness) {
    let engine = enforcing();
    let route = route(Dialect::Messages);
    let headers = [(b"authorization".to_vec(), b"Bearer sk-1".to_vec())];
    let caller = engine.caller(Some(route.dialect), &headers, b"192.0.2.1:5", None);
    let reading = engine.read(&route, BODY, true);
    let mut store = Damaged { input: &[], store: MemoryStore::default(), first: RefCell::default() };
    for round in 0..6_u64 {
        let now = Timestamp(NOW.0.saturating_add(round.saturating_mul(1_000)));
        let mut verdict = engine.judge(&store, &Feed::default(), &caller, &reading, now);
        let grant = engine.reserve(&mut store, &caller, &reading, 300, &mut verdict, now);
        assert!(verdict.label(now).len() <= label::MAX_BYTES);
        if let Some(grant) = &grant {
            let told = grant.remaining.headers(route.dialect, now);
            told.into_iter().for_each(|(name, value)| assert!(value.is_ascii() && value.len() < 40, "{name}: {value}"));
        }
        witness.see(&verdict);
        witness.see(&engine.settle(&mut store, &caller, &reading, 200, now));
        witness.see(&engine.given(&mut store, &caller, &reading.blobs, now));
        // The first rounds make the pages; then they are damaged.
        if round == 1 {
            store.input = input;
        }
    }
    assert!(store.store.bytes() <= engine.config().state.bytes());
}

/// Sketches over any bytes.
pub(crate) fn sketches(input: &[u8], witness: &mut Witness) {
    counts::<16>(input, witness);
    counts::<64>(input, witness);
    counts::<256>(input, witness);
    let counter = DecayingCounter::new(DAY);
    let before = counter.read(input, NOW);
    let mut bytes = input.to_vec();
    let after = counter.add(&mut bytes, NOW, 1);
    assert!(bytes.len() == input.len() && (after >= before || bytes.len() < 8), "{before} {after}");
    witness.see(&(before, after, counter.thousandths(&bytes, NOW)));
}

/// Counting more never tells less, and nothing is written beyond the sketch.
fn counts<const M: usize>(input: &[u8], witness: &mut Witness) {
    let before = Hll::<M>::count(input);
    let mut bytes = input.to_vec();
    let _ = Hll::<M>::add(&mut bytes, 7);
    let after = Hll::<M>::count(&bytes);
    assert!(after >= before, "{before} {after}");
    assert_eq!(bytes.get(Hll::<M>::BYTES..), input.get(Hll::<M>::BYTES..));
    witness.see(&(before, after));
}
