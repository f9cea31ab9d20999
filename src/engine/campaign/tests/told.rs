//! What proxies are told.

use super::*;
use crate::campaign::criteria::LINK;
use crate::campaign::feed::Feed;
use crate::time::DAY;

#[test]
fn the_whole_feed_says_what_the_changes_said() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    let now = Timestamp(world.now);
    let mut told = Feed::default();
    world.update(&mut told);
    for crowd in [usize::MAX, 20] {
        let whole = fed(&world.joiner.feed(crowd, now));
        for n in 0..60 {
            let of = |feed: &Feed| feed.account(bot(n).account, now).map(|linked| (linked.campaign, linked.until));
            assert_eq!(of(&told).is_some(), of(&whole).is_some(), "{n}");
        }
        let newcomer = harvest(TEMPLATE, 987_654);
        let score = |feed: &Feed| feed.gives_away(&bot(900), &newcomer, false, now).map(|given| given.campaign);
        assert_eq!((score(&told), score(&whole)), (Some(0), Some(0)));
        assert_eq!(whole.accounts() < 30, crowd == 20);
    }
}

#[test]
fn a_crowd_says_of_an_account_what_was_said_of_it_alone() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    let (now, document) = (Timestamp(world.now), Document::default());
    let rungs = [document.thresholds.throttle.0, document.thresholds.block.0];
    let mut linked: Vec<u64> = (0..60).filter(|&n| world.linked(n..n + 1) == 1).map(|n| bot(n).account).collect();
    linked.sort_unstable();
    // From barely linked to far beyond a block, and two that nobody else is as sure as.
    for (&account, n) in linked.iter().zip(0..) {
        let link = world.joiner.accounts.get(account).and_then(|known| known.link.as_mut()).unwrap();
        link.score = if n < 2 { 30_000 } else { LINK + n % 5 * 1_100 };
    }
    let feed = |crowd: usize| {
        let changes = world.joiner.feed(crowd, now);
        (changes.iter().filter(|change| matches!(change, Change::Crowd { .. })).count(), fed(&changes))
    };
    let ((none, alone), (crowds, told)) = (feed(usize::MAX), feed(20));
    assert_eq!((none, crowds, told.accounts()), (0, 5, 2));
    for account in linked {
        let [before, after] = [&alone, &told].map(|feed| feed.account(account, now).unwrap().score);
        assert!((before - 500..=before).contains(&after), "{before} {after}");
        assert_eq!(rungs.map(|from| before >= from), rungs.map(|from| after >= from));
    }
}

#[test]
fn a_prompt_out_of_a_public_set_gives_an_account_of_a_sweep_away_at_once() {
    let mut world = World::new();
    let swept = |content| Reading { corpus: true, wording: 200, settings: 99, ..request(0, 1, content) };
    for n in 0..40 {
        let content = world.fresh();
        world.send(&bot(n), &swept(content));
    }
    assert_eq!(world.named(), 1);
    let (mut feed, now) = (Feed::default(), Timestamp(world.now));
    world.update(&mut feed);
    let given = feed.gives_away(&bot(900), &swept(987_654), false, now).unwrap();
    assert!(given.by == Family::CorpusSweep && given.score() >= LINK, "{given:?}");
    assert_eq!(feed.gives_away(&bot(900), &Reading { corpus: false, ..swept(987_654) }, false, now), None);
    // Somebody else's prompt out of the same set: another program, set another way.
    assert_eq!(feed.gives_away(&account(5), &Reading { settings: 7, ..swept(987_654) }, false, now), None);
}

#[test]
fn a_blob_of_another_gives_an_account_of_a_pool_that_replays_away_at_once_and_nobody_else() {
    let mut world = World::new();
    for n in 0..40 {
        world.pass(&bot(n), &bot(n + 1), 99);
    }
    assert_eq!(world.named(), 1);
    let (mut feed, now) = (Feed::default(), Timestamp(world.now));
    world.update(&mut feed);
    let replay = Reading { settings: 99, ..request(0, 1, 987_654) };
    let given = feed.gives_away(&bot(900), &replay, true, now).unwrap();
    assert!(given.by == Family::BlobProvenance && !given.telling && given.score() >= LINK, "{given:?}");
    assert_eq!(feed.gives_away(&bot(900), &replay, false, now), None);
    // Somebody's second key: another program, set another way; or another model.
    let score =
        |caller: &Caller, reading: &Reading| feed.gives_away(caller, reading, true, now).map_or(0, |of| of.score());
    assert!(score(&account(5), &Reading { settings: 7, ..replay.clone() }) < LINK);
    assert!(score(&bot(900), &Reading { line: 2, ..replay }) < LINK);
}

