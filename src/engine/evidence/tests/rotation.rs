//! A digest key is rotated while a template is in use.

use super::*;
use crate::caller::Before;

/// The names that the new key gives: unrelated to the old ones.
fn rotating(caller: &Caller, reading: &Reading) -> (Caller, Reading) {
    let new = |of: u64| if of == 0 { 0 } else { mix(of ^ 0x0dd_ba11) | 1 };
    let Caller { account, organisation, network, agent, .. } = *caller;
    let before = Before { account, organisation, network, agent };
    let caller = Caller {
        account: new(account),
        organisation: new(organisation),
        network: new(network),
        agent: new(agent),
        before,
    };
    let mut renamed = Reading { line: new(reading.line), before: Some(Box::new(reading.clone())), ..reading.clone() };
    renamed.skeleton.keys.iter_mut().for_each(|(_, key)| *key = new(*key));
    (caller, renamed)
}

impl Proxy {
    fn rotated(&mut self, caller: &Caller, reading: &Reading, after: u64) -> Verdict {
        let (caller, reading) = rotating(caller, reading);
        self.send(&caller, &reading, 200, after)
    }
}

#[test]
fn a_group_still_speaks_and_a_new_one_grows_beside_it() {
    let mut proxy = Proxy::new();
    (0..60).for_each(|n| drop(proxy.send(&caller(5_000 + n), &harvest(n), 200, n * SECOND)));
    // The first after the rotation, whoever it is, is no founder of anything.
    let after = proxy.rotated(&caller(6_000), &harvest(6_000), HOUR);
    assert_eq!((after.action, after.reasons), (Action::Throttle, vec!["skeleton_spread", "cohort_synchrony"]));
    // What is refused teaches nothing; where it is let through a group grows under the new name, and the old key can go.
    proxy.config.mode = crate::rules::Mode::Observe;
    (0..60).for_each(|n| drop(proxy.rotated(&caller(7_000 + n), &harvest(7_000 + n), HOUR + n * SECOND)));
    proxy.config.mode = crate::rules::Mode::Enforce;
    let (caller, reading) = rotating(&caller(6_000), &harvest(8_000));
    let reading = Reading { before: None, ..reading };
    let last = proxy.send(&Caller { before: Before::default(), ..caller }, &reading, 200, 2 * HOUR);
    assert_eq!(last.action, Action::Throttle);
}

#[test]
fn whose_template_it_was_before_is_not_framed_after() {
    let mut proxy = Proxy::new();
    let firm = |n: u64| Caller { network: 9, ..caller(60_000 + n % 3) };
    (0..50).for_each(|n| drop(proxy.send(&firm(n), &harvest(n), 200, n * SECOND)));
    (0..60).for_each(|n| drop(proxy.send(&caller(70_000 + n), &harvest(100 + n), 200, HOUR + n * SECOND)));
    // Others are the first to send it under the new key.
    (0..60).for_each(|n| drop(proxy.rotated(&caller(70_000 + n), &harvest(200 + n), 2 * HOUR + n * SECOND)));
    for n in 0..3 {
        assert_eq!(proxy.rotated(&firm(n), &harvest(300 + n), 3 * HOUR).action, Action::Allow);
    }
    let stranger = proxy.rotated(&caller(80_000), &harvest(400), 3 * HOUR);
    assert_eq!(stranger.action, Action::Throttle);
}

#[test]
fn a_common_model_does_not_look_rare_under_its_new_name() {
    let mut proxy = Proxy::new();
    // On a gateway where nearly everybody takes one model a template says nothing by its target.
    (0..3_000).for_each(|n| {
        let own = reading(1, [mix(n + 5_000_001), mix(n + 6_000_001), mix(n + 7_000_001)], n);
        proxy.send(&caller(200_000 + n), &own, 200, n);
    });
    for n in 0..60 {
        let verdict = proxy.rotated(&caller(300_000 + n), &harvest(n), HOUR + n * SECOND);
        assert_eq!(verdict.action, Action::Allow, "{n} {verdict:?}");
    }
}

#[test]
fn both_names_cost_three_reads_more() {
    let mut proxy = Proxy::new();
    proxy.rotated(&caller(7_000), &harvest(0), 0);
    proxy.store.calls();
    proxy.rotated(&caller(7_000), &harvest(0), 1);
    assert_eq!(proxy.store.calls(), (4 + 1 + 3, 1));
}
