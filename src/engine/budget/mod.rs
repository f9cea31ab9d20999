//! Budgets: requests and tokens of an account, an organisation and a campaign, in any time of a configured length.
//!
//! Reserved when a request comes, by what it may cost at most, and settled when its answer is over, by what it did cost: so
//! requests side by side cannot use more than there is. What is reserved and never settled (a proxy that ends) counts
//! until its window is over. Each proxy keeps its own. Evidence has no part in it: a budget is the operator's word alone.
//!
//! An update that the store loses is granted, and told as lost.

mod headers;
#[cfg(test)]
mod tests;
mod window;

pub use window::BYTES;

use crate::answer::{BYTES_OF_A_TOKEN, Taken};
use crate::caller::Caller;
use crate::dialect::Dialect;
use crate::digest::Reading;
use crate::digest::key::Domain;
use crate::evidence::state::Tables;
use crate::rules::{Budget, Config};
use crate::sketch::table::Table;
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::{Action, Reason, Verdict, carried_out};

/// What is left of something that is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// As much as may be used.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// Seconds until all of it is there again, if nothing more is used.
    pub reset: u32,
}

/// What is left to a caller: of several budgets the one of which least is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Requests, where they are limited.
    pub requests: Option<Window>,
    /// Tokens, where they are limited.
    pub tokens: Option<Window>,
}

/// What is held for a request in one budget.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    key: u64,
    budget: Budget,
    window: u32,
}

/// A request that was put to its budgets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// What is left after it.
    pub remaining: Remaining,
    /// Updates that were lost.
    pub lost: u32,
    estimate: Estimate,
    held: Vec<Held>,
}

/// What is taken from a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    requests: u64,
    tokens: u64,
}

/// What a request may cost at most, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Requests: of a batch all that it holds; none where nothing is asked.
    pub requests: u64,
    /// For reading it.
    pub input: u64,
    /// For all its answers.
    pub output: u64,
    /// They are fetched later, by another request: those of a batch, and those made in the background.
    pub later: bool,
}

impl Estimate {
    /// The estimate for a request whose body has `bytes`: what it says, at four bytes a token, and as many answers as it
    /// asks for, of the length that it allows; of `assumed` tokens where it does not say.
    #[must_use]
    pub fn of(reading: &Reading, bytes: u64, assumed: u32) -> Self {
        let shape = &reading.shape;
        if shape.params.kept {
            return Self::default();
        }
        // The bytes of an image are not its tokens.
        let bytes = match shape.media {
            true => [shape.user, shape.system, shape.context].into_iter().map(u64::from).sum(),
            false => bytes,
        };
        let requests = reading.batch.map_or(1, |batch| batch.requests_in(bytes));
        let answers = u64::from(shape.params.n.unwrap_or(1).max(1)).saturating_mul(requests);
        let answer = u64::from(shape.params.max_tokens.unwrap_or(assumed));
        Self {
            requests,
            input: bytes.div_ceil(BYTES_OF_A_TOKEN),
            output: answer.saturating_mul(answers),
            later: reading.batch.is_some() || shape.params.background,
        }
    }
}

