use super::*;
use crate::directory::Directory;
use crate::serve::dossier::tests::{harvest, joiner};
use crate::store::open;
use azeotrope_engine::campaign::{Criteria, Joiner, Limits};
use azeotrope_engine::rules::FamilySet;

fn accounts(range: std::ops::Range<u64>) -> Vec<Change> {
    let (families, until) = (FamilySet::default(), Timestamp(u64::MAX));
    range.map(|account| Change::Account { account, campaign: 0, score: 7_000, families, until }).collect()
}

#[test]
fn only_accounts_that_are_new_to_proxies_count_and_each_once() {
    let caution = Caution { per_mille: 100, few: 10 };
    let mut feed = Feed::default();
    let count = |feed: &Feed, changes: &[Change]| too_many(caution, feed, changes, 1_000, Timestamp(0));
    assert_eq!(count(&feed, &accounts(1..101)), None);
    assert_eq!(count(&feed, &accounts(1..102)), Some(101));
    assert_eq!(count(&feed, &[accounts(1..80), accounts(1..80)].concat()), None);
    accounts(1..50).iter().for_each(|change| assert!(feed.apply(change)));
    assert_eq!(count(&feed, &accounts(1..140)), None);
}

#[test]
fn a_few_are_never_too_many() {
    let caution = Caution { per_mille: 100, few: 10 };
    assert_eq!(too_many(caution, &Feed::default(), &accounts(1..10), 12, Timestamp(0)), None);
    assert_eq!(too_many(caution, &Feed::default(), &accounts(1..11), 12, Timestamp(0)), Some(10));
}

#[test]
fn where_campaigns_begin_anew_what_proxies_were_told_stays_until_its_time_is_over() {
    let link = |account, until| {
        let families = FamilySet::default();
        Change::Account { account, campaign: 0, score: 7_000, families, until: Timestamp(until) }
    };
    assert_eq!(Held::anew(&[], 100), None);
    assert_eq!(Held::anew(&[link(1, 100)], 100), None);
    let held = Held::anew(&[link(1, 100), link(2, 300), link(3, 200)], 100).unwrap();
    assert_eq!((held.accounts, held.ends), (2, 300));
    assert_eq!([299, 300].map(|now| held.is_over(now)), [false, true]);
    assert!(!Held::of(2, 3).is_over(u64::MAX));
}

#[test]
fn who_takes_over_goes_on_from_what_proxies_were_told() {
    let (strict, lenient) = (Caution { per_mille: 1, few: 1 }, Caution { per_mille: 900, few: 10 });
    let now = Timestamp(crate::clock::now() - 5_000);
    let known = || {
        let mut joiner = joiner();
        harvest(&mut joiner, 100, now);
        joiner
    };
    let taken_over = |told: Option<Vec<Change>>, held: bool, caution: Caution| {
        let mut duty = Duty::for_measurement();
        duty.joiner = known();
        duty.held = held.then_some(Held::of(36, 240));
        duty.go_on(told, caution);
        duty.feed.accounts()
    };
    let all = known().feed(usize::MAX, now);
    let linked = taken_over(Some(all.clone()), false, strict);
    assert!(linked > 30, "{linked}");
    assert_eq!(taken_over(Some(all), true, strict), linked, "a hold takes nothing back");
    assert_eq!(taken_over(Some(Vec::new()), false, strict), 0, "nobody let them go");
    assert_eq!(taken_over(Some(Vec::new()), false, lenient), linked);
    assert_eq!(taken_over(None, false, strict), linked, "nobody knows what they were told");
}

