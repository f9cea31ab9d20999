//! Budgets, bounds, poisoning.

use super::scores::WINDOW;
use super::*;

/// The score of the n-th of `all` accounts of which one in ten scores, falling by e every `mean` nats.
fn score(n: u64, all: u64, mean: f64) -> MilliNats {
    let scoring = all / 10;
    let rank = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % all + 1;
    if rank > scoring { 0 } else { (mean * 1000.0 * (scoring as f64 / rank as f64).ln()) as MilliNats }
}

fn keeper(all: u64, mean: f64) -> Keeper {
    let mut keeper = Keeper::default();
    (0..all).for_each(|n| keeper.observe(1, n + 1, score(n, all, mean), Timestamp(n)));
    keeper
}

fn keep() -> Keep {
    Keep { enabled: true, step: Milli::of(10.0), ..Keep::default() }
}

fn settled(keeper: &Keeper, keep: &Keep) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for _ in 0..100 {
        let Some(proposal) = keeper.thresholds(keep, &thresholds) else { break };
        thresholds = proposal.thresholds;
    }
    thresholds
}

#[test]
fn thresholds_settle_where_the_budget_is_left_above_them() {
    let all = 100_000;
    let keeper = keeper(all, 1.2);
    let found = settled(&keeper, &keep());
    for (threshold, one_in) in [(found.observe, 1_000), (found.throttle, 10_000)] {
        let above = (0..all).filter(|&n| score(n, all, 1.2) >= threshold.0).count() as u64;
        let budget = all / one_in;
        assert!((budget / 2..=budget * 2).contains(&above), "{threshold:?}: {above} of {budget}");
    }
    assert!(found.observe < found.throttle && found.throttle < found.block);
}

#[test]
fn floors_ceilings_pins_and_steps_hold() {
    let loud = keeper(20_000, 8.0);
    let found = settled(&loud, &keep());
    let of = |observe: Milli, throttle: Milli, block: Milli| Thresholds { observe, throttle, block };
    let (floor, ceiling) = (keep().floor, keep().ceiling);
    assert_eq!(found, of(ceiling.observe, ceiling.throttle, ceiling.block));
    let quiet = settled(&keeper(20_000, 0.05), &keep());
    assert_eq!(quiet, of(floor.observe, floor.throttle, floor.block));
    let pinned = Keep { pinned: vec![Rung::Throttle], ..keep() };
    let default = Thresholds::default();
    assert_eq!(settled(&loud, &pinned), of(default.throttle, default.throttle, ceiling.block));
    let pinned = Keep { pinned: vec![Rung::Observe, Rung::Block], ..keep() };
    assert_eq!(settled(&loud, &pinned), of(default.observe, default.block, default.block));
    let slow = Keep { step: Milli::of(0.5), ..keep() };
    let moved = loud.thresholds(&slow, &Thresholds::default()).unwrap();
    assert_eq!(moved.thresholds.observe.0 - Thresholds::default().observe.0, 500);
    assert!(moved.reasons[0].contains("one in 1000 of 20000 accounts"), "{:?}", moved.reasons);
}

#[test]
fn a_slow_poisoning_moves_nothing_beyond_the_ceiling_and_goes_when_it_is_found() {
    let mut keeper = keeper(50_000, 0.8);
    let before = settled(&keeper, &keep());
    for n in 0..500 {
        keeper.observe(1, 1_000_000 + n, 15_000, Timestamp(n));
    }
    let poisoned = settled(&keeper, &keep());
    assert!(poisoned.observe <= keep().ceiling.observe && poisoned.block <= keep().ceiling.block);
    (0..500).for_each(|n| keeper.forget(1_000_000 + n));
    assert_eq!(settled(&keeper, &keep()), before);
}

#[test]
fn few_accounts_have_no_say() {
    assert_eq!(keeper(900, 3.0).thresholds(&keep(), &Thresholds::default()), None);
}

#[test]
fn what_was_long_ago_is_forgotten() {
    let mut keeper = keeper(5_000, 6.0);
    for week in 1..4 {
        (0..5_000).for_each(|n| keeper.observe(1, n + 1, 0, Timestamp(week * (WINDOW + 10_000) + n)));
    }
    assert_eq!(keeper.thresholds(&keep(), &Thresholds::default()), None);
}

