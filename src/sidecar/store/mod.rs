//! What the sidecars of a fleet share: observations that wait, the joiner's snapshot, the feed's editions, records.
//!
//! Two stores keep the same promises: [`redis`] for several sidecars, [`embedded`] for one alone. Every call blocks,
//! none for longer than some seconds: call from threads that may. None panics; a store that failed is asked again with
//! the next call.

mod embedded;
mod json;
mod redis;
#[cfg(test)]
mod tests;

pub(crate) use json::{get_json, set_json};

use azeotrope_engine::time::DAY;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The lease whose fence [`Duty::save`] and [`Shelf::publish`] look at.
pub(crate) const JOINER: &str = "joiner";

/// Editions that the history keeps.
const EDITIONS: usize = 100;

/// Senders that are known at once.
const SENDERS: usize = 4096;

/// Numbers that a sender may have used for what was lost or empty since a batch of it was taken: ten a second, as often as its
/// timer ticks, for as long as that one is remembered. A number from beyond would have all that follow look late.
const LEAP: u64 = DAY / 100;

/// Audit records that are kept.
const AUDITS: usize = 10_000;

/// Why a store could not answer: it is down, slow or full.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable(pub(crate) String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the store is unavailable: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}

/// An answer, or why there is none.
pub(crate) type Outcome<T> = std::result::Result<T, Unavailable>;

/// Place in the stream of observations: opaque, ordered, bounded; `Cursor::default()` is before the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cursor(pub(crate) u64, pub(crate) u64);

/// Name of a part: a digest of its bytes. The store takes the caller's word for it.
pub(crate) type Hash = [u8; 32];

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is in the stream now.
    New,
    /// It is the one that was taken last of its sender, sent again: nothing was written.
    Duplicate,
    /// A later one of its sender was taken before it: nothing was written.
    Late,
    /// More than [`LEAP`] after the one that was taken last of its sender: nothing was written.
    Leap,
}

/// A batch that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place in the stream.
    pub(crate) cursor: Cursor,
    /// When it came, as [`Stream::append`] was told: milliseconds since the epoch.
    pub(crate) received: u64,
    /// The batch.
    pub(crate) batch: Vec<u8>,
}

/// Observations on their way to the joiner.
pub(crate) trait Stream: Send + Sync {
    /// Appends a batch unless one of this sender with this or a later sequence was there: once, even if sent twice.
    /// Durable when it returns. Of a sender that is not known any sequence may be the first: it goes on while stores are emptied.
    ///
    /// What a sender sent is forgotten a day after its last new batch. `received`: milliseconds since the epoch.
    /// A stream that is full (1,000,000 entries; embedded also 4 GiB) is [`Unavailable`].
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended>;
    /// Entries after the cursor, the oldest first, at most `most`.
    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>>;
    /// Forgets entries up to and with the cursor.
    fn trim(&self, upto: &Cursor) -> Outcome<()>;
    /// Entries that wait.
    fn waiting(&self) -> Outcome<u64>;
}

/// A right that only one sidecar has at a time; each taking gives a higher number.
///
/// The number is never below the milliseconds since the epoch at its taking: a store that lost its data still gives
/// higher ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fence(pub(crate) u64);

/// Who joins, and from where the next one goes on.
pub(crate) trait Duty: Send + Sync {
    /// Takes or renews a lease; `None`: another has it.
    ///
    /// Its holder's renewal keeps the fence; taking it when free (released, run out) gives a higher one.
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>>;
    /// Gives a lease back, if `owner` has it.
    fn release(&self, name: &str, owner: u64) -> Outcome<()>;
    /// Saves a snapshot; `false`: a later fence has saved or taken the lease [`JOINER`] already, nothing was written.
    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool>;
    /// The snapshot that was saved last, and its place in the stream.
    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>>;
}

/// What became of an edition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Published {
    /// It is the current one now.
    Done,
    /// Its version was not above this one, which is current (0: none is), or its fence was behind.
    Behind(u64),
}

/// One state of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edition {
    /// Its number.
    pub(crate) version: u64,
    /// When it was made: milliseconds since the epoch.
    pub(crate) at: u64,
    /// What changed, for people.
    pub(crate) note: String,
    /// What its parts are.
    pub(crate) manifest: Vec<u8>,
}

/// The bundle that goes to the proxies.
pub(crate) trait Shelf: Send + Sync {
    /// Publishes a bundle, all or nothing; only a version above the current one is taken, whoever asks, and only by a
    /// fence that is not behind the latest one of the lease [`JOINER`].
    ///
    /// Parts that are there already need not be given again.
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published>;
    /// The current edition; `None`: there was none yet.
    fn current(&self) -> Outcome<Option<Edition>>;
    /// The bytes of a part; `None`: never given, or forgotten.
    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>>;
    /// The latest editions, newest first; 100 are kept.
    fn history(&self, most: usize) -> Outcome<Vec<Edition>>;
    /// Forgets the parts that are in none of `wanted`, except those that were given with the current edition: who
    /// has not heard of it must not take them away.
    fn keep(&self, wanted: &[Hash]) -> Outcome<()>;
}