#[test]
fn others_do_not_wait_for_a_campaign_that_is_held_back_and_what_it_grows_to_is_told_until_it_is_let_go() {
    let folder = Directory::new();
    let store = open(None, Some(&folder.0)).unwrap();
    let now = Timestamp(crate::clock::now());
    let (strict, lenient) = (Caution { per_mille: 1, few: 1 }, Caution { per_mille: 900, few: 10 });
    let mut duty = Duty::for_measurement();
    duty.joiner = joiner();
    duty.rebase();
    // What is not told leaves its place empty.
    let name_at = |duty: &Duty, place| duty.feed.name(place).filter(|name| !name.is_empty()).map(str::to_owned);
    let told = |duty: &Duty| (0..9).filter_map(|place| name_at(duty, place)).collect::<Vec<_>>();
    let look = |duty: &mut Duty, caution: Caution| {
        duty.waiting.extend(duty.joiner.take_changes());
        let said = duty.hold_back(&*store, "one", caution, now).unwrap();
        let waiting = std::mem::take(&mut duty.waiting);
        duty.apply(&waiting);
        said.unwrap_or_default()
    };
    harvest(&mut duty.joiner, 100, now);
    let said = look(&mut duty, strict);
    let name = duty.joiner.campaigns()[1].name.clone();
    let before = held(&*store).unwrap().unwrap();
    assert!(before.campaigns == [name.clone()] && before.accounts > 30 && said.contains(&name), "{said}: {before:?}");
    assert_eq!(told(&duty).len(), 1);

    // It grows, and another campaign comes.
    harvest(&mut duty.joiner, 140, now);
    (0..40).for_each(|_| harvest(&mut duty.joiner, 100, now));
    harvest(&mut duty.joiner, 300, now);
    assert_eq!(look(&mut duty, lenient), "");
    let after = held(&*store).unwrap().unwrap();
    assert!(
        after.id == before.id && after.campaigns == [name.clone()] && after.accounts >= before.accounts,
        "{after:?}"
    );
    let names: Vec<String> = duty.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
    let others: Vec<String> = names.iter().filter(|other| **other != name).cloned().collect();
    assert!(others.len() > 1 && told(&duty) == others, "{names:?}: {:?}", told(&duty));
    duty.rebase();
    assert_eq!(told(&duty), others, "a new base tells nothing of it either");

    assert_eq!(release(&*store).unwrap(), Some(after));
    let said = look(&mut duty, lenient);
    assert!(said.contains(&name) && said.contains("are let go"), "{said}");
    assert_eq!((told(&duty).len(), held(&*store).unwrap()), (names.len(), None));
}

#[test]
fn what_is_held_back_ends_with_the_campaign_and_not_where_campaigns_began_anew_before_its_time() {
    let folder = Directory::new();
    let store = open(None, Some(&folder.0)).unwrap();
    let now = Timestamp(crate::clock::now());
    let mut duty = Duty::for_measurement();
    duty.joiner = joiner();
    harvest(&mut duty.joiner, 100, now);
    let names: Vec<String> = duty.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
    let gone = "gone".to_owned();
    let mut hold_rest = |campaigns: Vec<String>, ends: u64| {
        let before = Held { campaigns, ends, ..Held::of(36, 240) };
        hold(&*store, Some(&before)).unwrap();
        (duty.held, duty.withheld) = (Some(before), Withheld::default());
        duty.hold_rest(&*store, now).unwrap();
        let left = duty.held.as_ref().map(|held| held.campaigns.clone());
        assert_eq!(held(&*store).unwrap().is_some(), left.is_some());
        (left, duty.withheld.accounts.len())
    };
    assert_eq!(hold_rest(vec![gone.clone()], 0), (None, 0));
    let (left, accounts) = hold_rest(vec![gone, names[1].clone()], 0);
    assert!(left == Some(vec![names[1].clone()]) && accounts > 30, "{left:?} {accounts}");
    assert_eq!(hold_rest(Vec::new(), now.0 + 1), (Some(Vec::new()), 0));
    duty.joiner = Joiner::new(Limits::default(), Criteria::default());
    duty.hold_rest(&*store, now).unwrap();
    assert!(duty.began_anew());
}

#[test]
fn of_campaigns_that_began_anew_none_is_told_until_what_proxies_were_told_is_over() {
    let folder = Directory::new();
    let store = open(None, Some(&folder.0)).unwrap();
    let lenient = Caution { per_mille: 900, few: 10 };
    let (now, ends) = (crate::clock::now(), crate::clock::now() + 60_000);
    let mut duty = Duty::for_measurement();
    let families = FamilySet::default();
    let told = [Change::Account { account: 5, campaign: 0, score: 7_000, families, until: Timestamp(ends) }];
    duty.held = Held::anew(&told, now);
    let before = duty.held.clone();
    duty.go_on(Some(told.to_vec()), lenient);
    duty.joiner = joiner();
    harvest(&mut duty.joiner, 100, Timestamp(now));
    let mut look = |now: u64| {
        duty.waiting = duty.joiner.feed(usize::MAX, Timestamp(now));
        let said = duty.hold_back(&*store, "one", lenient, Timestamp(now)).unwrap();
        assert!(duty.waiting.is_empty());
        duty.rebase();
        (said, duty.held.clone(), duty.feed.account(5, Timestamp(now)).is_some(), duty.feed.accounts())
    };
    for now in [now, ends - 1] {
        assert_eq!(look(now), (None, before.clone(), true, 1));
    }
    let (said, held, is_linked, accounts) = look(ends);
    assert!(said.unwrap().contains("began anew") && held.is_none() && !is_linked && accounts > 30, "{accounts}");
}
