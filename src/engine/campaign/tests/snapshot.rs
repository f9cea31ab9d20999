//! What a sidecar saves, and the next one takes up.

use super::*;

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
fn a_snapshot_of_the_layout_before_is_taken_up() {
    let mut world = World::new();
    world.harvests(0..40, TEMPLATE);
    let snapshot = world.joiner.snapshot().unwrap();
    let older = [&[8], snapshot.get(1..).unwrap()].concat();
    let restored = Joiner::restore(&older, Limits::default(), Criteria::default()).unwrap();
    assert_eq!(restored.snapshot().unwrap(), snapshot);
    // What that layout has where `Basis` is: whether settings were what counted.
    let bytes = [Basis::Targets, Basis::Settings].map(|basis| postcard::to_allocvec(&basis).unwrap());
    assert_eq!(bytes, [false, true].map(|by_settings| postcard::to_allocvec(&by_settings).unwrap()));
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
    assert_eq!([&[99, 1][..], &snapshot, &[0, 1], &[]].map(Joiner::is_newer), [true, false, false, false]);
}
