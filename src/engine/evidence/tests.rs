use super::*;
use crate::campaign::Feed;
use crate::dialect::Dialect;
use crate::digest::skeleton::Place;
use crate::digest::words::mix;
use crate::rules::State;
use crate::store::{MemoryStore, SwapError, Version};
use crate::time::{HOUR, SECOND};
use crate::verdict::{Action, Verdict, judge};
use std::cell::Cell;

mod memory;
mod provenance;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A store that counts how it is used, and refuses on demand.
#[derive(Default)]
struct Watched {
    store: MemoryStore,
    reads: Cell<u32>,
    swaps: u32,
    refuses: bool,
}

impl Get for Watched {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.reads.set(self.reads.get() + 1);
        self.store.get(key)
    }
}

impl Store for Watched {
    fn swap(&mut self, key: &str, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
        self.swaps += 1;
        if self.refuses { Err(SwapError::Unavailable) } else { self.store.swap(key, value, seen) }
    }
}

impl Watched {
    fn calls(&mut self) -> (u32, u32) {
        (self.reads.take(), std::mem::take(&mut self.swaps))
    }
}

/// A proxy with some ordinary traffic behind it: a thousand accounts over four models.
struct Proxy {
    config: Config,
    store: Watched,
}

impl Proxy {
    fn new() -> Self {
        let mut proxy = Self { config: Config::default(), store: Watched::default() };
        proxy.config.mode = crate::rules::Mode::Enforce;
        for n in 0..1000 {
            let request = reading(n % 4, [mix(3 * n + 1), mix(3 * n + 2), mix(3 * n + 3)], n);
            assert_eq!(proxy.send(&caller(n), &request, 200, 0).action, Action::Allow);
        }
        proxy
    }

    fn send(&mut self, caller: &Caller, reading: &Reading, status: u16, after: u64) -> Verdict {
        let now = Timestamp(NOW.0 + after);
        let verdict = judge(&self.config, &self.store, &Feed::default(), caller, reading, now);
        if !verdict.action.refuses() {
            assert_eq!(crate::verdict::settle(&self.config, &mut self.store, caller, reading, status, now), 0);
        }
        verdict
    }
}

fn caller(n: u64) -> Caller {
    Caller {
        account: mix(n + 1) | 1,
        organisation: 0,
        network: mix(n + 1_000_003) | 1,
        agent: mix(n % 7 + 5),
        ..Caller::default()
    }
}

fn reading(line: u64, [first, last, part]: [u64; 3], content: u64) -> Reading {
    let mut reading =
        Reading { dialect: Some(Dialect::Messages), line: mix(line + 1), content: mix(content), ..Reading::default() };
    reading.skeleton.keys = vec![(Place::Head, first), (Place::Tail, last), (Place::UserPart, part)];
    reading
}

/// A request of a pipeline: the template's head stays, the payload's end changes.
fn harvest(n: u64) -> Reading {
    reading(1, [77, mix(n + 9_000_001), mix(n + 9_900_001)], n)
}

#[test]
fn a_template_across_unrelated_accounts_on_one_model_is_throttled_by_two_families() {
    let mut proxy = Proxy::new();
    let verdicts: Vec<_> = (0..60).map(|n| proxy.send(&caller(5_000 + n), &harvest(n), 200, n * SECOND)).collect();
    let first = verdicts.iter().position(|verdict| verdict.action == Action::Throttle);
    assert!(first.is_some_and(|first| (8..24).contains(&first)), "{first:?}");
    let last = verdicts.last().unwrap();
    assert_eq!(last.action, Action::Throttle, "never a block from numbers alone");
    assert_eq!(last.reasons, ["skeleton_spread", "cohort_synchrony"]);
    assert_eq!(proxy.send(&caller(3), &reading(2, [1, 2, 3], 4), 200, HOUR).action, Action::Allow);
}