#[test]
fn a_key_is_a_campaigns_where_half_of_those_who_send_it_are_linked_and_the_rest_are_set_up_as_they_are() {
    let same = |reading: Reading| Reading { content: 5, ..reading };
    let told = |rest: fn(u64) -> (Caller, Reading)| {
        let mut world = World::new();
        world.harvests(0..40, TEMPLATE);
        for n in 10..15 {
            world.send(&bot(n), &same(harvest(OTHER_TEMPLATE, n)));
            let (caller, reading) = rest(500 + n);
            world.send(&caller, &same(reading));
        }
        world.attached(OTHER_TEMPLATE)
    };
    assert!(told(|n| (bot(n), harvest(OTHER_TEMPLATE, n))));
    // People send it, too; so do others for whom it is one of many models.
    assert!(!told(|n| (account(n), request(OTHER_TEMPLATE, 1, n))));
    assert!(!told(|n| (bot(n), Reading { line: n, ..harvest(OTHER_TEMPLATE, n) })));
}

#[test]
fn another_template_of_a_known_operator_needs_less_than_one_of_somebody_elses() {
    let from = |sender: fn(u64) -> (Caller, u64)| {
        let mut world = World::new();
        world.harvests(0..60, TEMPLATE);
        (1..40).find(|n| {
            let ((caller, settings), content) = (sender(2_000 + n), world.fresh());
            world.send(&caller, &Reading { settings, wording: 100, ..request(OTHER_TEMPLATE, 1, content) });
            world.attached(OTHER_TEMPLATE)
        })
    };
    let (known, other) = (from(|n| (bot(n), 99)), from(|n| (account(n), n)));
    assert!(known.is_some_and(|known| other.is_none_or(|other| known * 3 < other * 2)), "{known:?}, {other:?}");
}

#[test]
fn people_with_two_keys_each_are_no_pool_whose_blobs_give_others_away() {
    let mut world = World::new();
    for n in 0..40 {
        world.pass(&account(2 * n), &account(2 * n + 1), 99);
    }
    assert_eq!(world.named(), 0);
    assert!(world.joiner.take_changes().is_empty());
}

#[test]
fn proxies_are_told_again_of_what_is_still_in_use() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    world.joiner.take_changes();
    world.now += 100 * HOUR;
    // But for the first, whose template it was and who is not linked.
    world.harvests(0..6, TEMPLATE);
    let told = world.joiner.take_changes();
    let accounts = told.iter().filter(|change| matches!(change, Change::Account { .. })).count();
    assert_eq!(accounts, 5);
    assert!(told.iter().any(|change| matches!(change, Change::Key { .. })));
}

#[test]
fn what_was_told_under_a_clock_that_was_ahead_is_not_told_for_longer() {
    let mut world = World::new();
    let right = world.now;
    world.now += 365 * DAY;
    world.harvests(0..40, TEMPLATE);
    world.joiner.take_changes();
    world.now = right;
    let latest = Timestamp(right + 8 * DAY);
    let soon = |change: &Change| match change {
        Change::Account { until, .. } | Change::Key { until, .. } => *until < latest,
        _ => true,
    };
    assert!(world.joiner.feed(usize::MAX, Timestamp(right)).iter().all(soon));
    world.harvests(0..6, TEMPLATE);
    let told = world.joiner.take_changes();
    assert!(told.iter().all(soon));
    assert_eq!(told.iter().filter(|change| matches!(change, Change::Account { .. })).count(), 5);
}

#[test]
fn only_who_reads_like_a_person_or_takes_something_else_speaks_against_a_campaigns_key() {
    let others = |wording: i32, line: u64| {
        let mut world = World::new();
        world.harvests(0..40, TEMPLATE);
        for n in 2_000..2_100 {
            let content = world.fresh();
            world.send(&account(n), &Reading { wording, ..request(TEMPLATE, line, content) });
        }
        let mut groups = world.joiner.groups().filter(|(key, _)| *key == mix(TEMPLATE));
        groups.next().map(|(_, group)| group.others)
    };
    // Whose template it was is not linked.
    assert_eq!(others(-400, 1), Some(1));
    assert!(
        others(-1_400, 1) > Some(60) && others(-400, 2) > Some(60),
        "{:?} {:?}",
        others(-1_400, 1),
        others(-400, 2)
    );
}
