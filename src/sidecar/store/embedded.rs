//! The store of one sidecar: redb, a file, no server.

use super::{
    AUDITS, Appended, Audit, Cursor, DAY, DUTY, Duty, EDITIONS, Edition, Entry, Fence, Hash, Outcome, Published,
    Records, SENDERS, Seen, Shelf, Stream, Unavailable, WAITING,
};
use azeotrope_engine::sketch::hll::Large;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Bytes = &'static [u8];
const STREAM: TableDefinition<u64, (u64, Bytes)> = TableDefinition::new("stream");
/// The last number of each sender, and when it came.
const SEQUENCES: TableDefinition<u64, (u64, u64)> = TableDefinition::new("sequences");
/// Owner, end (milliseconds) and number of each lease.
const LEASES: TableDefinition<&str, (u64, u64, u64)> = TableDefinition::new("leases");
const SNAPSHOT: TableDefinition<(), (u64, Bytes)> = TableDefinition::new("snapshot");
const EDITIONS_: TableDefinition<u64, Bytes> = TableDefinition::new("editions");
const PARTS: TableDefinition<&[u8; 32], Bytes> = TableDefinition::new("parts");
const SENDERS_: TableDefinition<u64, Bytes> = TableDefinition::new("senders");
/// Requests and distinct accounts of each day.
const DAYS: TableDefinition<u64, (u64, Bytes)> = TableDefinition::new("days");
const AUDIT: TableDefinition<u64, Bytes> = TableDefinition::new("audit");
const DOCUMENTS: TableDefinition<&str, Bytes> = TableDefinition::new("documents");

/// Days that are counted apart.
const DAYS_KEPT: u64 = 32;

/// The store in a folder.
pub(super) struct Embedded {
    file: PathBuf,
    /// `None` while it cannot be used: redb wants to be opened again after a write that failed.
    open: Mutex<Option<Arc<Database>>>,
}

fn away(error: impl Into<redb::Error>) -> Unavailable {
    Unavailable(error.into().to_string())
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn packed(value: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

impl Embedded {
    /// Opens or makes the store in a folder.
    ///
    /// # Errors
    /// Another process has it open, or the folder cannot be written.
    pub(super) fn open(folder: &Path) -> Result<Self, String> {
        let at = folder.display();
        std::fs::create_dir_all(folder).map_err(|error| format!("{at}: {error}"))?;
        let file = folder.join("azeotrope.redb");
        let database = Database::create(&file).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => {
                format!("{at}: another sidecar has this store open; several share one with --store redis://…")
            }
            error => format!("{at}: {error}"),
        })?;
        let store = Self { file, open: Mutex::new(Some(Arc::new(database))) };
        store.write(Self::make_tables).map_err(|error| format!("{at}: {}", error.0))?;
        Ok(store)
    }

    fn make_tables(change: &WriteTransaction) -> Outcome<()> {
        change.open_table(STREAM).map_err(away)?;
        change.open_table(SEQUENCES).map_err(away)?;
        change.open_table(LEASES).map_err(away)?;
        change.open_table(SNAPSHOT).map_err(away)?;
        change.open_table(EDITIONS_).map_err(away)?;
        change.open_table(PARTS).map_err(away)?;
        change.open_table(SENDERS_).map_err(away)?;
        change.open_table(DAYS).map_err(away)?;
        change.open_table(AUDIT).map_err(away)?;
        change.open_table(DOCUMENTS).map_err(away)?;
        Ok(())
    }

    /// The database; opened again where it had to be closed.
    fn database(&self) -> Outcome<Arc<Database>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*open {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(Database::create(&self.file).map_err(away)?);
        *open = Some(Arc::clone(&database));
        Ok(database)
    }

    /// All or nothing, on disk when it returns.
    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Outcome<T>) -> Outcome<T> {
        let database = self.database()?;
        let done = (|| {
            let change = database.begin_write().map_err(away)?;
            let done = work(&change)?;
            change.commit().map_err(away)?;
            Ok(done)
        })();
        // After a full disk, say, it writes nothing more until it is opened anew.
        if done.is_err() && database.begin_write().is_err() {
            *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        done
    }
}

/// Whether a fence is the newest of the duty's.
fn newest(change: &WriteTransaction, fence: Fence) -> Outcome<bool> {
    let leases = change.open_table(LEASES).map_err(away)?;
    let held = leases.get(DUTY).map_err(away)?;
    Ok(held.is_none_or(|held| held.value().2 <= fence.0))
}

