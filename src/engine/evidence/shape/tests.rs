use super::*;
use crate::digest::words::mix;
use crate::rules::Document;

/// A midnight in UTC.
const NOW: Timestamp = Timestamp(20_000 * DAY);

fn caller(network: u64, agent: u64) -> Caller {
    Caller { account: 1, organisation: 0, network, agent, ..Caller::default() }
}

fn fresh() -> Vec<u8> {
    let mut slot = vec![0; usize::from(BYTES)];
    begin(&mut slot, NOW);
    slot
}

fn reasons(slot: &[u8], now: Timestamp) -> Vec<Reason> {
    let mut evidence = Evidence::default();
    Account::of(slot, now).evidence(&AccountShape::default(), 0, &mut evidence);
    evidence.all().iter().map(|(reason, _)| *reason).collect()
}

#[test]
fn full_rate_begins_at_the_configured_request_of_the_first_hour() {
    let from = u64::from(AccountShape::default().first_hour_from);
    let mut slot = fresh();
    for n in 1..from {
        count(&mut slot, &caller(1, 1), [7, 0, 0], Timestamp(NOW.0 + n * SECOND));
    }
    assert_eq!(reasons(&slot, Timestamp(NOW.0 + HOUR)), []);
    count(&mut slot, &caller(1, 1), [7, 0, 0], Timestamp(NOW.0 + HOUR - 1));
    assert_eq!(reasons(&slot, Timestamp(NOW.0 + HOUR)), [Reason::FullRate]);
    assert_eq!(reasons(&slot, Timestamp(NOW.0 + DAY)), [], "how it started says nothing about today");
}

#[test]
fn a_harvests_words_count_beside_three_signs_and_are_not_enough_to_act() {
    let rules = Document::default();
    let total = |signs: Account, wording| {
        let mut evidence = Evidence::default();
        signs.evidence(&AccountShape::default(), wording, &mut evidence);
        let worth =
            |&(reason, milli): &(Reason, MilliNats)| reason.family().map_or(0, |of| rules.families.worth(of).of(milli));
        evidence.all().iter().map(worth).sum::<MilliNats>()
    };
    let two = Account { networks: 99, agents: 99, ..Account::default() };
    let three = Account { first_hour: 999, ..two };
    let four = Account { day: (2_400, 100, 24), ..three };
    assert_eq!(total(two, 4_000), total(two, 0));
    assert_eq!(total(three, cohort::HARVEST - 1), total(three, 0));
    assert!(total(three, 1_000) >= rules.thresholds.observe.0, "{}", total(three, 1_000));
    assert!(total(four, MilliNats::MAX) < rules.thresholds.throttle.0);
}

#[test]
fn requests_after_the_first_hour_or_of_many_templates_are_no_full_rate() {
    let (mut late, mut person) = (fresh(), fresh());
    for n in 0..1_000 {
        count(&mut late, &caller(1, 1), [7, 0, 0], Timestamp(NOW.0 + HOUR + n * SECOND));
        count(&mut person, &caller(1, 1), [mix(n), 0, 0], Timestamp(NOW.0 + n * SECOND));
    }
    assert_eq!(reasons(&late, Timestamp(NOW.0 + 2 * HOUR)), []);
    assert_eq!(reasons(&person, Timestamp(NOW.0 + 2 * HOUR)), []);
}

fn day_of(hourly: impl Fn(u64) -> u64) -> Vec<u8> {
    let mut slot = fresh();
    for hour in 0..48 {
        for n in 0..hourly(hour) {
            count(&mut slot, &caller(1, 1), [7, 0, 0], Timestamp(NOW.0 + hour * HOUR + n * SECOND));
        }
    }
    slot
}

#[test]
fn an_even_day_is_round_the_clock_and_a_working_day_is_not() {
    let end = Timestamp(NOW.0 + 48 * HOUR - 1);
    assert_eq!(reasons(&day_of(|_| 20), end), [Reason::RoundTheClock]);
    assert_eq!(reasons(&day_of(|hour| if (8..18).contains(&(hour % 24)) { 40 } else { 0 }), end), []);
    assert_eq!(reasons(&day_of(|hour| if hour % 24 == 3 { 500 } else { 20 }), end), [], "a nightly batch");
    assert_eq!(reasons(&day_of(|_| 1), end), [], "a health check");
    assert_eq!(reasons(&day_of(|_| 20), Timestamp(end.0 + 4 * HOUR)), [], "it has stopped");
}

#[test]
fn many_networks_and_programs_count_within_a_day() {
    let mut slot = fresh();
    (0..40).for_each(|n| {
        count(&mut slot, &caller(mix(n), mix(n % 12)), [7, 0, 0], Timestamp(NOW.0 + n));
    });
    assert_eq!(reasons(&slot, Timestamp(NOW.0 + HOUR)), [Reason::ManyNetworks, Reason::ManyAgents]);
    assert_eq!(reasons(&slot, Timestamp(NOW.0 + DAY)), []);
    count(&mut slot, &caller(1, 1), [7, 0, 0], Timestamp(NOW.0 + DAY));
    assert_eq!(Account::of(&slot, Timestamp(NOW.0 + DAY)).networks, 1);
}

#[test]
fn a_key_is_new_once_until_newer_ones_took_its_place() {
    let (mut slot, key) = (fresh(), |n: u64| mix(n + 1));
    let mut counted = |n| count(&mut slot, &caller(1, 1), [key(n), 0, 0], NOW)[0] != 0;
    assert!(counted(0) && !counted(0));
    (1..16).for_each(|n| assert!(counted(n)));
    assert!(!counted(0), "it was used again, so it stays");
    (16..31).for_each(|n| assert!(counted(n)));
    assert!(!counted(0) && counted(1));
}

#[test]
fn requests_fade_by_half_a_day() {
    let mut slot = fresh();
    (0..100).for_each(|_| {
        count(&mut slot, &caller(1, 1), [0; KEYS], NOW);
    });
    assert_eq!(Account::of(&slot, NOW).requests, 100);
    assert_eq!(Account::of(&slot, Timestamp(NOW.0 + DAY)).requests, 50);
}

#[test]
fn all_together_are_worth_too_little_to_act() {
    let families = crate::rules::Families::default();
    let each = families.account_shape.each.0;
    assert!(families.worth(crate::rules::Family::AccountShape).of(4 * each) < 5_000);
    assert!(2 * each < 2_000, "two are not even told");
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(
        mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..usize::from(BYTES) + 4),
        network: u64, keys: [u64; KEYS], now: u64, wording: i32,
    ) {
        let now = Timestamp(now);
        let _ = Account::of(&bytes, now);
        count(&mut bytes, &caller(network, network), keys, now);
        let mut evidence = Evidence::default();
        Account::of(&bytes, now).evidence(&AccountShape::default(), wording, &mut evidence);
        proptest::prop_assert!(evidence.all().len() <= 5);
    }
}
