use super::*;
use crate::campaign::Feed;
use crate::dialect::Dialect;
use crate::digest::skeleton::Place;
use crate::digest::words::mix;
use crate::rules::State;
use crate::store::{Key, MemoryStore, SwapError, Version};
use crate::time::{HOUR, SECOND};
use crate::verdict::{Action, Verdict, assess};
use std::cell::Cell;

mod memory;
mod provenance;
mod rotation;

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
    fn get(&self, key: Key) -> Option<(Vec<u8>, Version)> {
        self.reads.set(self.reads.get() + 1);
        self.store.get(key)
    }
}

impl Store for Watched {
    fn swap(&mut self, key: Key, value: &[u8], seen: Option<Version>) -> Result<(), SwapError> {
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
        let verdict = assess(&self.config, &self.store, &Feed::default(), caller, reading, now).verdict;
        if !verdict.action.refuses() {
            assert_eq!(settle(&self.config, &mut self.store, caller, reading, status, now), 0);
        }
        verdict
    }
}

/// Counts an exchange by the rules in force.
fn settle(
    config: &Config,
    store: &mut impl Store,
    caller: &Caller,
    reading: &Reading,
    status: u16,
    now: Timestamp,
) -> u32 {
    count(config, config.in_force(now).rules, store, caller, reading, status, now)
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
fn where_a_sidecar_judges_groups_what_a_proxy_sees_of_one_that_it_does_not_name_counts_for_nothing() {
    let alone_and_beside_a_sidecar = |wording| {
        let worded = |n| Reading { wording, ..harvest(n) };
        let mut proxy = Proxy::new();
        (0..40).for_each(|n| drop(proxy.send(&caller(6_000 + n), &worded(n), 200, n * SECOND)));
        [Feed::default(), Feed::of_sidecar()].map(|feed| {
            let now = Timestamp(NOW.0 + 40 * SECOND);
            let judged = assess(&proxy.config, &proxy.store, &feed, &caller(7_000), &worded(99), now);
            assert!(judged.seen.group.families().count() >= 2);
            assert_eq!(judged.verdict.reasons.is_empty(), feed.joined);
            judged.verdict.action
        })
    };
    assert_eq!([0, 1_500].map(alone_and_beside_a_sidecar), [[Action::Throttle, Action::Allow]; 2]);
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
fn who_sends_a_firms_own_prompt_from_throw_away_accounts_does_not_frame_it() {
    for organisation in [0, 5] {
        let mut proxy = Proxy::new();
        // Several keys of one network or one declared organisation, and one key that travels.
        let firm = |n: u64| match organisation {
            0 => Caller { network: 9, ..caller(60_000 + n % 3) },
            _ => Caller { organisation, ..caller(60_000 + n % 3) },
        };
        let travelling = Caller { network: 77, ..firm(0) };
        let day = 24 * HOUR;
        for n in 0..50 {
            assert_eq!(proxy.send(&firm(n), &harvest(n), 200, n * HOUR / 3).action, Action::Allow);
        }
        let framed = (0..300).filter(|n| {
            proxy.send(&firm(*n), &harvest(100_000 + n), 200, day + n * SECOND).action != Action::Allow
                || proxy.send(&travelling, &harvest(200_000 + n), 200, day + n * SECOND).action != Action::Allow
                || proxy.send(&caller(70_000 + n), &harvest(300_000 + n), 200, day + n * SECOND).action == Action::Block
        });
        assert_eq!(framed.collect::<Vec<_>>(), [0_u64; 0], "organisation {organisation}");
        let stranger = proxy.send(&caller(80_000), &harvest(400_000), 200, day + HOUR);
        assert_eq!(stranger.action, Action::Throttle, "who came later is held against the group");
        // However often the group begins anew.
        let later = 40 * day;
        (0..60).for_each(|n| drop(proxy.send(&caller(90_000 + n), &harvest(500_000 + n), 200, later + n * SECOND)));
        assert_eq!(proxy.send(&firm(1), &harvest(600_000), 200, later + HOUR).action, Action::Allow);
    }
}

#[test]
fn a_flood_of_new_accounts_does_not_evict_a_group() {
    let mut proxy = Proxy::new();
    proxy.config.state = State { account_pages: 2, skeleton_pages: 2, provenance_pages: 2, budget_pages: 1 };
    for n in 0..40 {
        proxy.send(&caller(5_000 + n), &harvest(n), 200, n * SECOND);
    }
    // A hundred times as many keys as there are places.
    for n in 0..1_500 {
        let request = reading(n % 4, [mix(7 * n + 1), mix(7 * n + 2), mix(7 * n + 3)], n);
        proxy.send(&caller(100_000 + n), &request, 200, HOUR + n);
    }
    let verdict = proxy.send(&caller(6_000), &harvest(9_999), 200, 2 * HOUR);
    assert_eq!(verdict.action, Action::Throttle, "{verdict:?}");
}

#[test]
fn a_clock_that_steps_acts_on_nobody_and_hides_no_group() {
    const YEAR: u64 = 365 * 24 * HOUR;
    let steps = [(0, HOUR), (5 * HOUR, 0), (10 * YEAR, 0), (0, YEAR), (0, u64::MAX / 2), (0, u64::MAX - NOW.0)];
    for (before, after) in steps {
        let mut proxy = Proxy::new();
        for n in 0..60 {
            let now = if n % 2 == 0 { before } else { after };
            let person = reading(n % 4, [mix(n + 1), mix(n + 2_000), mix(n + 3_000)], n);
            for sender in [caller(1), caller(200_000 + n)] {
                assert_eq!(proxy.send(&sender, &person, 200, now).action, Action::Allow, "{before} {after} {n}");
            }
            proxy.send(&caller(300_000 + n), &harvest(n), 200, now);
        }
        let last = proxy.send(&caller(400_000), &harvest(400_000), 200, after);
        // At the end of time all rules have expired.
        assert_eq!(last.would, Action::Throttle, "{before} {after}: {last:?}");
    }
}

#[test]
fn lost_updates_are_told() {
    let mut store = Watched { refuses: true, ..Watched::default() };
    let config = Config::default();
    let mut count = |caller: &Caller| settle(&config, &mut store, caller, &harvest(0), 200, NOW);
    assert_eq!(count(&caller(1)), 1);
    assert_eq!(count(&Caller::default()), 0, "nobody to count for");
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
