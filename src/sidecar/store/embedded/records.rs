//! Senders, days, audit records and values.

use super::{Embedded, End};
use crate::store::{AUDITS, Audit, Outcome, Records, SENDERS, Seen, pack, unpack};
use azeotrope_engine::sketch::hll::Hll;
use azeotrope_engine::time::DAY;
use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

/// When a sender was heard (milliseconds since the epoch), and what it said.
const HEARD: TableDefinition<'_, u64, (u64, &[u8])> = TableDefinition::new("senders");

/// Requests and the sketch of the accounts by day since the epoch.
const DAYS: TableDefinition<'_, u64, (u64, &[u8])> = TableDefinition::new("days");

/// Audit records by number.
const TRAIL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audits");

/// Values by name.
const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");

/// Counts a day's accounts: 3 KB, exact to 1023, then ±1.6%.
type Accounts = Hll<4096>;

pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(HEARD)?;
    transaction.open_table(DAYS)?;
    transaction.open_table(TRAIL)?;
    transaction.open_table(VALUES)?;
    Ok(())
}

/// Forgets the sender that was not heard for the longest time, if there are too many.
fn make_room(heard: &mut Table<'_, u64, (u64, &'static [u8])>) -> Result<(), redb::Error> {
    if heard.len()? <= SENDERS as u64 {
        return Ok(());
    }
    let mut oldest: Option<(u64, u64)> = None;
    for row in heard.iter()? {
        let (sender, value) = row?;
        let this = (value.value().0, sender.value());
        oldest = Some(oldest.map_or(this, |oldest| oldest.min(this)));
    }
    if let Some((_, sender)) = oldest {
        heard.remove(sender)?;
    }
    Ok(())
}

fn hear(transaction: &WriteTransaction, seen: &Seen, packed: &[u8]) -> Result<(), redb::Error> {
    let mut heard = transaction.open_table(HEARD)?;
    heard.insert(seen.sender, (seen.at, packed))?;
    make_room(&mut heard)
}

fn count(transaction: &WriteTransaction, day: u64, requests: u32, accounts: &[u64]) -> Result<(), redb::Error> {
    let mut days = transaction.open_table(DAYS)?;
    let (before, mut sketch) = days.get(day)?.map_or((0, Vec::new()), |value| {
        let (requests, sketch) = value.value();
        (requests, sketch.to_vec())
    });
    sketch.resize(Accounts::BYTES, 0);
    for &account in accounts {
        Accounts::add(&mut sketch, account);
    }
    days.insert(day, (before.saturating_add(requests.into()), sketch.as_slice()))?;
    days.retain_in(..day.saturating_sub(1), |_, _| false)?;
    Ok(())
}

impl Records for Embedded {
    fn report(&self, seen: &Seen, requests: u32, accounts: &[u64]) -> Outcome<()> {
        let packed = pack(seen)?;
        // Not worth a sync: the append that brought it makes one soon enough.
        self.write_later(|transaction| {
            hear(transaction, seen, &packed)?;
            count(transaction, seen.at / DAY, requests, accounts)?;
            Ok(End::Commit(()))
        })
    }

    fn senders(&self, since: u64) -> Outcome<Vec<Seen>> {
        let mut heard: Vec<(u64, Vec<u8>)> = self.read(|transaction| {
            let mut heard = Vec::new();
            for row in transaction.open_table(HEARD)?.iter()? {
                let (_, value) = row?;
                let (at, packed) = value.value();
                if at >= since {
                    heard.push((at, packed.to_vec()));
                }
            }
            Ok(heard)
        })?;
        heard.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let forgotten = heard.first().map_or(0, |(latest, _)| latest.saturating_sub(DAY));
        heard.iter().take_while(|(at, _)| *at >= forgotten).map(|(_, packed)| unpack(packed)).collect()
    }

    fn today(&self, at: u64) -> Outcome<(u64, u64)> {
        self.read(|transaction| {
            let days = transaction.open_table(DAYS)?;
            Ok(days.get(at / DAY)?.map_or((0, 0), |value| {
                let (requests, sketch) = value.value();
                (requests, Accounts::count(sketch))
            }))
        })
    }

    fn audit(&self, audit: &Audit) -> Outcome<()> {
        let packed = pack(audit)?;
        self.write(|transaction| {
            let mut trail = transaction.open_table(TRAIL)?;
            let next = trail.last()?.map_or(0, |(number, _)| number.value().saturating_add(1));
            trail.insert(next, packed.as_slice())?;
            while trail.len()? > AUDITS as u64 {
                trail.pop_first()?;
            }
            drop(trail);
            Ok(End::Commit(()))
        })
    }

    fn audits(&self, most: usize) -> Outcome<Vec<Audit>> {
        let packed: Vec<Vec<u8>> = self.read(|transaction| {
            let trail = transaction.open_table(TRAIL)?;
            let latest = trail.iter()?.rev().take(most);
            Ok(latest.map(|row| row.map(|(_, audit)| audit.value().to_vec())).collect::<Result<_, _>>()?)
        })?;
        packed.iter().map(|audit| Audit::unpack(audit)).collect()
    }

    fn forget_audits(&self, before: u64) -> Outcome<()> {
        self.write(|transaction| {
            let mut trail = transaction.open_table(TRAIL)?;
            loop {
                let oldest = trail.first()?.map(|(number, audit)| (number.value(), audit.value().to_vec()));
                let Some((number, packed)) = oldest else { break };
                if Audit::unpack(&packed).is_ok_and(|audit| audit.at >= before) {
                    break;
                }
                trail.remove(number)?;
            }
            drop(trail);
            Ok(End::Commit(()))
        })
    }

    fn set(&self, key: &str, value: &[u8]) -> Outcome<()> {
        self.write(|transaction| {
            transaction.open_table(VALUES)?.insert(key, value)?;
            Ok(End::Commit(()))
        })
    }

    fn get(&self, key: &str) -> Outcome<Option<Vec<u8>>> {
        self.read(|transaction| {
            let values = transaction.open_table(VALUES)?;
            Ok(values.get(key)?.map(|value| value.value().to_vec()))
        })
    }
}
