//! Who shares something and is no campaign.

use super::*;
use crate::campaign::criteria::LINK;
use crate::campaign::named::Campaign;

#[test]
fn a_popular_app_over_many_targets_names_no_campaign() {
    let mut world = World::new();
    for n in 0..400 {
        let content = world.fresh();
        world.send(&account(50_000 + n), &request(TEMPLATE, n % 4, content));
    }
    assert_eq!(world.named(), 0);
}

/// Unrelated accounts that send one template for one target, worded so, from a program that is set in so many ways.
fn users(accounts: u64, agent: u64, ways: u64, wording: i32) -> World {
    let mut world = World::new();
    for n in 0..accounts {
        let content = world.fresh();
        let reading = Reading { wording, settings: 99 + n % ways, ..harvest(TEMPLATE, content) };
        world.send(&Caller { agent, ..bot(n) }, &reading);
    }
    world
}

#[test]
fn nor_do_users_of_a_tool_that_comes_with_one_model_and_who_read_like_people() {
    let named = |wording| users(400, 9, 1, wording).named();
    assert_eq!([-400, 0, 200, 300].map(named), [0, 0, 0, 1], "one program, set in one way: wording has to speak");
}

#[test]
fn where_wording_says_nothing_one_target_of_several_programs_or_ways_to_set_them_is_a_harvests() {
    let named = |programs: u64, ways: u64, wording: i32| {
        let mut world = World::new();
        for n in 0..400 {
            let content = world.fresh();
            let caller = Caller { agent: program(1 + n % programs, 0), ..bot(n) };
            (10_000..10_003)
                .for_each(|other| world.send(&Caller { agent: caller.agent, ..account(other) }, &request(0, n % 4, n)));
            world.send(&caller, &Reading { wording, settings: 50 + n % ways, ..harvest(TEMPLATE, content) });
        }
        world.named()
    };
    assert_eq!([(1, 1), (3, 1), (1, 3)].map(|(programs, ways)| named(programs, ways, 0)), [0, 1, 1]);
    assert_eq!([(3, 1), (1, 3)].map(|(programs, ways)| named(programs, ways, -400)), [0, 0]);
}

#[test]
fn nor_do_users_of_an_app_that_has_a_client_program_of_its_own_unless_they_read_like_a_harvest() {
    let named = |agent: u64, wording: i32| users(400, agent, 1, wording).named();
    // The name of the people's programs is used for anything.
    assert_eq!([program(7, 0), 9].map(|agent| named(agent, 300)), [0, 1]);
    assert_eq!([1_400, 1_600].map(|wording| named(program(7, 0), wording)), [0, 1]);
}

#[test]
fn a_campaigns_story_tells_what_its_focus_was_held_to() {
    let basis = |agent: u64, ways: u64| {
        let world = users(100, agent, ways, 3_000);
        world.joiner.campaigns().first().map(|campaign| campaign.story.worth.basis)
    };
    assert_eq!(basis(9, 3), Some(Basis::Targets));
    assert_eq!(basis(9, 1), Some(Basis::Alike));
    assert_eq!(basis(program(7, 0), 3), Some(Basis::Tool));
}

#[test]
fn wording_confirms_a_campaign_where_it_is_plainly_a_harvests_and_its_accounts_are_no_tools_users() {
    let confirmed = |agent: u64, ways: u64, wording| {
        let world = users(100, agent, ways, wording);
        assert_eq!(world.named(), 1);
        world.joiner.campaigns().first().is_some_and(Campaign::confirmed)
    };
    assert_eq!([300, 900, 1_100].map(|wording| confirmed(9, 3, wording)), [false, false, true]);
    // One program, set in one way; and one that nobody runs for anything else.
    assert!(!confirmed(9, 1, 3_000) && !confirmed(program(7, 0), 3, 3_000));
}