impl Estimate {
    /// All of it, in tokens.
    #[must_use]
    pub fn tokens(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// What is held for it.
    fn reserved(self) -> Cost {
        Cost { requests: self.requests, tokens: self.tokens() }
    }
}

/// What an answer did cost, in tokens; `input`: an estimate of what was read, for answers that do not tell.
fn tokens(dialect: Dialect, taken: &Taken, input: u64) -> u64 {
    // Google counts thoughts beside the answer, Anthropic what came from its cache or went there beside what was read.
    let apart = match dialect {
        Dialect::Gemini | Dialect::Interactions => [taken.reasoning_tokens, None],
        Dialect::Messages | Dialect::Converse => [taken.cached_tokens, taken.kept_tokens],
        _ => [None; 2],
    };
    let counts = [Some(taken.input_tokens.unwrap_or(input)), taken.output_tokens].into_iter().chain(apart);
    counts.flatten().fold(0, u64::saturating_add)
}

/// Puts a request to the budgets that the rules have for it. `None`, without a look at the store,
/// where there is none, where the operator excepted the caller, and where the verdict refuses it anyhow.
///
/// A request for which nothing is left is refused, whatever the evidence: `verdict` says so.
pub fn reserve<S: Store>(
    config: &Config,
    store: &mut S,
    caller: &Caller,
    verdict: &mut Verdict,
    estimate: Estimate,
    now: Timestamp,
) -> Option<Grant> {
    let in_force = config.in_force(now);
    let budgets = &in_force.rules.document.budgets;
    let excepted = verdict.reasons.contains(&Reason::OperatorAllow.code());
    if excepted || verdict.action.refuses() {
        return None;
    }
    let campaign = verdict.campaign.as_ref().filter(|_| budgets.campaign.is_some());
    let campaign = campaign.map_or(0, |name| config.callers.keys.digest(Domain::Campaign, name.as_bytes()));
    let asked = [
        (&budgets.account, caller.account),
        (&budgets.organisation, caller.organisation),
        (&budgets.campaign, campaign),
    ];
    let mut asked = asked.into_iter().filter_map(|(budget, key)| Some((budget.as_ref()?, key))).peekable();
    asked.peek()?;
    let table = Tables::of(&config.state).budgets;
    let mut grant = Grant { estimate, ..Grant::default() };
    let mut wait = 0;
    for (budget, key) in asked.filter(|(_, key)| *key != 0) {
        let put = |slot: &mut [u8]| {
            let mut slot = window::Slot::at(slot, budget, now);
            (slot.reserve(budget, estimate.reserved()), slot.left(budget))
        };
        match table.update(store, key, now, |_| (), |slot| put(slot.bytes_mut())) {
            Ok((granted, left)) => {
                grant.remaining.narrow(left);
                match granted {
                    Ok(window) => grant.held.push(Held { key, budget: budget.clone(), window }),
                    Err(seconds) => wait = seconds.max(wait),
                }
            }
            Err(_) => grant.lost = grant.lost.saturating_add(1),
        }
    }
    if wait > 0 {
        // What others have left is not for this one.
        grant.lost = grant.lost.saturating_add(release(&table, store, &grant, Cost::default(), now));
        grant.held.clear();
        verdict.reasons.push(Reason::OverBudget.code());
        verdict.retry_after = wait;
        let refuse = |action: Action| if action == Action::Block { action } else { Action::Throttle };
        verdict.would = refuse(verdict.would);
        verdict.action = carried_out(refuse(verdict.action), in_force.mode);
    }
    Some(grant)
}

/// Settles a request that was granted, by what its answer did cost; by what it could, where nobody read that; by no tokens, where
/// upstream did not serve it, and not even as a request where upstream found fault with it (4xx): that costs nobody anything, and it
/// may not be whose it says. Who knows another's access key id could use up what is his: AWS answers what is signed badly with 403
/// or with 400. But 429 comes after the signature was looked at, and who is sent away with it goes on asking. Returns how
/// many updates were lost.
pub fn settle<S: Store>(
    config: &Config,
    store: &mut S,
    grant: &Grant,
    (dialect, status, taken): (Dialect, u16, Option<&Taken>),
    now: Timestamp,
) -> u32 {
    let estimate = grant.estimate;
    let used = match (status, taken) {
        (400..=428 | 430..=499, _) => Cost::default(),
        // What is made in the background may be streamed all the same, to the end or not.
        (200..300, Some(taken)) if !estimate.later || estimate.requests == 1 && taken.tells_all() => {
            Cost { requests: estimate.requests.min(1), tokens: tokens(dialect, taken, estimate.input) }
        }
        (200..300, _) => estimate.reserved(),
        _ => Cost { requests: estimate.requests.min(1), tokens: 0 },
    };
    release(&Tables::of(&config.state).budgets, store, grant, used, now)
}

/// Puts what was used in the place of what is held.
fn release<S: Store>(table: &Table, store: &mut S, grant: &Grant, used: Cost, now: Timestamp) -> u32 {
    let mut lost = 0_u32;
    for Held { key, budget, window } in &grant.held {
        let settled = table.update(
            store,
            *key,
            now,
            |_| (),
            |slot| {
                // Nothing is held in a slot that another took over meanwhile.
                let reserved = if slot.fresh() { Cost::default() } else { grant.estimate.reserved() };
                window::Slot::at(slot.bytes_mut(), budget, now).settle(*window, reserved, used);
            },
        );
        lost = lost.saturating_add(u32::from(settled.is_err()));
    }
    lost
}

impl Remaining {
    fn narrow(&mut self, [requests, tokens]: [Option<Window>; 2]) {
        for (mine, other) in [(&mut self.requests, requests), (&mut self.tokens, tokens)] {
            if let Some(other) = other
                && mine.is_none_or(|mine| other.remaining < mine.remaining)
            {
                *mine = Some(other);
            }
        }
    }
}
