//! A digest key is rotated.

use super::*;
use crate::caller::Before;
use crate::campaign::criteria::LINK;

const OLD: u64 = 1 << 40;
const NEW: u64 = 2 << 40;

/// An account of an operator's whose program is one that people run, too.
fn bot(n: u64) -> Caller {
    Caller { agent: 5, ..super::bot(n) }
}

/// A digest under a key.
fn name(key: u64, of: u64) -> u64 {
    if of == 0 { 0 } else { mix(of ^ key) | 1 }
}

/// A request as a proxy with one key tells of it.
fn under(key: u64, caller: &Caller, reading: &Reading) -> (Caller, Reading) {
    let keys = reading.skeleton.keys.iter().map(|&(place, of)| (place, name(key, of))).collect();
    let caller = Caller {
        account: name(key, caller.account),
        organisation: name(key, caller.organisation),
        network: name(key, caller.network),
        agent: name(key, caller.agent << 32),
        before: Before::default(),
    };
    let reading = Reading {
        model: name(key, reading.model << 8),
        line: name(key, (reading.line + 1) << 16),
        settings: name(key, reading.settings << 24),
        content: name(key, reading.content),
        skeleton: Skeleton { keys },
        ..reading.clone()
    };
    (caller, reading)
}

/// The same as one tells that has both keys.
fn rotating(caller: &Caller, reading: &Reading) -> (Caller, Reading) {
    let ((old, before), (caller, reading)) = (under(OLD, caller, reading), under(NEW, caller, reading));
    let Caller { account, organisation, network, agent, .. } = old;
    let before_caller = Before { account, organisation, network, agent };
    (Caller { before: before_caller, ..caller }, Reading { before: Some(Box::new(before)), ..reading })
}

fn new_key(caller: &Caller, reading: &Reading) -> (Caller, Reading) {
    under(NEW, caller, reading)
}

fn old_key(caller: &Caller, reading: &Reading) -> (Caller, Reading) {
    under(OLD, caller, reading)
}

type Telling = fn(&Caller, &Reading) -> (Caller, Reading);

impl World {
    /// A thousand people who take four lines of models, told of under the old key.
    fn before() -> Self {
        let mut world =
            Self { joiner: Joiner::new(Limits::default(), Criteria::of(&Document::default())), now: START, asked: 0 };
        world.people(0..1_000, old_key);
        world
    }

    fn tell(&mut self, telling: Telling, caller: &Caller, reading: &Reading) {
        let (caller, reading) = telling(caller, reading);
        self.send(&caller, &reading);
    }

    fn people(&mut self, people: std::ops::Range<u64>, telling: Telling) {
        for n in people {
            let content = self.fresh();
            self.tell(telling, &account(n), &request(0, n % 4, content));
        }
    }

    fn template(&mut self, bots: std::ops::Range<u64>, telling: Telling) {
        for n in bots {
            let content = self.fresh();
            self.tell(telling, &bot(n), &harvest(TEMPLATE, content));
        }
    }

    /// How many of these are linked, by the names that a key gives them.
    fn linked_under(&self, key: u64, bots: std::ops::Range<u64>) -> usize {
        let linked = |n: &u64| self.joiner.account(name(key, bot(*n).account)).is_some_and(|of| of.link.is_some());
        bots.filter(linked).count()
    }

    fn restart(&mut self) {
        let bytes = self.joiner.snapshot().unwrap();
        self.joiner = Joiner::restore(&bytes, Limits::default(), Criteria::of(&Document::default())).unwrap();
    }
}

/// The names of the campaigns.
fn campaigns(world: &World) -> Vec<String> {
    world.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect()
}

#[test]
fn a_campaign_goes_on_under_its_name_and_links_new_accounts() {
    let mut world = World::before();
    world.template(0..40, old_key);
    let named = campaigns(&world);
    assert_eq!(named.len(), 1);
    let linked = world.linked_under(OLD, 0..40);
    let accounts = world.joiner.campaigns()[0].accounts;
    world.joiner.take_changes();
    // Its accounts are known by their new names when they send again, and proxies are told.
    world.template(0..40, rotating);
    assert_eq!((world.linked_under(NEW, 0..40), world.linked_under(OLD, 0..40)), (linked, linked));
    assert_eq!(world.joiner.known(), 1_040, "each once");
    assert!(linked >= 36);
    assert_eq!(world.joiner.campaigns()[0].accounts, accounts);
    let key = name(NEW, mix(TEMPLATE));
    let told = world.joiner.take_changes();
    assert!(told.iter().any(|change| matches!(change, Change::Key { key: of, .. } if *of == key)), "{told:?}");
    // Who is new is linked while both keys are there, across a restart, and once the old one is dropped.
    world.template(100..120, rotating);
    world.restart();
    world.template(200..220, new_key);
    assert!(world.linked_under(NEW, 100..120) >= 18, "{}", world.linked_under(NEW, 100..120));
    assert!(world.linked_under(NEW, 200..220) >= 18, "{}", world.linked_under(NEW, 200..220));
    assert_eq!(campaigns(&world), named);
    // A proxy knows them by its new key alone.
    let feed = world.feed();
    let (caller, reading) = new_key(&bot(300), &harvest(TEMPLATE, 987_654));
    let given = feed.gives_away(&caller, &reading, false, Timestamp(world.now)).unwrap();
    assert!(given.score() >= LINK, "{given:?}");
}

