//! The promises.

use crate::store::*;
use azeotrope_engine::time::DAY;
use std::thread::sleep;

/// 13 September 2026, some hours into the day: milliseconds since the epoch.
const NOW: u64 = 1_789_300_000_000;

const LONG: Duration = Duration::from_secs(60);

fn joiner(store: &dyn Store) -> Fence {
    store.lease(JOINER, 1, LONG).unwrap().unwrap()
}

fn edition(version: u64) -> Edition {
    Edition { version, at: NOW ^ version, note: format!("number {version}"), manifest: vec![0, 255, 1] }
}

fn seen(sender: u64, at: u64) -> Seen {
    Seen { sender, process: u64::MAX - sender, name: format!("proxy {sender}"), rules: 7, lost: 3, at }
}

fn batches(store: &dyn Store) -> Vec<Vec<u8>> {
    store.read(&Cursor::default(), 100).unwrap().into_iter().map(|entry| entry.batch).collect()
}

pub(super) fn a_batch_is_appended_once(store: &dyn Store) {
    assert_eq!(store.append(1, 5, NOW, b"five").unwrap(), Appended::New);
    assert_eq!(store.append(1, 5, NOW + 1, b"five").unwrap(), Appended::Duplicate);
    assert_eq!(store.append(1, 4, NOW + 2, b"four").unwrap(), Appended::Late);
    assert_eq!(store.append(1, 10, NOW + 3, b"ten").unwrap(), Appended::New, "not compared as text");
    assert_eq!(store.append(2, 5, NOW + 4, b"another's").unwrap(), Appended::New);
    assert_eq!(batches(store), [&b"five"[..], b"ten", b"another's"]);
    let end = store.read(&Cursor::default(), 100).unwrap().pop().unwrap().cursor;
    store.trim(&end).unwrap();
    assert_eq!(store.append(1, 10, NOW + 5, b"ten").unwrap(), Appended::Duplicate, "trimmed, and still known");
}

pub(super) fn a_number_from_far_ahead_makes_nothing_look_late(store: &dyn Store) {
    assert_eq!(store.append(1, 1 << 40, NOW, b"first").unwrap(), Appended::New, "nobody knows what was before");
    for far in [(1 << 40) + LEAP + 1, u64::MAX] {
        assert_eq!(store.append(1, far, NOW + 1, b"far").unwrap(), Appended::Leap);
    }
    assert_eq!(store.append(1, (1 << 40) + 1, NOW + 2, b"next").unwrap(), Appended::New);
    assert_eq!(store.append(1, (1 << 40) + 1 + LEAP, NOW + 3, b"after a long loss").unwrap(), Appended::New);
    assert_eq!(batches(store).len(), 3);
}

pub(super) fn batches_are_read_in_their_order_and_trimmed_from_the_start(store: &dyn Store) {
    assert!(store.read(&Cursor::default(), 10).unwrap().is_empty());
    store.trim(&Cursor::default()).unwrap();
    for number in 1..=5u8 {
        store.append(9, number.into(), NOW + u64::from(number), &[0, number, 0xFF]).unwrap();
    }
    let entries = store.read(&Cursor::default(), 3).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.received - NOW).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(entries.is_sorted_by_key(|entry| entry.cursor.clone()) && entries[0].cursor > Cursor::default());
    let rest = store.read(&entries[2].cursor, 10).unwrap();
    assert_eq!(rest.iter().map(|entry| entry.batch.as_slice()).collect::<Vec<_>>(), [[0, 4, 0xFF], [0, 5, 0xFF]]);
    assert!(store.read(&Cursor::default(), 0).unwrap().is_empty());
    store.trim(&entries[1].cursor).unwrap();
    assert_eq!(store.waiting().unwrap(), 3);
    assert_eq!(store.read(&Cursor::default(), 10).unwrap()[0], entries[2]);
    store.trim(&rest[1].cursor).unwrap();
    assert_eq!(store.waiting().unwrap(), 0);
    store.append(9, 6, NOW, b"").unwrap();
    let next = store.read(&rest[1].cursor, 10).unwrap();
    assert_eq!(next.len(), 1, "places are not used again");
    assert!(next[0].batch.is_empty());
}

