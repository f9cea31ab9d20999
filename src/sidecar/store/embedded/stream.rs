//! Batches by number; numbers are never used again.

use super::{Embedded, End, Limits, NUMBERS};
use crate::store::{Appended, Cursor, Entry, LEAP, Outcome, Stream, Unavailable};
use azeotrope_engine::time::{DAY, HOUR};
use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use std::cmp::Ordering;

/// When a batch came, and the batch, by number.
const BATCHES: TableDefinition<'_, u64, (u64, &[u8])> = TableDefinition::new("batches");

/// The last sequence of each sender, and when it came.
const SEQUENCES: TableDefinition<'_, u64, (u64, u64)> = TableDefinition::new("sequences");

/// Among the numbers: the next batch's, the bytes of those that wait, when sequences were last forgotten.
const NEXT: &str = "stream.next";
const BYTES: &str = "stream.bytes";
const SWEPT: &str = "stream.swept";

/// Milliseconds between two looks for sequences to forget.
const SWEEP: u64 = HOUR;

/// What an entry costs beside its batch, in bytes.
const OVERHEAD: u64 = 64;

pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(BATCHES)?;
    transaction.open_table(SEQUENCES)?;
    Ok(())
}

/// What an append came to.
enum Step {
    Appended(Appended),
    Full,
}

impl Stream for Embedded {
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended> {
        let step = self.write(|transaction| {
            if let Some(refused) = out_of_order(transaction, sender, sequence, received)? {
                return Ok(End::Abort(Step::Appended(refused)));
            }
            if !push(transaction, self.limits, received, batch)? {
                return Ok(End::Abort(Step::Full));
            }
            remember(transaction, sender, sequence, received)?;
            Ok(End::Commit(Step::Appended(Appended::New)))
        })?;
        match step {
            Step::Appended(appended) => Ok(appended),
            Step::Full => Err(Unavailable("the stream of observations is full".into())),
        }
    }

    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>> {
        let Some(first) = place(after).checked_add(1) else { return Ok(Vec::new()) };
        self.read(|transaction| {
            let table = transaction.open_table(BATCHES)?;
            let mut entries = Vec::new();
            for row in table.range(first..)?.take(most) {
                let (number, value) = row?;
                let (received, batch) = value.value();
                entries.push(Entry { cursor: Cursor(0, number.value()), received, batch: batch.to_vec() });
            }
            Ok(entries)
        })
    }

    fn trim(&self, upto: &Cursor) -> Outcome<()> {
        let last = place(upto);
        self.write(|transaction| {
            let mut freed = 0u64;
            transaction.open_table(BATCHES)?.retain_in(..=last, |_, (_, batch)| {
                freed = freed.saturating_add(cost(batch));
                false
            })?;
            if freed == 0 {
                return Ok(End::Abort(()));
            }
            let mut numbers = transaction.open_table(NUMBERS)?;
            let bytes = number(&numbers, BYTES)?.saturating_sub(freed);
            numbers.insert(BYTES, bytes)?;
            drop(numbers);
            Ok(End::Commit(()))
        })
    }

    fn waiting(&self) -> Outcome<u64> {
        self.read(|transaction| Ok(transaction.open_table(BATCHES)?.len()?))
    }
}

/// The number of a place; those of other stores are beyond all of this one.
fn place(cursor: &Cursor) -> u64 {
    if cursor.0 > 0 { u64::MAX } else { cursor.1 }
}

fn cost(batch: &[u8]) -> u64 {
    OVERHEAD.saturating_add(batch.len() as u64)
}

fn number(numbers: &Table<'_, &str, u64>, name: &str) -> Result<u64, redb::Error> {
    Ok(numbers.get(name)?.map_or(0, |value| value.value()))
}

/// Why a batch is not the next one of its sender, if it is not.
fn out_of_order(
    transaction: &WriteTransaction,
    sender: u64,
    sequence: u64,
    received: u64,
) -> Result<Option<Appended>, redb::Error> {
    let sequences = transaction.open_table(SEQUENCES)?;
    let last = sequences.get(sender)?.map(|value| value.value());
    let last = last.filter(|(_, at)| received.saturating_sub(*at) < DAY);
    Ok(last.and_then(|(last, _)| match sequence.cmp(&last) {
        Ordering::Equal => Some(Appended::Duplicate),
        Ordering::Less => Some(Appended::Late),
        Ordering::Greater => (sequence - last > LEAP).then_some(Appended::Leap),
    }))
}

/// Adds a batch to the stream; `false`: it is full.
fn push(transaction: &WriteTransaction, limits: Limits, received: u64, batch: &[u8]) -> Result<bool, redb::Error> {
    let mut batches = transaction.open_table(BATCHES)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let bytes = number(&numbers, BYTES)?.saturating_add(cost(batch));
    if batches.len()? >= limits.entries || bytes > limits.bytes {
        return Ok(false);
    }
    let next = number(&numbers, NEXT)?.max(1);
    batches.insert(next, (received, batch))?;
    numbers.insert(NEXT, next.saturating_add(1))?;
    numbers.insert(BYTES, bytes)?;
    Ok(true)
}

/// Notes the sequence of a sender, and forgets those of a day ago.
fn remember(transaction: &WriteTransaction, sender: u64, sequence: u64, received: u64) -> Result<(), redb::Error> {
    let mut sequences = transaction.open_table(SEQUENCES)?;
    sequences.insert(sender, (sequence, received))?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    if received.saturating_sub(number(&numbers, SWEPT)?) >= SWEEP {
        sequences.retain(|_, (_, at)| received.saturating_sub(at) < DAY)?;
        numbers.insert(SWEPT, received)?;
    }
    Ok(())
}
