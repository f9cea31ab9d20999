//! What operators write: refused whole, or taken whole.

use crate::Witness;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::rules::{Config, MAX_PROBLEMS, Problem, Rules, check};
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;

/// Longest that a problem is told in: hostile names are cut.
const LONGEST: usize = 4_096;

/// A rules document: what is taken is JSON to others too, and the same when they write it.
pub(crate) fn rules(input: &[u8], witness: &mut Witness) {
    told(check(input).err().map(|(_, problems)| problems).as_deref());
    let read = Rules::parse(input);
    told(read.as_ref().err().map(Vec::as_slice));
    if let Ok(read) = &read {
        witness.note_taken();
        assert_eq!(Rules::parse(&written_by_others(input)).as_ref(), Ok(read));
    }
    witness.see(&read);
}

/// A plugin configuration: what is taken can judge.
pub(crate) fn configuration(input: &[u8], witness: &mut Witness) {
    let read = Config::parse(input);
    told(read.as_ref().err().map(Vec::as_slice));
    witness.see(&read);
    let Ok(config) = read else { return };
    witness.note_taken();
    if !input.trim_ascii().is_empty() {
        let again = Config::parse(&written_by_others(input));
        assert_eq!(again.map(|again| format!("{again:?}")).as_ref(), Ok(&format!("{config:?}")));
    }
    judges(&Engine::of(config), witness);
}

/// Any configuration's engine takes a request, within the memory that it states.
fn judges(engine: &Engine, witness: &mut Witness) {
    let mut store = MemoryStore::default();
    let headers = [(b"authorization".to_vec(), b"Bearer sk-1".to_vec()), (b":path".to_vec(), b"/v1/messages".to_vec())];
    let body = br#"{"model":"m","messages":[{"role":"user","content":"Say why, step by step."}],"max_tokens":9}"#;
    for now in [0, 1_790_000_000_000, u64::MAX].map(Timestamp) {
        let caller = engine.caller(None, &headers, b"192.0.2.1:5", Some(b"claim"));
        let reading = engine.read(&super::route(Dialect::Messages), body, true);
        let mut verdict = engine.judge(&store, &Feed::default(), &caller, &reading, now);
        let grant = engine.reserve(&mut store, &caller, &reading, 90, &mut verdict, now);
        witness.see(&(&verdict, grant.is_some()));
        let _ = engine.settle(&mut store, &caller, &reading, 200, now);
    }
    assert!(store.bytes() <= engine.config().state.bytes());
}

fn told(problems: Option<&[Problem]>) {
    let Some(problems) = problems else { return };
    assert!(!problems.is_empty() && problems.len() <= MAX_PROBLEMS.saturating_add(1));
    for problem in problems {
        assert!(problem.reason.len() <= LONGEST, "{}", problem.reason.len());
    }
}

/// The document as another program writes it.
fn written_by_others(document: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice::<serde_json::Value>(document);
    assert!(value.is_ok(), "{value:?}");
    value.map(|value| value.to_string().into_bytes()).unwrap_or_default()
}
