//! What a filter runs: its configuration, and over it the newest bundle that it was offered.

use super::{Contents, Hash, Manifest, Part, PartKind, Refusal};
use crate::campaign::{Change, Feed};
use crate::corpus::Corpus;
use crate::engine::Engine;
use crate::rules::{Config, Problem, Rules};
use crate::time::Timestamp;
use std::rc::Rc;

/// A configuration with a bundle over it. A bundle is taken whole or not at all.
#[derive(Debug)]
pub struct Running {
    /// As it was written: it is compiled anew under each bundle's rules.
    configuration: Vec<u8>,
    engine: Rc<Engine>,
    feed: Feed,
    manifest: Manifest,
}

/// What a bundle changes, read and not yet in force.
struct Changes {
    engine: Option<Engine>,
    feed: Vec<Change>,
    /// The feed begins anew.
    afresh: bool,
}

impl Running {
    /// A plugin configuration (JSON; empty means `{}`), without a bundle.
    ///
    /// # Errors
    /// Every problem found.
    pub fn new(configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        let engine = Rc::new(Engine::new(configuration)?);
        let configuration = configuration.to_vec();
        Ok(Self { configuration, engine, feed: Feed::default(), manifest: Manifest::default() })
    }

    /// The engine in force; a request finishes on the one it began with.
    #[must_use]
    pub fn engine(&self) -> &Rc<Engine> {
        &self.engine
    }

    /// The campaigns in force.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Version of the bundle in force; 0: none.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.manifest.version
    }

    /// When the bundle in force ends, in seconds since 1970-01-01T00:00:00Z; 0: there is none.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.manifest.expires
    }

    /// Puts a bundle into force, whose manifest was verified; `part` hands out those of its parts that are not in force
    /// already. `false`: it is the one in force.
    ///
    /// # Errors
    /// Why it is not used; the one before stays in force, untouched.
    pub fn offer(
        &mut self,
        manifest: Manifest,
        now: Timestamp,
        part: impl FnMut(usize, &Part) -> Option<Vec<u8>>,
    ) -> Result<bool, Refusal> {
        if manifest.version < self.manifest.version {
            return Err(Refusal::Older(self.manifest.version));
        }
        if manifest.version == self.manifest.version {
            return Ok(false);
        }
        if !manifest.holds(now) {
            return Err(Refusal::Expired);
        }
        let Changes { engine, feed, afresh } = self.read(&manifest, part)?;
        if let Some(engine) = engine {
            self.engine = Rc::new(engine);
        }
        if afresh {
            self.feed = Feed::default();
        }
        for change in &feed {
            self.feed.apply(change);
        }
        self.feed.version = manifest.version;
        self.manifest = manifest;
        Ok(true)
    }

    /// Reads what is new in a bundle.
    fn read(
        &self,
        manifest: &Manifest,
        mut part: impl FnMut(usize, &Part) -> Option<Vec<u8>>,
    ) -> Result<Changes, Refusal> {
        let same = manifest.expires == self.manifest.expires && engine_parts(manifest).eq(engine_parts(&self.manifest));
        let begun = feed_parts(&self.manifest).count();
        let afresh = !feed_parts(manifest).take(begun).eq(feed_parts(&self.manifest));
        let (mut rules, mut corpora, mut feed, mut fed) = (None, Vec::new(), Vec::new(), 0_usize);
        for (index, wanted) in manifest.parts.iter().enumerate() {
            let mut fetch = || {
                let bytes = part(index, wanted).ok_or(Refusal::Part(index))?;
                Contents::read(wanted.kind, index, &wanted.hash, &bytes)
            };
            match wanted.kind {
                PartKind::Feed => {
                    fed = fed.saturating_add(1);
                    if (afresh || fed > begun)
                        && let Contents::Feed(changes) = fetch()?
                    {
                        feed.extend(changes);
                    }
                }
                _ if same => {}
                PartKind::Rules => {
                    if let Contents::Rules(read) = fetch()? {
                        rules = Some(*read);
                    }
                }
                PartKind::Corpus => match self.corpus(&wanted.hash) {
                    Some(known) => corpora.push(known),
                    None => {
                        if let Contents::Corpus(read) = fetch()? {
                            corpora.push(read);
                        }
                    }
                },
            }
        }
        let engine = (!same).then(|| self.compile(rules, corpora, manifest)).transpose()?;
        Ok(Changes { engine, feed, afresh })
    }

    /// A corpus that is in force.
    fn corpus(&self, hash: &Hash) -> Option<Corpus> {
        let mut corpora = self.manifest.parts.iter().filter(|part| part.kind == PartKind::Corpus);
        let place = corpora.position(|part| part.hash == *hash)?;
        self.engine.config().corpora.get(place).cloned()
    }

    fn compile(&self, rules: Option<Rules>, corpora: Vec<Corpus>, manifest: &Manifest) -> Result<Engine, Refusal> {
        // It was read before; that it cannot be now does not happen.
        let mut config = Config::parse(&self.configuration).map_err(|_| Refusal::Damaged)?;
        if let Some(rules) = rules {
            config.rules = rules;
        }
        let document = &mut config.rules.document;
        document.version = manifest.version;
        document.expires = Some(document.expires.map_or(manifest.expires, |own| own.min(manifest.expires)));
        config.version = manifest.version;
        config.corpora = corpora;
        Ok(Engine::of(config))
    }
}

fn engine_parts(manifest: &Manifest) -> impl Iterator<Item = &Part> {
    manifest.parts.iter().filter(|part| part.kind != PartKind::Feed)
}

fn feed_parts(manifest: &Manifest) -> impl Iterator<Item = &Part> {
    manifest.parts.iter().filter(|part| part.kind == PartKind::Feed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::hash;
    use crate::campaign::feed::Profile;
    use crate::rules::Mode;
    use std::collections::HashMap;

    const NOW: Timestamp = Timestamp(1_000_000);

    /// Parts by name, and how often each was asked for.
    #[derive(Default)]
    struct Shelf(HashMap<Hash, (Vec<u8>, u32)>);

    impl Shelf {
        fn put(&mut self, kind: PartKind, bytes: Vec<u8>) -> Part {
            let part = Part { kind, size: u32::try_from(bytes.len()).unwrap(), hash: hash(&bytes) };
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
            let profile =
                Change::Profile { campaign: 0, profile: Profile { name: "c-1".into(), ..Profile::default() } };
            self.put(PartKind::Feed, Contents::feed(&[profile, change]))
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
        assert!(running.feed().account(5, NOW).is_some());
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
}
