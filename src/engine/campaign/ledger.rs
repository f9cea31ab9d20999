//! Who was given what: reasoning blobs, conversations, refused bodies. Finds what changes hands.
//!
//! * **Blob provenance**: a blob belongs to the party whose answer carried it; another party that sends it back was never
//!   given it.
//! * **Prefix continuity**: the request before this one of the same conversation was sent by one other party only, and
//!   this account never sent it. Examples that an app puts before each conversation are sent by every user, so they do
//!   not count.
//! * **Failover echo**: a body that was refused comes again, to the letter, from another party within seconds. The
//!   honest retry comes from the same one.

use super::criteria::Criteria;
use super::generations::Generations;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::rules::Family;
use crate::time::Timestamp;

/// Bytes of text before a conversation's parent is unlike anybody else's: "hi" is everybody's.
const PARENT: u32 = 48;

/// An account and what it is related by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hand {
    /// The account.
    pub account: u64,
    /// Its organisation; 0: none named.
    pub organisation: u64,
    /// Its network; 0: unknown.
    pub network: u64,
}

impl Hand {
    /// The sender of a request.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self { account: caller.account, organisation: caller.organisation, network: caller.network }
    }

    /// Whether two senders are one party: one account, one organisation or one network.
    #[must_use]
    pub fn related(&self, other: &Self) -> bool {
        self.account == other.account
            || (self.organisation != 0 && self.organisation == other.organisation)
            || (self.network != 0 && self.network == other.network)
    }
}

/// Something seen in one hand.
#[derive(Clone, Copy, Debug)]
struct Held {
    by: Hand,
    at: Timestamp,
    /// More than one party had it: it is nobody's.
    shared: bool,
}

/// Something that changed hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The family that saw it.
    pub family: Family,
    /// Whose it was.
    pub from: Hand,
}

/// The bounded memory of what was in whose hands.
#[derive(Clone, Debug)]
pub struct Ledger {
    blobs: Generations<Held>,
    conversations: Generations<Held>,
    refused: Generations<Held>,
    criteria: Criteria,
}

impl Ledger {
    /// A ledger that remembers at least `capacity` things of each kind.
    #[must_use]
    pub fn new(capacity: usize, criteria: Criteria) -> Self {
        Self {
            blobs: Generations::new(capacity),
            conversations: Generations::new(capacity),
            refused: Generations::new(capacity / 16 + 1),
            criteria,
        }
    }

    /// What of this request was in other hands before. Notes the conversation as its sender's.
    pub fn request(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) -> Vec<Passed> {
        let hand = Hand::of(caller);
        let criteria = &self.criteria;
        let foreign = |held: &mut Generations<Held>, key: u64, family: Family| {
            let held = held.get(key).filter(|_| key != 0 && criteria.counts(family))?;
            let foreign = !held.shared && criteria.recent(family, held.at, now) && !held.by.related(&hand);
            foreign.then_some(Passed { family, from: held.by })
        };
        let blobs = reading.blobs.iter();
        let mut passed: Vec<_> =
            blobs.filter_map(|&blob| foreign(&mut self.blobs, blob, Family::BlobProvenance)).collect();
        let conversation = &reading.conversation;
        if conversation.parent_bytes >= PARENT {
            passed.extend(foreign(&mut self.conversations, conversation.parent, Family::PrefixContinuity));
        }
        if reading.content != 0 {
            passed.extend(foreign(&mut self.refused, echo_key(reading), Family::FailoverEcho));
        }
        note(&mut self.conversations, conversation.whole, hand, now, false);
        passed
    }

    /// Notes a blob that an answer carried.
    pub fn given(&mut self, blob: u64, caller: &Caller, now: Timestamp) {
        note(&mut self.blobs, blob, Hand::of(caller), now, false);
    }

    /// Notes that a request was refused (429, 5xx).
    pub fn refused(&mut self, reading: &Reading, caller: &Caller, now: Timestamp) {
        note(&mut self.refused, echo_key(reading), Hand::of(caller), now, true);
    }
}

/// The body to the letter: what is asked, in which conversation.
fn echo_key(reading: &Reading) -> u64 {
    reading.content ^ reading.conversation.whole.rotate_left(1)
}

fn note(held: &mut Generations<Held>, key: u64, by: Hand, at: Timestamp, renew: bool) {
    if key == 0 {
        return;
    }
    match held.get(key) {
        Some(held) if renew => *held = Held { by, at, shared: false },
        Some(held) => held.shared |= !held.by.related(&by),
        None => held.insert(key, Held { by, at, shared: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::conversation::Conversation;
    use crate::time::{MINUTE, SECOND};

    fn caller(n: u64) -> Caller {
        Caller { account: n, network: n, ..Caller::default() }
    }

    fn turn(whole: u64, parent: u64) -> Reading {
        let conversation = Conversation { whole, parent, answers: 1, parent_bytes: 500 };
        Reading { conversation, content: whole * 3, ..Reading::default() }
    }

    fn families(passed: &[Passed]) -> Vec<Family> {
        passed.iter().map(|passed| passed.family).collect()
    }

    #[test]
    fn a_blob_is_its_owners_and_a_thief_is_seen() {
        let mut ledger = Ledger::new(100, Criteria::default());
        ledger.given(77, &caller(1), Timestamp(0));
        let replay = Reading { blobs: vec![77], ..Reading::default() };
        assert_eq!(ledger.request(&caller(1), &replay, Timestamp(1)), vec![]);
        let organisation = Caller { account: 3, network: 1, ..Caller::default() };
        assert_eq!(ledger.request(&organisation, &replay, Timestamp(1)), vec![]);
        assert_eq!(families(&ledger.request(&caller(2), &replay, Timestamp(1))), vec![Family::BlobProvenance]);
    }

    #[test]
    fn a_conversation_that_changes_hands_is_seen() {
        let mut ledger = Ledger::new(100, Criteria::default());
        ledger.request(&caller(1), &turn(10, 0), Timestamp(0));
        assert_eq!(ledger.request(&caller(1), &turn(11, 10), Timestamp(1)), vec![]);
        assert_eq!(families(&ledger.request(&caller(2), &turn(12, 11), Timestamp(2))), vec![Family::PrefixContinuity]);
    }

    #[test]
    fn examples_that_every_user_of_an_app_sends_are_nobodys() {
        let mut ledger = Ledger::new(100, Criteria::default());
        for account in 1..10 {
            assert_eq!(ledger.request(&caller(account), &turn(10, 0), Timestamp(account)), vec![]);
            assert_eq!(ledger.request(&caller(account), &turn(11, 10), Timestamp(account)), vec![]);
        }
    }

    #[test]
    fn a_refused_body_from_elsewhere_is_an_echo_only_within_seconds() {
        let (mut ledger, body) = (Ledger::new(100, Criteria::default()), turn(10, 0));
        ledger.request(&caller(1), &body, Timestamp(0));
        ledger.refused(&body, &caller(1), Timestamp(0));
        assert_eq!(ledger.request(&caller(1), &body, Timestamp(SECOND)), vec![]);
        assert_eq!(families(&ledger.request(&caller(2), &body, Timestamp(2 * SECOND))), vec![Family::FailoverEcho]);
        assert_eq!(ledger.request(&caller(3), &body, Timestamp(2 * MINUTE)), vec![]);
    }
}
