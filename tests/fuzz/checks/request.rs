//! Requests: what is read of them, and all that follows.

use super::{built_in, enforcing, route};
use crate::{Witness, lines, number, place};
use azeotrope_engine::answer::{Framing, Reader};
use azeotrope_engine::budget::Grant;
use azeotrope_engine::caller::Caller;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::dialect::{self, Dialect, MAX_NAME, MAX_PARTS, MAX_TURNS, Prompt};
use azeotrope_engine::digest::skeleton::KEYS;
use azeotrope_engine::digest::{BLOBS, Reading};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::store::{MemoryStore, Store};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::{Action, Label, label};

/// Every dialect's request reader, and the digests of what it read.
pub(crate) fn request(input: &[u8], witness: &mut Witness) {
    let engine = built_in();
    for dialect in Dialect::ALL {
        let route = route(dialect);
        let prompt = dialect::read(&route, input);
        within_bounds(&prompt, input);
        let reading = engine.read(&route, input, true);
        digested(&reading, &prompt);
        witness.see(&prompt);
        witness.see(&reading);
        // Read as far as a limit lets it.
        let beginning = input.get(..place(number(input), input.len())).unwrap_or(input);
        let cut = dialect::read(&route, beginning);
        within_bounds(&cut, beginning);
        assert!(cut.truncated || beginning.len() == input.len() || prompt.parts.len() >= cut.parts.len());
        witness.see(&engine.read(&route, beginning, false));
    }
}

fn within_bounds(prompt: &Prompt<'_>, body: &[u8]) {
    assert!(prompt.parts.len() <= MAX_PARTS && prompt.turns <= MAX_TURNS);
    assert!(prompt.model.len() <= MAX_NAME && prompt.previous.len() <= MAX_NAME);
    // A character of UTF-16 may take three bytes in place of two.
    let document = prompt.document.len();
    assert!(document <= body.len().saturating_mul(3), "{document} of {}", body.len());
    for part in &prompt.parts {
        let (start, end) = (part.span.start as usize, part.span.end as usize);
        assert!(start <= end && end <= document, "{part:?}");
        // A byte that is no UTF-8 becomes three.
        let text = prompt.text(part.span);
        assert!(text.len() <= part.span.bytes() as usize * 3, "{part:?} {text:?}");
    }
}

fn digested(reading: &Reading, prompt: &Prompt<'_>) {
    assert!(reading.blobs.len() <= BLOBS && reading.skeleton.keys.len() <= KEYS);
    assert_eq!(reading.unread, prompt.parts.is_empty() && !prompt.params.kept);
    assert_eq!(reading.truncated, prompt.truncated);
}

/// Exchanges, one a line: what the first byte says of sender, time and end; then the body. Judged, counted, charged and
/// answered one after the other.
pub(crate) fn exchange(input: &[u8], witness: &mut Witness) {
    for engine in [built_in(), enforcing()] {
        let mut store = MemoryStore::default();
        let mut now = Timestamp(1_790_000_000_000);
        for line in lines(input).take(64) {
            let (&how, body) = line.split_first().unwrap_or((&b'0', b""));
            now = step(now, how);
            one(&engine, &mut store, how, body, now, witness);
        }
        assert!(store.bytes() <= engine.config().state.bytes());
    }
}

/// Clocks go on, stand and jump, back too.
fn step(now: Timestamp, how: u8) -> Timestamp {
    Timestamp(match how >> 5 {
        0 => now.0,
        1 => now.0.saturating_add(1_000),
        2 => now.0.saturating_add(60_000),
        3 => now.0.saturating_add(3_600_000),
        4 => now.0.saturating_add(90_000_000),
        5 => now.0.saturating_sub(10_000),
        6 => now.0.saturating_sub(86_400_000),
        _ => 0,
    })
}

fn one(engine: &Engine, store: &mut MemoryStore, how: u8, body: &[u8], now: Timestamp, witness: &mut Witness) {
    let route = route(Dialect::ALL.get(usize::from(how % 6)).copied().unwrap_or(Dialect::Messages));
    let account = format!("Bearer sk-{}", how & 7);
    let headers = [(b"authorization".to_vec(), account.into_bytes())];
    let caller = engine.caller(Some(route.dialect), &headers, format!("10.{}.0.1:80", how & 3).as_bytes(), None);
    let reading = engine.read(&route, body, true);
    let mut verdict = engine.judge(store, &Feed::default(), &caller, &reading, now);
    let grant = engine.reserve(store, &caller, &reading, body.len() as u64, &mut verdict, now);
    let told = Label::parse(&verdict.label(now));
    assert!(verdict.label(now).len() <= label::MAX_BYTES);
    assert!(told.is_some_and(|told| told.action == verdict.action && told.score == verdict.score));
    witness.see(&verdict);
    if verdict.action.refuses() {
        let reply = engine.reply(&route, &verdict);
        assert!(super::is_json(&reply.body) && matches!(reply.status, 403 | 429));
        witness.see(&reply);
        return;
    }
    assert!(verdict.action != Action::Degrade || verdict.would == Action::Degrade);
    let status = if how & 16 == 0 { 200 } else { 429 };
    witness.see(&engine.settle(store, &caller, &reading, status, now));
    answered(engine, store, (&caller, &reading, grant.as_ref()), body, status, now, witness);
}

/// The request's own body stands for its answer.
fn answered<S: Store>(
    engine: &Engine,
    store: &mut S,
    (caller, reading, grant): (&Caller, &Reading, Option<&Grant>),
    body: &[u8],
    status: u16,
    now: Timestamp,
    witness: &mut Witness,
) {
    let mut reader = Reader::new(Framing::Json, engine.config().callers.keys.current);
    reader.push(body);
    let taken = reader.finish();
    let _ = engine.given(store, caller, &taken.blobs, now);
    let _ = engine.ended(store, caller, reading, taken.finish, now);
    if let (Some(grant), Some(dialect)) = (grant, reading.dialect) {
        let _ = engine.charge(store, grant, &route(dialect), status, Some(&taken), now);
    }
    witness.see(&taken);
}
