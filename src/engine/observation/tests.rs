use super::*;
use crate::dialect::Dialect;
use crate::digest::BLOBS;
use crate::digest::skeleton::KEYS;
use crate::digest::skeleton::{Place, Skeleton};
use crate::verdict::Verdict;

fn caller(n: u64) -> Caller {
    Caller { account: n, network: n << 40, agent: u64::MAX, ..Caller::default() }
}

fn reading(keys: usize) -> Reading {
    Reading {
        dialect: Some(Dialect::Messages),
        skeleton: Skeleton { keys: vec![(Place::Head, u64::MAX - 5); keys] },
        content: 7,
        wording: -300,
        ..Reading::default()
    }
}

fn request(n: u64, keys: usize) -> Event {
    Event::Request {
        caller: caller(n),
        reading: reading(keys),
        would: Action::Throttle,
        score: 8_100,
        fate: [Fate::Answered, Fate::RefusedHere, Fate::RefusedForLoad][n as usize % 3],
    }
}

/// Puts an event into a queue as filters do.
fn push(queue: &mut Queue, event: &Event, now: Timestamp) {
    match event {
        Event::Request { caller, reading, would, score, fate } => {
            let verdict = Verdict { would: *would, score: *score, ..Verdict::default() };
            queue.request(caller, reading, &verdict, *fate, (now, now));
        }
        Event::Refused { caller, reading } => queue.refused(caller, reading, now),
        Event::Given { caller, blobs } => queue.given(caller, blobs, now),
    }
}

fn header() -> Header {
    Header { process: 1, sender: 2, sequence: 3, rules: 4, lost: 5, name: "edge-1".to_owned(), age: 0 }
}

#[test]
fn what_a_filter_sends_is_what_the_sidecar_reads() {
    let mut queue = Queue::new(1 << 16);
    push(&mut queue, &request(1, KEYS), Timestamp(10_000));
    push(&mut queue, &Event::Refused { caller: caller(2), reading: reading(0) }, Timestamp(10_200));
    queue.given(&caller(3), &[9; 20], Timestamp(10_500));
    [3, 5].into_iter().for_each(|n| push(&mut queue, &request(n, 1), Timestamp(10_500)));
    let bytes = queue.take().unwrap().batch(header(), Timestamp(11_000));
    assert_eq!(queue.take(), None);
    let batch = Batch::decode(&bytes).unwrap();
    assert_eq!(batch.header, Header { age: 1_000, ..header() });
    let timed: Vec<_> = batch.timed(Timestamp(50_000)).collect();
    assert_eq!(timed[0], (Timestamp(49_000), &request(1, KEYS)));
    assert_eq!(timed[1].0, Timestamp(49_200));
    assert_eq!(timed[2], (Timestamp(49_500), &Event::Given { caller: caller(3), blobs: vec![9; BLOBS] }));
    assert_eq!([timed[3].1, timed[4].1], [&request(3, 1), &request(5, 1)]);
}

#[test]
fn what_upstream_had_is_as_it_answered_and_what_is_over_budget_was_refused_for_load() {
    let fate = |action, reasons: &[Reason], status| {
        let reasons = reasons.iter().map(|reason| reason.code()).collect();
        Fate::of(&Verdict { action, reasons, ..Verdict::default() }, status)
    };
    assert_eq!([Some(200), None].map(|status| fate(Action::Allow, &[], status)), [Fate::Answered; 2]);
    assert_eq!([429, 503].map(|status| fate(Action::Allow, &[], Some(status))), [Fate::RefusedForLoad; 2]);
    assert_eq!([Action::Throttle, Action::Block].map(|action| fate(action, &[], None)), [Fate::RefusedHere; 2]);
    // A host that could not answer lets it through.
    assert_eq!(fate(Action::Block, &[], Some(200)), Fate::Answered);
    let over = [Reason::OverBudget];
    assert_eq!(fate(Action::Throttle, &over, None), Fate::RefusedForLoad);
    assert_eq!(fate(Action::Block, &over, None), Fate::RefusedHere);
}

#[test]
fn a_request_is_told_at_the_time_when_it_came_however_late_it_was_answered() {
    let (mut queue, verdict) = (Queue::new(1 << 16), Verdict::default());
    let asked = [70_000, 99_900, 100_300];
    for (at, now) in asked.into_iter().zip([100_000, 100_000, 100_400]) {
        queue.request(&caller(1), &reading(1), &verdict, Fate::Answered, (Timestamp(at), Timestamp(now)));
    }
    let load = queue.take().unwrap();
    // What waits is as old as the waiting is.
    assert_eq!(load.age(Timestamp(100_500)), 500);
    let batch = Batch::decode(&load.batch(header(), Timestamp(100_500))).unwrap();
    let told: Vec<u64> = batch.timed(Timestamp(9_100_500)).map(|(at, _)| at.0).collect();
    assert_eq!(told, asked.map(|at| at + 9_000_000));
}

