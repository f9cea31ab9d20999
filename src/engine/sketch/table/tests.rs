use super::*;
use crate::sketch::fields::Fields;
use crate::store::{MemoryStore, Version};
use crate::time::{HOUR, SECOND};

mod concurrency;
mod memory;

const NOW: Timestamp = Timestamp(1_770_000_000_000);
/// The first page of most tables below.
const FIRST: Key = Key::page("t", 1, 0);

/// Even 64-bit keys, as a keyed digest gives them.
fn key(index: u64) -> u64 {
    crate::digest::key::DigestKey::default().digest(crate::digest::key::Domain::Account, &index.to_le_bytes())
}

fn count(table: &Table, store: &mut impl Store, key: u64, now: Timestamp) -> Result<u64, Lost> {
    table.update(
        store,
        key,
        now,
        |_| (),
        |slot| {
            let mut fields = Fields::new(slot.bytes_mut());
            let count = fields.u64(0) + 1;
            fields.set_u64(0, count);
            count
        },
    )
}

fn read(table: &Table, store: &impl Get, key: u64) -> Option<u64> {
    table.peek(store, key, |slot| Fields::new(slot).u64(0))
}

#[test]
fn an_updated_key_is_found_and_others_are_not() {
    let (table, mut store) = (Table::new("t", 1, 8, 16), MemoryStore::default());
    for index in 0..100 {
        for expected in 1..=index % 3 + 1 {
            assert_eq!(count(&table, &mut store, key(index), NOW), Ok(expected));
        }
    }
    for index in 0..100 {
        assert_eq!(read(&table, &store, key(index)), Some(index % 3 + 1));
    }
    assert_eq!(read(&table, &store, key(100)), None);
    assert!(store.len() <= 8);
    assert!(store.get(Key::page("t", 1, 7)).is_some() && store.get(Key::page("t", 1, 8)).is_none());
}

/// A store that keeps what it is told that others may be shown, as it was then.
#[derive(Default)]
struct Sharing(MemoryStore, std::cell::RefCell<Vec<(Key, Vec<u8>)>>);

impl Get for Sharing {
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)> {
        self.0.get(key)
    }

    fn shared(&self, key: Key, look: &mut dyn FnMut(&[u8])) -> bool {
        let kept = self.1.borrow();
        let found = kept.iter().find(|(of, _)| *of == key);
        found.map(|(_, value)| look(value)).is_some()
    }

    fn share(&self, key: Key, value: &[u8], _version: Version) {
        self.1.borrow_mut().push((key, value.to_vec()));
    }
}

#[test]
fn of_a_lasting_table_what_was_found_is_shown_again_and_nothing_else() {
    let (table, mut store) = (Table::new("t", 1, 1, 16), Sharing::default());
    count(&table, &mut store.0, key(1), NOW).unwrap();
    assert_eq!(read(&table, &store, key(1)), Some(1));
    assert!(store.1.borrow().is_empty());
    assert_eq!((read(&table.lasting(), &store, key(2)), read(&table.lasting(), &store, key(1))), (None, Some(1)));
    assert!(matches!(store.1.borrow()[..], [(FIRST, _)]));
    // As it was: others may count meanwhile. Who is not lasting sees that, and so does an update.
    count(&table, &mut store.0, key(1), NOW).unwrap();
    assert_eq!((read(&table.lasting(), &store, key(1)), read(&table, &store, key(1))), (Some(1), Some(2)));
    assert_eq!(read(&table.lasting(), &store, key(2)), None);
}

#[test]
fn a_key_of_zero_is_nobody() {
    let (table, mut store) = (Table::new("t", 1, 8, 16), MemoryStore::default());
    assert_eq!(count(&table, &mut store, 0, NOW), Err(Lost::NoKey));
    assert_eq!(read(&table, &store, 0), None);
    assert!(store.is_empty());
}

#[test]
fn init_sees_a_fresh_slot_once_and_idle_time_is_told() {
    let (table, mut store) = (Table::new("t", 1, 1, 8), MemoryStore::default());
    let mut update = |now| {
        table.update(
            &mut store,
            9,
            now,
            |bytes| bytes.fill(7),
            |slot| (slot.fresh(), slot.idle(), slot.bytes().to_vec()),
        )
    };
    assert_eq!(update(NOW), Ok((true, 0, vec![7; 8])));
    assert_eq!(update(Timestamp(NOW.0 + 5 * SECOND)), Ok((false, 5 * SECOND, vec![7; 8])));
    assert_eq!(update(NOW), Ok((false, 0, vec![7; 8])), "a clock that steps back");
}

#[test]
fn a_flood_of_new_keys_cannot_evict_a_heavy_slot() {
    let (table, mut store) = (Table::new("t", 1, 4, 48), MemoryStore::default());
    let heavy: Vec<u64> = (0..100).map(key).collect();
    for key in &heavy {
        for _ in 0..10 {
            count(&table, &mut store, *key, NOW).unwrap();
        }
    }
    let flood = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
    for index in 0..flood {
        // Two a second over three hours; each new key comes twice.
        let now = Timestamp(NOW.0 + index * 500 % (3 * HOUR));
        count(&table, &mut store, key(1_000_000 + index / 2), now).unwrap();
    }
    assert!(heavy.iter().all(|key| read(&table, &store, *key) == Some(10)));
}

