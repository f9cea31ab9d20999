//! What waits to be sent: bounded in bytes, and what does not fit is counted.

use super::{BLOBS, Event, FORMAT, Header, Observation};
use crate::time::Timestamp;

/// Observations that wait, encoded.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
    first: Timestamp,
    limit: usize,
    lost: u64,
}

/// What is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    bytes: Vec<u8>,
    first: Timestamp,
}

impl Queue {
    /// A queue of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Adds what was observed at `now`. Where there is no room it is lost, and counted.
    pub fn push(&mut self, event: Event, now: Timestamp) {
        if self.bytes.is_empty() {
            self.first = now;
        }
        let after = u32::try_from(now.since(self.first)).unwrap_or(u32::MAX);
        let before = self.bytes.len();
        // Half of what there is room for is looked at before the work is done: most that does not fit costs nothing.
        let written = (before < self.limit)
            .then(|| postcard::to_extend(&Observation { after, event }, std::mem::take(&mut self.bytes)).ok())
            .flatten();
        match written {
            Some(bytes) if bytes.len() <= self.limit => self.bytes = bytes,
            Some(mut bytes) => {
                bytes.truncate(before);
                self.bytes = bytes;
                self.lost = self.lost.saturating_add(1);
            }
            None => self.lost = self.lost.saturating_add(1),
        }
    }

    /// Adds the blobs that an answer gave, as many as are looked at.
    pub fn given(&mut self, caller: crate::caller::Caller, blobs: &[u64], now: Timestamp) {
        let blobs: Vec<u64> = blobs.iter().copied().take(BLOBS).collect();
        if !blobs.is_empty() {
            self.push(Event::Given { caller, blobs }, now);
        }
    }

    /// Observations that did not fit since the queue began.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes what waits; `None` where nothing does.
    pub fn take(&mut self) -> Option<Load> {
        (!self.bytes.is_empty()).then(|| Load { bytes: std::mem::take(&mut self.bytes), first: self.first })
    }
}

impl Load {
    /// The batch, as it is sent at `now`; the header's age is set here.
    #[must_use]
    pub fn batch(&self, header: Header, now: Timestamp) -> Vec<u8> {
        let age = u32::try_from(now.since(self.first)).unwrap_or(u32::MAX);
        let mut bytes = postcard::to_extend(&Header { age, ..header }, vec![FORMAT]).unwrap_or_default();
        bytes.extend_from_slice(&self.bytes);
        bytes
    }
}
