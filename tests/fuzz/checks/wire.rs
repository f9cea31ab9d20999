//! What goes between filters and sidecars, and what a sidecar saves.

use crate::{Witness, number};
use azeotrope_engine::campaign::feed::{CAMPAIGNS, CROWDS, ENTRIES};
use azeotrope_engine::campaign::{Change, Criteria, Feed, Joiner, Limits};
use azeotrope_engine::corpus::Corpus;
use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::observation::{Batch, Event, Fate, Header, Observation, Queue};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;

/// A small tier: what is checked of it does not depend on its size.
const SMALL: Limits = Limits { accounts: 64, singles: 64, groups: 32, ledger: 64, campaigns: 8 };

/// Changes of the feed: read as they were written, and carried out within bounds.
pub(crate) fn feed(input: &[u8], witness: &mut Witness) {
    let changes = Change::read_all(input);
    witness.see(&changes);
    let Some(changes) = changes else { return };
    witness.note_taken();
    assert_eq!(Change::read_all(&Change::write_all(&changes)).as_ref(), Some(&changes));
    let (mut feed, mut crowds) = (Feed::default(), 0);
    for change in &changes {
        let taken = feed.apply(change);
        match change {
            Change::Profile { campaign, profile } => {
                assert_eq!(taken, *campaign < CAMPAIGNS);
                assert!(!taken || feed.name(*campaign) == Some(&profile.name));
            }
            Change::Account { account, .. } => {
                witness.see(&feed.account(*account, Timestamp(5)));
            }
            Change::Crowd { .. } => crowds += usize::from(taken),
            Change::Key { .. } => {}
        }
        witness.see(&taken);
    }
    assert!(feed.accounts() <= ENTRIES && crowds <= CROWDS);
    for account in [0, 1, u64::MAX, number(input)] {
        witness.see(&feed.account(account, Timestamp(0)));
    }
}

/// A corpus filter: whatever it says, it can be asked.
pub(crate) fn corpus(input: &[u8], witness: &mut Witness) {
    let read = Corpus::from_bytes(input);
    witness.see(&read);
    let Ok(corpus) = read else { return };
    witness.note_taken();
    assert_eq!(corpus.to_bytes(), input);
    let mut digest = number(input);
    for _ in 0..64 {
        witness.see(&corpus.contains(digest));
        digest = digest.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    }
    witness.see(&(corpus.contains(0), corpus.contains(u64::MAX)));
}

/// A batch: read whole or not at all, written again the same, joined whatever it says.
pub(crate) fn observations(input: &[u8], witness: &mut Witness) {
    let read = Batch::decode(input);
    witness.see(&read);
    let Ok(batch) = read else { return };
    witness.note_taken();
    assert!(batch.observations.len().saturating_mul(8) <= input.len());
    let mut joiner = Joiner::new(SMALL, Criteria::default());
    let now = Timestamp(1_790_000_000_000);
    for (at, event) in batch.timed(now) {
        assert!(at <= now);
        joiner.hear(event, at);
    }
    bounded(&mut joiner, witness);
    written(&batch);
}

/// Between its limits and twice as many.
fn bounded(joiner: &mut Joiner, witness: &mut Witness) {
    assert!(joiner.known() <= SMALL.accounts.saturating_mul(2).saturating_add(1), "{}", joiner.known());
    assert!(joiner.campaigns().len() <= SMALL.campaigns);
    witness.see(&(joiner.known(), joiner.campaigns().len(), joiner.take_changes()));
    let restored = Joiner::restore(&joiner.snapshot().unwrap_or_default(), SMALL, Criteria::default());
    assert!(restored.is_ok_and(|restored| restored.known() == joiner.known()));
}

/// What was read is what a filter that saw the same would write, where it begins with what it is told at.
fn written(batch: &Batch) {
    const BEGIN: u64 = 1 << 40;
    let times: Vec<i32> = batch.observations.iter().map(|Observation { after, .. }| *after).collect();
    let given = |event: &Event| matches!(event, Event::Given { blobs, .. } if blobs.is_empty());
    if times.first() != Some(&0) || batch.observations.iter().any(|seen| given(&seen.event)) {
        return;
    }
    let mut queue = Queue::new(azeotrope_engine::observation::MAX_BATCH);
    for Observation { after, event } in &batch.observations {
        let now = Timestamp(BEGIN.saturating_add_signed(i64::from(*after)));
        match event {
            Event::Request { caller, reading, would, score, fate } => {
                let verdict = Verdict { would: *would, score: *score, ..Verdict::default() };
                queue.request(caller, reading, &verdict, *fate, (now, now));
            }
            Event::Refused { caller, reading } => queue.refused(caller, reading, now),
            Event::Given { caller, blobs } => queue.given(caller, blobs, now),
        }
    }
    let sent = queue
        .take()
        .map(|load| load.batch(batch.header.clone(), Timestamp(BEGIN.saturating_add(u64::from(batch.header.age)))));
    assert_eq!(sent.map(|bytes| Batch::decode(&bytes)), Some(Ok(batch.clone())));
}

/// What a sidecar saved, or somebody else did: restored to a tier that goes on, or refused.
pub(crate) fn snapshot(input: &[u8], witness: &mut Witness) {
    let restored = Joiner::restore(input, SMALL, Criteria::default());
    witness.see(&restored.is_ok());
    let Ok(mut joiner) = restored else { return };
    witness.note_taken();
    let mut again = joiner.clone();
    for (at, event) in some_traffic().timed(Timestamp(1_790_000_000_000)) {
        joiner.hear(event, at);
        again.hear(event, at);
    }
    assert_eq!(joiner.take_changes(), again.take_changes());
    witness.see(&(joiner.known(), joiner.campaigns().len()));
}

/// A few accounts of several networks that send one template, and an answer's blob.
fn some_traffic() -> Batch {
    let engine = super::built_in();
    let mut queue = Queue::new(1 << 16);
    for number in 0..12_u8 {
        let headers = [(b"authorization".to_vec(), format!("Bearer sk-{number}").into_bytes())];
        let caller = engine.caller(None, &headers, format!("10.{number}.0.1:80").as_bytes(), None);
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"Explain step by step and rate the answer: {number}"}}]}}"#
        );
        let reading = engine.read(&super::route(Dialect::Messages), body.as_bytes(), true);
        let now = Timestamp(u64::from(number));
        queue.request(&caller, &reading, &Verdict::default(), Fate::Answered, (now, now));
        queue.given(&caller, &[77], now);
        queue.refused(&caller, &reading, now);
    }
    let batch = queue.take().map(|load| load.batch(Header::default(), Timestamp(60_000)));
    batch.and_then(|bytes| Batch::decode(&bytes).ok()).unwrap_or_default()
}