#[test]
fn one_app_for_everybody_a_viral_prompt_and_one_organisation_are_left_alone() {
    let mut proxy = Proxy::new();
    for n in 0..500 {
        let app = proxy.send(&caller(10_000 + n), &reading(n % 4, [88, mix(n + 1), mix(n + 2)], n), 200, n * SECOND);
        let viral = proxy.send(&caller(20_000 + n), &reading(1, [99, 100, 101], 42), 200, n * SECOND);
        let organisation = Caller { organisation: 5, ..caller(30_000 + n) };
        let firm = proxy.send(&organisation, &reading(1, [111, mix(n + 3), mix(n + 4)], n), 200, n * SECOND);
        assert_eq!([app.action, viral.action, firm.action], [Action::Allow; 3], "{n}");
    }
}

#[test]
fn wording_speaks_only_where_a_group_does_and_then_as_a_family_of_its_own() {
    let worded = |n| Reading { wording: 1_500, ..harvest(n) };
    let mut proxy = Proxy::new();
    let alone: Vec<_> = (0..50).map(|n| proxy.send(&caller(1), &worded(n), 200, n * SECOND)).collect();
    assert!(alone.iter().all(|verdict| verdict.reasons.is_empty()));
    let mut last = Verdict::default();
    (0..40).for_each(|n| last = proxy.send(&caller(6_000 + n), &worded(n), 200, n * SECOND));
    assert_eq!(last.reasons, ["skeleton_spread", "cohort_synchrony", "harvest_content"]);
}

#[test]
fn what_upstream_did_not_accept_counts_for_nothing() {
    for status in [401, 403, 429, 500] {
        let mut proxy = Proxy::new();
        proxy.store.calls();
        for n in 0..200 {
            // In a victim's name from everywhere, and with made-up keys under a victim's template.
            let framed = Caller { network: mix(n) | 1, agent: mix(n) | 1, ..caller(1) };
            proxy.send(&framed, &harvest(0), status, n * SECOND);
            proxy.send(&caller(40_000 + n), &harvest(n), status, n * SECOND);
        }
        assert_eq!(proxy.store.calls().1, 0, "nothing was written");
        let victim = proxy.send(&caller(1), &harvest(1), 200, HOUR);
        assert_eq!((victim.action, victim.reasons), (Action::Allow, vec![]));
    }
}

#[test]
fn store_calls_are_few_and_a_known_account_under_known_keys_costs_six() {
    let mut proxy = Proxy::new();
    proxy.store.calls();
    proxy.send(&caller(7_000), &harvest(0), 200, 0);
    // Account and three keys; then the account, the three keys, and everybody.
    assert_eq!(proxy.store.calls(), (4 + 5, 5));
    proxy.send(&caller(7_000), &harvest(0), 200, 1);
    assert_eq!(proxy.store.calls(), (4 + 1, 1));
}

#[test]
fn lost_updates_are_told() {
    let mut store = Watched { refuses: true, ..Watched::default() };
    let config = Config::default();
    let settle =
        |store: &mut Watched, caller: &Caller| crate::verdict::settle(&config, store, caller, &harvest(0), 200, NOW);
    assert_eq!(settle(&mut store, &caller(1)), 1);
    assert_eq!(settle(&mut store, &Caller::default()), 0, "nobody to count for");
}

#[test]
fn the_same_trace_gives_the_same_verdicts() {
    let run = || {
        let mut proxy = Proxy::new();
        let mut verdicts = Vec::new();
        for n in 0..2_000 {
            let request =
                if n % 3 == 0 { harvest(n) } else { reading(n % 4, [mix(n % 50), mix(n % 70 + 100), mix(n)], n) };
            verdicts.push(proxy.send(&caller(mix(n) % 700), &request, 200, n * 30 * SECOND));
        }
        (verdicts, proxy.store.store.bytes())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_disabled_family_and_a_body_that_was_not_read_add_nothing() {
    let mut proxy = Proxy::new();
    let families = &mut proxy.config.rules.document.families;
    families.account_shape.enabled = false;
    families.account_shape.first_hour_from = 1;
    for n in 0..40 {
        assert!(proxy.send(&caller(1), &harvest(n), 200, n).reasons.is_empty());
        let unread = Reading { unread: true, ..harvest(n) };
        assert_eq!(proxy.send(&caller(50_000 + n), &unread, 200, n).reasons, ["unread"]);
    }
}
