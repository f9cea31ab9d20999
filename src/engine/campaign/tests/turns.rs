//! Accounts that take turns, and those that only seem to.

use super::*;
use crate::campaign::joiner::Joiner as Tier;

/// A template whose wording reads like a person's: by itself it names nobody.
fn plain(content: u64) -> Reading {
    Reading { wording: -3_000, ..harvest(TEMPLATE, content) }
}

/// A number below `most`, another for each place of a sequence.
fn chance(place: u64, most: u64) -> u64 {
    mix(place ^ 0x7777) % most
}

impl World {
    /// A bot's request after a while.
    fn turn(&mut self, bot: &Caller, pause: u64) {
        let content = self.fresh();
        self.now += pause;
        self.send(bot, &plain(content));
    }

    /// Rounds of a pool whose manager takes the account that has rested longest, at a pace that changes.
    fn rounds(&mut self, accounts: u64, rounds: u64) {
        for round in 0..rounds {
            for n in 0..accounts {
                self.turn(&bot(n), (1 + chance(round, 9)) * MINUTE);
            }
        }
    }
}

#[test]
fn a_pool_that_takes_who_rested_longest_is_named_whatever_its_wording() {
    let mut world = World::new();
    world.rounds(40, 2);
    assert_eq!(world.named(), 0);
    world.rounds(40, 3);
    assert_eq!(world.named(), 1);
    let campaign = &world.joiner.campaigns()[0];
    assert!(campaign.families.contains(&Family::CohortSynchrony));
    let worth = campaign.story.worth;
    assert!(worth.turns > 4_000 && worth.taken.1 * 2 > worth.taken.0, "{worth:?}");
    assert_eq!(world.linked(0..40), 39, "who had the template first may be framed with it");
}

#[test]
fn cover_between_its_turns_does_not_hide_it() {
    let mut world = World::new();
    for round in 0..8 {
        for n in 0..40 {
            if chance(round * 40 + n, 10) < 3 && round > 0 {
                let content = world.fresh();
                world.now += (1 + chance(round, 9)) * MINUTE;
                world.send(&bot(n), &Reading { settings: 99, ..request(0, 1, content) });
            } else {
                world.turn(&bot(n), (1 + chance(round, 9)) * MINUTE);
            }
        }
    }
    assert_eq!(world.named(), 1);
}

#[test]
fn accounts_that_come_as_they_please_are_not() {
    let mut world = World::new();
    (0..40).for_each(|n| world.turn(&bot(n), MINUTE));
    (0..2_000).for_each(|k| world.turn(&bot(chance(k, 40)), chance(k, 9) * MINUTE));
    assert_eq!(world.named(), 0);
}

#[test]
fn neither_are_those_that_keep_to_a_clock() {
    let mut world = World::new();
    for _ in 0..20 {
        (0..40).for_each(|n| world.turn(&bot(n), MINUTE));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn nor_a_class_that_does_one_exercise_after_another() {
    let mut world = World::new();
    for round in 0..20 {
        let mut class: Vec<u64> = (0..40).collect();
        class.sort_by_key(|n| mix(n ^ mix(round)));
        class.into_iter().for_each(|n| world.turn(&bot(n), SECOND));
        world.now += (1 + chance(round, 9)) * MINUTE;
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn nor_a_firm_that_gives_each_request_to_its_next_key() {
    let mut world = World::new();
    world.rounds(24, 20);
    assert_eq!(world.named(), 0, "24 networks are a firm's that need not be declared");
    let mut declared = World::new();
    for round in 0..20 {
        for n in 0..60 {
            declared.turn(&Caller { organisation: 5, ..bot(n) }, (1 + chance(round, 9)) * MINUTE);
        }
    }
    assert_eq!(declared.named(), 0, "keys of one organisation are one party");
}

#[test]
fn nor_users_of_an_app_of_whom_a_few_happened_to_come_in_the_same_order() {
    let mut world = World::new();
    let users = (0..60).chain(0..60).chain(0..8).chain(60..120);
    for (k, n) in (0..).zip(users) {
        let content = world.fresh();
        world.now += (1 + chance(k / 60, 9)) * MINUTE;
        let caller = Caller { agent: program(7, 0), ..bot(n) };
        world.send(&caller, &Reading { wording: 300, ..harvest(TEMPLATE, content) });
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn turns_can_be_left_out_by_the_rules_and_with_their_family() {
    let mut without_turns = Document::default();
    without_turns.families.cohort_synchrony.turns_most = crate::rules::values::Milli::of(0.0);
    for document in [without_turns, without(&[Family::CohortSynchrony])] {
        let mut world = World::with(&document, Limits::default());
        world.rounds(40, 10);
        assert_eq!(world.named(), 0);
    }
}

#[test]
fn turns_are_counted_on_after_a_restart() {
    let (mut world, mut restarted) = (World::new(), World::new());
    world.rounds(40, 2);
    restarted.rounds(40, 2);
    let snapshot = restarted.joiner.snapshot().expect("a snapshot");
    restarted.joiner = Tier::restore(&snapshot, Limits::default(), Criteria::default()).expect("restored");
    world.rounds(40, 4);
    restarted.rounds(40, 4);
    let stories =
        [&world, &restarted].map(|of| of.joiner.campaigns().iter().map(|c| c.story.named).collect::<Vec<_>>());
    assert_eq!(stories[0], stories[1]);
    assert_eq!(stories[0].len(), 1);
}