pub(super) fn the_largest_numbers_are_numbers_like_others(store: &dyn Store) {
    let most = u64::MAX;
    assert_eq!(store.append(most, most - 1, most, b"").unwrap(), Appended::New);
    assert_eq!(store.append(most, most - 1, most, b"").unwrap(), Appended::Duplicate);
    assert_eq!(store.append(most, most, most, b"").unwrap(), Appended::New, "a double cannot tell them apart");
    assert!(store.read(&Cursor(most, most), 1).unwrap().is_empty());
    assert_eq!(store.read(&Cursor::default(), usize::MAX).unwrap().len(), 2);
    store.trim(&Cursor(most - 1, most)).unwrap();
    assert_eq!(store.waiting().unwrap(), 0);
    assert!(store.lease("x", most, Duration::MAX).unwrap().is_some());
    assert!(store.lease("x", most - 1, LONG).unwrap().is_none());
    let fence = joiner(store);
    assert_eq!(store.publish(fence, &edition(most - 1), &[]).unwrap(), Published::Done);
    assert_eq!(store.publish(fence, &edition(most), &[]).unwrap(), Published::Done);
    assert_eq!(store.publish(fence, &edition(most), &[]).unwrap(), Published::Behind(most));
    assert_eq!(store.history(usize::MAX).unwrap().len(), 2);
}

pub(super) fn a_lease_is_one_owners_and_its_fence_rises_with_each_taking(store: &dyn Store) {
    let short = Duration::from_millis(300);
    let first = store.lease("work", 1, short).unwrap().unwrap();
    assert_eq!(store.lease("work", 2, short).unwrap(), None);
    assert_eq!(store.lease("work", 1, short).unwrap(), Some(first), "renewed");
    assert!(store.lease("other work", 2, short).unwrap().is_some());
    sleep(short + Duration::from_millis(50));
    let second = store.lease("work", 2, LONG).unwrap().unwrap();
    assert!(second > first);
    assert_eq!(store.lease("work", 1, short).unwrap(), None);
    store.release("work", 1).unwrap();
    assert_eq!(store.lease("work", 1, short).unwrap(), None, "only its holder gives it back");
    store.release("work", 2).unwrap();
    let third = store.lease("work", 2, LONG).unwrap().unwrap();
    assert!(third > second, "who takes it anew is another holder");
}

pub(super) fn who_is_fenced_off_neither_saves_nor_publishes(store: &dyn Store) {
    assert_eq!(store.load().unwrap(), None);
    let old = joiner(store);
    let at = Cursor(3, 4);
    assert!(store.save(old, &at, b"old").unwrap());
    assert_eq!(store.publish(old, &edition(1), &[]).unwrap(), Published::Done);
    store.release(JOINER, 1).unwrap();
    assert!(store.save(old, &at, b"still old").unwrap(), "nobody has taken it");
    let new = store.lease(JOINER, 2, LONG).unwrap().unwrap();
    assert!(!store.save(old, &Cursor(9, 9), b"too late").unwrap());
    assert_eq!(store.publish(old, &edition(2), &[([1; 32], b"part")]).unwrap(), Published::Behind(1));
    assert_eq!(store.load().unwrap(), Some((at, b"still old".to_vec())));
    assert_eq!(store.part(&[1; 32]).unwrap(), None, "all or nothing");
    assert!(store.save(new, &Cursor(u64::MAX, 0), &[0, 255]).unwrap());
    assert_eq!(store.load().unwrap(), Some((Cursor(u64::MAX, 0), vec![0, 255])));
    assert_eq!(store.publish(new, &edition(2), &[]).unwrap(), Published::Done);
}

