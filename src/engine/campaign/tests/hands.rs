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
fn firms_that_try_turns_of_published_dialogues_in_no_order_hand_each_other_nothing() {
    let mut world = World::new();
    // Of forty dialogues of eight turns each, every firm sends some turn of some, with all that comes before it.
    let digest = |dialogue: u64, turn: u64| if turn == 0 { 0 } else { mix(dialogue * 8 + turn) | 1 };
    for n in 0..1_600 {
        let (firm, dialogue, turn) = (mix(n) % 8, mix(n ^ 0x1111) % 40, mix(n ^ 0x2222) % 8 + 1);
        let (whole, parent) = (digest(dialogue, turn), digest(dialogue, turn - 1));
        let answers = u16::from(turn > 1);
        let conversation = Conversation { whole, parent, answers, parent_bytes: 500, bytes: 500 };
        world.send(&bot(firm), &Reading { conversation, settings: firm, ..request(0, 1, dialogue * 8 + turn) });
    }
    assert_eq!(world.named(), 0);
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

/// A world with a campaign, and a firm that has asked so much with its system prompt, if it has one.
fn firm(requests: u64, prompt: u64) -> (World, Caller) {
    let (mut world, firm) = (World::new(), Caller { agent: 9, ..account(9_000) });
    world.harvests(0..60, TEMPLATE);
    for _ in 0..requests {
        let content = world.fresh();
        world.send(&firm, &bare(prompt, content));
    }
    (world, firm)
}

/// A chat, set as the campaign is; with a system prompt, unless that is 0.
fn bare(prompt: u64, content: u64) -> Reading {
    let conversation = Conversation { whole: mix(content ^ 0x77) | 1, bytes: 500, ..Conversation::default() };
    let mut reading = Reading { settings: 99, conversation, ..request(prompt, 1, content) };
    reading.skeleton.keys.truncate(usize::from(prompt != 0));
    reading
}

impl World {
    /// A campaign's account is refused something, and another sends it; whether that is linked now.
    fn echoed(&mut self, from: u64, refused: &Reading, by: &Caller, sent: &Reading) -> bool {
        self.now += MINUTE;
        self.send(&bot(from), refused);
        self.joiner.refused(&bot(from), refused, Timestamp(self.now));
        self.send(by, sent);
        self.joiner.account(by.account).is_some_and(|account| account.link.is_some())
    }
}

#[test]
fn who_has_a_firms_service_send_what_he_was_refused_does_not_make_it_one_of_his() {
    const PROMPT: u64 = 4_444;
    let (mut world, service) = firm(60, PROMPT);
    for from in 5..9 {
        let content = world.fresh();
        // He has not the firm's prompt; or he has, and sends it as the firm does.
        assert!(!world.echoed(from, &bare(0, content), &service, &bare(PROMPT, content)), "{from}");
        assert!(!world.echoed(from, &bare(PROMPT, content + 900), &service, &bare(PROMPT, content + 900)), "{from}");
    }
    // Nor does what the firm itself is refused, and he sends.
    let content = world.fresh();
    let asked = bare(PROMPT, content);
    world.send(&service, &asked);
    world.joiner.refused(&service, &asked, Timestamp(world.now));
    world.send(&bot(5), &asked);
    assert_eq!(world.joiner.account(service.account).unwrap().link, None);
}

#[test]
fn of_who_has_long_gone_his_way_a_single_echo_proves_nothing_and_of_a_new_account_it_does() {
    for (requests, echoes) in [(0, 1), (10, 1), (60, 2)] {
        let (mut world, next) = firm(requests, 0);
        let mut linked = |from: u64| {
            let content = world.fresh();
            world.echoed(from, &bare(0, content), &next, &bare(0, content))
        };
        // Not by one account either, however often.
        let single = [5, 5].map(&mut linked);
        assert_eq!(single, [echoes == 1; 2], "{requests}");
        assert!(linked(6));
    }
}
