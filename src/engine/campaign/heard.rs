//! What counts of what proxies tell.
//!
//! Upstream says whose a key is. A request that it answered counts; of whom it never answered nothing does, for anybody can make up
//! keys. Nor does an attempt that was refused for load: programs send it again by themselves until it is answered.

use super::account::Account;
use super::derived::Derived;
use super::gathering::Carried;
use super::group::Member;
use super::joiner::Joiner;
use super::ledger::Passed;
use crate::caller::Caller;
use crate::digest::Reading;
use crate::evidence::provenance::Hand;
use crate::observation::{Event, Fate};
use crate::rules::Family;
use crate::time::Timestamp;
use std::borrow::Cow;

/// Accounts of one party at most that count though upstream has answered none of them.
const VOICES: u64 = 4;

impl Joiner {
    /// Takes in what a proxy has told. Of one worker in the order in which it was told; workers are heard one after the other.
    pub fn hear(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Request { caller, reading, fate, .. } => {
                let Some((caller, reading)) = self.today(caller, reading, at) else { return };
                match fate {
                    Fate::Answered => self.exchange(&caller, &reading, at),
                    Fate::RefusedForLoad => self.attempted(&caller, &reading, at),
                    Fate::RefusedHere => self.refused_here(&caller, &reading, at),
                }
            }
            Event::Refused { caller, reading } => self.refused(caller, reading, at),
            Event::Given { caller, blobs } => blobs.iter().for_each(|&blob| self.given(blob, caller, at)),
        }
    }

    /// Takes an exchange in.
    pub fn observe(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if let Some((caller, reading)) = self.today(caller, reading, now) {
            self.exchange(&caller, &reading, now);
        }
    }

    /// Takes note of a blob that an answer carried.
    pub fn given(&mut self, blob: u64, caller: &Caller, now: Timestamp) {
        self.ledger.given(blob, caller, now);
    }

    /// Takes note that a request was refused: for load, or by a proxy itself. To be told right behind the request.
    pub fn refused(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if let Some((caller, reading)) = self.today(caller, reading, now) {
            self.turned_away(&caller, &reading, now);
        }
    }

    /// A request under names of today, from whom it is declared to be; `None` where it says nothing.
    fn today<'a>(
        &mut self,
        caller: &Caller,
        reading: &'a Reading,
        now: Timestamp,
    ) -> Option<(Caller, Cow<'a, Reading>)> {
        if caller.account == 0 || reading.unread {
            return None;
        }
        let caller = self.criteria.party(caller, now);
        self.carry(&caller, reading, now);
        let today = self.renamed.today(&caller, reading);
        Some(today.map_or((caller, Cow::Borrowed(reading)), |(caller, reading)| (caller, Cow::Owned(reading))))
    }

    /// Takes in a request that a proxy refused. What its sender's program sends again by itself counts once.
    fn refused_here(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if !self.accounts.peek(caller.account).is_some_and(Account::accepted) {
            self.given_away(caller, reading, now);
        } else if self.ledger.was_refused(caller, reading, now) {
            self.attempted(caller, reading, now);
        } else {
            self.exchange(caller, reading, now);
        }
        self.turned_away(caller, reading, now);
    }

    /// Takes in an attempt that came to nothing: what of it was in other hands before tells, of who is known.
    fn attempted(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if !self.accounts.peek(caller.account).is_some_and(Account::accepted) {
            return;
        }
        let passed = self.ledger.request(caller, reading, now);
        let member = Member::of(caller, reading);
        let own = self.prepared(&member, reading);
        self.passed(&passed, &member, (reading, own), now);
    }

    /// Takes in what a proxy refused to whom upstream has never answered. What gave him away links him, and whoever sends the
    /// same next; it counts for nobody else.
    fn given_away(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        let (account, member) = (caller.account, Member::of(caller, reading));
        if self.accounts.get(account).is_none() {
            let new = Account::new(member.party, member.client);
            let corpus = u32::from(reading.corpus);
            self.accounts.insert(account, Account { wording: reading.wording, corpus, ..new });
        }
        let passed = self.ledger.passed(caller, reading, now);
        let keys = self.keys(&member, reading, &passed);
        let carried = keys.iter().filter_map(|&(kind, key)| self.carried(kind, key, &member)).reduce(Carried::and);
        if carried.is_some() {
            self.speak_up(account, member.party);
        }
        self.consider(&member, carried.or_else(|| self.sweeper(reading, &member)), now);
        let Some(index) = self.campaign_of(account) else {
            self.accounts.remove(account);
            return;
        };
        if let Some(campaign) = self.campaigns.get_mut(index as usize) {
            campaign.last = now;
        }
        self.renew(account, &keys, now);
        self.ledger.sent(caller, reading, now);
    }

    /// Makes an account one of the few of its party that its campaign counts, and proxies are told of, though upstream has never
    /// answered them: keys can be made up in any number, networks cost something.
    fn speak_up(&mut self, account: u64, party: u64) {
        let key = voice(party, account);
        let voiced = self.chains.get(key).copied();
        if voiced.and_then(|of| self.accounts.peek(of)).is_none_or(Account::accepted) {
            self.chains.insert(key, account);
        }
    }

    /// Whether an account that is linked counts as its campaign's, and proxies are told of it.
    pub(super) fn tells_of(&self, account: u64) -> bool {
        let voiced = |known: &Account| self.chains.peek(voice(known.party, account)) == Some(&account);
        self.accounts.peek(account).is_some_and(|known| known.accepted() || voiced(known))
    }

    /// Takes note of who was refused what, and of who has sent it since.
    fn turned_away(&mut self, caller: &Caller, reading: &Reading, now: Timestamp) {
        if self.accounts.peek(caller.account).is_none() {
            return;
        }
        let since = self.ledger.refused(reading, caller, now);
        if let Some(member) = since.and_then(|by| self.as_member(by.account)) {
            let passed = Passed { family: Family::FailoverEcho, from: Hand::of(caller) };
            self.passed(&[passed], &member, (reading, false), now);
        }
    }
}

/// Where is found whether an account speaks for the unanswered ones of its party.
fn voice(party: u64, account: u64) -> u64 {
    Derived::Voice(party, account % VOICES).key()
}