#[test]
fn weight_fades_so_yesterdays_heavy_key_makes_room() {
    let table = Table::new("t", 1, 1, 4064 / 2 - 16).half_life(HOUR);
    let mut store = MemoryStore::default();
    assert_eq!(table.slots(), 2);
    for _ in 0..100 {
        count(&table, &mut store, 1, NOW).unwrap();
    }
    let later = Timestamp(NOW.0 + 10 * HOUR);
    count(&table, &mut store, 2, later).unwrap();
    count(&table, &mut store, 2, later).unwrap();
    count(&table, &mut store, 3, later).unwrap();
    assert_eq!([1, 2, 3].map(|key| read(&table, &store, key)), [None, Some(2), Some(1)]);
}

#[test]
fn of_equal_weights_the_longest_idle_goes_and_kept_slots_stay() {
    let (table, mut store) = (Table::new("t", 1, 1, 4064 / 2 - 16), MemoryStore::default());
    count(&table, &mut store, 1, NOW).unwrap();
    count(&table, &mut store, 2, Timestamp(NOW.0 + SECOND)).unwrap();
    count(&table, &mut store, 3, Timestamp(NOW.0 + SECOND)).unwrap();
    assert_eq!([1, 2, 3].map(|key| read(&table, &store, key)), [None, Some(1), Some(1)]);
    table.update(&mut store, 2, Timestamp(NOW.0 + SECOND), |_| (), |slot| slot.keep(5)).unwrap();
    for new in 10..20 {
        count(&table, &mut store, new, Timestamp(NOW.0 + HOUR)).unwrap();
    }
    assert_eq!(read(&table, &store, 2), Some(1));
}

#[test]
fn a_page_of_another_layout_geometry_or_epoch_is_empty() {
    let table = Table::new("t", 1, 1, 16);
    let mut store = MemoryStore::default();
    count(&table, &mut store, 5, NOW).unwrap();
    assert_eq!(read(&table.epoch(1), &store, 5), None);
    assert_eq!(read(&Table::new("t", 1, 1, 24), &store, 5), None);
    assert_eq!(read(&Table::new("t", 2, 1, 16), &store, 5), None);
    assert_eq!(count(&Table::new("t", 1, 1, 24), &mut store, 5, NOW), Ok(1));
    assert_eq!(count(&table, &mut store, 5, NOW), Ok(1));
    assert_eq!(store.len(), 1);
}

#[test]
fn foreign_bytes_under_our_key_are_an_empty_page() {
    let table = Table::new("t", 1, 1, 16);
    for foreign in [vec![], vec![0; 4096], vec![0xFF; 4096], vec![0xA5; 17]] {
        let mut store = MemoryStore::default();
        store.swap(FIRST, &foreign, None).unwrap();
        assert_eq!(read(&table, &store, 5), None);
        assert_eq!([1, 2].map(|_| count(&table, &mut store, 5, NOW)), [Ok(1), Ok(2)]);
    }
}

#[test]
fn a_slot_from_the_far_future_is_free() {
    let (table, mut store) = (Table::new("t", 1, 1, 4064), MemoryStore::default());
    for _ in 0..1000 {
        count(&table, &mut store, 5, Timestamp(NOW.0 + 400 * DAY)).unwrap();
    }
    assert_eq!(count(&table, &mut store, 6, NOW), Ok(1));
}

#[test]
fn a_store_that_refuses_loses_the_update() {
    struct Refuses;
    impl Get for Refuses {
        fn get(&self, _: Key) -> Option<(Vec<u8>, u32)> {
            None
        }
    }
    impl Store for Refuses {
        fn swap(&mut self, _: Key, _: &[u8], _: Option<u32>) -> Result<(), SwapError> {
            Err(SwapError::Unavailable)
        }
    }
    assert_eq!(count(&Table::new("t", 1, 1, 8), &mut Refuses, 5, NOW), Err(Lost::Unavailable));
}

#[test]
fn sizes_are_kept_within_a_page() {
    assert_eq!(Table::new("t", 1, 0, u16::MAX).slots(), 1);
    assert!(Table::new("t", 1, 1, u16::MAX).bytes() <= 4096 + 5);
    assert_eq!(Table::new("t", 1, 10, 0).slots(), 10 * 255);
    let within = Table::within("azeotrope.account", 1, 64 << 20, 112);
    assert!(within.bytes() <= 64 << 20 && within.bytes() > 63 << 20, "{}", within.bytes());
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn a_page_with_any_slots_is_survived(
        garbage in proptest::collection::vec(proptest::num::u8::ANY, 4080),
        key in 1u64..,
        now: u64,
    ) {
        let table = Table::new("t", 1, 1, 24);
        let mut store = MemoryStore::default();
        count(&table, &mut store, key, Timestamp(now)).unwrap();
        let (mut page, version) = store.get(FIRST).unwrap();
        for (byte, garbage) in page.iter_mut().skip(16).zip(garbage) {
            *byte = garbage;
        }
        store.swap(FIRST, &page, Some(version)).unwrap();
        table.update(&mut store, key, Timestamp(now), |_| (), |slot| slot.keep(u32::MAX)).unwrap();
        proptest::prop_assert!(read(&table, &store, key).is_some());
    }
}
