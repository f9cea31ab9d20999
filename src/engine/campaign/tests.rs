//! What the second tier does with whole populations.

use super::criteria::Criteria;
use super::feed::{Change, Feed};
use super::group::Basis;
use super::joiner::{Joiner, Limits};
use crate::caller::Caller;
use crate::dialect::Dialect;
use crate::digest::skeleton::{Place, Skeleton};
use crate::digest::words::mix;
use crate::digest::{DRAWN, Reading};
use crate::evidence::cohort;
use crate::rules::{Document, Family};
use crate::time::{HOUR, MINUTE, SECOND, Timestamp};

mod disguise;
mod hands;
mod heard;
mod honest;
mod kin;
mod retention;
mod rotation;
mod snapshot;
mod told;
mod turns;
mod union;

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

/// A client program of this name, in one of its releases.
fn program(name: u64, release: u64) -> u64 {
    (name + 1) << 32 | release
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

/// A request of the harvest: one setting of the client, plain wording.
fn harvest(template: u64, content: u64) -> Reading {
    Reading { settings: 99, wording: 1_100, ..request(template, 1, content) }
}

/// A feed that was told all this.
fn fed(changes: &[Change]) -> Feed {
    let mut feed = Feed::default();
    changes.iter().for_each(|change| assert!(feed.apply(change)));
    feed
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

    /// Tells a feed what has changed since the last time.
    fn update(&mut self, feed: &mut Feed) {
        self.joiner.take_changes().iter().for_each(|change| assert!(feed.apply(change)));
    }

    /// What a proxy is told that knows nothing yet.
    fn feed(&self) -> Feed {
        fed(&self.joiner.feed(1_000, Timestamp(self.now)))
    }

    fn harvests(&mut self, bots: std::ops::Range<u64>, template: u64) {
        for n in bots {
            let content = self.fresh();
            self.send(&bot(n), &harvest(template, content));
        }
    }

    /// A blob of one account comes back from another, set so.
    fn pass(&mut self, from: &Caller, to: &Caller, settings: u64) {
        let (blob, content) = (mix(self.fresh()) | 1, self.fresh());
        self.joiner.given(blob, from, Timestamp(self.now));
        self.send(to, &Reading { blobs: vec![blob], settings, ..request(0, 1, content) });
    }

    /// Whether a template is known to be a campaign's.
    fn attached(&self, template: u64) -> bool {
        self.joiner.groups().any(|(key, group)| key == mix(template) && group.campaign.is_some())
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
fn one_prompt_names_a_campaign_where_the_model_is_to_say_what_is_asked_and_none_else() {
    let named = |content: u64| {
        let mut world = World::new();
        (0..40).for_each(|n| world.send(&bot(n), &Reading { content, ..harvest(TEMPLATE, 0) }));
        (world.named(), world.linked(0..40) >= 36)
    };
    assert_eq!([DRAWN, 4_242].map(named), [(1, true), (0, false)]);
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
fn a_sweep_of_a_public_set_is_named_though_its_questions_are_worded_as_people_word_theirs() {
    let mut world = World::new();
    for n in 0..40 {
        let content = world.fresh();
        world.send(&bot(n), &Reading { corpus: true, wording: -1_500, settings: 99, ..request(0, 1, content) });
    }
    assert_eq!(world.joiner.campaigns()[0].story.family, Family::CorpusSweep);
    assert!(world.linked(0..40) >= 36, "{}", world.linked(0..40));
}

#[test]
fn what_a_sweeps_focus_comes_of_are_not_its_settings_where_everybody_takes_one_model() {
    let mut world = World { joiner: Joiner::new(Limits::default(), Criteria::default()), now: START, asked: 0 };
    for n in 0..1_000 {
        let content = world.fresh();
        world.send(&account(n), &request(0, 1, content));
    }
    for n in 0..40 {
        let content = world.fresh();
        world.send(&bot(n), &Reading { corpus: true, settings: 99, ..request(0, 1, content) });
    }
    let story = &world.joiner.campaigns()[0].story;
    assert_eq!((story.family, story.worth.basis), (Family::CorpusSweep, Basis::Targets));
    assert!(story.worth.focus > cohort::PROGRAM, "{story:?}");
}

#[test]
fn who_keeps_taking_public_prompts_is_of_the_sweep_though_most_of_all_accounts_do() {
    let mut world = World::new();
    let takes = |world: &mut World, caller: &Caller, settings| {
        let content = world.fresh();
        let corpus = mix(content) % 10 < 7;
        world.send(caller, &Reading { corpus, wording: 100, settings, ..request(0, 1, content) });
    };
    let evaluator = account(7_000);
    for _ in 0..12 {
        // Their programs and settings are people's, too. Who evaluates a model has others.
        (0..2_000).for_each(|n| takes(&mut world, &Caller { agent: n % 3 + 1, ..bot(n) }, n % 3));
        takes(&mut world, &Caller { agent: 12, ..evaluator }, 80);
    }
    assert!(world.linked(0..2_000) >= 1_900, "{}", world.linked(0..2_000));
    let known = world.joiner.account(evaluator.account).unwrap();
    assert!(known.corpus >= 4 && known.link.is_none(), "{known:?}");
    assert!((0..1_000).all(|n| world.joiner.account(account(n).account).is_some_and(|of| of.link.is_none())));
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
