//! Pools whose client programs bear several names, and users of tools.

use super::*;
use crate::campaign::feed::Feed;

/// A gateway whose people run programs of the first six names, whatever they take.
fn gateway() -> World {
    let mut world = World::new();
    for n in 0..120 {
        let content = world.fresh();
        world.send(&Caller { agent: program(n % 6, n % 4), ..account(20_000 + n) }, &request(0, n / 6 % 4, content));
    }
    world
}

/// The gateway once accounts with the programs and settings that `set_up` says have asked as people word it.
fn asking(accounts: u64, set_up: impl Fn(u64) -> (u64, u64)) -> World {
    let mut world = gateway();
    for n in 0..accounts {
        let (agent, settings) = set_up(n);
        let content = world.fresh();
        let reading = Reading { wording: -900, settings, ..harvest(TEMPLATE, content) };
        world.send(&Caller { agent, ..bot(n) }, &reading);
    }
    world
}

/// Whether that names a campaign.
fn named(accounts: u64, set_up: impl Fn(u64) -> (u64, u64)) -> bool {
    asking(accounts, set_up).named() > 0
}

/// Three names, each set in two ways.
fn pool(n: u64) -> (u64, u64) {
    (program(n % 3, n % 7), 90 + n / 3 % 2)
}

#[test]
fn programs_of_several_names_that_are_all_set_alike_are_a_pool_whatever_they_ask() {
    assert!(named(60, pool));
}

#[test]
fn but_it_is_not_confirmed_until_more_speaks_for_it() {
    let mut world = asking(60, pool);
    let told = |world: &mut World| {
        let mut feed = Feed::default();
        world.update(&mut feed);
        feed.confirms(0)
    };
    assert!(!told(&mut world));
    let blob = mix(world.fresh()) | 1;
    world.joiner.given(blob, &bot(7), Timestamp(world.now));
    let content = world.fresh();
    world.send(&Caller { agent: program(1, 0), ..bot(8) }, &Reading { blobs: vec![blob], ..request(0, 1, content) });
    assert!(told(&mut world), "a blob changed hands");
}

#[test]
fn nothing_is_made_of_a_prompt_that_is_plainly_a_services() {
    let mut world = gateway();
    for n in 0..200 {
        let (agent, settings) = pool(n);
        let content = world.fresh();
        world.send(&Caller { agent, ..bot(n) }, &Reading { wording: -2_000, settings, ..harvest(TEMPLATE, content) });
    }
    assert_eq!(world.named(), 0, "else whoever sends a firm's prompt has the firm refused");
}

#[test]
fn users_of_a_tool_are_none() {
    assert!(!named(200, |n| (program(1, n % 5), 90)), "several releases");
    assert!(!named(200, |n| (program(1, 0), 90 + n % 3)), "a choice of settings");
    assert!(!named(200, |n| (program(n % 2, 0), 90)), "two ends");
    assert!(
        !named(200, |n| (program(if n % 5 == 0 { n % 3 + 2 } else { 1 }, 0), 90 + n / 5 % 2)),
        "some changed its name"
    );
}

#[test]
fn nor_are_those_of_several_tools_that_meet_under_one_template() {
    assert!(!named(200, |n| (program(n % 4, 0), 90 + n % 4)));
}

#[test]
fn nor_are_unrelated_programs_that_are_each_set_as_their_users_like() {
    assert!(!named(200, |n| (program(n % 3, 0), 90 + n)));
}

#[test]
fn its_wording_is_not_held_against_who_is_set_up_as_a_pool_is() {
    let mut world = gateway();
    let mut ask = |n: u64, (agent, settings): (u64, u64)| {
        let content = world.fresh();
        world.send(&Caller { agent, ..bot(n) }, &Reading { wording: -900, settings, ..harvest(TEMPLATE, content) });
        world.linked(n..n + 1)
    };
    (0..80).for_each(|n| {
        ask(n, pool(n));
    });
    let linked: usize = (80..120).map(|n| ask(n, pool(n))).sum();
    assert!(linked >= 36, "{linked}");
    // One that has the template, too, but a program of its own, is whoever came upon it, or whose it is: set in the same way.
    assert_eq!((200..220).map(|n| ask(n, (program(50 + n, 0), 500 + n))).sum::<usize>(), 0);
    assert_eq!((300..320).map(|n| ask(n, (program(50, 0), 90 + n % 2))).sum::<usize>(), 0);
}

/// Whether one text that `accounts` of a set-up send so often each names a campaign.
fn sampled(accounts: u64, times: u64, set_up: impl Fn(u64) -> (u64, u64)) -> bool {
    let mut world = gateway();
    for n in (0..times).flat_map(|_| 0..accounts) {
        let (agent, settings) = set_up(n);
        let reading = Reading { settings, ..harvest(TEMPLATE, 4_242) };
        world.send(&Caller { agent, ..bot(n) }, &reading);
    }
    world.named() > 0
}

#[test]
fn one_text_that_a_pool_asks_again_and_again_is_harvested_too() {
    assert!(sampled(40, 3, pool));
    assert!(!sampled(40, 1, pool), "what is passed around is asked once");
    assert!(!sampled(40, 3, |n| (program(1, n % 2), 90)), "a probe of one tool");
}
