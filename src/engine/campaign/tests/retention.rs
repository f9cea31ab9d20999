//! What is not seen any more is forgotten.

use super::*;
use crate::campaign::feed::Feed;
use crate::campaign::kin::Likeness;

#[test]
fn who_is_not_seen_for_two_turns_is_forgotten_and_not_counted_any_more() {
    let mut world = World::new();
    world.joiner.turn(Timestamp(0));
    (0..500).for_each(|n| world.person(n));
    world.joiner.turn(Timestamp(0));
    assert_eq!(world.joiner.known(), 500);
    assert_eq!(world.joiner.population().targets.total(), 500);
    (0..4).for_each(|n| world.person(n));
    world.joiner.turn(Timestamp(0));
    let population = world.joiner.population();
    assert_eq!((world.joiner.known(), population.targets.total(), population.networks.total()), (4, 4, 4));
    assert_eq!(world.joiner.groups().count(), 0);
}

#[test]
fn counting_again_gives_what_was_counted() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    let shares = |world: &World| {
        let population = world.joiner.population();
        let kinds = Likeness::ALL
            .map(|likeness| population.kinds.of(likeness))
            .map(|of| (of.all.total(), of.met.total(), of.kin));
        let targets: Vec<_> = (0..4).map(|line: u64| population.targets.count(line.rotate_left(8) ^ 2)).collect();
        (targets, population.targets.total(), kinds, population.exchanges)
    };
    let before = shares(&world);
    assert_eq!(world.joiner.turn(Timestamp(0)), [0]);
    assert_eq!(shares(&world), before);
}

#[test]
fn a_campaign_that_is_over_ends_and_the_others_go_on() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    world.now += 48 * HOUR;
    let between = Timestamp(world.now);
    // Another operator: another model, another program.
    for n in 0..60 {
        let content = world.fresh();
        let caller = Caller { agent: 4, ..bot(5_000 + n) };
        world.send(&caller, &Reading { settings: 98, line: 2, model: 20, ..harvest(OTHER_TEMPLATE, content) });
    }
    let names: Vec<String> = world.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
    assert_eq!(names.len(), 2);
    let linked = world.linked(5_000..5_060);
    assert_eq!(world.joiner.turn(between), [1]);
    assert_eq!((world.named(), &world.joiner.campaigns()[0].name), (1, &names[1]));
    assert_eq!((world.linked(0..60), world.linked(5_000..5_060)), (0, linked));
    let mut feed = Feed::default();
    world.joiner.feed(1_000, Timestamp(world.now)).iter().for_each(|change| assert!(feed.apply(change)));
    let now = Timestamp(world.now);
    assert_eq!(feed.account(bot(30).account, now), None);
    let of = feed.account(bot(5_030).account, now).unwrap().campaign;
    assert_eq!(feed.name(of), Some(names[1].as_str()));
    // What comes back is found anew.
    world.harvests(100..160, TEMPLATE);
    assert_eq!(world.named(), 2);
}