impl Stream for Embedded {
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended> {
        self.write(|change| {
            let mut sequences = change.open_table(SEQUENCES).map_err(away)?;
            let known = sequences.get(sender).map_err(away)?.map(|known| known.value().0);
            if known.is_some_and(|known| known >= sequence) {
                return Ok(Appended::Duplicate);
            }
            let mut stream = change.open_table(STREAM).map_err(away)?;
            if stream.len().map_err(away)? >= WAITING {
                return Err(Unavailable(format!("{WAITING} batches wait")));
            }
            sequences.insert(sender, (sequence, now())).map_err(away)?;
            let last = stream.last().map_err(away)?.map_or(0, |(place, _)| place.value());
            // Places go on from the snapshot's where all before were forgotten.
            let read = change.open_table(SNAPSHOT).map_err(away)?;
            let read = read.get(()).map_err(away)?.map_or(0, |saved| saved.value().0);
            stream.insert(last.max(read) + 1, (received, batch)).map_err(away)?;
            Ok(Appended::New)
        })
    }

    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let stream = view.open_table(STREAM).map_err(away)?;
        let range = stream.range(after.1.saturating_add(1)..).map_err(away)?;
        range
            .take(most)
            .map(|entry| {
                let (place, entry) = entry.map_err(away)?;
                let (received, batch) = entry.value();
                Ok(Entry { cursor: Cursor(0, place.value()), received, batch: batch.to_vec() })
            })
            .collect()
    }

    fn trim(&self, upto: &Cursor) -> Outcome<()> {
        self.write(|change| {
            change.open_table(STREAM).map_err(away)?.retain(|place, _| place > upto.1).map_err(away)?;
            let old = now().saturating_sub(DAY);
            change.open_table(SEQUENCES).map_err(away)?.retain(|_, (_, at)| at > old).map_err(away)
        })
    }

    fn waiting(&self) -> Outcome<u64> {
        let view = self.database()?.begin_read().map_err(away)?;
        view.open_table(STREAM).map_err(away)?.len().map_err(away)
    }
}

impl Duty for Embedded {
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>> {
        let at = now();
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        {
            // Renewed when half of it is over, not at every step.
            let view = self.database()?.begin_read().map_err(away)?;
            let leases = view.open_table(LEASES).map_err(away)?;
            if let Some(held) = leases.get(name).map_err(away)?.map(|held| held.value())
                && held.0 == owner
                && held.1 > at.saturating_add(ttl / 2)
                && held.1 <= at.saturating_add(ttl)
            {
                return Ok(Some(Fence(held.2)));
            }
        }
        self.write(|change| {
            let mut leases = change.open_table(LEASES).map_err(away)?;
            let held = leases.get(name).map_err(away)?.map(|held| held.value());
            let number = match held {
                // An end further away than any lease reaches was written by a clock that has stepped back since.
                Some((of, end, _)) if of != owner && end > at && end <= at.saturating_add(ttl) => return Ok(None),
                Some((of, end, number)) if of == owner && end > at => number,
                Some((_, _, number)) => number + 1,
                None => 1,
            };
            leases.insert(name, (owner, at.saturating_add(ttl), number)).map_err(away)?;
            Ok(Some(Fence(number)))
        })
    }

    fn release(&self, name: &str, owner: u64) -> Outcome<()> {
        self.write(|change| {
            let mut leases = change.open_table(LEASES).map_err(away)?;
            let held = leases.get(name).map_err(away)?.map(|held| held.value());
            if let Some((_, _, number)) = held.filter(|held| held.0 == owner) {
                leases.insert(name, (owner, 0, number)).map_err(away)?;
            }
            Ok(())
        })
    }

    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool> {
        self.write(|change| {
            let newest = newest(change, fence)?;
            if newest {
                change.open_table(SNAPSHOT).map_err(away)?.insert((), (cursor.1, snapshot)).map_err(away)?;
            }
            Ok(newest)
        })
    }

    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let table = view.open_table(SNAPSHOT).map_err(away)?;
        let saved = table.get(()).map_err(away)?;
        Ok(saved.map(|saved| (Cursor(0, saved.value().0), saved.value().1.to_vec())))
    }
}

impl Shelf for Embedded {
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published> {
        self.write(|change| {
            let mut editions = change.open_table(EDITIONS_).map_err(away)?;
            let current = editions.last().map_err(away)?.map_or(0, |(version, _)| version.value());
            if current >= edition.version || !newest(change, fence)? {
                return Ok(Published::Behind(current));
            }
            let mut shelf = change.open_table(PARTS).map_err(away)?;
            for (hash, bytes) in parts {
                if shelf.get(hash).map_err(away)?.is_none() {
                    shelf.insert(hash, *bytes).map_err(away)?;
                }
            }
            editions.insert(edition.version, packed(edition).as_slice()).map_err(away)?;
            while editions.len().map_err(away)? > EDITIONS as u64 {
                editions.pop_first().map_err(away)?;
            }
            Ok(Published::Done)
        })
    }

