//! What sidecars keep: the stream of observations, who has which duty, bundles, and small documents.
//!
//! | file | what |
//! |---|---|
//! | `embedded` | redb in a folder: one sidecar, no server |
//! | `redis` | Redis or Valkey: several sidecars, one view |
//!
//! Calls block; they are made from threads that may. What is acknowledged is kept: by redb once it is on disk, by Redis as
//! durably as it is configured (`appendonly yes`, replicas).

mod embedded;
mod redis;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Batches that wait at most; more are refused, and the filters keep or count them.
pub(crate) const WAITING: u64 = 1_000_000;
/// Editions that are kept.
pub(crate) const EDITIONS: usize = 100;
/// Entries of the audit trail that are kept.
pub(crate) const AUDITS: usize = 10_000;
/// Senders that are listed.
pub(crate) const SENDERS: usize = 4_096;
/// The lease without which nothing is published and no snapshot saved.
const DUTY: &str = "joiner";

/// Why a store could not answer: it is down, slow or full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable(pub(crate) String);

impl fmt::Display for Unavailable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "the store does not answer: {}", self.0)
    }
}

/// What a store answers.
pub(crate) type Outcome<T> = Result<T, Unavailable>;

/// A place in the stream of observations. The default is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(pub(crate) u64, pub(crate) u64);

/// SHA-256 of a part.
pub(crate) type Hash = azeotrope_engine::bundle::Hash;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is kept.
    New,
    /// It was, before.
    Duplicate,
}

/// A batch of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place.
    pub(crate) cursor: Cursor,
    /// When it came, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) received: u64,
    /// The batch.
    pub(crate) batch: Vec<u8>,
}

/// The stream of observations.
pub(crate) trait Stream: Send + Sync {
    /// Keeps a batch, unless one of this sender with this number or a later one was kept: once, even if sent twice.
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended>;
    /// Batches after a place, the oldest first.
    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>>;
    /// Forgets batches up to a place, and that one.
    fn trim(&self, upto: &Cursor) -> Outcome<()>;
    /// Batches that are kept.
    fn waiting(&self) -> Outcome<u64>;
}

/// The number under which a lease was taken; each taking has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fence(pub(crate) u64);

/// Who does what.
pub(crate) trait Duty: Send + Sync {
    /// Takes or renews a lease; `None`: another has it. Renewing keeps the number.
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>>;
    /// Gives a lease back.
    fn release(&self, name: &str, owner: u64) -> Outcome<()>;
    /// Saves how far the stream was read and what came of it; `false`: another has the duty, nothing was written.
    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool>;
    /// What was saved last.
    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>>;
}

/// A published bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edition {
    /// Its version.
    pub(crate) version: u64,
    /// When, in milliseconds.
    pub(crate) at: u64,
    /// What is in it, for people.
    pub(crate) note: String,
    /// Its manifest, sealed.
    pub(crate) manifest: Vec<u8>,
}

/// What became of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is the current one.
    Done,
    /// Another has the duty, or this version or a later one is there: that.
    Behind(u64),
}

/// Bundles.
pub(crate) trait Shelf: Send + Sync {
    /// Publishes a bundle with its parts, all or nothing. Only upwards, whoever asks.
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published>;
    /// The newest bundle.
    fn current(&self) -> Outcome<Option<Edition>>;
    /// A part.
    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>>;
    /// The latest bundles, the newest first.
    fn editions(&self, most: usize) -> Outcome<Vec<Edition>>;
    /// Forgets all parts but these.
    fn keep(&self, wanted: &[Hash]) -> Outcome<()>;
}

/// A filter's worker, as it was last heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The worker.
    pub(crate) sender: u64,
    /// Its process.
    pub(crate) process: u64,
    /// What people call the proxy.
    pub(crate) name: String,
    /// The version it runs.
    pub(crate) rules: u64,
    /// Observations it has lost.
    pub(crate) lost: u64,
    /// When, in milliseconds.
    pub(crate) at: u64,
}

/// Something that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Audit {
    /// When, in milliseconds.
    pub(crate) at: u64,
    /// By whom.
    pub(crate) who: String,
    /// What.
    pub(crate) what: String,
}

/// Small documents.
pub(crate) trait Records: Send + Sync {
    /// Remembers a sender, and counts its requests and accounts for the day.
    fn report(&self, seen: &Seen, requests: u64, accounts: &[u64]) -> Outcome<()>;
    /// Senders heard since then (milliseconds), at most [`SENDERS`].
    fn senders(&self, since: u64) -> Outcome<Vec<Seen>>;
    /// Requests of a day (UTC), and its different accounts, estimated. `at`: a time of it, in milliseconds.
    fn today(&self, at: u64) -> Outcome<(u64, u64)>;
    /// Adds to the audit trail.
    fn audit(&self, audit: &Audit) -> Outcome<()>;
    /// The latest entries, the newest first.
    fn audits(&self, most: usize) -> Outcome<Vec<Audit>>;
    /// Writes a document.
    fn set(&self, key: &str, value: &[u8]) -> Outcome<()>;
    /// Reads one.
    fn get(&self, key: &str) -> Outcome<Option<Vec<u8>>>;
}

/// All that a sidecar keeps.
pub(crate) trait Store: Stream + Duty + Shelf + Records {}

impl<T: Stream + Duty + Shelf + Records> Store for T {}

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Opens the store at a URL, or the embedded one in a folder.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn open(url: Option<&str>, data: Option<&Path>) -> Result<Arc<dyn Store>, String> {
    match (url, data) {
        (Some(url), _) => Ok(Arc::new(redis::Redis::open(url)?)),
        (None, Some(folder)) => Ok(Arc::new(embedded::Embedded::open(folder)?)),
        (None, None) => Err("a store is needed: --data DIR or --store URL".to_owned()),
    }
}