#[test]
fn nor_do_keys_of_one_organisation() {
    let mut world = World::new();
    for n in 0..200 {
        let content = world.fresh();
        world.send(&Caller { organisation: 5, ..bot(n) }, &harvest(TEMPLATE, content));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn nor_do_keys_of_one_network() {
    let mut world = World::new();
    for n in 0..200 {
        let content = world.fresh();
        world.send(&Caller { network: 5, ..bot(n) }, &harvest(TEMPLATE, content));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn a_firms_own_prompt_from_throw_away_accounts_does_not_link_the_firm() {
    let mut world = World::new();
    // Three keys of one network, whose client and model the throw-away accounts imitate.
    let firm = |n: u64| Caller { network: 5, ..bot(9_000 + n % 3) };
    for n in 0..150 {
        let content = world.fresh();
        world.send(&firm(n), &harvest(TEMPLATE, content));
    }
    world.harvests(0..200, TEMPLATE);
    for n in 0..50 {
        let content = world.fresh();
        world.send(&firm(n), &harvest(TEMPLATE, content));
    }
    assert_eq!(world.named(), 1);
    assert!(world.linked(0..200) >= 190, "{}", world.linked(0..200));
    assert_eq!(world.linked(9_000..9_003), 0);
}

#[test]
fn nor_do_parts_of_a_firms_prompt_that_the_throw_away_accounts_sent_first() {
    let mut world = World::new();
    let firm = Caller { network: 5, ..bot(9_000) };
    // A template with one part in between, of a few that come with the payload.
    let parted = |part: u64, content: u64| {
        let mut reading = harvest(TEMPLATE, content);
        reading.skeleton.keys.push((Place::UserPart, mix(900 + part)));
        reading
    };
    for _ in 0..20 {
        let content = world.fresh();
        world.send(&firm, &parted(0, content));
    }
    for n in 0..200 {
        let content = world.fresh();
        world.send(&bot(n), &parted(n % 8, content));
    }
    for n in 0..40 {
        let content = world.fresh();
        world.send(&firm, &parted(n % 8, content));
    }
    assert!(world.linked(0..200) >= 190, "{}", world.linked(0..200));
    assert_eq!(world.linked(9_000..9_001), 0);
}

#[test]
fn who_has_only_examples_in_common_with_a_campaign_is_linked_to_it_and_not_blocked() {
    // What a paper put between the beginning and the end of a prompt is in others', too.
    let between = |mut reading: Reading| {
        reading.skeleton.keys.push((Place::UserPart, mix(900)));
        reading
    };
    let mut world = World::new();
    for n in 0..200 {
        let content = world.fresh();
        world.send(&bot(n), &between(harvest(TEMPLATE, content)));
    }
    let block = Document::default().thresholds.block.0;
    let score =
        |world: &World, n| world.joiner.account(bot(n).account).and_then(|known| known.link).map(|link| link.score);
    assert!(score(&world, 100) >= Some(block));
    // All keys of an evaluation, with the harvest's program, settings and wording.
    for n in 0..60 {
        let content = world.fresh();
        world.send(&bot(5_000 + n % 6), &between(harvest(0, content)));
    }
    for n in 5_000..5_006 {
        assert!(score(&world, n).is_some_and(|score| (LINK..block).contains(&score)), "{:?}", score(&world, n));
    }
    // Until one sends the template as well.
    let content = world.fresh();
    world.send(&bot(5_000), &harvest(TEMPLATE, content));
    assert!(score(&world, 5_000) >= Some(block));
}

#[test]
fn a_text_of_which_every_part_becomes_a_campaigns_key_counts_once_for_who_sent_it_once() {
    let mut world = World::new();
    (0..6_000).for_each(|n| world.person(n % 1_000));
    world.harvests(0..200, TEMPLATE);
    // A public prompt, many parts long, with some words of their own around it: one account after the other sends it, a person among them.
    let public = |mut reading: Reading| {
        reading.skeleton.keys.extend((0..8).map(|part| (Place::UserPart, mix(900 + part))));
        reading
    };
    let person = Caller { agent: 9, ..account(77_000) };
    for n in 0..20 {
        let content = world.fresh();
        world.send(&bot(n), &public(harvest(0, content)));
        if n == 0 {
            let content = world.fresh();
            world.send(&person, &public(Reading { wording: -1_000, ..harvest(0, content) }));
        }
    }
    let groups = world.joiner.groups().filter(|(_, group)| group.campaign.is_some()).count();
    assert!(groups > 8, "{groups}");
    let known = world.joiner.account(person.account).unwrap();
    assert_eq!((known.requests, known.matches), (1, 1));
}

#[test]
fn a_viral_prompt_names_none() {
    let mut world = World::new();
    for n in 0..400 {
        world.send(&account(50_000 + n), &request(TEMPLATE, 1, 4_242));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn people_who_share_nothing_with_a_campaign_stay_unlinked() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    (0..1_000).for_each(|n| world.person(n));
    let linked = |n: &u64| world.joiner.account(account(*n).account).is_some_and(|account| account.link.is_some());
    assert_eq!((0..1_000).filter(linked).count(), 0);
}

#[test]
fn a_class_that_pastes_one_assignment_into_one_program_is_no_campaign_and_a_harvest_as_small_is() {
    let mut world = World::new();
    let ask = |world: &mut World, n, template| {
        let content = world.fresh();
        world.send(&account(n), &Reading { wording: 600, ..request(template, 1, content) });
    };
    // Most of them ask once, some a second time.
    (2_000..2_040).for_each(|n| ask(&mut world, n, TEMPLATE));
    (2_000..2_030).for_each(|n| ask(&mut world, n, TEMPLATE));
    assert_eq!(world.named(), 0);
    (0..2).for_each(|_| (3_000..3_040).for_each(|n| ask(&mut world, n, OTHER_TEMPLATE)));
    assert_eq!(world.named(), 1);
}

#[test]
fn a_harvest_that_never_comes_back_is_named_once_it_is_larger_than_a_class() {
    let mut world = World::new();
    for n in 0..60 {
        let content = world.fresh();
        world.send(&bot(n), &Reading { wording: 400, ..harvest(TEMPLATE, content) });
        assert_eq!(world.named() > 0, n >= 47, "{n}");
    }
}

#[test]
fn one_program_in_common_and_words_that_anybody_uses_link_nobody() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    // What the campaign sends, everybody sends now.
    for n in 0..1_000 {
        let content = world.fresh();
        world.send(&account(n), &request(TEMPLATE, n % 4, content));
    }
    let content = world.fresh();
    let (likewise, reading) = (bot(900), Reading { wording: 100, ..harvest(TEMPLATE, content) });
    world.send(&likewise, &reading);
    assert_eq!(world.linked(900..901), 0);
    let feed = world.feed();
    assert_eq!(feed.gives_away(&likewise, &reading, false, Timestamp(world.now)), None);
}

#[test]
fn a_weak_key_in_one_of_many_requests_is_chance_and_in_the_first_it_is_none() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    for n in 0..150 {
        let content = world.fresh();
        world.send(&account(n), &request(TEMPLATE, n % 4, content));
    }
    let asks = |world: &mut World, n, template, wording| {
        let content = world.fresh();
        world.send(&Caller { agent: 3, ..bot(n) }, &Reading { wording, ..harvest(template, content) });
    };
    // Both word what they ask as plainly.
    (0..8).for_each(|_| asks(&mut world, 900, 0, 1_000));
    asks(&mut world, 900, TEMPLATE, 1_000);
    asks(&mut world, 901, TEMPLATE, 4_000);
    assert_eq!((world.linked(900..901), world.linked(901..902)), (0, 1));
}

#[test]
fn who_looks_like_its_accounts_and_uses_words_of_theirs_is_never_blocked_by_that() {
    let weak = mix(900);
    let sends = |world: &mut World, caller: &Caller, with: bool, reading: Reading| {
        let mut reading = reading;
        reading.skeleton.keys.extend(with.then_some((Place::UserPart, weak)));
        world.send(caller, &reading);
    };
    let mut world = World::new();
    for n in 0..400 {
        let content = world.fresh();
        sends(&mut world, &bot(n), n % 4 == 0, harvest(TEMPLATE, content));
    }
    for n in 0..1_000 {
        let content = world.fresh();
        sends(&mut world, &account(n), n % 20 == 0, request(0, n % 4, content));
    }
    assert_eq!(world.named(), 1);
    // Their model, their program, set as theirs are; one of their networks, too.
    let alike = Caller { network: bot(3).network, ..bot(7_000) };
    for _ in 0..3 {
        let content = world.fresh();
        sends(&mut world, &alike, true, Reading { settings: 99, ..request(0, 1, content) });
    }
    let account = world.joiner.account(alike.account).unwrap();
    let (score, block) = (account.link.map_or(0, |link| link.score), Document::default().thresholds.block.0);
    assert!(account.matches == 0 && (LINK..block).contains(&score), "{account:?}");
}

#[test]
fn nor_do_users_of_an_app_who_all_move_on_when_a_model_is_retired() {
    let named = |moved: u64| {
        let mut world = World::new();
        let take = |world: &mut World, caller: &Caller, template: u64, line: u64| {
            let content = world.fresh();
            world.send(caller, &Reading { wording: 0, ..request(template, line, content) });
        };
        (0..1_000).for_each(|n| take(&mut world, &account(n), 0, 8));
        (0..moved).for_each(|n| take(&mut world, &account(n), 0, 9));
        (3_000..3_060).for_each(|n| take(&mut world, &account(n), TEMPLATE, 9));
        world.named()
    };
    assert_eq!((named(40), named(900)), (1, 0));
}
