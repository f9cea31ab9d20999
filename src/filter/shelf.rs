//! The newest bundle of this proxy process, in shared data: a worker that starts finds it there, whatever became of the
//! sidecar.
//!
//! A fixed number of slots, twice as many as a bundle has parts: those of the bundle in force stay untouched while the
//! next one is put beside them. The manifest comes last and all at once.

use azeotrope_engine::bundle::{MAX_PARTS, Manifest, Part};
use azeotrope_engine::store::{Get, Key, Store, SwapError, Version};

/// Where the manifest is.
const MANIFEST: Key = Key::alone("bundle");
/// Slots for parts.
const SLOTS: u8 = 2 * MAX_PARTS as u8;
/// Bytes of a hash, before each part.
const HASH: usize = 32;

/// A manifest as it is on the shelf; not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shelved {
    /// The manifest, sealed.
    pub(crate) sealed: Vec<u8>,
    /// Grows when it is changed.
    pub(crate) version: Version,
    /// The slot of each part.
    slots: Vec<u8>,
}

/// What is on the shelf.
pub(crate) fn look(store: &impl Get) -> Option<Shelved> {
    let (bytes, version) = store.get(MANIFEST)?;
    let (count, rest) = bytes.split_first()?;
    let (slots, sealed) = rest.split_at_checked(usize::from(*count))?;
    Some(Shelved { sealed: sealed.to_vec(), version, slots: slots.to_vec() })
}

/// A part on the shelf; `None` if another one is in its slot.
pub(crate) fn part(store: &impl Get, shelved: &Shelved, index: usize, part: &Part) -> Option<Vec<u8>> {
    let (mut bytes, _) = store.get(slot(*shelved.slots.get(index)?))?;
    bytes.starts_with(&part.hash).then(|| {
        bytes.drain(..HASH);
        bytes
    })
}

/// Puts a bundle on the shelf. `before`: what is there, with its manifest; `parts`: those that are not there yet.
///
/// # Errors
/// Somebody else put one there, or shared data is not there; nothing has changed then.
pub(crate) fn put<S: Store>(
    store: &mut S,
    before: Option<(&Shelved, &Manifest)>,
    (sealed, manifest): (&[u8], &Manifest),
    parts: &[Option<Vec<u8>>],
) -> Result<(), SwapError> {
    let kept = |part: &Part| {
        let (shelved, known) = before?;
        let index = known.parts.iter().position(|of| of.hash == part.hash)?;
        shelved.slots.get(index).copied()
    };
    let taken: Vec<u8> = before.map(|(shelved, _)| shelved.slots.clone()).unwrap_or_default();
    let mut free = (0..SLOTS).filter(|slot| !taken.contains(slot));
    let mut record = vec![u8::try_from(manifest.parts.len()).unwrap_or(u8::MAX)];
    for (part, bytes) in manifest.parts.iter().zip(parts) {
        let place = match (bytes, kept(part)) {
            (None, Some(place)) => place,
            (None, None) => return Err(SwapError::Unavailable),
            (Some(bytes), _) => {
                let place = free.next().ok_or(SwapError::Unavailable)?;
                overwrite(store, slot(place), &[&part.hash[..], bytes].concat())?;
                place
            }
        };
        record.push(place);
    }
    record.extend_from_slice(sealed);
    store.swap(MANIFEST, &record, before.map(|(shelved, _)| shelved.version))
}

fn slot(place: u8) -> Key {
    Key::numbered("bundle.part", place.into())
}

fn overwrite<S: Store>(store: &mut S, key: Key, value: &[u8]) -> Result<(), SwapError> {
    match store.swap(key, value, None) {
        Err(SwapError::Conflict) => {
            let seen = store.get(key).map(|(_, version)| version);
            store.swap(key, value, seen)
        }
        done => done,
    }
}

