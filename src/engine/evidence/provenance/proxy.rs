//! A proxy's memory of what is in whose hands: one table of its store.

use super::{Custody, Hand, Held, body, conversation, slot, sought};
use crate::caller::Caller;
use crate::digest::{BLOBS, Reading};
use crate::evidence::Evidence;
use crate::rules::Family;
use crate::sketch::table::Table;
use crate::store::{Get, Store};
use crate::time::Timestamp;
use crate::verdict::Reason;

/// How many conversations a blob outweighs when a full page makes room: it is seldom written and proves most.
const BLOB_WEIGHT: u32 = 3;

/// What of this request was in other hands before.
///
/// At most four reads: two blobs, the parent, the refused body; a first turn takes one. A fifth, of the conversation, only
/// where an echo was found.
///
/// Where several proxies share the traffic, a beginning that many send may have come here from one of them only: what
/// looks like one party's is everybody's. So a conversation is worth less than a blob, which is given once.
pub fn look(
    table: &Table,
    custody: Custody<'_>,
    store: &impl Get,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
    evidence: &mut Evidence,
) {
    let hand = Hand::of(caller);
    let (mut carried, mut continued) = (false, None);
    for (family, key) in sought(reading) {
        if key == 0 || custody.remembers(family) == 0 {
            continue;
        }
        let held = held_in(table, store, family, key);
        let Some(held) = held.filter(|held| custody.foreign(family, held, &hand, now)) else { continue };
        if family == Family::FailoverEcho {
            let whole = held_in(table, store, Family::PrefixContinuity, conversation(reading).unwrap_or(0));
            if custody.common(whole.as_ref(), &held.by, now) {
                continue;
            }
        }
        let most = custody.families.worth(family).most.0;
        match family {
            Family::BlobProvenance => {
                carried = true;
                evidence.add(Reason::BlobProvenance, most);
            }
            Family::FailoverEcho => {
                carried = true;
                evidence.add(Reason::FailoverEcho, most);
            }
            _ => continued = Some(most),
        }
    }
    // A turn that is retried elsewhere, and a blob, which stands in it, take their conversation with them: one act, and no second
    // kind of evidence. Who goes on under another key of theirs does both.
    if let Some(most) = continued.filter(|_| !carried) {
        evidence.add(Reason::PrefixContinuity, most);
    }
}

fn held_in(table: &Table, store: &impl Get, family: Family, key: u64) -> Option<Held> {
    table.peek(store, key, |bytes| slot::read(bytes, family)).flatten()
}

/// Takes note of an exchange that has ended: of the conversation where upstream answered, of the body where it refused
/// for load (429, 5xx). Returns how many updates were lost.
///
/// At most one update, none for what is too short to be anybody's. Who is turned away (401, 403) leaves no trace.
pub fn settle<S: Store>(
    table: &Table,
    custody: Custody<'_>,
    store: &mut S,
    caller: &Caller,
    reading: &Reading,
    status: u16,
    now: Timestamp,
) -> u32 {
    let thing = match status {
        200..300 => conversation(reading).map(|key| (Family::PrefixContinuity, key)),
        429 | 500..600 => body(reading).map(|key| (Family::FailoverEcho, key)),
        _ => None,
    };
    thing.map_or(0, |(family, key)| note(table, custody, store, (family, key), caller, now))
}

/// Takes note of the blobs that an answer carried, at most [`BLOBS`]: an update each. Returns how many were lost.
pub fn given<S: Store>(
    table: &Table,
    custody: Custody<'_>,
    store: &mut S,
    caller: &Caller,
    blobs: &[u64],
    now: Timestamp,
) -> u32 {
    let things = blobs.iter().take(BLOBS).map(|&blob| (Family::BlobProvenance, blob));
    things.map(|thing| note(table, custody, store, thing, caller, now)).sum()
}

fn note<S: Store>(
    table: &Table,
    custody: Custody<'_>,
    store: &mut S,
    (family, key): (Family, u64),
    caller: &Caller,
    now: Timestamp,
) -> u32 {
    if key == 0 || caller.account == 0 || custody.remembers(family) == 0 {
        return 0;
    }
    let by = Hand::of(caller);
    let noted = table.update(
        store,
        key,
        now,
        |_| (),
        |slot| {
            let held = slot::read(slot.bytes(), family);
            slot::write(slot.bytes_mut(), family, &custody.noted(family, held, by, now));
            if slot.fresh() && family == Family::BlobProvenance {
                slot.keep(BLOB_WEIGHT);
            }
        },
    );
    u32::from(noted.is_err())
}