pub(super) fn an_edition_goes_upwards_only_and_comes_with_its_parts(store: &dyn Store) {
    assert_eq!(store.current().unwrap(), None);
    let fence = joiner(store);
    let large = vec![0xAB; 3 << 20];
    let parts: [(Hash, &[u8]); 2] = [([1; 32], &large), ([0; 32], b"")];
    assert_eq!(store.publish(fence, &edition(9), &parts).unwrap(), Published::Done);
    assert_eq!(store.part(&[1; 32]).unwrap(), Some(large));
    assert_eq!(store.part(&[0; 32]).unwrap(), Some(Vec::new()));
    assert_eq!(store.part(&[2; 32]).unwrap(), None);
    for version in [0, 8, 9] {
        let lower = Edition { note: "lower".into(), ..edition(version) };
        assert_eq!(store.publish(fence, &lower, &[([2; 32], b"x")]).unwrap(), Published::Behind(9));
    }
    assert_eq!(store.part(&[2; 32]).unwrap(), None, "all or nothing");
    assert_eq!(store.publish(fence, &edition(10), &[]).unwrap(), Published::Done, "not compared as text");
    assert_eq!(store.current().unwrap(), Some(edition(10)));
    assert_eq!(store.history(10).unwrap(), [edition(10), edition(9)]);
    assert!(store.history(0).unwrap().is_empty());
}

pub(super) fn the_history_keeps_a_hundred_editions(store: &dyn Store) {
    let fence = joiner(store);
    for version in 1..=103 {
        assert_eq!(store.publish(fence, &edition(version), &[]).unwrap(), Published::Done);
    }
    let history = store.history(1000).unwrap();
    assert_eq!(history.len(), 100);
    assert_eq!((history[0].version, history[99].version), (103, 4));
}

pub(super) fn parts_nobody_wants_are_forgotten_but_those_of_the_current_edition(store: &dyn Store) {
    store.keep(&[]).unwrap();
    let fence = joiner(store);
    let [first, second, third]: [(Hash, &[u8]); 3] = [([1; 32], b"1"), ([2; 32], b"2"), ([3; 32], b"3")];
    store.publish(fence, &edition(1), &[first, second]).unwrap();
    store.publish(fence, &edition(2), &[third]).unwrap();
    let there = || [1, 2, 3].map(|number| store.part(&[number; 32]).unwrap().is_some());
    store.keep(&[first.0, [9; 32]]).unwrap();
    assert_eq!(there(), [true, false, true], "who asks may not know of edition 2 yet");
    store.publish(fence, &edition(3), &[first]).unwrap();
    store.keep(&[]).unwrap();
    assert_eq!(there(), [true, false, false]);
}

pub(super) fn two_that_publish_at_once_never_go_backwards(store: &dyn Store) {
    let fence = joiner(store);
    let publish = |first: u64| {
        let mut highest = 0;
        for version in (first..=60).step_by(2) {
            let part = version.to_be_bytes();
            let published = store.publish(fence, &edition(version), &[([u8::MAX; 32], &part)]).unwrap();
            let current = store.current().unwrap().unwrap().version;
            assert!(current >= highest && current >= version, "{published:?}");
            highest = current;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| publish(1));
        scope.spawn(|| publish(2));
    });
    let history = store.history(100).unwrap();
    assert_eq!(history[0], edition(60));
    assert!(history.is_sorted_by(|newer, older| newer.version > older.version));
    assert_eq!(store.part(&[u8::MAX; 32]).unwrap(), Some(60u64.to_be_bytes().to_vec()), "of the same hand");
}

pub(super) fn senders_of_the_last_day_are_known(store: &dyn Store) {
    assert!(store.senders(0).unwrap().is_empty());
    for (sender, at) in [(1, NOW), (2, NOW + 1000), (1, NOW + 2000), (3, NOW + DAY)] {
        store.report(&seen(sender, at), 0, &[]).unwrap();
    }
    let all = [seen(3, NOW + DAY), seen(1, NOW + 2000), seen(2, NOW + 1000)];
    assert_eq!(store.senders(0).unwrap(), all, "the latest first, each once");
    assert_eq!(store.senders(NOW + 2000).unwrap(), all[..2]);
    store.report(&seen(3, NOW + DAY + 1500), 0, &[]).unwrap();
    assert_eq!(store.senders(0).unwrap(), [seen(3, NOW + DAY + 1500), seen(1, NOW + 2000)]);
}

