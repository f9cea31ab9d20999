//! Requests side by side: however they interrupt each other, no more is granted than there is.

use super::*;
use std::cell::{Cell, RefCell};

const LIMIT: u64 = 1_000;

/// A budget that several workers use, each of whose reads and writes may be interrupted by other workers.
struct Shared<'a> {
    config: &'a Config,
    store: &'a RefCell<MemoryStore>,
    random: &'a Cell<u64>,
    left: &'a Cell<u32>,
    /// Tokens that are reserved and not settled, and that were used.
    open: &'a RefCell<Vec<(Grant, u64)>>,
    used: &'a Cell<u64>,
    granted: &'a Cell<u32>,
    depth: u32,
}

impl Shared<'_> {
    fn chance(&self, of: u64) -> u64 {
        let next = self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        (next >> 33) % of
    }

    fn others(&self) {
        while self.depth < 8 && self.left.get() > 0 && self.chance(3) == 0 {
            Shared { depth: self.depth + 1, ..*self }.work();
        }
    }

    /// Reserves, or settles what was reserved.
    fn work(&mut self) {
        self.left.set(self.left.get().saturating_sub(1));
        if self.chance(3) == 0 {
            self.settle();
        } else {
            self.reserve();
        }
    }

    fn reserve(&mut self) {
        let cost = 1 + self.chance(LIMIT / 3);
        let mut verdict = Verdict::default();
        let grant = reserve(self.config, self, &ALICE, &mut verdict, tokens(cost), NOW).unwrap();
        assert_eq!(grant.lost, 0);
        if !verdict.action.refuses() {
            self.open.borrow_mut().push((grant, cost));
            self.granted.set(self.granted.get() + 1);
        }
        let reserved: u64 = self.open.borrow().iter().map(|(_, cost)| cost).sum();
        assert!(reserved + self.used.get() <= LIMIT, "{reserved} reserved, {} used", self.used.get());
        assert!(self.granted.get() <= 40);
    }

    /// Settles for less than was reserved. While that is on its way it counts as reserved.
    fn settle(&mut self) {
        let Some((grant, cost)) = self.open.borrow_mut().pop() else { return };
        let tokens = self.chance(cost + 1);
        self.used.set(self.used.get() + tokens);
        assert_eq!(settle(self.config, self, &grant, (Dialect::Responses, 200, Some(&used(tokens))), NOW), 0);
    }
}

impl Get for Shared<'_> {
    fn get(&self, key: Key) -> Option<(Vec<u8>, u32)> {
        self.others();
        self.store.borrow().get(key)
    }
}

impl Store for Shared<'_> {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<u32>) -> Result<(), SwapError> {
        self.others();
        self.store.borrow_mut().swap(key, value, seen)
    }
}

/// Lets workers at it in an order that `seed` decides; what was granted, what was used in the end, and what is left.
fn play(seed: u64) -> (u32, u64, u64) {
    let config = config(r#"{"account":{"requests":40,"tokens":1000}}"#);
    let (store, random, left) = (RefCell::new(MemoryStore::default()), Cell::new(seed), Cell::new(150));
    let (open, used, granted) = (RefCell::default(), Cell::new(0), Cell::new(0));
    let mut first = Shared {
        config: &config,
        store: &store,
        random: &random,
        left: &left,
        open: &open,
        used: &used,
        granted: &granted,
        depth: 0,
    };
    while left.get() > 0 {
        first.work();
    }
    while !open.borrow().is_empty() {
        first.settle();
    }
    let mut verdict = Verdict::default();
    let rest = reserve(&config, &mut *store.borrow_mut(), &ALICE, &mut verdict, tokens(0), NOW).unwrap();
    (granted.get(), used.get(), rest.remaining.tokens.unwrap().remaining)
}

#[test]
fn workers_that_interrupt_each_other_never_use_more_than_there_is() {
    let mut most = 0;
    for seed in 0..300 {
        let (granted, used, left) = play(seed);
        // Nothing is lost and nothing is counted twice.
        assert_eq!(used + left, LIMIT, "seed {seed}");
        most = most.max(granted);
    }
    assert!(most >= 10, "{most}");
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever comes when, no window is granted more than its limit, and who is refused fits when it was told to.
        #[test]
        fn no_window_is_granted_more_than_its_limit(requests in prop::collection::vec((0_u64..3_000, 1_u64..100), 1..120)) {
            let config = config(r#"{"account":{"tokens":100,"window_seconds":5}}"#);
            let (mut store, mut now) = (MemoryStore::default(), NOW);
            let mut windows = std::collections::HashMap::new();
            for (pause, cost) in requests {
                now.0 += pause;
                match ask(&config, &mut store, &ALICE, cost, now) {
                    Ok(grant) => {
                        let granted = windows.entry(now.0 / 5_000).or_insert(0);
                        *granted += cost;
                        prop_assert!(*granted <= 100);
                        prop_assert_eq!(grant.held.len(), 1);
                    }
                    Err(refused) => {
                        let wait = u64::from(refused.retry_after) * SECOND;
                        prop_assert!((1..=10 * SECOND).contains(&wait));
                        let mut later = store.clone();
                        prop_assert!(ask(&config, &mut later, &ALICE, cost, Timestamp(now.0 + wait)).is_ok());
                        if wait > SECOND {
                            let early = Timestamp(now.0 + wait - SECOND - 1);
                            prop_assert!(ask(&config, &mut store.clone(), &ALICE, cost, early).is_err());
                        }
                    }
                }
            }
        }

        #[test]
        fn any_slot_is_survived(mut slot in prop::collection::vec(any::<u8>(), 0..40), now: u64, requests: u64, tokens: u64, window: u32) {
            let budget = Budget { requests: Some(5), tokens: Some(u64::MAX), window_seconds: 7 };
            let mut slot = window::Slot::at(&mut slot, &budget, Timestamp(now));
            let cost = |requests, tokens| Cost { requests, tokens };
            let _ = slot.reserve(&budget, cost(requests, tokens));
            slot.settle(window, cost(requests, tokens), cost(1, u64::MAX));
            let _ = slot.left(&budget);
        }
    }
}
