//! What waits to be sent: bounded in bytes, and what does not fit is counted.

use super::{FORMAT, Fate, Header, codec};
use crate::caller::Caller;
use crate::digest::{BLOBS, Reading};
use crate::time::Timestamp;
use crate::verdict::Verdict;
use crate::wire::Out;

/// Bytes that no observation is smaller than.
const SMALLEST: usize = 16;

/// Observations that wait, encoded.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    bytes: Vec<u8>,
    first: Timestamp,
    count: u32,
    limit: usize,
    lost: u64,
}

/// What is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    bytes: Vec<u8>,
    first: Timestamp,
    /// Observations in it.
    pub count: u32,
}

impl Queue {
    /// A queue of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Adds a request that was judged at one time, and what became of it, which is known at another.
    pub fn request(
        &mut self,
        caller: &Caller,
        reading: &Reading,
        verdict: &Verdict,
        fate: Fate,
        (at, now): (Timestamp, Timestamp),
    ) {
        self.push(at, now, |out| codec::write_request(out, caller, reading, verdict, fate));
    }

    /// Adds that a request was refused for load.
    pub fn refused(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        self.push(now, now, |out| codec::write_refused(out, caller, reading));
    }

    /// Adds the blobs that an answer gave, as many as are looked at.
    pub fn given(&mut self, caller: &Caller, blobs: &[u64], now: Timestamp) {
        let blobs = blobs.get(..BLOBS).unwrap_or(blobs);
        if !blobs.is_empty() {
            self.push(now, now, |out| codec::write_given(out, caller, blobs));
        }
    }

    /// Adds what came at `at`, and is known now. Where there is no room it is lost, and counted.
    fn push(&mut self, at: Timestamp, now: Timestamp, write: impl FnOnce(&mut Out)) {
        if self.bytes.is_empty() {
            self.first = now;
        }
        let before = self.bytes.len();
        // A full queue costs nothing more.
        let full = before.saturating_add(SMALLEST) > self.limit;
        if !full {
            let mut out = Out(std::mem::take(&mut self.bytes));
            out.i32(i32::try_from(at.0.wrapping_sub(self.first.0).cast_signed()).unwrap_or(i32::MAX));
            write(&mut out);
            self.bytes = out.0;
        }
        if full || self.bytes.len() > self.limit {
            self.bytes.truncate(before);
            self.lost = self.lost.saturating_add(1);
        } else {
            self.count = self.count.saturating_add(1);
        }
    }

    /// Observations that did not fit since the queue began.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Observations that wait.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Takes what waits; `None` where nothing does.
    pub fn take(&mut self) -> Option<Load> {
        let count = std::mem::take(&mut self.count);
        (count > 0).then(|| Load { bytes: std::mem::take(&mut self.bytes), first: self.first, count })
    }
}

impl Load {
    /// Milliseconds since its first observation.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> u64 {
        now.since(self.first)
    }

    /// A batch of nothing: it tells how the sender is.
    #[must_use]
    pub fn empty(now: Timestamp) -> Self {
        Self { bytes: Vec::new(), first: now, count: 0 }
    }

    /// The batch, as it is sent at `now`; the header's age is set here.
    #[must_use]
    pub fn batch(&self, header: Header, now: Timestamp) -> Vec<u8> {
        let age = u32::try_from(now.since(self.first)).unwrap_or(u32::MAX);
        let mut out = Out(vec![FORMAT]);
        codec::write_header(&mut out, &Header { age, ..header });
        out.0.extend_from_slice(&self.bytes);
        out.0
    }
}
