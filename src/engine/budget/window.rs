//! What was used of a budget, in a slot of the store.
//!
//! A sliding window from two fixed ones, as in Cloudflare's counters ("How we built rate limiting capable of scaling to
//! millions of domains", 2017): what was used in the last window counts by the share of it that the sliding one still
//! covers. That is exact where use was even within the last window (Cloudflare measured 0.003% of requests decided
//! wrongly); within a fixed window no more than the limit is ever granted.
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | which window this is, in lengths since the Unix epoch |
//! | 4 | 4 | requests of this window |
//! | 8 | 4 | requests of the one before |
//! | 12 | 8 | tokens of this window |
//! | 20 | 8 | tokens of the one before |

use super::{Cost, Window};
use crate::rules::Budget;
use crate::sketch::fields::Fields;
use crate::time::{SECOND, Timestamp};

const INDEX: usize = 0;
const REQUESTS: [usize; 2] = [4, 8];
const TOKENS: [usize; 2] = [12, 20];
/// Bytes of a slot.
pub const BYTES: u16 = 28;

/// What was used of one thing: in this window and in the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used([u64; 2]);

/// A moment in a window.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// Which window.
    index: u32,
    /// Milliseconds since it began.
    into: u64,
    /// Milliseconds of a window.
    length: u64,
}

/// What a slot says at a moment.
#[derive(Debug)]
pub(super) struct Slot<'s> {
    fields: Fields<&'s mut [u8]>,
    moment: Moment,
    requests: Used,
    tokens: Used,
}

impl<'s> Slot<'s> {
    /// Reads a slot and moves on to the window of `now`; where the clock has stepped back, the slot's own beginning is now.
    pub(super) fn at(slot: &'s mut [u8], budget: &Budget, now: Timestamp) -> Self {
        let fields = Fields::new(slot);
        let length = u64::from(budget.window_seconds.max(1)).saturating_mul(SECOND);
        let index = u32::try_from(now.0.checked_div(length).unwrap_or(0)).unwrap_or(u32::MAX);
        let mut moment = Moment { index, into: now.0.checked_rem(length).unwrap_or(0), length };
        let requests = REQUESTS.map(|at| u64::from(fields.u32(at)));
        let tokens = TOKENS.map(|at| fields.u64(at));
        let (mut requests, mut tokens) = (Used(requests), Used(tokens));
        match (fields.u32(INDEX), index) {
            (seen, index) if seen == index => {}
            (seen, index) if seen.checked_add(1) == Some(index) => {
                (requests, tokens) = (requests.next(), tokens.next())
            }
            (seen, index) if index.checked_add(1) == Some(seen) => (moment.index, moment.into) = (seen, 0),
            _ => (requests, tokens) = Default::default(),
        }
        Self { fields, moment, requests, tokens }
    }

    /// Grants what may cost so much, and says in which window; `Err` tells in how many seconds it will fit.
    ///
    /// What would never fit does when nothing else is used: a limit is not there to turn anybody away for good.
    pub(super) fn reserve(&mut self, budget: &Budget, cost: Cost) -> Result<u32, u32> {
        let fits = |used: Used, limit: Option<u64>, cost: u64| {
            limit.map_or(0, |limit| used.wait(self.moment, limit, cost.min(limit)))
        };
        let requests = fits(self.requests, budget.requests.map(u64::from), cost.requests);
        let wait = requests.max(fits(self.tokens, budget.tokens, cost.tokens));
        if wait > 0 {
            return Err(u32::try_from(wait.div_ceil(SECOND)).unwrap_or(u32::MAX));
        }
        self.requests.add(cost.requests);
        self.tokens.add(cost.tokens);
        self.write();
        Ok(self.moment.index)
    }

    /// Puts what was used in the place of what was reserved in a window. Where that does not count any more, what was used beyond it
    /// counts now: an answer may take longer than two windows.
    pub(super) fn settle(&mut self, window: u32, reserved: Cost, used: Cost) {
        let age = self.moment.index.checked_sub(window).and_then(|age| usize::try_from(age).ok());
        for (counted, reserved, used) in
            [(&mut self.requests, reserved.requests, used.requests), (&mut self.tokens, reserved.tokens, used.tokens)]
        {
            match age.and_then(|age| counted.0.get_mut(age)) {
                Some(place) => *place = place.saturating_sub(reserved).saturating_add(used),
                None => counted.add(used.saturating_sub(reserved)),
            }
        }
        self.write();
    }

    fn write(&mut self) {
        self.fields.set_u32(INDEX, self.moment.index);
        for (age, at) in REQUESTS.into_iter().enumerate() {
            let requests = self.requests.0.get(age).copied().unwrap_or(0);
            self.fields.set_u32(at, u32::try_from(requests).unwrap_or(u32::MAX));
        }
        for (age, at) in TOKENS.into_iter().enumerate() {
            self.fields.set_u64(at, self.tokens.0.get(age).copied().unwrap_or(0));
        }
    }

    /// What is left of requests and of tokens, where they are limited.
    pub(super) fn left(&self, budget: &Budget) -> [Option<Window>; 2] {
        let left = |used: Used, limit: u64| used.left(self.moment, limit);
        [
            budget.requests.map(|limit| left(self.requests, u64::from(limit))),
            budget.tokens.map(|limit| left(self.tokens, limit)),
        ]
    }
}

impl Used {
    /// The same, a window later.
    fn next(self) -> Self {
        let Self([this, _]) = self;
        Self([0, this])
    }

    fn add(&mut self, cost: u64) {
        let Self([this, _]) = self;
        *this = this.saturating_add(cost);
    }

    /// What counts at a moment: rounded up, so that rounding grants nothing.
    fn sum(self, moment: Moment) -> u64 {
        let Self([this, before]) = self;
        this.saturating_add(share(before, moment.length.saturating_sub(moment.into), moment.length))
    }

    /// Milliseconds until `cost` fits; 0: now. At most two windows.
    fn wait(self, moment: Moment, limit: u64, cost: u64) -> u64 {
        if self.sum(moment).saturating_add(cost) <= limit {
            return 0;
        }
        let rest = moment.length.saturating_sub(moment.into);
        let Self([this, before]) = self;
        let wait = match limit.saturating_sub(cost).checked_sub(this) {
            // Within this window: `before` has to fade to `room`.
            Some(room) => rest.saturating_sub(share_down(moment.length, room, before)),
            // In the next one, where `this` has to fade.
            None => {
                let room = limit.saturating_sub(cost);
                rest.saturating_add(moment.length).saturating_sub(share_down(moment.length, room, this))
            }
        };
        wait.max(1)
    }

    fn left(self, moment: Moment, limit: u64) -> Window {
        let rest = moment.length.saturating_sub(moment.into);
        let full = match self {
            Self([0, 0]) => 0,
            Self([0, _]) => rest,
            Self(_) => rest.saturating_add(moment.length),
        };
        let reset = u32::try_from(full.div_ceil(SECOND)).unwrap_or(u32::MAX);
        Window { limit, remaining: limit.saturating_sub(self.sum(moment)), reset }
    }
}

/// `amount` × `part` / `whole`, rounded up. In floating point: whole numbers below 2^53 are exact there, and a 128-bit
/// division would take 2 KB of the module.
fn share(amount: u64, part: u64, whole: u64) -> u64 {
    (amount as f64 * part as f64 / whole.max(1) as f64).ceil() as u64
}

/// `amount` × `part` / `whole`, rounded down.
fn share_down(amount: u64, part: u64, whole: u64) -> u64 {
    (amount as f64 * part as f64 / whole.max(1) as f64) as u64
}
