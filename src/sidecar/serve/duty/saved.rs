//! What the sidecar that has the duty saves, so that the next one goes on where it was.

use super::Duty;
use crate::keeper::Keeper;
use crate::serve::traffic::Traffic;
use crate::store::{Outcome, Store};
use azeotrope_engine::campaign::{Criteria, Joiner, Limits};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Time between two snapshots, at least.
pub(super) const SNAPSHOT: Duration = Duration::from_secs(10);
/// Where a snapshot is kept that could not be read.
pub(super) const UNREAD: &str = "snapshot.unread";
/// Snapshots take at most one part in so many of the time.
const SNAPSHOT_SHARE: u32 = 20;

/// What is saved.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    joiner: Vec<u8>,
    keeper: Vec<u8>,
    traffic: Vec<u8>,
}

/// What was saved before traffic was counted.
#[derive(Deserialize)]
struct SavedBefore {
    joiner: Vec<u8>,
    keeper: Vec<u8>,
}

/// Why what the one before knew cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// A later version has saved it.
    Newer,
    /// It is damaged, or of a version long ago.
    Damaged(&'static str),
}

impl Saved {
    /// What the one before knew.
    ///
    /// # Errors
    /// Bytes of another layout, or damaged ones.
    pub(super) fn read(bytes: &[u8], criteria: Criteria) -> Result<(Joiner, Keeper, Traffic), Unread> {
        let before = |SavedBefore { joiner, keeper }| Self { joiner, keeper, traffic: Vec::new() };
        let saved: Self = postcard::from_bytes(bytes)
            .or_else(|_| postcard::from_bytes(bytes).map(before))
            .map_err(|_| Unread::Damaged("a damaged snapshot"))?;
        if Joiner::is_newer(&saved.joiner) {
            return Err(Unread::Newer);
        }
        let joiner = Joiner::restore(&saved.joiner, Limits::default(), criteria).map_err(Unread::Damaged)?;
        let keeper = postcard::from_bytes(&saved.keeper).unwrap_or_default();
        Ok((joiner, keeper, postcard::from_bytes(&saved.traffic).unwrap_or_default()))
    }
}

impl Duty {
    /// Saves when it is time. `false`: another has the duty.
    pub(in crate::serve) fn save_when_due(&mut self, store: &dyn Store) -> Outcome<bool> {
        if self.joined == 0 || self.saved.elapsed() < self.patience {
            return Ok(true);
        }
        self.save(store)
    }

    /// Saves, and has no batch read again that is in it. `false`: another has the duty.
    pub(in crate::serve) fn save(&mut self, store: &dyn Store) -> Outcome<bool> {
        let begun = Instant::now();
        self.shadow.write(store)?;
        let Some(bytes) = self.snapshot() else { return Ok(true) };
        if !store.save(self.fence, &self.cursor, &bytes)? {
            return Ok(false);
        }
        store.trim(&self.cursor)?;
        (self.saved, self.joined) = (Instant::now(), 0);
        self.patience = SNAPSHOT.max(begun.elapsed() * SNAPSHOT_SHARE);
        Ok(true)
    }

    /// All that the next one needs; `None` where it cannot be written down, which does not happen.
    pub(in crate::serve) fn snapshot(&self) -> Option<Vec<u8>> {
        let (joiner, keeper) = (self.joiner.snapshot().ok()?, postcard::to_allocvec(&self.keeper).ok()?);
        let traffic = postcard::to_allocvec(&self.traffic).ok()?;
        postcard::to_allocvec(&Saved { joiner, keeper, traffic }).ok()
    }
}
