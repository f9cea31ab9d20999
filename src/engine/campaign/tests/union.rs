//! A pool that is named several times over.

use super::*;
use crate::campaign::feed::Feed;

/// Accounts of one half of a pool, which is set up otherwise than the other.
const HALF: u64 = 100;

fn hand(n: u64) -> (Caller, u64) {
    if n < HALF { (bot(n), 99) } else { (Caller { agent: 4, ..bot(n) }, 98) }
}

/// An account of a third part, which is set up in a way of its own.
fn third(n: u64) -> Caller {
    Caller { agent: 3, ..bot(n) }
}

impl World {
    /// A blob of one account that comes back from others.
    fn blob(&mut self, from: u64, to: &[u64]) {
        let blob = mix(self.fresh()) | 1;
        self.joiner.given(blob, &hand(from).0, Timestamp(self.now));
        for &n in to {
            let (caller, settings) = hand(n);
            let content = self.fresh();
            self.send(&caller, &Reading { blobs: vec![blob], settings, ..request(0, 1, content) });
        }
    }

    /// Two halves of a pool, named apart. The first of each has sent nothing that is known.
    fn halves() -> Self {
        let mut world = Self::new();
        for half in [0, HALF] {
            (half..half + 6).for_each(|n| world.blob(n, &[n + 1, n + 2]));
        }
        assert_eq!((world.joiner.standing().count(), world.linked(0..8), world.linked(100..108)), (2, 7, 7));
        world
    }

    fn names(&self) -> Vec<String> {
        self.joiner.standing().map(|(_, campaign)| campaign.name.clone()).collect()
    }
}

#[test]
fn blobs_that_go_from_one_campaign_to_the_other_make_both_one_under_the_older_name() {
    let mut world = World::halves();
    let names = world.names();
    let mut feed = Feed::default();
    world.update(&mut feed);
    let of =
        |feed: &Feed, now, n: u64| feed.name(feed.account(hand(n).0.account, now).unwrap().campaign).map(String::from);
    assert_eq!(of(&feed, Timestamp(world.now), 103), Some(names[1].clone()));
    world.blob(3, &[103]);
    assert_eq!(world.names(), names, "two hands may be anybody's");
    let exchanges: u64 = world.joiner.campaigns().iter().map(|campaign| campaign.exchanges).sum();
    world.blob(3, &[104]);
    assert_eq!(world.names(), [names[0].clone()]);
    let (whole, union) = (&world.joiner.campaigns()[0], world.joiner.unions()[0]);
    assert_eq!((whole.accounts, whole.exchanges), (14, exchanges + 1));
    assert_eq!((union.part, union.whole, union.accounts, union.by), (1, 0, 7, Family::BlobProvenance));
    // Proxies say so too, those that were told of its accounts before and those that come new.
    world.update(&mut feed);
    let fresh = world.feed();
    for feed in [&feed, &fresh] {
        assert!([3, 103].iter().all(|&n| of(feed, Timestamp(world.now), n).as_ref() == Some(&names[0])));
    }
    // What the younger was known by gives its next accounts away to the older.
    world.blob(104, &[120, 121]);
    assert_eq!((world.names().len(), world.linked(120..122)), (1, 2));
}

#[test]
fn several_become_one() {
    let mut world = World::halves();
    (200..206).for_each(|n| world.pass(&third(n), &third(n + 1), 97));
    assert_eq!(world.names().len(), 3);
    (200..203).for_each(|n| world.pass(&hand(103).0, &third(n), 97));
    assert_eq!(world.names().len(), 2);
    world.joiner.take_changes();
    world.blob(3, &[103, 104]);
    assert_eq!(world.names().len(), 1);
    // Proxies are told so of each of them.
    let mut told = world.joiner.take_changes();
    told.retain(|change| matches!(change, Change::Profile { .. }));
    assert_eq!(told.len(), 3);
    assert!((1..3).all(|part| world.joiner.whole(part) == 0), "{:?}", world.joiner.unions());
    assert_eq!(world.joiner.campaigns()[0].accounts, 7 + 7 + 7);
}

#[test]
fn users_of_a_tool_cannot_be_made_part_of_a_pool() {
    let mut world = World::halves();
    // Named for being alike alone: one program whose name others use, wording that is not plainly a harvest's, and they come back.
    for n in (300..340).chain(300..340) {
        let content = world.fresh();
        let tool = Caller { agent: 7, ..account(n + 2_000) };
        world.send(&tool, &Reading { wording: 300, settings: 50, ..harvest(TEMPLATE, content) });
    }
    assert_eq!(world.names().len(), 3);
    assert!(!world.joiner.campaigns()[2].confirmed());
    for n in 300..320 {
        world.pass(&Caller { agent: 7, ..account(n + 2_000) }, &bot(3), 99);
    }
    assert_eq!(world.names().len(), 3);
}

#[test]
fn a_union_outlasts_a_restart_and_goes_with_its_campaign() {
    let mut world = World::halves();
    let before = world.joiner.snapshot().unwrap();
    world.blob(3, &[103, 104]);
    let restore = |bytes: &[u8]| Joiner::restore(bytes, Limits::default(), Criteria::default()).unwrap();
    world.joiner = restore(&world.joiner.snapshot().unwrap());
    assert_eq!((world.joiner.unions().len(), world.names().len()), (1, 1));
    // What layout 7 had of it: nothing.
    let older = [&[7], before.get(1..).unwrap().strip_suffix(&[0]).unwrap()].concat();
    assert_eq!(restore(&older).standing().count(), 2);
    // The part was last seen before it became one; the whole goes on.
    let between = Timestamp(world.now + 1);
    world.now += HOUR;
    world.blob(3, &[4]);
    assert_eq!(world.joiner.turn(between), [0]);
    assert_eq!((world.joiner.unions().len(), world.names().len(), world.linked(100..108)), (0, 1, 7));
}

#[test]
fn hands_between_two_campaigns_do_not_count_for_those_that_have_their_places_later() {
    let mut world = World::halves();
    let first = Timestamp(world.now + 1);
    world.now += HOUR;
    (200..206).for_each(|n| world.pass(&third(n), &third(n + 1), 97));
    world.blob(103, &[104]);
    // Two hands between the first and the second, and then the first ends.
    world.blob(3, &[103]);
    world.joiner.campaigns[0].last = Timestamp(0);
    assert_eq!(world.joiner.turn(first), [1, 2]);
    world.pass(&third(203), &hand(104).0, 98);
    assert_eq!((world.names().len(), world.joiner.unions().len()), (2, 0));
}
