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
        self.feed.joined = feed_parts(&manifest).next().is_some();
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
mod tests;
