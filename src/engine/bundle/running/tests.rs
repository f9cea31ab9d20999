use super::*;
use crate::campaign::feed::Profile;
use crate::rules::Mode;
use std::collections::HashMap;

const NOW: Timestamp = Timestamp(1_000_000);

/// Parts by name, and how often each was asked for.
#[derive(Default)]
struct Shelf(HashMap<Hash, (Vec<u8>, u32)>);

impl Shelf {
    fn put(&mut self, kind: PartKind, bytes: Vec<u8>) -> Part {
        let part = Part::of(kind, &bytes);
        self.0.insert(part.hash, (bytes, 0));
        part
    }

    fn rules(&mut self, observe: f64) -> Part {
        let document = format!("{{\"format\":1,\"version\":3,\"thresholds\":{{\"observe\":{observe}}}}}");
        self.put(PartKind::Rules, document.into_bytes())
    }

    fn account(&mut self, account: u64) -> Part {
        let change = Change::Account {
            account,
            campaign: 0,
            score: 9_000,
            families: crate::rules::FamilySet::default(),
            until: Timestamp(u64::MAX),
        };
        let profile = Change::Profile { campaign: 0, profile: Profile { name: "c-1".into(), ..Profile::default() } };
        self.put(PartKind::Feed, Change::write_all(&[profile, change]))
    }

    fn offer(&mut self, running: &mut Running, version: u64, parts: &[Part]) -> Result<bool, Refusal> {
        let manifest = Manifest { version, issued: 0, expires: 2_000, parts: parts.to_vec() };
        running.offer(manifest, NOW, |_, part| {
            let (bytes, asked) = self.0.get_mut(&part.hash)?;
            *asked += 1;
            Some(bytes.clone())
        })
    }
}

fn observe(running: &Running) -> i32 {
    running.engine().config().in_force(NOW).rules.document.thresholds.observe.0
}

#[test]
fn a_bundle_comes_into_force_over_the_configuration_and_ends() {
    let (mut shelf, mut running) = (Shelf::default(), Running::new(b"{\"mode\":\"enforce\"}").unwrap());
    let parts = [shelf.rules(2.0), shelf.account(5)];
    assert_eq!(shelf.offer(&mut running, 10, &parts), Ok(true));
    assert_eq!((observe(&running), running.version()), (2_000, 10));
    assert!(running.feed().account(5, NOW).is_some() && running.feed().joined);
    let config = running.engine().config();
    assert_eq!((config.mode, config.in_force(NOW).rules.document.version), (Mode::Enforce, 10));
    let ended = config.in_force(Timestamp(2_000_000));
    assert!(ended.expired && ended.mode == Mode::Observe && ended.rules.document.version == 0);
}

#[test]
fn versions_only_grow() {
    let (mut shelf, mut running) = (Shelf::default(), Running::new(b"{}").unwrap());
    let (old, new) = ([shelf.rules(2.0)], [shelf.rules(3.0)]);
    assert_eq!(shelf.offer(&mut running, 10, &new), Ok(true));
    assert!(!running.feed().joined, "rules alone are no sidecar");
    assert_eq!(shelf.offer(&mut running, 10, &old), Ok(false));
    assert_eq!(shelf.offer(&mut running, 9, &old), Err(Refusal::Older(10)));
    assert_eq!(observe(&running), 3_000);
    assert_eq!(shelf.offer(&mut running, 11, &old), Ok(true));
    assert_eq!(observe(&running), 2_000);
}

#[test]
fn only_what_is_new_is_fetched() {
    let (mut shelf, mut running) = (Shelf::default(), Running::new(b"{}").unwrap());
    let corpus = Corpus::build(vec![77]).unwrap().to_bytes();
    let (rules, corpus) = (shelf.rules(2.0), shelf.put(PartKind::Corpus, corpus));
    let (first, second) = (shelf.account(1), shelf.account(2));
    shelf.offer(&mut running, 1, &[rules, corpus, first]).unwrap();
    let before = Rc::clone(running.engine());
    shelf.offer(&mut running, 2, &[rules, corpus, first, second]).unwrap();
    assert!(Rc::ptr_eq(&before, running.engine()), "nothing but the feed has changed");
    assert!([1, 2].iter().all(|&account| running.feed().account(account, NOW).is_some()));
    let changed = shelf.rules(4.0);
    shelf.offer(&mut running, 3, &[changed, corpus, second]).unwrap();
    assert!(running.engine().config().corpora[0].contains(77));
    assert!(running.feed().account(1, NOW).is_none(), "another base: the feed begins anew");
    let asked: Vec<u32> = [rules, corpus, first, changed].iter().map(|part| shelf.0[&part.hash].1).collect();
    assert_eq!((asked, shelf.0[&second.hash].1), (vec![1, 1, 1, 1], 2));
}

#[test]
fn a_bundle_with_one_bad_part_changes_nothing() {
    let (mut shelf, mut running) = (Shelf::default(), Running::new(b"{}").unwrap());
    let (rules, first) = (shelf.rules(2.0), shelf.account(1));
    shelf.offer(&mut running, 1, &[rules, first]).unwrap();
    let (other, garbage) = (shelf.rules(5.0), shelf.put(PartKind::Feed, vec![0xff; 9]));
    let missing = Part { hash: [7; 32], ..first };
    for (parts, place) in [([other, first, garbage], 2), ([other, first, missing], 2)] {
        let refused = shelf.offer(&mut running, 2, &parts).unwrap_err();
        assert!(matches!(refused, Refusal::Part(at) | Refusal::Content(at, _) if at == place), "{refused}");
        assert_eq!((observe(&running), running.version()), (2_000, 1));
    }
    let expired = Manifest { version: 3, issued: 0, expires: 1_000, parts: vec![rules] };
    assert_eq!(running.offer(expired, NOW, |_, _| None), Err(Refusal::Expired));
    assert!(running.feed().account(1, NOW).is_some());
}