#[test]
fn both_names_of_a_request_are_told_while_a_key_is_rotated() {
    let before = crate::caller::Before { account: 11, organisation: 12, network: 13, agent: 14 };
    let reading = Reading { before: Some(Box::new(Reading { content: 8, ..reading(3) })), ..reading(4) };
    let told = Event::Refused { caller: Caller { before, ..caller(1) }, reading };
    let mut queue = Queue::new(1 << 16);
    push(&mut queue, &told, Timestamp(0));
    let bytes = queue.take().unwrap().batch(header(), Timestamp(0));
    assert_eq!(Batch::decode(&bytes).unwrap().observations[0].event, told);
}

#[test]
fn a_batch_that_is_sent_again_later_tells_the_same_times() {
    let mut queue = Queue::new(1 << 16);
    push(&mut queue, &request(1, 1), Timestamp(1_000));
    let load = queue.take().unwrap();
    for (sent, received) in [(2_000, 7_002_000), (9_000, 7_009_000)] {
        let batch = Batch::decode(&load.batch(header(), Timestamp(sent))).unwrap();
        assert_eq!(batch.timed(Timestamp(received)).next().unwrap().0, Timestamp(7_001_000));
    }
    // Nothing is older than five minutes, whatever a filter says.
    let late = Batch::decode(&load.batch(header(), Timestamp(u64::MAX))).unwrap();
    assert_eq!(late.timed(Timestamp(MAX_AGE * 3)).next().unwrap().0, Timestamp(MAX_AGE * 2));
}

#[test]
fn what_does_not_fit_is_counted_and_what_waits_stays_whole() {
    let mut queue = Queue::new(1_000);
    (0..1_000).for_each(|n| push(&mut queue, &request(n, 8), Timestamp(n)));
    let bytes = queue.take().unwrap().batch(header(), Timestamp(1_000));
    let held = Batch::decode(&bytes).unwrap().observations.len() as u64;
    assert!(held >= 5 && bytes.len() < 1_100, "{held} {}", bytes.len());
    assert_eq!(queue.lost(), 1_000 - held);
    push(&mut queue, &request(1, 8), Timestamp(2_000));
    assert!(queue.take().is_some());
}

#[test]
fn an_observation_takes_about_two_hundred_bytes() {
    let mut queue = Queue::new(1 << 16);
    let mut length = |observations: u64| {
        (0..observations).for_each(|_| push(&mut queue, &request(u64::MAX, 10), Timestamp(0)));
        queue.take().unwrap().batch(header(), Timestamp(0)).len()
    };
    let bytes = (length(101) - length(1)) / 100;
    assert!((150..250).contains(&bytes), "{bytes}");
}

#[test]
fn damage_is_refused_whole() {
    let mut queue = Queue::new(1 << 16);
    (0..3).for_each(|n| push(&mut queue, &request(n, 3), Timestamp(n)));
    let good = queue.take().unwrap().batch(header(), Timestamp(5));
    assert!(Batch::decode(&good).is_ok());
    for cut in 0..good.len() {
        // A cut between two observations leaves a smaller batch; anywhere else it is seen.
        let read = Batch::decode(&good[..cut]);
        assert!(read.is_err() || read.unwrap().observations.len() < 3, "{cut}");
    }
    assert_eq!(Batch::decode(&[9, 0, 0]), Err(Refusal::Format(9)));
    assert_eq!(Batch::decode(&[]), Err(Refusal::Damaged));
    assert_eq!(Batch::decode(&vec![FORMAT; MAX_BATCH + 1]), Err(Refusal::TooLarge));
}

#[test]
fn lists_longer_than_a_request_has_are_refused() {
    let mut queue = Queue::new(1 << 16);
    push(&mut queue, &request(1, KEYS + 1), Timestamp(0));
    let bytes = queue.take().unwrap().batch(header(), Timestamp(0));
    assert_eq!(Batch::decode(&bytes), Err(Refusal::TooMany("keys of a skeleton")));
    let mut long = Load::empty(Timestamp(0)).batch(header(), Timestamp(0));
    let at = long.len() - header().name.len() - 1;
    long.splice(at.., [200].into_iter().chain([b'n'; 200]));
    assert_eq!(Batch::decode(&long), Err(Refusal::TooMany("name")));
    // A longer one is cut where it is written.
    let long = Header { name: "n".repeat(MAX_NAME + 1), ..header() };
    let cut = Load::empty(Timestamp(0)).batch(long, Timestamp(0));
    assert_eq!(Batch::decode(&cut).unwrap().header.name.len(), MAX_NAME);
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn whatever_bytes_come_are_read_or_refused_and_never_grow(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000),
    ) {
        let sent = [&[FORMAT], &bytes[..]].concat();
        if let Ok(batch) = Batch::decode(&sent) {
            assert!(batch.observations.len() * 8 <= sent.len());
        }
    }

    #[test]
    fn a_batch_with_one_byte_changed_is_read_or_refused(place in 0_usize..400, value: u8) {
        let mut queue = Queue::new(1 << 16);
        queue.request(&caller(1), &reading(5), &Verdict::default(), Fate::Answered, (Timestamp(1), Timestamp(1)));
        queue.given(&caller(3), &[9; 3], Timestamp(2));
        let mut bytes = queue.take().unwrap().batch(header(), Timestamp(3));
        let place = place % bytes.len();
        bytes[place] = value;
        if let Ok(batch) = Batch::decode(&bytes) {
            assert!(batch.observations.len() <= 2 + bytes.len() / 8);
        }
    }
}
