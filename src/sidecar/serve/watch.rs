//! The rules document on disk: whatever way it is changed, its content tells.
//!
//! Read twice a second and compared by content: edits in place, renames over it and Kubernetes' symlink swaps look alike,
//! and no kernel interface has to work on the volume. A document that two looks agree on is submitted: one that is half
//! written is not taken for the whole.

use super::candidate::{self, InForce, Submission, Turn};
use super::files;
use super::shared::Shared;
use super::{Options, metrics, unknown};
use crate::clock::now;
use crate::store::Outcome;
use azeotrope_engine::rules::Rules;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Watches the file, if there is one.
pub(super) fn start(options: &Options, shared: &Arc<Shared>, stopped: watch::Receiver<bool>) -> JoinHandle<()> {
    let (path, shared) = (options.rules.clone(), Arc::clone(shared));
    std::thread::spawn(move || {
        let Some(path) = path else { return };
        let mut watched = Watched::default();
        while !*stopped.borrow() {
            watched.look(&path, &shared);
            std::thread::sleep(LOOK);
        }
    })
}

#[derive(Default)]
struct Watched {
    /// As it was read last.
    read: Option<Result<Vec<u8>, String>>,
    /// As it was dealt with last.
    dealt: Option<Result<Vec<u8>, String>>,
}

impl Watched {
    fn look(&mut self, path: &Path, shared: &Shared) {
        let found = files::load(path).map_err(|error| format!("{}: {error}", path.display()));
        let settled = self.read.as_ref() == Some(&found);
        self.read = Some(found.clone());
        if !settled || self.dealt.as_ref() == Some(&found) {
            return;
        }
        let dealt = match &found {
            Ok(document) => submit(document, path, shared),
            Err(reason) => {
                shared.say(&format!("{reason}; the rules before it stay in force"));
                true
            }
        };
        if dealt {
            self.dealt = Some(found);
        }
    }
}

/// Submits a document; whether that is done.
fn submit(document: &[u8], path: &Path, shared: &Shared) -> bool {
    if let Err(problems) = Rules::parse(document) {
        metrics::add(&shared.metrics.rules_refused, 1);
        for problem in problems {
            shared.say(&format!("{}: {problem}", path.display()));
        }
        shared.say(&format!("{}: refused; the rules before it stay in force", path.display()));
        return true;
    }
    let Ok(text) = String::from_utf8(document.to_vec()) else { return true };
    let who = format!("{} on {}", path.display(), shared.name);
    let (note, through) = (String::new(), "file".to_owned());
    let (id, at, document) = (rand::random(), now(), text);
    let submission = Submission { id, at, who, note, through, force: false, back_to: None, document };
    matches!(shared.heed(in_turn(shared, path, &submission)), Ok(true))
}

/// Submits what is not known; `false`: other rules are on their way, and the next look tries again.
fn in_turn(shared: &Shared, path: &Path, submission: &Submission) -> Outcome<bool> {
    let (store, document) = (&*shared.store, submission.document.as_bytes());
    let Some(turn) = Turn::take(store)? else { return Ok(false) };
    if !files::is_known(shared, path, document)? {
        if let Some(unknown) = unknown::campaigns(store, &submission.document)? {
            shared.say(&format!("{}: {unknown}", path.display()));
        }
        turn.submit(submission)?;
    } else if let Some(InForce { number, who, document: newer, .. }) = candidate::in_force(store)?
        && newer.as_bytes() != document
    {
        let path = path.display();
        shared.say(&format!("{path}: as it was before; rules {number} (by {who}) are newer and stay in force"));
    }
    files::know(shared, path, document)?;
    Ok(true)
}