    fn current(&self) -> Outcome<Option<Edition>> {
        Ok(self.editions(1)?.into_iter().next())
    }

    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let parts = view.open_table(PARTS).map_err(away)?;
        Ok(parts.get(hash).map_err(away)?.map(|bytes| bytes.value().to_vec()))
    }

    fn editions(&self, most: usize) -> Outcome<Vec<Edition>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let editions = view.open_table(EDITIONS_).map_err(away)?;
        let latest = editions.iter().map_err(away)?.rev().take(most);
        latest.filter_map(|entry| entry.map(|(_, bytes)| unpacked(bytes.value())).map_err(away).transpose()).collect()
    }

    fn keep(&self, wanted: &[Hash]) -> Outcome<()> {
        self.write(|change| {
            change.open_table(PARTS).map_err(away)?.retain(|hash, _| wanted.contains(hash)).map_err(away)
        })
    }
}

impl Records for Embedded {
    fn report(&self, seen: &Seen, requests: u64, accounts: &[u64]) -> Outcome<()> {
        self.write(|change| {
            let mut senders = change.open_table(SENDERS_).map_err(away)?;
            senders.insert(seen.sender, packed(seen).as_slice()).map_err(away)?;
            if senders.len().map_err(away)? > SENDERS as u64 {
                let old = seen.at.saturating_sub(DAY);
                senders.retain(|_, bytes| unpacked::<Seen>(bytes).is_some_and(|seen| seen.at > old)).map_err(away)?;
            }
            if requests == 0 {
                return Ok(());
            }
            let mut days = change.open_table(DAYS).map_err(away)?;
            let day = seen.at / DAY;
            let (mut count, mut distinct) = days
                .get(day)
                .map_err(away)?
                .map_or((0, vec![0; Large::BYTES]), |known| (known.value().0, known.value().1.to_vec()));
            count += requests;
            accounts.iter().for_each(|&account| {
                Large::add(&mut distinct, account);
            });
            days.insert(day, (count, distinct.as_slice())).map_err(away)?;
            days.retain(|of, _| of + DAYS_KEPT > day).map_err(away)
        })
    }

    fn senders(&self, since: u64) -> Outcome<Vec<Seen>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let senders = view.open_table(SENDERS_).map_err(away)?;
        let all: Outcome<Vec<Option<Seen>>> =
            senders.iter().map_err(away)?.map(|entry| Ok(unpacked(entry.map_err(away)?.1.value()))).collect();
        Ok(all?.into_iter().flatten().filter(|seen| seen.at >= since).take(SENDERS).collect())
    }

    fn today(&self, at: u64) -> Outcome<(u64, u64)> {
        let view = self.database()?.begin_read().map_err(away)?;
        let days = view.open_table(DAYS).map_err(away)?;
        let known = days.get(at / DAY).map_err(away)?;
        Ok(known.map_or((0, 0), |known| (known.value().0, Large::count(known.value().1))))
    }

    fn audit(&self, audit: &Audit) -> Outcome<()> {
        self.write(|change| {
            let mut trail = change.open_table(AUDIT).map_err(away)?;
            let last = trail.last().map_err(away)?.map_or(0, |(number, _)| number.value());
            trail.insert(last + 1, packed(audit).as_slice()).map_err(away)?;
            if trail.len().map_err(away)? > AUDITS as u64 {
                trail.pop_first().map_err(away)?;
            }
            Ok(())
        })
    }

    fn audits(&self, most: usize) -> Outcome<Vec<Audit>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let trail = view.open_table(AUDIT).map_err(away)?;
        let latest = trail.iter().map_err(away)?.rev().take(most);
        latest.filter_map(|entry| entry.map(|(_, bytes)| unpacked(bytes.value())).map_err(away).transpose()).collect()
    }

    fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.write(|change| change.open_table(DOCUMENTS).map_err(away)?.insert(key, value).map(drop).map_err(away))
    }

    fn get(&self, key: &str) -> Outcome<Option<Vec<u8>>> {
        let view = self.database()?.begin_read().map_err(away)?;
        let documents = view.open_table(DOCUMENTS).map_err(away)?;
        Ok(documents.get(key).map_err(away)?.map(|value| value.value().to_vec()))
    }
}
