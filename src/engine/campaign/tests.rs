//! What the second tier does with whole populations.

use super::criteria::{Criteria, LINK};
use super::feed::{Change, Feed};
use super::joiner::{Joiner, Limits};
use crate::caller::Caller;
use crate::dialect::Dialect;
use crate::digest::Reading;
use crate::digest::conversation::Conversation;
use crate::digest::skeleton::{Place, Skeleton};
use crate::digest::words::mix;
use crate::rules::lists::Migration;
use crate::rules::{DigestName, Document, Family};
use crate::time::{HOUR, MINUTE, SECOND, Timestamp};

mod kin;
mod retention;
mod rotation;

const START: u64 = 1_790_000_000_000;
/// Marks of what a template's requests have in common.
const TEMPLATE: u64 = 77;
const OTHER_TEMPLATE: u64 = 78;

/// A gateway's traffic: the tier and its clock.
struct World {
    joiner: Joiner,
    now: u64,
    asked: u64,
}

/// A person: an account with a network of its own.
fn account(n: u64) -> Caller {
    Caller { account: mix(n) | 1, organisation: 0, network: mix(n ^ 0xabcd) | 1, agent: n % 5 + 1, ..Caller::default() }
}

/// An account of an operator: all run one program.
fn bot(n: u64) -> Caller {
    Caller { agent: 9, ..account(1_000_000 + n) }
}

/// A request with a skeleton; 0: one nobody else has. Everything else is its own.
fn request(template: u64, line: u64, content: u64) -> Reading {
    let key = if template == 0 { mix(content ^ 0x5555) } else { mix(template) };
    let skeleton = Skeleton { keys: vec![(Place::System, key)] };
    Reading {
        dialect: Some(Dialect::Messages),
        model: line * 10,
        line,
        settings: content % 40,
        skeleton,
        content: mix(content),
        wording: -200,
        ..Reading::default()
    }
}

/// A request of the harvest: one setting of the client, wording that leans a little.
fn harvest(template: u64, content: u64) -> Reading {
    Reading { settings: 99, wording: 400, ..request(template, 1, content) }
}

impl World {
    /// A tier that knows a thousand people who take four lines of models.
    fn with(document: &Document, limits: Limits) -> Self {
        let mut world = Self { joiner: Joiner::new(limits, Criteria::of(document)), now: START, asked: 0 };
        for n in 0..1_000 {
            world.person(n);
        }
        world
    }

    fn new() -> Self {
        Self::with(&Document::default(), Limits::default())
    }

    fn person(&mut self, n: u64) {
        let content = self.fresh();
        self.send(&account(n), &request(0, n % 4, content));
    }

    fn fresh(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    fn send(&mut self, caller: &Caller, reading: &Reading) {
        self.now += SECOND;
        self.joiner.observe(caller, reading, Timestamp(self.now));
    }

    fn harvests(&mut self, bots: std::ops::Range<u64>, template: u64) {
        for n in bots {
            let content = self.fresh();
            self.send(&bot(n), &harvest(template, content));
        }
    }

    fn named(&self) -> usize {
        self.joiner.campaigns().len()
    }

    fn linked(&self, bots: std::ops::Range<u64>) -> usize {
        bots.filter(|n| self.joiner.account(bot(*n).account).is_some_and(|account| account.link.is_some())).count()
    }
}

/// The built-in rules without some families.
fn without(families: &[Family]) -> Document {
    let mut document = Document::default();
    for family in families {
        let of = &mut document.families;
        match family {
            Family::BlobProvenance => of.blob_provenance.enabled = false,
            Family::PrefixContinuity => of.prefix_continuity.enabled = false,
            Family::FailoverEcho => of.failover_echo.enabled = false,
            Family::SkeletonSpread => of.skeleton_spread.enabled = false,
            Family::CorpusSweep => of.corpus_sweep.enabled = false,
            Family::CohortSynchrony => of.cohort_synchrony.enabled = false,
            Family::AccountShape => of.account_shape.enabled = false,
            Family::HarvestContent => of.harvest_content.enabled = false,
            Family::TechniqueSearch => of.technique_search.enabled = false,
        }
    }
    document
}

#[test]
fn a_template_across_unrelated_parties_with_one_target_names_a_campaign() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    assert_eq!(world.named(), 1);
    assert!(world.linked(0..40) >= 36, "{}", world.linked(0..40));
    let story = &world.joiner.campaigns()[0].story;
    assert_eq!((story.family, story.worth.taking), (Family::SkeletonSpread, story.worth.parties));
    let told = world.joiner.take_changes();
    assert!(told.iter().any(|change| matches!(change, Change::Profile { .. })));
    assert!(world.joiner.take_changes().is_empty());
}