/// Takes or renews the right to do something for the whole process until `until`; whether this worker has it.
pub(crate) fn lease<S: Store>(store: &mut S, of: Key, owner: u64, now: u64, until: u64) -> bool {
    let held = store.get(of);
    let free = held.as_ref().is_none_or(|(bytes, _)| {
        let number = |at: usize| {
            bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        // One that reaches further than any does was written by a clock that has stepped back since.
        let (holder, ends) = (number(0), number(8));
        holder == owner || ends <= now || ends > until.saturating_add(until.saturating_sub(now))
    });
    let value = [owner.to_le_bytes(), until.to_le_bytes()].concat();
    free && store.swap(of, &value, held.map(|(_, version)| version)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::bundle::PartKind;
    use azeotrope_engine::store::MemoryStore;

    fn manifest(version: u64, parts: &[&[u8]]) -> Manifest {
        let part = |bytes: &&[u8]| Part::of(PartKind::Feed, bytes);
        Manifest { version, issued: 0, expires: 9, parts: parts.iter().map(part).collect() }
    }

    fn put_all(store: &mut MemoryStore, version: u64, parts: &[&[u8]]) -> Manifest {
        let new = manifest(version, parts);
        let bytes: Vec<_> = parts.iter().map(|part| Some(part.to_vec())).collect();
        let before = look(store);
        // Slots are reused only where the manifest before is known.
        let old = manifest(0, &[]);
        let before = before.as_ref().map(|shelved| (shelved, &old));
        put(store, before, (version.to_string().as_bytes(), &new), &bytes).unwrap();
        new
    }

    #[test]
    fn what_is_put_is_found_and_what_is_kept_is_not_written_again() {
        let mut store = MemoryStore::default();
        let first = put_all(&mut store, 1, &[b"one", b"two"]);
        let shelved = look(&store).unwrap();
        assert_eq!(part(&store, &shelved, 1, &first.parts[1]).unwrap(), b"two");
        let second = manifest(2, &[b"one", b"three"]);
        let new = [None, Some(b"three".to_vec())];
        put(&mut store, Some((&shelved, &first)), (b"2", &second), &new).unwrap();
        let newer = look(&store).unwrap();
        assert_eq!(newer.sealed, b"2");
        assert_eq!(part(&store, &newer, 0, &second.parts[0]).unwrap(), b"one");
        assert_eq!(part(&store, &newer, 1, &second.parts[1]).unwrap(), b"three");
        // Who still reads the old one finds its parts.
        assert_eq!(part(&store, &shelved, 1, &first.parts[1]).unwrap(), b"two");
        assert_eq!(part(&store, &shelved, 0, &second.parts[1]), None);
    }

    #[test]
    fn memory_is_bounded_however_often_the_bundle_changes() {
        let mut store = MemoryStore::default();
        for version in 1..500_u64 {
            let parts: Vec<Vec<u8>> = (0..8).map(|n| format!("{version}-{n}").into_bytes()).collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            put_all(&mut store, version, &parts);
        }
        let slots = (0..=u8::MAX).filter(|&place| store.get(slot(place)).is_some()).count();
        assert!(slots <= usize::from(SLOTS), "{slots}");
    }

    #[test]
    fn two_that_put_at_once_do_not_mix() {
        let mut store = MemoryStore::default();
        let first = put_all(&mut store, 1, &[b"one"]);
        let seen = look(&store).unwrap();
        put_all(&mut store, 2, &[b"two"]);
        let late = manifest(3, &[b"late"]);
        let refused = put(&mut store, Some((&seen, &first)), (b"3", &late), &[Some(b"late".to_vec())]);
        assert!(matches!(refused, Err(SwapError::Conflict)));
        assert_eq!(look(&store).unwrap().sealed, b"2");
    }

    #[test]
    fn one_at_a_time_has_a_lease_and_it_passes_on_when_it_ends() {
        const LEASE: Key = Key::alone("l");
        const FAR: Key = Key::alone("far");
        let mut store = MemoryStore::default();
        assert!(lease(&mut store, LEASE, 1, 1_000, 4_000));
        assert!(!lease(&mut store, LEASE, 2, 2_000, 5_000));
        assert!(lease(&mut store, LEASE, 1, 3_000, 6_000));
        assert!(lease(&mut store, LEASE, 2, 6_000, 9_000));
        // A clock that stepped back by an hour must not leave the lease taken for an hour.
        assert!(lease(&mut store, FAR, 1, 3_600_000, 3_603_000));
        assert!(lease(&mut store, FAR, 2, 1_000, 4_000));
    }

    #[test]
    fn what_is_no_record_is_not_there() {
        let mut store = MemoryStore::default();
        store.swap(MANIFEST, &[200, 1], None).unwrap();
        assert_eq!(look(&store), None);
    }
}
