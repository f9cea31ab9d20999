//! What is not seen any more is forgotten.

use super::*;
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
    let feed = world.feed();
    let now = Timestamp(world.now);
    assert_eq!(feed.account(bot(30).account, now), None);
    let of = feed.account(bot(5_030).account, now).unwrap().campaign;
    assert_eq!(feed.name(of), Some(names[1].as_str()));
    // What comes back is found anew.
    world.harvests(100..160, TEMPLATE);
    assert_eq!(world.named(), 2);
}

impl World {
    /// A pool of accounts, set up in a way of its own, through whose hands one blob goes.
    fn pool(&mut self, pool: u64, accounts: u64) {
        let member = |n: u64| Caller { agent: 20 + pool, ..bot(10_000 * (pool + 1) + n) };
        let blob = mix(self.fresh()) | 1;
        for n in 0..accounts {
            let content = self.fresh();
            let blobs = if n == 0 { Vec::new() } else { vec![blob] };
            self.send(&member(n), &Reading { blobs, settings: 500 + pool, ..request(0, 1, content) });
            if n == 0 {
                self.joiner.given(blob, &member(0), Timestamp(self.now));
            }
        }
    }
}

#[test]
fn where_many_small_pools_fill_all_places_the_next_campaign_is_named_and_no_large_one_ends() {
    let mut world = World::with(&Document::default(), Limits { campaigns: 32, ..Limits::default() });
    world.harvests(0..60, TEMPLATE);
    let (large, linked) = (world.joiner.campaigns()[0].name.clone(), world.linked(0..60));
    // Though nobody has seen it for a day.
    world.now += 26 * HOUR;
    (0..40).for_each(|pool| world.pool(pool, 3));
    assert_eq!(world.named(), 32, "all places are taken");
    world.pool(90, 12);
    assert_eq!(world.named(), 32);
    let left = world.joiner.make_room(Timestamp(world.now)).unwrap();
    assert_eq!((left.len(), left[0]), (28, 0));
    world.pool(91, 12);
    assert_eq!((world.named(), world.linked(0..60)), (29, linked));
    assert_eq!(world.joiner.campaigns()[0].name, large);
    assert_eq!(world.joiner.make_room(Timestamp(world.now)), None);
    // What proxies are told from now on is of the places that campaigns have now.
    let (feed, now) = (world.feed(), Timestamp(world.now));
    let of = feed.account(Caller { agent: 111, ..bot(920_005) }.account, now).unwrap().campaign;
    assert_eq!(feed.name(of), world.joiner.campaigns().last().map(|campaign| campaign.name.as_str()));
}

#[test]
fn parts_of_others_end_first_and_then_the_smallest() {
    let mut world = World::with(&Document::default(), Limits { campaigns: 32, ..Limits::default() });
    (0..32).for_each(|pool| world.pool(pool, 6));
    let now = world.now + HOUR;
    // Nothing is counted of a part; not seen for a day, not confirmed, small; and who is just larger than those.
    let small = [(3, 0, 0, true), (5, 39, 25, true), (6, 19, 0, false), (7, 10, 0, true), (8, 11, 0, true)];
    for (campaign, index) in world.joiner.campaigns.iter_mut().zip(0..) {
        let (_, accounts, hours, confirmed) =
            small.into_iter().find(|(of, ..)| *of == index).unwrap_or((index, 1_000, 0, true));
        (campaign.accounts, campaign.last) = (accounts, Timestamp(now - hours * HOUR));
        if !confirmed {
            campaign.families.clear();
            campaign.story.family = Family::SkeletonSpread;
        }
    }
    let left = world.joiner.make_room(Timestamp(now)).unwrap();
    let ended: Vec<usize> = (0..32).filter(|place| !left.contains(place)).collect();
    assert_eq!(ended, [3, 5, 6, 7]);
}