/// A pseudo-random number between 0 and 1, the same every time.
fn draw(n: u64) -> f64 {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (((x ^ (x >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// A keeper of so many accounts, whose score in nats `sample` makes of four draws.
fn sampled(accounts: u64, sample: impl Fn([f64; 4]) -> f64) -> Keeper {
    let mut keeper = Keeper::default();
    for n in 0..accounts {
        let score = sample([0, 1, 2, 3].map(|place| draw(4 * n + place)));
        keeper.observe(1, n + 1, Milli::of(score).0, Timestamp(n));
    }
    keeper
}

/// How many times its budget each rung acts on, where `share` of the accounts scores so many nats or more.
fn overrun(found: &Thresholds, share: impl Fn(f64) -> f64) -> [f64; 3] {
    let budgets = [(found.observe, 1e3), (found.throttle, 1e4), (found.block, 1e5)];
    budgets.map(|(threshold, one_in)| share(threshold.number()) * one_in)
}

fn within(found: [f64; 3], most: f64) {
    assert!(found.iter().all(|times| (1.0 / most..=most).contains(times)), "{found:?}");
}

#[test]
fn an_exponential_tail_is_left_at_its_budgets() {
    for (accounts, mean) in [(20_000, 1.2), (200_000, 1.2), (200_000, 1.5)] {
        let keeper = sampled(accounts, |[kind, x, ..]| if kind < 0.1 { -mean * x.ln() } else { 0.0 });
        within(overrun(&settled(&keeper, &keep()), |nats| 0.1 * (-nats / mean).exp()), 2.0);
    }
}

#[test]
fn a_body_that_is_no_exponential_is_left_near_its_budgets() {
    // One in ten scores, the sum of two things.
    let keeper = sampled(200_000, |[kind, x, y, _]| if kind < 0.1 { -(x * y).ln() } else { 0.0 });
    within(overrun(&settled(&keeper, &keep()), |nats| 0.1 * (1.0 + nats) * (-nats).exp()), 2.5);
}

#[test]
fn a_few_odd_accounts_are_not_taken_for_the_many() {
    // One in ten scores a little; one in two hundred is odd.
    let keeper = sampled(200_000, |[kind, x, ..]| match kind {
        ..0.005 => -2.0 * x.ln(),
        0.005..0.105 => -0.5 * x.ln(),
        _ => 0.0,
    });
    let share = |nats: f64| 0.005 * (-nats / 2.0).exp() + 0.1 * (-nats / 0.5).exp();
    within(overrun(&settled(&keeper, &keep()), share), 2.0);
}

#[test]
fn a_slow_drift_moves_a_step_at_a_time_and_ends_at_the_ceilings() {
    let mut keeper = keeper(50_000, 0.8);
    let slow = Keep { step: Milli::of(0.5), ..keep() };
    let mut thresholds = settled(&keeper, &keep());
    for day in 0..60_u64 {
        for n in 0..500 {
            keeper.observe(1, 1_000_000 + n, i32::try_from(day * 500).unwrap(), Timestamp(day));
        }
        let Some(Proposal { thresholds: moved, .. }) = keeper.thresholds(&slow, &thresholds) else { continue };
        let pairs =
            |a: &Thresholds, b: &Thresholds| [(a.observe, b.observe), (a.throttle, b.throttle), (a.block, b.block)];
        assert!(pairs(&thresholds, &moved).iter().all(|(from, to)| (to.0 - from.0).abs() <= slow.step.0), "{moved:?}");
        thresholds = moved;
        let most = Thresholds {
            observe: keep().ceiling.observe,
            throttle: keep().ceiling.throttle,
            block: keep().ceiling.block,
        };
        assert!(pairs(&thresholds, &most).iter().all(|(is, most)| is <= most), "{thresholds:?}");
    }
    assert_eq!(thresholds.observe, keep().ceiling.observe);
}

#[test]
fn whoever_is_linked_counts_no_longer_until_both_windows_have_passed() {
    let mut scores = Scores::new(Timestamp(0));
    scores.observe(1, 5_000, Timestamp(0));
    scores.forget(1);
    scores.forget(2);
    scores.observe(1, 6_000, Timestamp(1));
    scores.observe(1, 6_000, Timestamp(WINDOW + 1));
    assert!(scores.falling().is_empty());
    scores.observe(2, -3, Timestamp(WINDOW + 1));
    assert_eq!(scores.falling(), [-3]);
    scores.observe(3, 7, Timestamp(2 * WINDOW + 3));
    assert_eq!(scores.falling(), [6_000, 7, -3]);
}

#[test]
fn a_long_silence_is_the_end_of_both_windows() {
    let mut scores = Scores::new(Timestamp(0));
    scores.observe(1, 5_000, Timestamp(0));
    scores.observe(2, 1, Timestamp(3 * WINDOW));
    assert_eq!(scores.falling(), [1]);
    // Back before a clock that had gone ahead.
    scores.observe(2, 2, Timestamp(10));
    scores.observe(3, 3, Timestamp(WINDOW + 11));
    scores.observe(3, 3, Timestamp(2 * WINDOW + 12));
    assert_eq!(scores.falling(), [3]);
}

#[test]
fn no_rung_lifts_another_beyond_its_ceiling() {
    let mut keep = keep();
    keep.ceiling.throttle = Milli::of(7.6);
    let found = settled(&keeper(20_000, 8.0), &keep);
    assert_eq!((found.observe, found.throttle, found.block), (Milli(7_600), Milli(7_600), keep.ceiling.block));
}

#[test]
fn what_was_saved_goes_on_as_it_was() {
    let mut keeper = keeper(5_000, 1.5);
    keeper.forget(7);
    let again: Keeper = postcard::from_bytes(&postcard::to_allocvec(&keeper).unwrap()).unwrap();
    assert_eq!(settled(&again, &keep()), settled(&keeper, &keep()));
    (0..100).for_each(|population| keeper.observe(population, 1, 1, Timestamp(0)));
    assert_eq!(keeper.populations.len(), POPULATIONS);
}
