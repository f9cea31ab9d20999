//! From rules, corpora and campaigns to signed bundles.

use crate::signing::Signer;
use crate::store::Hash;
use azeotrope_engine::bundle::{MAX_PARTS, Manifest, Part, PartKind};
use azeotrope_engine::campaign::Change;
use azeotrope_engine::time::{SECOND, Timestamp};
use std::time::Duration;

/// Corpora that fit beside rules and feed.
pub(crate) const CORPORA: usize = 6;
/// Changes of the feed that are published beside its base before the base is made anew.
const DELTAS: usize = MAX_PARTS - CORPORA - 2;
/// Bytes below which changes are not worth a new base.
const SMALL: usize = 64 << 10;

/// A part, and what it is called.
#[derive(Clone, Debug)]
struct Piece {
    part: Part,
    bytes: Vec<u8>,
}

impl Piece {
    fn new(kind: PartKind, bytes: Vec<u8>) -> Self {
        Self { part: Part::of(kind, &bytes), bytes }
    }
}

/// A bundle that can be published.
#[derive(Debug)]
pub(super) struct Sealed<'a> {
    /// Its version.
    pub(super) version: u64,
    /// Its manifest, sealed.
    pub(super) manifest: Vec<u8>,
    /// Its parts by name.
    pub(super) parts: Vec<(Hash, &'a [u8])>,
}

/// What is published next.
#[derive(Debug)]
pub(super) struct Publisher {
    signer: Signer,
    ttl: u64,
    corpora: Vec<Piece>,
    rules: Piece,
    base: Piece,
    deltas: Vec<Piece>,
    expires: u64,
    /// Something has changed since the last bundle.
    changed: bool,
}

impl Publisher {
    pub(super) fn new(signer: Signer, ttl: Duration, corpora: &[Vec<u8>]) -> Self {
        Self {
            signer,
            ttl: ttl.as_secs(),
            corpora: corpora.iter().map(|corpus| Piece::new(PartKind::Corpus, corpus.clone())).collect(),
            rules: Piece::new(PartKind::Rules, Vec::new()),
            base: Piece::new(PartKind::Feed, Change::write_all(&[])),
            deltas: Vec::new(),
            expires: 0,
            changed: true,
        }
    }

    /// The rules document to publish.
    pub(super) fn rules(&mut self, document: &[u8]) {
        let piece = Piece::new(PartKind::Rules, document.to_vec());
        self.changed |= piece.part != self.rules.part;
        self.rules = piece;
    }

    /// All that is known of campaigns.
    pub(super) fn base(&mut self, changes: &[Change]) {
        self.base = Piece::new(PartKind::Feed, Change::write_all(changes));
        self.deltas.clear();
        self.changed = true;
    }

    /// What is new of campaigns.
    pub(super) fn changes(&mut self, changes: &[Change]) {
        if !changes.is_empty() {
            self.deltas.push(Piece::new(PartKind::Feed, Change::write_all(changes)));
            self.changed = true;
        }
    }

    /// Whether a new base is due: the changes beside it are many, or larger than it.
    pub(super) fn wants_base(&self) -> bool {
        let bytes: usize = self.deltas.iter().map(|delta| delta.bytes.len()).sum();
        self.deltas.len() >= DELTAS || bytes > self.base.bytes.len().max(SMALL)
    }

    /// Whether there is something to publish: a change, or half of the last bundle's time is over. `now` in seconds.
    pub(super) fn due(&self, now: u64) -> bool {
        self.changed || self.ends_soon(now)
    }

    /// Whether half of the last bundle's time is over; or more than all of it is left, since the clock has stepped back.
    fn ends_soon(&self, now: u64) -> bool {
        let (half, at) = (self.ttl / 2, |seconds: u64| Timestamp(seconds.saturating_mul(SECOND)));
        at(now).is_due(at(self.expires.saturating_sub(half)), at(self.ttl - half).0)
    }

    /// The next bundle: its version, sealed manifest and parts. `now` in seconds.
    pub(super) fn bundle(&mut self, current: u64, now: u64) -> Sealed<'_> {
        // The end stays while it is far: filters compile rules anew when it moves.
        if self.ends_soon(now) {
            self.expires = now + self.ttl;
        }
        // Seconds since 1970, where the clock allows, so that a person can read it.
        let version = now.max(current + 1);
        let pieces = || std::iter::once(&self.rules).chain(&self.corpora).chain([&self.base]).chain(&self.deltas);
        let parts = pieces().map(|piece| piece.part).collect();
        let manifest = Manifest { version, issued: now, expires: self.expires, parts };
        let sealed = self.signer.seal(&manifest);
        Sealed {
            version,
            manifest: sealed,
            parts: pieces().map(|piece| (piece.part.hash, piece.bytes.as_slice())).collect(),
        }
    }

    /// The bundle was published.
    pub(super) fn published(&mut self) {
        self.changed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::bundle::TrustedKeys;
    use azeotrope_engine::campaign::feed::Profile;

    const DAY: u64 = 86_400;

    fn profile(campaign: u32) -> Change {
        Change::Profile { campaign, profile: Profile { name: format!("c-{campaign}"), ..Profile::default() } }
    }

    fn publisher() -> (Publisher, TrustedKeys) {
        let signer = Signer::generate();
        let keys = TrustedKeys(vec![signer.public()]);
        (Publisher::new(signer, Duration::from_secs(DAY), &[]), keys)
    }

    #[test]
    fn versions_grow_whatever_the_clock_does() {
        let (mut publisher, keys) = publisher();
        for (current, now, version) in [(0, 1_000, 1_000), (1_000, 1_000, 1_001), (1_001, 50, 1_002)] {
            let Sealed { version: found, manifest: sealed, .. } = publisher.bundle(current, now);
            assert_eq!((found, Manifest::open(&sealed, &keys).unwrap().0.version), (version, version));
        }
    }

    #[test]
    fn the_end_moves_only_when_half_of_the_time_is_over() {
        let (mut publisher, keys) = publisher();
        let mut end = |current, now| {
            let sealed = publisher.bundle(current, now).manifest;
            publisher.published();
            assert!(!publisher.due(now));
            Manifest::open(&sealed, &keys).unwrap().0.expires
        };
        assert_eq!(end(0, 1_000), 1_000 + DAY);
        assert_eq!(end(1_000, 999 + DAY / 2), 1_000 + DAY);
        assert_eq!(end(2_000, 1_000 + DAY / 2), 1_000 + DAY / 2 + DAY);
        assert!(publisher.due(2_000 + DAY));
    }

    #[test]
    fn a_clock_that_stepped_back_has_no_bundle_last_longer() {
        let (mut publisher, keys) = publisher();
        let mut end = |now| Manifest::open(&publisher.bundle(0, now).manifest, &keys).unwrap().0.expires;
        assert_eq!([400 * DAY, 35 * DAY, 36 * DAY - 1].map(&mut end), [401 * DAY, 36 * DAY, 37 * DAY - 1]);
    }

    #[test]
    fn changes_go_beside_the_base_until_a_new_one_is_due() {
        let (mut publisher, _) = publisher();
        publisher.rules(b"{}");
        publisher.base(&[profile(0)]);
        let mut bases = 0;
        for n in 1..100 {
            publisher.changes(&[profile(n)]);
            if publisher.wants_base() {
                bases += 1;
                publisher.base(&(0..=n).map(profile).collect::<Vec<_>>());
            }
            assert!(publisher.bundle(0, 5).parts.len() <= MAX_PARTS);
        }
        assert!((5..20).contains(&bases), "{bases}");
    }
}
