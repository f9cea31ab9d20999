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
