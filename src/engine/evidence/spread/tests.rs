use super::super::population;
use super::*;
use crate::digest::words::mix;
use crate::rules::Milli;
use crate::time::DAY;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn shares() -> Shares {
    let mut slot = vec![0; population::BYTES];
    (0..1000).for_each(|n| population::add(&mut slot, if n % 10 < 5 { 1 } else { 2 + n % 3 }, NOW));
    Shares::of(&slot, NOW)
}

fn party(n: u64, target: u32) -> Party {
    Party { account: mix(n), party: mix(n + 1_000_000), target, content: mix(n + 2_000_000), wording: 500 }
}

fn group(parties: impl Iterator<Item = Party>) -> Vec<u8> {
    let mut slot = vec![0; usize::from(BYTES)];
    begin(&mut slot, NOW);
    for party in parties {
        join(&mut slot, &party, &Families::default(), NOW);
    }
    slot
}

#[test]
fn unrelated_parties_on_one_target_are_evidence() {
    let families = Families::default();
    let focused = Group::of(&group((0..24).map(|n| party(n, 1))));
    assert!(focused.counts(1, &families) && focused.parties() >= 20);
    assert!(focused.worth(&shares(), &families).focus > 10_000, "{focused:?}");
    assert_eq!(focused.worth(&shares(), &families).wording, 2_000);
    let mixed = Group::of(&group((0..24).map(|n| party(n, if n % 10 < 5 { 1 } else { 2 + (n % 3) as u32 }))));
    assert!(mixed.worth(&shares(), &families).focus < 2_000, "{mixed:?}");
}

#[test]
fn an_organisation_is_one_voice_and_so_is_a_key_in_many_networks() {
    assert_eq!(Group::of(&group((0..50).map(|n| Party { party: 7, ..party(n, 1) }))).parties(), 1);
    assert_eq!(Group::of(&group((0..50).map(|n| Party { account: 7, ..party(n, 1) }))).parties(), 1);
}

#[test]
fn a_viral_prompt_a_few_parties_and_another_target_do_not_count() {
    let families = Families::default();
    let viral = Group::of(&group((0..24).map(|n| Party { content: 42, ..party(n, 1) })));
    assert!(!viral.counts(1, &families));
    assert!(!Group::of(&group((0..7).map(|n| party(n, 1)))).counts(1, &families));
    assert!(!Group::of(&group((0..24).map(|n| party(n, 1)))).counts(2, &families));
}

#[test]
fn a_full_group_stays_until_its_window_is_over() {
    let mut families = Families::default();
    families.skeleton_spread.parties_full = 12;
    let mut slot = group((0..0).map(|n| party(n, 1)));
    (0..100).for_each(|n| {
        join(&mut slot, &party(n, 1), &families, NOW);
    });
    assert_eq!(Group::of(&slot).parties(), 12);
    let full = slot.clone();
    assert!(!join(&mut slot, &party(1000, 2), &families, Timestamp(NOW.0 + DAY / 2)));
    assert_eq!(slot, full);
    assert!(join(&mut slot, &party(1001, 2), &families, Timestamp(NOW.0 + DAY)));
    assert_eq!(Group::of(&slot).parties(), 1);
}

#[test]
fn what_focus_and_wording_are_worth_is_bounded_by_rules() {
    let mut families = Families::default();
    families.cohort_synchrony.focus_most = Milli(3_000);
    families.harvest_content.group_most = Milli(1_000);
    let group = Group::of(&group((0..40).map(|n| party(n, 3))));
    assert_eq!(group.worth(&shares(), &families), Worth { focus: 3_000, wording: 1_000 });
}

#[test]
fn targets_beyond_the_last_place_are_left_out() {
    let group = Group::of(&group((0..15).map(|n| party(n, n as u32 + 1))));
    assert_eq!(group.parties(), 6);
}

#[test]
fn keys_are_of_the_beginning_the_end_and_one_part() {
    let mut reading = Reading::default();
    assert_eq!(keys(&reading), [0; KEYS]);
    reading.skeleton.keys = vec![(Place::Head, 1), (Place::Tail, 2), (Place::UserPart, 9), (Place::UserPart, 3)];
    assert_eq!(keys(&reading), [1, 2, 3]);
    reading.skeleton.keys.push((Place::System, 4));
    assert_eq!(keys(&reading), [4, 2, 3]);
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(
        mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..usize::from(BYTES) + 4),
        account: u64, content: u64, target: u32, wording: i32, now: u64,
    ) {
        let party = Party { account, party: account ^ 1, target, content, wording };
        let families = Families::default();
        join(&mut bytes, &party, &families, Timestamp(now));
        let group = Group::of(&bytes);
        let worth = group.worth(&shares(), &families);
        proptest::prop_assert!(worth.focus <= 16_000 && worth.wording.abs() <= 8_000);
        let _ = (group.counts(target, &families), worth.total());
    }
}