pub(super) fn at_most_4096_senders_are_known(store: &dyn Store) {
    for sender in 0..4100 {
        store.report(&seen(sender, NOW + sender), 0, &[]).unwrap();
    }
    let senders = store.senders(0).unwrap();
    assert_eq!(senders.len(), 4096);
    assert_eq!((senders[0].sender, senders[4095].sender), (4099, 4));
}

pub(super) fn requests_and_accounts_are_counted_by_day(store: &dyn Store) {
    assert_eq!(store.today(NOW).unwrap(), (0, 0));
    store.report(&seen(1, NOW), 10, &[1, 2, 3]).unwrap();
    store.report(&seen(2, NOW), 5, &[3, u64::MAX]).unwrap();
    store.report(&seen(2, NOW + DAY), 1, &[]).unwrap();
    assert_eq!(store.today(NOW + 1).unwrap(), (15, 4));
    assert_eq!(store.today(NOW + DAY).unwrap(), (1, 0));
    let accounts: Vec<u64> = (0..20_000).collect();
    store.report(&seen(1, NOW + DAY), u32::MAX, &accounts).unwrap();
    let (requests, distinct) = store.today(NOW + DAY).unwrap();
    assert_eq!(requests, 1 + u64::from(u32::MAX));
    assert!((19_000..21_000).contains(&distinct), "{distinct}");
}

pub(super) fn audit_records_come_newest_first(store: &dyn Store) {
    assert!(store.audits(10).unwrap().is_empty());
    let audit = |at| Audit { at, who: "someone".into(), what: format!("thing {at}"), ..Audit::default() };
    for at in 0..20 {
        store.audit(&audit(at)).unwrap();
    }
    assert_eq!(store.audits(2).unwrap(), [audit(19), audit(18)]);
    assert_eq!(store.audits(usize::MAX).unwrap().len(), 20);
    assert!(store.audits(0).unwrap().is_empty());
}

pub(super) fn audit_records_from_before_a_time_are_forgotten(store: &dyn Store) {
    let audit = |at| Audit { at, who: "someone".into(), what: format!("thing {at}"), ..Audit::default() };
    store.forget_audits(5).unwrap();
    (0..8).for_each(|at| store.audit(&audit(at)).unwrap());
    store.forget_audits(6).unwrap();
    assert_eq!(store.audits(10).unwrap(), [audit(7), audit(6)]);
    store.audit(&audit(9)).unwrap();
    store.forget_audits(u64::MAX).unwrap();
    assert!(store.audits(10).unwrap().is_empty());
}

pub(super) fn values_are_kept(store: &dyn Store) {
    assert_eq!(store.get("key").unwrap(), None);
    store.set("key", b"one").unwrap();
    store.set("key", &[0, 159]).unwrap();
    store.set("", b"").unwrap();
    assert_eq!(store.get("key").unwrap(), Some(vec![0, 159]));
    assert_eq!(store.get("").unwrap(), Some(Vec::new()));
}

/// For a store whose stream takes no more than two entries.
pub(super) fn two_entries_are_enough(store: &dyn Store) {
    store.append(1, 1, NOW, b"a").unwrap();
    store.append(1, 2, NOW, b"b").unwrap();
    assert!(store.append(1, 3, NOW, b"c").unwrap_err().to_string().contains("full"));
    assert_eq!(store.append(1, 2, NOW, b"b").unwrap(), Appended::Duplicate, "a full stream still knows");
    let first = store.read(&Cursor::default(), 1).unwrap().remove(0);
    store.trim(&first.cursor).unwrap();
    assert_eq!(store.append(1, 3, NOW, b"c").unwrap(), Appended::New, "what was refused is no duplicate");
}
