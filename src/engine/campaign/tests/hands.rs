//! What goes from hand to hand: blobs, conversations.

use super::*;
use crate::digest::conversation::Conversation;
use crate::rules::DigestName;
use crate::rules::lists::Migration;

/// Blobs, conversations and refused bodies that go through the hands of several accounts; the campaigns that gives.
fn hands(document: &Document) -> (usize, Vec<Family>) {
    let mut world = World::with(document, Limits::default());
    for n in 1..20 {
        let (content, blob) = (world.fresh(), mix(world.fresh()) | 1);
        world.joiner.given(blob, &bot(0), Timestamp(world.now));
        let replay = Reading { blobs: vec![blob], ..request(0, 1, content) };
        world.send(&bot(n), &replay);
    }
    let families = world.joiner.campaigns().iter().flat_map(|campaign| campaign.families.clone()).collect();
    (world.named(), families)
}

#[test]
fn blobs_in_foreign_hands_name_a_campaign() {
    let (named, families) = hands(&Document::default());
    assert_eq!(named, 1);
    assert!(families.contains(&Family::BlobProvenance));
    assert_eq!(hands(&without(&[Family::BlobProvenance])).0, 0);
}

#[test]
fn declared_migrations_are_no_theft() {
    let name = |caller: Caller| DigestName::new(caller.account);
    let migration = |n| Migration { from: name(bot(0)), to: name(bot(n)), ..Migration::default() };
    let document = Document { migrations: (1..20).map(migration).collect(), ..Document::default() };
    assert_eq!(hands(&document), (0, Vec::new()));
}

/// Campaigns that conversations give which go on under another account; `pairs` are the givers and takers.
fn moved(document: &Document, pairs: impl Iterator<Item = (u64, u64)>) -> usize {
    moved_by(document, pairs, |_| 99)
}

/// The same where each account is set in its way.
fn moved_by(document: &Document, pairs: impl Iterator<Item = (u64, u64)>, settings: impl Fn(u64) -> u64) -> usize {
    let mut world = World::with(document, Limits::default());
    for (from, to) in pairs {
        let (first, second) = (mix(world.fresh()), mix(world.fresh()));
        let turn = |whole, parent, content| Reading {
            conversation: Conversation { whole, parent, answers: 1, parent_bytes: 500, bytes: 500 },
            ..request(0, 1, content)
        };
        let contents = [world.fresh(), world.fresh()];
        world.send(&bot(from), &Reading { settings: settings(from), ..turn(first, 0, contents[0]) });
        world.send(&bot(to), &Reading { settings: settings(to), ..turn(second, first, contents[1]) });
    }
    world.named()
}

#[test]
fn conversations_in_foreign_hands_name_a_campaign_unless_that_is_switched_off() {
    for (off, named) in [(&[][..], 1), (&[Family::PrefixContinuity], 0)] {
        assert_eq!(moved(&without(off), (0..20).map(|n| (n, n + 1))), named, "{off:?}");
    }
    // Two chains become one as soon as a hand of one meets one of the other.
    let chains = [(0, 1), (1, 2), (10, 11), (11, 12), (2, 10)];
    assert_eq!(moved(&Document::default(), chains.into_iter()), 1);
}

#[test]
fn accounts_that_pass_things_among_a_few_of_their_own_are_no_campaign_however_many_they_are() {
    let regions = (0..60).map(|n| (3 * (n % 20) + n % 3, 3 * (n % 20) + (n + 1) % 3));
    assert_eq!(moved(&Document::default(), regions), 0);
}

#[test]
fn what_is_sold_on_to_buyers_of_many_programs_is_a_campaign_from_four_hands_and_a_service_in_four_regions_is_none() {
    let document = Document::default();
    assert_eq!(moved_by(&document, (0..3).map(|n| (n, n + 1)), |n| n), 1);
    assert_eq!(moved_by(&document, (0..40).map(|n| (n % 4, (n + 1) % 4)), |n| n / 2), 0);
    assert_eq!(moved_by(&document, (0..2).map(|n| (n, n + 1)), |n| n), 0);
}

#[test]
fn a_conversation_of_a_campaign_links_only_hands_that_could_be_its_own() {
    for (hand, linked) in [(bot(900), true), (Caller { agent: 3, ..account(900) }, false)] {
        let mut world = World::new();
        world.harvests(0..60, TEMPLATE);
        let (first, second) = (mix(world.fresh()), mix(world.fresh()));
        let turn = |whole, parent| Conversation { whole, parent, answers: 1, parent_bytes: 500, bytes: 500 };
        world.send(&bot(5), &Reading { conversation: turn(first, 0), ..harvest(TEMPLATE, first) });
        let settings = if linked { 99 } else { 7 };
        world.send(&hand, &Reading { conversation: turn(second, first), settings, ..request(0, 1, second) });
        assert_eq!(world.joiner.account(hand.account).is_some_and(|account| account.link.is_some()), linked);
    }
}
