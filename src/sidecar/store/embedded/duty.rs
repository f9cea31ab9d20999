//! Leases by the clock of this process, which is the only one; the snapshot is one value.

use super::{Embedded, End};
use crate::clock;
use crate::store::{Cursor, Duty, Fence, JOINER, Outcome};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use std::time::Duration;

/// Owner, end (milliseconds since the epoch; 0: nobody has it) and fence of a lease.
const LEASES: TableDefinition<'_, &str, (u64, u64, u64)> = TableDefinition::new("leases");

/// The snapshot: both halves of its cursor, its bytes.
const SNAPSHOT: TableDefinition<'_, (), (u64, u64, &[u8])> = TableDefinition::new("snapshot");

pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(SNAPSHOT)?;
    // Nobody else has this open: who had a lease is gone, whenever that would have ended by a clock that was set since.
    let mut leases = transaction.open_table(LEASES)?;
    let known = leases.iter()?.map(|lease| lease.map(|(name, value)| (name.value().to_owned(), value.value().2)));
    for (name, fence) in known.collect::<Result<Vec<_>, _>>()? {
        leases.insert(name.as_str(), (0, 0, fence))?;
    }
    Ok(())
}

/// Notes a fence as the latest; `false`: a later one was there.
pub(super) fn pass(transaction: &WriteTransaction, fence: Fence) -> Result<bool, redb::Error> {
    let mut leases = transaction.open_table(LEASES)?;
    let (owner, until, latest) = known(&leases, JOINER)?;
    if latest > fence.0 {
        return Ok(false);
    }
    leases.insert(JOINER, (owner, until, fence.0))?;
    Ok(true)
}

fn known(leases: &Table<'_, &str, (u64, u64, u64)>, name: &str) -> Result<(u64, u64, u64), redb::Error> {
    Ok(leases.get(name)?.map_or((0, 0, 0), |value| value.value()))
}

impl Duty for Embedded {
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>> {
        let now = clock::now();
        let end = now.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1));
        self.write(|transaction| {
            let mut leases = transaction.open_table(LEASES)?;
            let (holder, until, latest) = known(&leases, name)?;
            let is_held = until > now;
            if is_held && holder != owner {
                return Ok(End::Abort(None));
            }
            let fence = if is_held { latest } else { latest.saturating_add(1).max(now) };
            leases.insert(name, (owner, end, fence))?;
            drop(leases);
            Ok(End::Commit(Some(Fence(fence))))
        })
    }

    fn release(&self, name: &str, owner: u64) -> Outcome<()> {
        self.write(|transaction| {
            let mut leases = transaction.open_table(LEASES)?;
            let (holder, until, fence) = known(&leases, name)?;
            if holder != owner || until == 0 {
                return Ok(End::Abort(()));
            }
            leases.insert(name, (owner, 0, fence))?;
            drop(leases);
            Ok(End::Commit(()))
        })
    }

    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool> {
        self.write(|transaction| {
            if !pass(transaction, fence)? {
                return Ok(End::Abort(false));
            }
            transaction.open_table(SNAPSHOT)?.insert((), (cursor.0, cursor.1, snapshot))?;
            Ok(End::Commit(true))
        })
    }

    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>> {
        self.read(|transaction| {
            let table = transaction.open_table(SNAPSHOT)?;
            Ok(table.get(())?.map(|value| {
                let (first, second, snapshot) = value.value();
                (Cursor(first, second), snapshot.to_vec())
            }))
        })
    }
}
