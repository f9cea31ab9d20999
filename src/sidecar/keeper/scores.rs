//! What accounts score at most, within about two weeks.

use azeotrope_engine::campaign::generations::Generations;
use azeotrope_engine::nats::MilliNats;
use azeotrope_engine::time::{DAY, Timestamp};
use serde::{Deserialize, Serialize};

/// Accounts of a population that are kept, of the most recent ones; up to twice as many, in each of two windows.
const ACCOUNTS: usize = 1 << 18;
/// After this long what accounts scored begins anew, in milliseconds; the time before still counts until then.
pub(super) const WINDOW: u64 = 7 * DAY;
/// Stands for an account that belongs to a campaign.
const LINKED: MilliNats = MilliNats::MIN;

/// The most that each account of a population scored: in this window, and in the one before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scores {
    since: Timestamp,
    now: Generations<MilliNats>,
    before: Generations<MilliNats>,
}

impl Scores {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, now: Generations::new(ACCOUNTS), before: Generations::new(ACCOUNTS) }
    }

    pub(super) fn observe(&mut self, account: u64, score: MilliNats, now: Timestamp) {
        self.turn(now);
        match self.now.get(account) {
            Some(most) if *most == LINKED => {}
            Some(most) => *most = score.max(*most),
            None => self.now.insert(account, score.max(LINKED + 1)),
        }
    }

    /// An account counts no longer, in either window; what it scores later does not count until both have passed. One
    /// that is not known here takes no room.
    pub(super) fn forget(&mut self, account: u64) {
        for window in [&mut self.now, &mut self.before] {
            if let Some(most) = window.get(account) {
                *most = LINKED;
            }
        }
    }

    /// Begins a window: what accounts scored in the one before the last is forgotten.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.before = std::mem::replace(&mut self.now, Generations::new(ACCOUNTS));
        self.since = now;
    }

    fn turn(&mut self, now: Timestamp) {
        let passed = now.since(self.since);
        if passed > WINDOW {
            let full = std::mem::replace(&mut self.now, Generations::new(ACCOUNTS));
            // After a long silence both are of long ago.
            self.before = if passed > 2 * WINDOW { Generations::new(ACCOUNTS) } else { full };
            self.since = now;
        }
        // A clock that had gone ahead must not hold the window open.
        self.since = self.since.min(now);
    }

    /// What each account scored, the highest first.
    pub(super) fn falling(&self) -> Vec<MilliNats> {
        let earlier = self.before.iter().filter(|(account, _)| self.now.peek(*account).is_none());
        let both = self.now.iter().map(|(account, &most)| match self.before.peek(account) {
            Some(&LINKED) => LINKED,
            Some(&before) if most != LINKED => most.max(before),
            _ => most,
        });
        let all = both.chain(earlier.map(|(_, most)| *most));
        let mut all: Vec<MilliNats> = all.filter(|most| *most != LINKED).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all
    }
}
