//! Harvests without a template.

use super::*;

/// A request under a key that two accounts in turn send: nobody else ever does.
fn varied(pair: u64, line: u64, content: u64) -> Reading {
    let skeleton = Skeleton { keys: vec![(Place::UserPart, mix(0x7777 ^ pair))] };
    Reading { skeleton, ..request(0, line, content) }
}

/// A question of the harvest: what one account asks another asks again, in other words.
fn bare(pair: u64, line: u64, wording: i32, content: u64) -> Reading {
    Reading { settings: 99, wording, ..varied(pair, line, content) }
}

impl World {
    /// A world in which people meet people: what one asks another asks, too.
    fn meeting() -> Self {
        let mut world = Self::new();
        for n in 0..1_000 {
            let content = world.fresh();
            world.send(&account(n), &varied(n / 2, n % 4, content));
        }
        world
    }

    /// Accounts that meet the one before and the one after, `line` saying what each takes.
    fn alike(&mut self, bots: std::ops::Range<u64>, wording: i32, line: impl Fn(u64) -> u64) {
        for n in bots {
            for pair in [n, n + 1] {
                let content = self.fresh();
                self.send(&bot(n), &bare(100_000 + pair, line(n), wording, content));
            }
        }
    }
}

#[test]
fn bare_questions_that_accounts_set_up_alike_ask_in_turn_name_a_campaign() {
    let mut world = World::meeting();
    world.alike(0..40, 900, |_| 1);
    assert_eq!(world.named(), 1);
    let campaign = &world.joiner.campaigns()[0];
    assert_eq!(campaign.story.family, Family::CohortSynchrony);
    assert!(campaign.families.contains(&Family::SkeletonSpread));
    // Who meets its accounts afterwards and is set up as they are is linked; a person who meets them is not.
    world.alike(39..60, 900, |_| 1);
    assert!(world.linked(40..60) >= 18, "{}", world.linked(40..60));
    for n in 0..20 {
        let content = world.fresh();
        world.send(&account(n), &varied(100_000 + n, n % 4, content));
    }
    let linked = |n: &u64| world.joiner.account(account(*n).account).is_some_and(|account| account.link.is_some());
    assert_eq!((0..1_000).filter(linked).count(), 0);
}

/// The campaigns that accounts name which meet the three before and after them, each with a program of its name and wording that says
/// next to nothing.
fn named_by(name: impl Fn(u64) -> u64) -> usize {
    named_with(name, |_| 1, |_| 0)
}

/// The same where each takes a line of models, and has a template, too; 0: none.
fn named_with(name: impl Fn(u64) -> u64, line: impl Fn(u64) -> u64, template: impl Fn(u64) -> u64) -> usize {
    let mut world = World::new();
    for n in 0..1_000 {
        let content = world.fresh();
        world.send(&Caller { agent: program(n % 12, 0), ..account(20_000 + n) }, &varied(n / 2, n % 4, content));
    }
    for n in 0..60 {
        for pair in n..n + 4 {
            let content = world.fresh();
            let mut reading = bare(100_000 + pair, line(n), 50, content);
            if template(n) != 0 {
                reading.skeleton.keys.push((Place::System, mix(template(n))));
            }
            world.send(&Caller { agent: program(name(n), n % 3), ..bot(n) }, &reading);
        }
    }
    world.named()
}

#[test]
fn a_pool_of_few_programs_that_are_set_in_one_way_names_one_whatever_its_wording_says() {
    assert_eq!(named_by(|n| n % 3), 1);
}

#[test]
fn but_neither_does_an_app_nor_do_people_who_are_set_alike() {
    assert_eq!(named_by(|_| 0), 0, "an app");
    assert_eq!(named_by(|n| if n % 5 == 0 { n % 3 } else { 0 }), 0, "an app, and others that are set as it is");
    assert_eq!(named_by(|n| n % 12), 0, "people run whatever there is");
}

#[test]
fn nor_do_users_of_tools_that_are_made_of_the_same_phrases() {
    // Each tool comes with two lines of models.
    let line = |n| 1 + n / 3 % 2;
    assert_eq!(named_with(|n| n % 3, line, |n| 700 + n % 3), 0);
    assert_eq!(named_with(|n| n % 3, line, |n| 700 + n), 2, "a prompt of each one's own is no template");
}

#[test]
fn users_of_one_app_who_ask_alike_do_not() {
    let mut world = World::meeting();
    world.alike(0..200, -300, |_| 1);
    assert_eq!(world.named(), 0);
}

#[test]
fn accounts_set_up_alike_that_take_many_things_do_not() {
    let mut world = World::meeting();
    world.alike(0..200, 900, |n| n % 4);
    assert_eq!(world.named(), 0);
}

#[test]
fn kin_are_nobody_where_a_family_of_theirs_is_switched_off() {
    for family in [Family::SkeletonSpread, Family::CohortSynchrony] {
        let mut world = World::with(&without(&[family]), Limits::default());
        world.alike(0..60, 900, |_| 1);
        assert_eq!(world.named(), 0, "{family:?}");
    }
}

#[test]
fn one_program_set_in_several_ways_for_one_target_is_one_campaign() {
    let mut world = World::meeting();
    let ask = |world: &mut World, bots: std::ops::Range<u64>, settings: u64| {
        for n in bots {
            for pair in [n, n + 1] {
                let content = world.fresh();
                world.send(&bot(n), &Reading { settings, ..bare(100_000 + pair, 1, 900, content) });
            }
        }
    };
    ask(&mut world, 0..20, 99);
    assert_eq!(world.named(), 1);
    // Another stage of its pipeline, whose accounts meet each other alone.
    ask(&mut world, 100..120, 98);
    assert_eq!(world.named(), 1);
    assert!(world.linked(100..120) >= 18, "{}", world.linked(100..120));
}
