//! What the rules documents on disk hold, as far as it was dealt with: a sidecar that starts puts into force only what has
//! changed since.
//!
//! Each file is its sidecar's own: one that cannot be replaced (a ConfigMap), or is another's, stays behind what came into
//! force through the interface, and that does not make it new. Files of the same path may be one document that comes to
//! several sidecars at different times, and sidecars get other names (pods): what others have dealt with counts, where it
//! is newer than what this one has.

use super::candidate;
use super::shared::Shared;
use crate::file;
use crate::store::{Hash, Outcome, Store, get_json, set_json};
use azeotrope_engine::bundle::hash;
use azeotrope_engine::rules::MAX_BYTES;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// What each file held, what changed last first.
const FILES: &str = "rules.files";
/// The document that any file last held: all that sidecars of versions before look at.
const FILE: &str = "rules.file";
/// Files that are remembered.
const REMEMBERED: usize = 128;

/// A file, and what it held when it was last dealt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    sidecar: String,
    path: String,
    hash: Hash,
}

impl Held {
    fn new(shared: &Shared, path: &Path, document: &[u8]) -> Self {
        Self { sidecar: shared.name.clone(), path: path.display().to_string(), hash: hash(document) }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (&self.sidecar, &self.path) == (&other.sidecar, &other.path)
    }
}

fn files(store: &dyn Store) -> Outcome<Vec<Held>> {
    Ok(get_json(store, FILES)?.unwrap_or_default())
}

/// Whether what a file holds was dealt with; `None`: nothing is remembered of a file of its path.
fn is_old(files: &[Held], held: &Held) -> Option<bool> {
    let alike: Vec<&Held> = files.iter().filter(|file| file.path == held.path).collect();
    let own = alike.iter().position(|file| file.is_same_file(held)).unwrap_or(0);
    (!alike.is_empty()).then(|| alike.iter().take(own + 1).any(|file| file.hash == held.hash))
}

/// Whether a file of this path held this: one that sidecars share was written by another of them, then.
fn is_dealt_with(files: &[Held], held: &Held) -> bool {
    files.iter().any(|file| (&file.path, &file.hash) == (&held.path, &held.hash))
}

fn remember(files: &mut Vec<Held>, held: Held) {
    files.retain(|file| !file.is_same_file(&held));
    files.insert(0, held);
    files.truncate(REMEMBERED);
}

/// Whether what a file holds was dealt with already, or is in force.
pub(super) fn is_known(shared: &Shared, path: &Path, document: &[u8]) -> Outcome<bool> {
    let (store, held) = (&*shared.store, Held::new(shared, path, document));
    if candidate::in_force(store)?.is_some_and(|rules| rules.document.as_bytes() == document) {
        return Ok(true);
    }
    match is_old(&files(store)?, &held) {
        Some(old) => Ok(old),
        None => Ok(store.get(FILE)?.is_some_and(|known| known == held.hash)),
    }
}

/// Remembers what a file holds. Only who has the turn may.
pub(super) fn know(shared: &Shared, path: &Path, document: &[u8]) -> Outcome<()> {
    let (store, held) = (&*shared.store, Held::new(shared, path, document));
    store.set(FILE, &held.hash)?;
    let mut files = files(store)?;
    if !files.contains(&held) {
        remember(&mut files, held);
        set_json(store, FILES, &files)?;
    }
    Ok(())
}

/// The file on disk is what people read: it follows what comes into force. What was written there by others since is not
/// written over. Why it does not follow.
pub(super) fn follow(shared: &Shared, document: &str) -> Option<String> {
    let path = shared.rules_file.as_ref()?;
    let problem = match replace(shared, path, document) {
        Ok(None) => return None,
        Ok(Some(problem)) => problem,
        Err(error) => error.to_string(),
    };
    Some(format!("in force, but {} could not follow ({problem}): change it there, too", path.display()))
}

fn replace(shared: &Shared, path: &Path, document: &str) -> Outcome<Option<String>> {
    let files = files(&*shared.store)?;
    match load(path) {
        Ok(found) if found == document.as_bytes() => {}
        Ok(found) if !is_dealt_with(&files, &Held::new(shared, path, &found)) => {
            return Ok(Some("what others wrote there is not in force".to_owned()));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Ok(Some(error.to_string())),
        _ => {
            if let Err(error) = file::replace(path, document) {
                return Ok(Some(error.to_string()));
            }
        }
    }
    know(shared, path, document.as_bytes()).map(|()| None)
}

/// What a file holds; no more of it than can be rules.
pub(super) fn load(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(sidecar: &str, document: u8) -> Held {
        Held { sidecar: sidecar.to_owned(), path: "rules.json".to_owned(), hash: [document; 32] }
    }

    fn is_new(files: &[Held], sidecar: &str, document: u8) -> bool {
        is_old(files, &held(sidecar, document)) == Some(false)
    }

    #[test]
    fn a_file_is_new_where_it_changed_since_its_sidecar_saw_it() {
        let mut files = Vec::new();
        assert_eq!(is_old(&files, &held("a", 1)), None);
        remember(&mut files, held("a", 1));
        remember(&mut files, held("b", 1));
        // The document of `a` followed what was published through it; that of `b` did not.
        remember(&mut files, held("a", 2));
        assert!(!is_new(&files, "a", 2) && !is_new(&files, "b", 1));
        assert!(is_new(&files, "a", 1) && is_new(&files, "b", 3));
        assert!(is_dealt_with(&files, &held("c", 2)) && !is_dealt_with(&files, &held("a", 3)));
        // A document that comes to several is dealt with once.
        assert!(!is_new(&files, "b", 2));
        remember(&mut files, held("b", 2));
        // And taken back by one, though another had it long ago.
        remember(&mut files, held("c", 9));
        assert!(is_new(&files, "b", 1));
        assert_eq!(is_old(&files, &Held { path: "other.json".to_owned(), ..held("a", 2) }), None);
    }

    #[test]
    fn sidecars_of_other_names_go_by_what_was_last_dealt_with() {
        let mut files = Vec::new();
        (1..=2).for_each(|document| remember(&mut files, held(&format!("pod-{document}"), document)));
        assert!(!is_new(&files, "pod-3", 2) && is_new(&files, "pod-3", 1));
        (0..1_000).for_each(|pod| remember(&mut files, held(&format!("pod-{pod}"), 2)));
        assert_eq!(files.len(), REMEMBERED);
    }
}
