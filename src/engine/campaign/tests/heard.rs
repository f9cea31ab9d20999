//! What counts of what is told: what upstream answers, and not how often a program tries.

use super::*;
use crate::digest::conversation::Conversation;
use crate::observation::{Event, Fate};
use crate::verdict::Action;

/// The same as the first turn of a conversation.
fn turn(reading: Reading) -> Reading {
    let conversation = Conversation { whole: reading.content | 1, bytes: 500, ..Conversation::default() };
    Reading { conversation, ..reading }
}

impl World {
    /// Tells of a request as proxies do.
    fn told(&mut self, caller: &Caller, reading: &Reading, fate: Fate) {
        self.now += SECOND;
        let (caller, reading, now) = (*caller, reading.clone(), Timestamp(self.now));
        let refused = (fate == Fate::RefusedForLoad).then(|| Event::Refused { caller, reading: reading.clone() });
        self.joiner.hear(&Event::Request { caller, reading, would: Action::Allow, score: 0, fate }, now);
        refused.iter().for_each(|refused| self.joiner.hear(refused, now));
    }

    /// Requests of an account that count, and those under the template of the harvest.
    fn counted(&self, caller: &Caller) -> (u32, u32) {
        let mut groups = self.joiner.groups().filter(|(key, _)| *key == mix(TEMPLATE));
        let of = self.joiner.account(caller.account).map_or(0, |account| account.requests);
        (of, groups.next().map_or(0, |(_, group)| group.requests()))
    }
}

#[test]
fn what_a_program_sends_again_until_upstream_takes_it_counts_once() {
    let mut world = World::new();
    for n in 0..10 {
        let content = world.fresh();
        let asked = turn(request(TEMPLATE, 1, content));
        for fate in [Fate::RefusedForLoad, Fate::RefusedForLoad, Fate::Answered] {
            world.told(&account(n), &asked, fate);
        }
    }
    // One request each made them known.
    assert_eq!(world.counted(&account(5)), (2, 10));
    assert_eq!(world.joiner.population().exchanges, 1_010);
}

#[test]
fn what_a_program_sends_again_when_it_is_refused_here_counts_once() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    let before = world.counted(&bot(20));
    let matches = |world: &World| world.joiner.account(bot(20).account).unwrap().matches;
    let matched = matches(&world);
    let content = world.fresh();
    let asked = turn(harvest(TEMPLATE, content));
    (0..3).for_each(|_| world.told(&bot(20), &asked, Fate::RefusedHere));
    assert_eq!(world.counted(&bot(20)), (before.0 + 1, before.1 + 1));
    assert_eq!(matches(&world), matched + 1);
    // Something else is another request, and so is the same a minute later.
    let other = turn(harvest(TEMPLATE, content + 500));
    world.told(&bot(20), &other, Fate::RefusedHere);
    world.now += MINUTE;
    world.told(&bot(20), &asked, Fate::RefusedHere);
    assert_eq!(world.counted(&bot(20)), (before.0 + 3, before.1 + 3));
}

#[test]
fn an_attempt_that_upstream_refused_is_an_echo_all_the_same() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    let content = world.fresh();
    world.send(&bot(900), &request(0, 1, content + 1));
    let sold = turn(Reading { settings: 99, ..request(0, 1, content) });
    world.told(&bot(5), &sold, Fate::RefusedHere);
    world.told(&bot(900), &sold, Fate::RefusedForLoad);
    assert_eq!(world.linked(900..901), 1);
}

#[test]
fn keys_that_upstream_never_answered_name_no_campaign_and_leave_nothing_behind() {
    for fate in [Fate::RefusedForLoad, Fate::RefusedHere] {
        let mut world = World::new();
        let before = world.joiner.population().targets.total();
        for n in 0..200 {
            let content = world.fresh();
            world.told(&bot(n), &turn(harvest(TEMPLATE, content)), fate);
            world.told(&bot(n + 1), &turn(harvest(TEMPLATE, content)), fate);
        }
        let after = world.joiner.population().targets.total();
        assert_eq!((world.named(), world.joiner.known(), after), (0, 1_000, before), "{fate:?}");
        assert_eq!(world.joiner.groups().count(), 0);
        // They speak once upstream has answered them.
        world.harvests(0..40, TEMPLATE);
        assert_eq!(world.named(), 1);
    }
}

#[test]
fn who_is_given_away_by_his_first_request_is_linked_and_counts_once_upstream_has_answered_him() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    world.joiner.take_changes();
    let campaign = |world: &World| (world.joiner.campaigns()[0].accounts, world.joiner.campaigns()[0].exchanges);
    let (before, groups) = (campaign(&world), world.counted(&bot(900)));
    let (content, total) = (world.fresh(), world.joiner.population().targets.total());
    let asked = turn(harvest(TEMPLATE, content));
    world.told(&bot(900), &asked, Fate::RefusedHere);
    let with = |accounts, exchanges| (before.0 + accounts, before.1 + exchanges);
    assert_eq!((world.linked(900..901), campaign(&world), world.counted(&bot(900))), (1, with(1, 0), groups));
    let feed = |world: &World| {
        let told = world.joiner.feed(usize::MAX, Timestamp(world.now));
        told.iter().any(|change| matches!(change, Change::Account { account, .. } if *account == bot(900).account))
    };
    assert!(!world.joiner.take_changes().is_empty() && feed(&world));
    // Keys can be made up: of those of one party that upstream has not answered four count.
    for n in 5_000..5_020 {
        let content = world.fresh();
        let made_up = Caller { account: mix(n), network: bot(900).network, ..bot(n) };
        world.told(&made_up, &turn(harvest(TEMPLATE, content)), Fate::RefusedHere);
    }
    let linked = |n: &u64| world.joiner.account(mix(*n)).is_some_and(|known| known.link.is_some());
    assert_eq!(((5_000..5_020).filter(linked).count(), campaign(&world)), (20, with(4, 0)));
    // Who sends it next is the campaign's as well.
    world.send(&bot(901), &asked);
    assert_eq!(world.linked(901..902), 1);
    // He is of it whatever he asks, once his key is known to be one.
    let content = world.fresh();
    world.told(&bot(900), &request(0, 1, content), Fate::Answered);
    assert!(feed(&world));
    assert_eq!((campaign(&world), world.counted(&bot(900)).0), (with(5, 2), 1));
    world.joiner.turn(Timestamp(0));
    assert_eq!(world.joiner.population().targets.total(), total);
}