#[test]
fn a_popular_app_over_many_targets_does_not() {
    let mut world = World::new();
    for n in 0..400 {
        let content = world.fresh();
        world.send(&account(50_000 + n), &request(TEMPLATE, n % 4, content));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn keys_of_one_organisation_do_not() {
    let mut world = World::new();
    for n in 0..200 {
        let content = world.fresh();
        world.send(&Caller { organisation: 5, ..bot(n) }, &harvest(TEMPLATE, content));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn keys_of_one_network_do_not() {
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
fn nor_do_parts_of_its_prompt_that_the_throw_away_accounts_sent_first() {
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
fn a_viral_prompt_does_not() {
    let mut world = World::new();
    for n in 0..400 {
        world.send(&account(50_000 + n), &request(TEMPLATE, 1, 4_242));
    }
    assert_eq!(world.named(), 0);
}

#[test]
fn replacement_accounts_are_linked_within_50_requests() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    assert_eq!(world.named(), 1);
    // All are banned; the operator comes back with new accounts, new networks and another program.
    for n in 500..520 {
        let content = world.fresh();
        world.send(&Caller { agent: 3, ..bot(n) }, &harvest(TEMPLATE, content));
    }
    assert!(world.linked(500..520) >= 18, "{}", world.linked(500..520));
    assert_eq!(world.named(), 1);
}

#[test]
fn a_second_source_of_the_same_operator_joins_the_same_campaign() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    world.harvests(0..40, OTHER_TEMPLATE);
    assert_eq!(world.named(), 1);
    world.harvests(800..820, OTHER_TEMPLATE);
    assert!(world.linked(800..820) >= 18, "{}", world.linked(800..820));
    assert_eq!(world.named(), 1);
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
fn statistical_families_that_are_switched_off_are_silent() {
    for families in [&[Family::SkeletonSpread][..], &[Family::CohortSynchrony, Family::HarvestContent]] {
        let mut world = World::with(&without(families), Limits::default());
        world.harvests(0..60, TEMPLATE);
        assert_eq!(world.named(), 0, "{families:?}");
    }
    // What is left speaks, and only that is heard.
    let mut world = World::with(&without(&[Family::HarvestContent]), Limits::default());
    world.harvests(0..60, TEMPLATE);
    assert_eq!(world.joiner.campaigns()[0].families, [Family::SkeletonSpread, Family::CohortSynchrony]);
}

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
    let mut world = World::with(document, Limits::default());
    for (from, to) in pairs {
        let (first, second) = (mix(world.fresh()), mix(world.fresh()));
        let turn = |whole, parent, content| Reading {
            conversation: Conversation { whole, parent, answers: 1, parent_bytes: 500, bytes: 500 },
            ..request(0, 1, content)
        };
        let contents = [world.fresh(), world.fresh()];
        world.send(&bot(from), &turn(first, 0, contents[0]));
        world.send(&bot(to), &turn(second, first, contents[1]));
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
fn memory_stays_bounded() {
    let limits = Limits { accounts: 500, singles: 500, groups: 100, ledger: 200, campaigns: 4 };
    let mut world = World::with(&Document::default(), limits);
    for n in 0..30_000 {
        let content = world.fresh();
        // Every tenth account shares a key with nine others, so that groups come and go, too.
        let template = if n % 2 == 0 { 1_000 + n / 20 } else { 0 };
        world.send(&account(n), &request(template, n % 4, content));
        if n % 1_000 == 0 {
            world.joiner.take_changes();
        }
    }
    assert!(world.joiner.accounts.len() <= 1_000, "{}", world.joiner.accounts.len());
    assert!(world.joiner.groups.len() <= 200, "{}", world.joiner.groups.len());
    assert!(world.named() <= 4);
    // It still works.
    world.harvests(0..40, TEMPLATE);
    assert!(world.linked(0..40) > 0);
}

#[test]
fn a_release_pivot_is_flagged_within_15_minutes() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    world.now += 8 * HOUR;
    let released = world.now;
    // People try the new model, too; the campaign's accounts move to it one after the other, a minute apart.
    for n in 0..15 {
        let content = world.fresh();
        world.send(&account(n), &Reading { model: 555, ..request(0, 1, content) });
        let content = world.fresh();
        world.send(&bot(n), &Reading { model: 555, ..harvest(TEMPLATE, content) });
        world.now += MINUTE - 2 * SECOND;
    }
    let (model, at) = world.joiner.campaigns()[0].pivot.unwrap();
    assert_eq!(model, 555);
    assert!(at.since(Timestamp(released)) <= 15 * MINUTE);
    // A model that is not new is no pivot.
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    for n in 0..15 {
        let content = world.fresh();
        world.send(&bot(n), &Reading { model: 20, ..harvest(TEMPLATE, content) });
    }
    assert_eq!(world.joiner.campaigns()[0].pivot, None);
}

#[test]
fn a_tier_that_is_restored_goes_on_as_if_nothing_had_been() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    let snapshot = world.joiner.snapshot().unwrap();
    let restored = Joiner::restore(&snapshot, Limits::default(), Criteria::default()).unwrap();
    let mut other = World { joiner: restored, ..world };
    let mut world = World::with(&Document::default(), Limits::default());
    world.harvests(0..40, TEMPLATE);
    for world in [&mut world, &mut other] {
        world.joiner.take_changes();
        world.harvests(500..520, TEMPLATE);
        world.harvests(0..20, OTHER_TEMPLATE);
    }
    assert_eq!(world.joiner.take_changes(), other.joiner.take_changes());
    assert!(other.linked(500..520) >= 18);
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    let snapshot = world.joiner.snapshot().unwrap();
    let restore = |bytes: &[u8]| Joiner::restore(bytes, Limits::default(), Criteria::default()).map(drop);
    assert!(restore(&snapshot).is_ok());
    assert_eq!(restore(&[]), Err("an empty snapshot"));
    assert_eq!(restore(&[99, 1]), Err("a snapshot of another version"));
    assert_eq!(restore(&snapshot[..snapshot.len() / 2]), Err("a damaged snapshot"));
}

#[test]
fn the_whole_feed_says_what_the_changes_said() {
    let mut world = World::new();
    world.harvests(0..60, TEMPLATE);
    let now = Timestamp(world.now);
    let mut told = Feed::default();
    world.joiner.take_changes().iter().for_each(|change| assert!(told.apply(change)));
    for crowd in [usize::MAX, 20] {
        let mut whole = Feed::default();
        world.joiner.feed(crowd, now).iter().for_each(|change| assert!(whole.apply(change)));
        for n in 0..60 {
            let of = |feed: &Feed| feed.account(bot(n).account, now).map(|linked| (linked.campaign, linked.until));
            assert_eq!(of(&told).is_some(), of(&whole).is_some(), "{n}");
        }
        let newcomer = harvest(TEMPLATE, 987_654);
        let score = |feed: &Feed| feed.gives_away(&bot(900), &newcomer, now).map(|given| given.campaign);
        assert_eq!((score(&told), score(&whole)), (Some(0), Some(0)));
        assert_eq!(whole.accounts() == 0, crowd == 20);
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
    world.joiner.take_changes().iter().for_each(|change| assert!(feed.apply(change)));
    let given = feed.gives_away(&bot(900), &swept(987_654), now).unwrap();
    assert!(given.by == Family::CorpusSweep && given.score() >= LINK, "{given:?}");
    assert_eq!(feed.gives_away(&bot(900), &Reading { corpus: false, ..swept(987_654) }, now), None);
    // Somebody else's prompt out of the same set: another program, set another way.
    assert_eq!(feed.gives_away(&account(5), &Reading { settings: 7, ..swept(987_654) }, now), None);
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