#[test]
fn a_proxy_finds_by_either_key_what_it_was_told_of() {
    let mut world = World::before();
    world.template(0..40, old_key);
    let feed = world.feed();
    let (caller, reading) = rotating(&bot(300), &harvest(TEMPLATE, 987_654));
    let given = feed.gives_away(&caller, &reading, false, Timestamp(world.now)).unwrap();
    assert!(given.score() >= LINK, "{given:?}");
    let (caller, reading) = new_key(&bot(300), &harvest(TEMPLATE, 987_654));
    assert_eq!(feed.gives_away(&caller, &reading, false, Timestamp(world.now)), None);
}

#[test]
fn a_group_that_was_too_small_before_is_named_after() {
    let mut world = World::before();
    world.template(0..4, old_key);
    assert_eq!(world.named(), 0);
    world.people(0..200, rotating);
    world.template(4..6, rotating);
    let before = world.named();
    world.template(6..40, new_key);
    assert_eq!((before, world.named()), (0, 1));
    assert!(world.linked_under(NEW, 0..40) >= 30, "{}", world.linked_under(NEW, 0..40));
}

#[test]
fn turns_are_counted_on_under_the_new_key() {
    let named = |later: Telling| {
        let mut world = World::before();
        let mut named = Vec::new();
        for round in 0..6 {
            for n in 0..40 {
                let content = world.fresh();
                world.now += (1 + mix(round) % 9) * MINUTE;
                let plain = Reading { wording: -3_000, ..harvest(TEMPLATE, content) };
                world.tell(if round < 2 { old_key } else { later }, &bot(n), &plain);
            }
            named.push(world.named());
        }
        named
    };
    let staying = named(old_key);
    assert_eq!((staying[1], staying[5]), (0, 1));
    assert_eq!(named(rotating), staying);
}

#[test]
fn nobody_becomes_two_parties_and_what_is_common_stays_common() {
    let mut world = World::before();
    // An app of few users, of which most take what most people take.
    for telling in [old_key as Telling, rotating, new_key] {
        for n in 0..5 {
            let content = world.fresh();
            world.tell(telling, &account(50_000 + n), &request(TEMPLATE, 1, content));
        }
    }
    let group = world.joiner.groups().find(|(key, _)| *key == name(NEW, mix(TEMPLATE))).unwrap().1;
    assert_eq!((group.parties(), world.named()), (5, 0));
    // After a few people in ten targets are as common as they were.
    let client = crate::campaign::population::Client::of;
    let target = |key: u64| {
        let (caller, reading) = under(key, &account(1), &request(0, 1, 1));
        world.joiner.population().targets.count(client(&caller, &reading).target)
    };
    assert_eq!((target(OLD), target(NEW)), (0, 255));
    assert_eq!(world.joiner.known(), 1_005);
}

#[test]
fn a_model_is_not_new_because_its_name_is() {
    let mut world = World::before();
    world.template(0..40, old_key);
    world.now += 30 * HOUR;
    world.template(0..40, rotating);
    world.people(0..200, rotating);
    world.template(0..40, new_key);
    assert_eq!(world.joiner.campaigns()[0].pivot, None);
}

#[test]
fn a_proxy_that_has_the_old_key_alone_is_understood_meanwhile() {
    let mut world = World::before();
    world.template(0..40, old_key);
    world.template(0..40, rotating);
    let known = world.joiner.known();
    // The same accounts, by way of the other proxy.
    world.template(0..40, old_key);
    assert_eq!(world.joiner.known(), known);
    world.template(100..120, old_key);
    assert!(world.linked_under(OLD, 100..120) >= 18, "{}", world.linked_under(OLD, 100..120));
    assert_eq!(world.named(), 1);
}
