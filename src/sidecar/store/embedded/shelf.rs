//! Editions by version, parts by digest.

use super::{Embedded, End, duty};
use crate::store::{EDITIONS, Edition, Fence, Hash, Outcome, Published, Shelf, pack, unpack};
use redb::{ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};
use std::collections::HashSet;

/// Editions by version.
const SHELF: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("editions");

/// The version a part was last given with, and its bytes.
const PARTS: TableDefinition<'_, Hash, (u64, &[u8])> = TableDefinition::new("parts");

pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(SHELF)?;
    transaction.open_table(PARTS)?;
    Ok(())
}

/// The current version.
fn version(editions: &impl ReadableTable<u64, &'static [u8]>) -> Result<Option<u64>, redb::Error> {
    Ok(editions.last()?.map(|(version, _)| version.value()))
}

/// Adds an edition, and drops those that are too old.
fn add(transaction: &WriteTransaction, version: u64, edition: &[u8]) -> Result<(), redb::Error> {
    let mut editions = transaction.open_table(SHELF)?;
    editions.insert(version, edition)?;
    while editions.len()? > EDITIONS as u64 {
        editions.pop_first()?;
    }
    Ok(())
}

impl Shelf for Embedded {
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published> {
        let packed = pack(edition)?;
        self.write(|transaction| {
            let current = version(&transaction.open_table(SHELF)?)?;
            if current.is_some_and(|current| current >= edition.version) || !duty::pass(transaction, fence)? {
                return Ok(End::Abort(Published::Behind(current.unwrap_or(0))));
            }
            let mut table = transaction.open_table(PARTS)?;
            for (hash, part) in parts {
                table.insert(hash, (edition.version, *part))?;
            }
            drop(table);
            add(transaction, edition.version, &packed)?;
            Ok(End::Commit(Published::Done))
        })
    }

    fn current(&self) -> Outcome<Option<Edition>> {
        Ok(self.history(1)?.pop())
    }

    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>> {
        self.read(|transaction| {
            let parts = transaction.open_table(PARTS)?;
            Ok(parts.get(hash)?.map(|value| value.value().1.to_vec()))
        })
    }

    fn history(&self, most: usize) -> Outcome<Vec<Edition>> {
        let packed: Vec<Vec<u8>> = self.read(|transaction| {
            let editions = transaction.open_table(SHELF)?;
            let latest = editions.iter()?.rev().take(most);
            Ok(latest.map(|row| row.map(|(_, edition)| edition.value().to_vec())).collect::<Result<_, _>>()?)
        })?;
        packed.iter().map(|edition| unpack(edition)).collect()
    }

    fn keep(&self, wanted: &[Hash]) -> Outcome<()> {
        let wanted: HashSet<Hash> = wanted.iter().copied().collect();
        self.write(|transaction| {
            let current = version(&transaction.open_table(SHELF)?)?;
            let is_kept = |hash: Hash, (given, _): (u64, &[u8])| wanted.contains(&hash) || Some(given) == current;
            transaction.open_table(PARTS)?.retain(is_kept)?;
            Ok(End::Commit(()))
        })
    }
}
