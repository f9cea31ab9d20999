//! The second tier's memory of what was in whose hands; [`provenance`](crate::evidence::provenance) says what that proves.

use super::criteria::Criteria;
use super::generations::Generations;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::evidence::provenance::{Hand, Held, body, conversation, parent, sought};
use crate::rules::Family;
use crate::time::{SECOND, Timestamp};
use serde::{Deserialize, Serialize};

/// Something that changed hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The family that saw it.
    pub family: Family,
    /// Whose it was.
    pub from: Hand,
}

/// How much later one moment may be told by one proxy than by another: what batches take on their way.
const HEARD: u64 = SECOND;

/// A body that somebody sent whom another proxy told of first, though it came to them later.
#[derive(Clone, Copy, Debug)]
struct Overtaken {
    body: u64,
    by: Hand,
}

/// The bounded memory of what was in whose hands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ledger {
    blobs: Generations<Held>,
    conversations: Generations<Held>,
    refused: Generations<Held>,
    /// Of the last request.
    #[serde(skip)]
    overtaken: Option<Overtaken>,
    #[serde(skip)]
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
            overtaken: None,
            criteria,
        }
    }

    /// Holds to other rules from now on.
    pub fn follow(&mut self, criteria: Criteria) {
        self.criteria = criteria;
    }

    /// What was not used since the last turn is forgotten.
    pub fn turn(&mut self) {
        for generations in [&mut self.blobs, &mut self.conversations, &mut self.refused] {
            generations.turn();
        }
    }

    /// What of this request was in other hands before. Notes the conversation as its sender's, and what it goes on with where that was
    /// another's: with what people pass around, as a link is, more than one of them goes on.
    pub fn request(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) -> Vec<Passed> {
        let (hand, passed) = (Hand::of(caller), self.passed(caller, reading, now));
        if passed.iter().any(|passed| passed.family == Family::PrefixContinuity) {
            self.note(Family::PrefixContinuity, reading.conversation.parent, hand, now);
        }
        self.sent(caller, reading, now);
        if let Some(key) = conversation(reading) {
            self.note(Family::PrefixContinuity, key, hand, now);
        }
        passed
    }

    /// What of a request was in other hands before. Nothing of it is noted.
    pub fn passed(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) -> Vec<Passed> {
        let hand = Hand::of(caller);
        sought(reading)
            .into_iter()
            .filter(|(_, key)| *key != 0)
            .filter_map(|(family, key)| self.foreign(family, key, &hand, reading, now))
            .collect()
    }

    /// Whether a request goes on with what nobody is known to have sent.
    #[must_use]
    pub fn begins(&self, reading: &Reading) -> bool {
        let unknown = |key| self.conversations.peek(key).is_none();
        self.criteria.counts(Family::PrefixContinuity) && parent(reading).is_some_and(unknown)
    }

    /// Looks who else has sent what the last request asks. Nothing of it is noted.
    pub fn sent(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        self.overtaken = self.overtaken(&Hand::of(caller), reading, now);
    }

    fn foreign(&mut self, family: Family, key: u64, hand: &Hand, reading: &Reading, now: Timestamp) -> Option<Passed> {
        let held = *self.kept(family).get(key)?;
        let custody = self.criteria.custody();
        let whole = || conversation(reading).and_then(|key| self.conversations.peek(key));
        // What was sent before the refusal, and told later for its answer took long, follows from nothing.
        let echo = || held.at.since(now) <= HEARD && !custody.common(whole(), &held.by, now);
        let foreign = custody.foreign(family, &held, hand, now) && (family != Family::FailoverEcho || echo());
        foreign.then_some(Passed { family, from: held.by })
    }

    /// Notes a blob that an answer carried.
    pub fn given(&mut self, blob: u64, caller: &Caller, now: Timestamp) {
        self.note(Family::BlobProvenance, blob, Hand::of(caller), now);
    }

    /// Who else has sent a request to the letter, and nobody before: within the seconds in which that is an echo of it, should it be
    /// refused.
    fn overtaken(&self, hand: &Hand, reading: &Reading, now: Timestamp) -> Option<Overtaken> {
        let held = self.conversations.peek(conversation(reading)?)?;
        let custody = self.criteria.custody();
        let within = custody.remembers(Family::FailoverEcho);
        let echo = held.at.since(now) < within && now.since(held.at) <= HEARD;
        let foreign = echo && custody.foreign(Family::PrefixContinuity, held, hand, now);
        foreign.then_some(Overtaken { body: body(reading)?, by: held.by })
    }

    /// Notes that the last request was refused. Returns who has sent it since, where another proxy has told of that already.
    pub fn refused(&mut self, reading: &Reading, caller: &Caller, now: Timestamp) -> Option<Hand> {
        let key = body(reading)?;
        self.note(Family::FailoverEcho, key, Hand::of(caller), now);
        self.overtaken.take().filter(|overtaken| overtaken.body == key).map(|overtaken| overtaken.by)
    }

    /// Whether its sender was refused the same within the seconds in which that is an echo of it from others.
    #[must_use]
    pub fn was_refused(&self, caller: &Caller, reading: &Reading, now: Timestamp) -> bool {
        let held = body(reading).and_then(|key| self.refused.peek(key));
        let over = |held: &Held| self.criteria.custody().over(Family::FailoverEcho, held, now);
        held.is_some_and(|held| held.by.account == caller.account && !over(held))
    }

    fn kept(&mut self, family: Family) -> &mut Generations<Held> {
        match family {
            Family::BlobProvenance => &mut self.blobs,
            Family::FailoverEcho => &mut self.refused,
            _ => &mut self.conversations,
        }
    }

    fn note(&mut self, family: Family, key: u64, by: Hand, now: Timestamp) {
        if key == 0 || !self.criteria.counts(family) {
            return;
        }
        let held = self.kept(family).get(key).copied();
        let noted = self.criteria.custody().noted(family, held, by, now);
        match self.kept(family).get(key) {
            Some(held) => *held = noted,
            None => self.kept(family).insert(key, noted),
        }
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
        let conversation = Conversation { whole, bytes: 600, parent, answers: 1, parent_bytes: 500 };
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
    fn what_is_passed_around_is_the_first_readers_and_then_nobodys() {
        let mut ledger = Ledger::new(100, Criteria::default());
        ledger.request(&caller(1), &turn(10, 0), Timestamp(0));
        let going_on = |reader: u64| ledger.request(&caller(reader), &turn(20 + reader, 10), Timestamp(reader)).len();
        assert_eq!([2, 3, 4, 3].map(going_on), [1, 0, 0, 0]);
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

    #[test]
    fn an_echo_is_one_though_its_proxy_was_heard_before_the_one_that_refused() {
        let echoed = |after: u64, before: u64, by: u64| {
            let (mut ledger, body) = (Ledger::new(100, Criteria::default()), turn(10, 0));
            ledger.request(&caller(by), &body, Timestamp(10 * MINUTE + after));
            ledger.request(&caller(1), &body, Timestamp(10 * MINUTE + before));
            ledger.refused(&body, &caller(1), Timestamp(10 * MINUTE + before)).map(|hand| hand.account)
        };
        assert_eq!(echoed(2 * SECOND, 0, 2), Some(2));
        assert_eq!(echoed(0, HEARD, 2), Some(2));
        assert_eq!((echoed(0, HEARD + 1, 2), echoed(2 * MINUTE, 0, 2), echoed(2 * SECOND, 0, 1)), (None, None, None));
        // What others send anyhow proves nothing.
        let (mut ledger, body) = (Ledger::new(100, Criteria::default()), turn(10, 0));
        for account in [2, 3, 1] {
            ledger.request(&caller(account), &body, Timestamp(0));
        }
        assert_eq!(ledger.refused(&body, &caller(1), Timestamp(0)), None);
    }

    #[test]
    fn what_was_sent_before_the_refusal_is_no_echo_of_it_however_late_it_is_told() {
        let told = |sent: u64| {
            let (mut ledger, body) = (Ledger::new(100, Criteria::default()), turn(10, 0));
            ledger.request(&caller(1), &body, Timestamp(MINUTE));
            ledger.refused(&body, &caller(1), Timestamp(MINUTE));
            families(&ledger.request(&caller(2), &body, Timestamp(sent)))
        };
        assert_eq!([MINUTE, MINUTE - HEARD].map(told), [vec![Family::FailoverEcho], vec![Family::FailoverEcho]]);
        assert_eq!([MINUTE - HEARD - 1, 20 * SECOND].map(told), [vec![], vec![]]);
    }

    #[test]
    fn what_goes_between_accounts_of_a_declared_migration_is_no_theft() {
        use crate::rules::{DigestName, Document};
        let mut document = Document::default();
        let (from, to) = (DigestName::new(1), DigestName::new(2));
        document.migrations.push(crate::rules::lists::Migration { from, to, ..Default::default() });
        let mut ledger = Ledger::new(100, Criteria::of(&document));
        ledger.given(77, &caller(1), Timestamp(0));
        ledger.request(&caller(2), &turn(10, 0), Timestamp(0));
        let replay = Reading { blobs: vec![77], ..Reading::default() };
        assert_eq!(ledger.request(&caller(2), &replay, Timestamp(1)), vec![]);
        assert_eq!(ledger.request(&caller(1), &turn(11, 10), Timestamp(1)), vec![]);
        assert_eq!(families(&ledger.request(&caller(3), &replay, Timestamp(1))), vec![Family::BlobProvenance]);
    }
}
