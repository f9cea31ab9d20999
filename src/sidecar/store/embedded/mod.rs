//! The store of a sidecar that is alone: one file, `azeotrope.redb`, in a directory of its own.
//!
//! An append, a snapshot, an edition, an audit record is on the disk when the call returns: one sync each. The file
//! takes the room of what it once held at most; space within it is used again. After a crash, opening it reads it whole.

mod duty;
mod records;
mod shelf;
mod stream;

use super::{Limits, Outcome, Unavailable};
use redb::{Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the file that are kept in memory at most.
const CACHE: usize = 64 << 20;

/// Name of the file.
const FILE: &str = "azeotrope.redb";

/// Numbers by name, see the modules.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

type Opener = dyn Fn() -> Result<Database, DatabaseError> + Send + Sync;

/// The embedded store.
pub(super) struct Embedded {
    opener: Box<Opener>,
    /// `None` after an error: redb answers nothing more until it is opened again.
    database: Mutex<Option<Arc<Database>>>,
    limits: Limits,
}

/// How a write transaction ends.
enum End<T> {
    /// With its changes.
    Commit(T),
    /// Without: saves the sync.
    Abort(T),
}

impl Embedded {
    /// Opens or makes the file in a directory, which it makes too.
    pub(super) fn new(directory: &Path, limits: Limits) -> Result<Self, String> {
        std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let path = directory.join(FILE);
        let name = path.display().to_string();
        let opener = move || Database::builder().set_cache_size(CACHE).create(&path);
        Self::with(Box::new(opener), limits).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => format!(
                "{name}: another process has it open; an embedded store is for one sidecar, several share a Redis"
            ),
            other => format!("{name}: {other}"),
        })
    }

    /// A store whose file this opens, again after each error.
    fn with(opener: Box<Opener>, limits: Limits) -> Result<Self, DatabaseError> {
        let database = opener()?;
        prepare(&database)?;
        Ok(Self { opener, database: Mutex::new(Some(Arc::new(database))), limits })
    }

    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        let mut slot = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = slot.as_ref() {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new((self.opener)()?);
        *slot = Some(Arc::clone(&database));
        Ok(database)
    }

    /// Gives up a database that failed, unless it has been replaced.
    fn give_up(&self, failed: &Arc<Database>) {
        let mut slot = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|database| Arc::ptr_eq(database, failed)) {
            *slot = None;
        }
    }

    fn attempt<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Outcome<T> {
        let unavailable = |error: redb::Error| Unavailable(format!("embedded store: {error}"));
        let database = self.database().map_err(unavailable)?;
        work(&database).map_err(|error| {
            self.give_up(&database);
            unavailable(error)
        })
    }

    fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>) -> Outcome<T> {
        self.attempt(|database| work(&database.begin_read()?))
    }

    fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<End<T>, redb::Error>) -> Outcome<T> {
        self.attempt(|database| write(database, Durability::Immediate, work))
    }

    /// Like [`Embedded::write`], but on the disk only with the next one.
    fn write_later<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<End<T>, redb::Error>) -> Outcome<T> {
        self.attempt(|database| write(database, Durability::None, work))
    }
}

fn write<T>(
    database: &Database,
    durability: Durability,
    work: impl FnOnce(&WriteTransaction) -> Result<End<T>, redb::Error>,
) -> Result<T, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(durability)?;
    match work(&transaction)? {
        End::Commit(value) => {
            transaction.commit()?;
            Ok(value)
        }
        End::Abort(value) => {
            transaction.abort()?;
            Ok(value)
        }
    }
}

/// Makes every table: readers need not ask whether it is there.
fn prepare(database: &Database) -> Result<(), DatabaseError> {
    let made = write(database, Durability::Immediate, |transaction| {
        transaction.open_table(NUMBERS)?;
        stream::prepare(transaction)?;
        duty::prepare(transaction)?;
        shelf::prepare(transaction)?;
        records::prepare(transaction)?;
        Ok(End::Commit(()))
    });
    made.map_err(|error| match error {
        redb::Error::Io(error) => error.into(),
        other => std::io::Error::other(other.to_string()).into(),
    })
}

#[cfg(test)]
mod tests;
