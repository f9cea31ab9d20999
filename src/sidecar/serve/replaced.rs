//! Parts of bundles that were replaced: who began to fetch one finishes it, however slow its link and however fast campaigns grow.

use crate::store::{Edition, Hash};
use azeotrope_engine::bundle::{Manifest, TrustedKeys};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// How long the parts of a bundle are there once another has taken its place.
const SERVED: Duration = Duration::from_secs(300);
/// Bytes of all that are there at most; the newest two bundles are, whatever their size.
const MOST: usize = 256 << 20;

/// The latest bundles, the newest last: when they were published, and the sizes of their parts.
#[derive(Debug, Default)]
pub(super) struct Replaced(VecDeque<(Instant, Vec<(Hash, usize)>)>);

impl Replaced {
    /// What another sidecar has published, the newest first.
    pub(super) fn by_another(editions: &[Edition], keys: &TrustedKeys, now: Instant) -> Self {
        let manifests =
            editions.iter().rev().filter_map(|edition| Some(Manifest::open(&edition.manifest, keys).ok()?.0));
        let sizes = |of: Manifest| of.parts.iter().map(|part| (part.hash, part.size as usize)).collect();
        Self(manifests.map(|manifest| (now, sizes(manifest))).collect())
    }

    /// A bundle takes the place of the one before. Returns the names of all parts that are to be there still.
    pub(super) fn published(&mut self, parts: &[(Hash, &[u8])], now: Instant) -> Vec<Hash> {
        self.0.push_back((now, parts.iter().map(|(hash, bytes)| (*hash, bytes.len())).collect()));
        while self.0.get(1).is_some_and(|(replaced, _)| now.saturating_duration_since(*replaced) > SERVED) {
            self.0.pop_front();
        }
        let (mut wanted, mut bytes) = (HashMap::new(), 0);
        let mut kept = 0;
        for (_, parts) in self.0.iter().rev() {
            let more = parts.iter().filter(|(hash, _)| !wanted.contains_key(hash)).map(|(_, size)| size).sum::<usize>();
            if kept >= 2 && bytes + more > MOST {
                break;
            }
            bytes += more;
            wanted.extend(parts.iter().copied());
            kept += 1;
        }
        self.0.drain(..self.0.len() - kept);
        wanted.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use crate::serve::publisher::{Publisher, Sealed};
    use crate::signing::Signer;
    use crate::store::{JOINER, Published, open};
    use azeotrope_engine::campaign::Change;
    use azeotrope_engine::campaign::feed::Profile;

    const SECOND: Duration = Duration::from_secs(1);

    fn profile(campaign: u32) -> Change {
        Change::Profile { campaign, profile: Profile { name: format!("c-{campaign}"), ..Profile::default() } }
    }

    #[test]
    fn what_a_manifest_names_can_be_fetched_for_minutes_while_a_campaign_grows_and_not_for_ever() {
        let folder = Directory::new();
        let store = open(None, Some(&folder.0)).unwrap();
        let fence = store.lease(JOINER, 1, 60 * SECOND).unwrap().unwrap();
        let mut publisher = Publisher::new(Signer::generate(), 3_600 * SECOND, &[]);
        let (mut replaced, begun, mut first) = (Replaced::default(), Instant::now(), Vec::new());
        publisher.rules(b"{}");
        for second in (0..400).step_by(5) {
            publisher.changes(&[profile(second)]);
            if publisher.wants_base() {
                publisher.base(&(0..=second).map(profile).collect::<Vec<_>>());
            }
            let Sealed { version, manifest, parts } = publisher.bundle(u64::from(second), 0);
            let edition = Edition { version, at: 0, note: String::new(), manifest };
            assert_eq!(store.publish(fence, &edition, &parts).unwrap(), Published::Done);
            store.keep(&replaced.published(&parts, begun + second * SECOND)).unwrap();
            if second == 10 {
                first = parts.iter().map(|(hash, _)| *hash).collect();
            }
            let there = first.iter().filter(|hash| store.part(hash).unwrap().is_some()).count();
            match second {
                10..300 => assert_eq!(there, first.len(), "{second}"),
                // The rules are still the same.
                360.. => assert_eq!(there, 1, "{second}"),
                _ => {}
            }
        }
    }

    #[test]
    fn bytes_are_bounded_but_for_the_newest_two() {
        let large = vec![0; MOST / 4];
        let (mut replaced, now) = (Replaced::default(), Instant::now());
        for n in 1..=20 {
            // Every bundle has one part that all have.
            let wanted = replaced.published(&[([0; 32], &large), ([n; 32], &large)], now);
            assert_eq!(wanted.len(), usize::from(n.min(3)) + 1, "{n}");
        }
        let huge = vec![0; MOST];
        let mut wanted = replaced.published(&[([99; 32], &huge)], now);
        wanted.sort_unstable();
        assert_eq!(wanted, [[0; 32], [20; 32], [99; 32]]);
    }
}