/// What a sender said of itself last.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Seen {
    /// Who.
    pub(crate) sender: u64,
    /// Which process of it: another number after a restart.
    pub(crate) process: u64,
    /// Its name, for people.
    pub(crate) name: String,
    /// Version of the rules it runs with.
    pub(crate) rules: u64,
    /// Observations it had to drop.
    pub(crate) lost: u64,
    /// When it was heard: milliseconds since the epoch.
    pub(crate) at: u64,
}

/// Who did what.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub(crate) struct Audit {
    /// When: milliseconds since the epoch.
    pub(crate) at: u64,
    /// Who.
    pub(crate) who: String,
    /// What.
    pub(crate) what: String,
    /// What was asked through: `console`, `cli`, `api`, `file`; `sidecar` where nobody asked.
    pub(crate) through: String,
    /// Numbers of the rules before and after, where rules changed.
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    /// In what they differ: the first few knobs, a line each.
    pub(crate) changes: Vec<String>,
}

/// As audit records were before they told what was asked through.
#[derive(Deserialize)]
struct OldAudit {
    at: u64,
    who: String,
    what: String,
}

impl Audit {
    fn unpack(bytes: &[u8]) -> Outcome<Self> {
        unpack(bytes).or_else(|_: Unavailable| {
            let OldAudit { at, who, what } = unpack(bytes)?;
            Ok(Self { at, who, what, ..Self::default() })
        })
    }
}

/// What people ask for.
pub(crate) trait Records: Send + Sync {
    /// Remembers the sender; adds its requests and the accounts to those of the UTC day of `seen.at`.
    ///
    /// Not idempotent, and the embedded store may lose the last moments of it in a crash: figures, no facts.
    fn report(&self, seen: &Seen, requests: u32, accounts: &[u64]) -> Outcome<()>;
    /// Senders heard since then (milliseconds since the epoch), the latest first, at most 4096. One that was last
    /// heard a day before another is forgotten.
    fn senders(&self, since: u64) -> Outcome<Vec<Seen>>;
    /// Requests and distinct accounts (±1% with Redis, ±2% embedded) of the UTC day of this time (milliseconds since
    /// the epoch). Yesterday's are still there.
    fn today(&self, at: u64) -> Outcome<(u64, u64)>;
    /// Adds an audit record; the latest 10,000 are kept.
    fn audit(&self, audit: &Audit) -> Outcome<()>;
    /// The latest audit records, newest first.
    fn audits(&self, most: usize) -> Outcome<Vec<Audit>>;
    /// Forgets the audit records from before that time (milliseconds since the epoch).
    fn forget_audits(&self, before: u64) -> Outcome<()>;
    /// Sets a value.
    fn set(&self, key: &str, value: &[u8]) -> Outcome<()>;
    /// The value that was set last.
    fn get(&self, key: &str) -> Outcome<Option<Vec<u8>>>;
}

/// All of it.
pub(crate) trait Store: Stream + Duty + Shelf + Records {}

impl<T: Stream + Duty + Shelf + Records> Store for T {}

/// What the stream holds at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    entries: u64,
    /// Of batches, and 64 for each; Redis has its own bound (`maxmemory`).
    bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 4 << 30 }
    }
}

/// Opens the store at a URL (`redis://…`, `redis+unix:///…`) or, where there is none, the embedded one in a directory.
///
/// Redis need not be up. Errors, in words: neither is given, the URL is none that this build can use, or the directory
/// or its file cannot be opened (another process has it, it is damaged, access is denied).
pub(crate) fn open(url: Option<&str>, data: Option<&Path>) -> Result<Arc<dyn Store>, String> {
    match (url, data) {
        (Some(url), _) => Ok(Arc::new(redis::Redis::new(url, Limits::default())?)),
        (None, Some(directory)) => Ok(Arc::new(embedded::Embedded::new(directory, Limits::default())?)),
        (None, None) => Err("no store: give the URL of a Redis, or a directory for the embedded store".into()),
    }
}

/// To what is stored.
fn pack<T: Serialize>(value: &T) -> Outcome<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|error| Unavailable(format!("this cannot be stored: {error}")))
}

/// From what is stored.
fn unpack<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Outcome<T> {
    postcard::from_bytes(bytes).map_err(|error| Unavailable(format!("what is stored cannot be read: {error}")))
}
