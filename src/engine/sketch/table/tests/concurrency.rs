//! No count is lost: simulated workers at random interleavings, and real threads.

use super::*;
use std::cell::{Cell, RefCell};

/// Interleaves workers: whoever calls on the store may first have to let others run, up to all of them deep.
struct Interleaved<'a> {
    store: &'a RefCell<MemoryStore>,
    table: &'a Table,
    /// State of the scheduler's generator, shared by all workers.
    random: &'a Cell<u64>,
    /// Updates still to be done by others, and done.
    left: &'a Cell<u64>,
    done: &'a Cell<u64>,
    depth: u32,
}

impl Interleaved<'_> {
    fn others(&self) {
        while self.depth < 16 && self.left.get() > 0 && self.chance() {
            self.left.set(self.left.get() - 1);
            let mut other = Interleaved { depth: self.depth + 1, ..*self };
            count(self.table, &mut other, 5, NOW).unwrap();
            self.done.set(self.done.get() + 1);
        }
    }

    /// One in three.
    fn chance(&self) -> bool {
        let next = self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        (next >> 33).is_multiple_of(3)
    }
}

impl Get for Interleaved<'_> {
    fn get(&self, key: Key) -> Option<(Vec<u8>, u32)> {
        self.others();
        self.store.borrow().get(key)
    }
}

impl Store for Interleaved<'_> {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<u32>) -> Result<(), SwapError> {
        self.others();
        self.store.borrow_mut().swap(key, value, seen)
    }
}

fn no_count_is_lost(seed: u64) {
    let table = Table::new("t", 1, 1, 8);
    let (store, random, left, done) =
        (RefCell::new(MemoryStore::default()), Cell::new(seed), Cell::new(400), Cell::new(0));
    let mut first = Interleaved { store: &store, table: &table, random: &random, left: &left, done: &done, depth: 0 };
    let mut own = 0;
    while left.get() > 0 {
        count(&table, &mut first, 5, NOW).unwrap();
        own += 1;
    }
    assert_eq!(read(&table, &*store.borrow(), 5), Some(own + done.get()));
    assert_eq!(done.get(), 400);
}

#[test]
fn workers_that_interrupt_each_other_sixteen_deep_lose_no_count() {
    (0..100).for_each(no_count_is_lost);
}

/// A page that was read and changed, and the version to replace.
type Draft = Option<(Vec<u8>, Option<u32>)>;

/// 16 workers on one slot, a random one making its next step (a read or a swap) each time: the most retries seen.
fn steps_of_sixteen_workers(seed: u64) -> u32 {
    let layout = Table::new("t", 1, 1, 8).layout;
    let mut store = MemoryStore::default();
    let mut held: Vec<(Draft, u32)> = vec![(None, 0); 16];
    let (mut random, mut counted, mut worst) = (seed, 0, 0);
    for _ in 0..4000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (draft, attempts) = &mut held[(random >> 60) as usize];
        match draft.take() {
            None => {
                let (mut page, version) = store.get(FIRST).map_or((layout.blank(), None), |(page, v)| (page, Some(v)));
                let mut slot = layout.claim(&mut page, 5, NOW).unwrap();
                let mut fields = Fields::new(slot.bytes_mut());
                let next = fields.u64(0) + 1;
                fields.set_u64(0, next);
                *draft = Some((page, version));
                *attempts += 1;
                worst = worst.max(*attempts);
            }
            Some((page, version)) => {
                if store.swap(FIRST, &page, version).is_ok() {
                    (counted, *attempts) = (counted + 1, 0);
                }
            }
        }
    }
    assert_eq!(layout.find(&store.get(FIRST).unwrap().0, 5).map(|slot| Fields::new(slot).u64(0)), Some(counted));
    worst
}

#[test]
fn retries_of_sixteen_busy_workers_stay_below_the_bound() {
    let seeds = if cfg!(debug_assertions) { 20 } else { 200 };
    let worst = (0..seeds).map(steps_of_sixteen_workers).max().unwrap();
    assert!((8..ATTEMPTS).contains(&worst), "{worst}");
}

#[test]
fn who_is_always_late_gives_up_after_a_bounded_number_of_attempts() {
    struct Late(Cell<u32>);
    impl Get for Late {
        fn get(&self, _: Key) -> Option<(Vec<u8>, u32)> {
            self.0.set(self.0.get() + 1);
            None
        }
    }
    impl Store for Late {
        fn swap(&mut self, _: Key, _: &[u8], _: Option<u32>) -> Result<(), SwapError> {
            Err(SwapError::Conflict)
        }
    }
    let mut late = Late(Cell::new(0));
    assert_eq!(count(&Table::new("t", 1, 1, 8), &mut late, 5, NOW), Err(Lost::Contended));
    assert_eq!(late.0.get(), ATTEMPTS);
}

#[cfg(not(target_family = "wasm"))]
mod threads {
    use super::*;
    use std::{sync::Mutex, time::Duration};

    struct Shared<'a>(&'a Mutex<MemoryStore>);

    impl Get for Shared<'_> {
        fn get(&self, key: Key) -> Option<(Vec<u8>, u32)> {
            self.0.lock().unwrap().get(key)
        }
    }

    impl Store for Shared<'_> {
        fn swap(&mut self, key: Key, value: &[u8], seen: Option<u32>) -> Result<(), SwapError> {
            self.0.lock().unwrap().swap(key, value, seen)
        }
    }

    /// Four threads update a shared slot and one each of their own on the same page, with a pause after each round.
    /// Checks that what succeeded is there, and returns how many updates were lost.
    fn lost(updates: u64, pause: Option<Duration>) -> u64 {
        let table = Table::new("t", 1, 1, 112);
        let store = Mutex::new(MemoryStore::default());
        let done = |worker: u64| {
            let mut done = (0, 0);
            for _ in 0..updates {
                done.0 += u64::from(count(&table, &mut Shared(&store), 5, NOW).is_ok());
                done.1 += u64::from(count(&table, &mut Shared(&store), 10 + worker, NOW).is_ok());
                pause.into_iter().for_each(std::thread::sleep);
            }
            done
        };
        let done: Vec<(u64, u64)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|worker| scope.spawn(move || done(worker))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let store = store.into_inner().unwrap();
        assert_eq!(read(&table, &store, 5), Some(done.iter().map(|(shared, _)| shared).sum()));
        for (worker, (_, own)) in (0..).zip(&done) {
            assert_eq!(read(&table, &store, 10 + worker).unwrap_or(0), *own);
        }
        8 * updates - done.iter().map(|(shared, own)| shared + own).sum::<u64>()
    }

    #[test]
    fn in_a_tight_loop_every_update_is_either_counted_or_told_as_lost() {
        lost(2000, None);
    }

    #[test]
    fn with_other_work_in_between_no_update_is_lost() {
        assert_eq!(lost(500, Some(Duration::from_micros(100))), 0);
    }
}
