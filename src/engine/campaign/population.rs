//! What ordinary traffic looks like: how many accounts take which target, with which settings and client program.
//!
//! An account counts once, by its first exchange, and is taken out again when it is linked to a campaign: a campaign must
//! not become its own normality.

use super::derived::Derived;
use super::generations::Generations;
use super::kin::{Each, Likeness};
use crate::caller::{Caller, product};
use crate::digest::Reading;
use crate::nats::{MilliNats, ln, ln_ratio};
use crate::time::{DAY, HOUR, Timestamp};
use serde::{Deserialize, Serialize};

/// Different values of one attribute that are told apart.
const VALUES: usize = 1 << 17;

/// How often each value of an attribute occurs among accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Frequencies {
    counts: Generations<u32>,
    total: u32,
}

impl Default for Frequencies {
    fn default() -> Self {
        Self { counts: Generations::new(VALUES), total: 0 }
    }
}

impl Frequencies {
    /// Counts an account.
    pub fn add(&mut self, value: u64) {
        self.total = self.total.saturating_add(1);
        match self.counts.get(value) {
            Some(count) => *count = count.saturating_add(1),
            None => self.counts.insert(value, 1),
        }
    }

    /// Takes an account out.
    pub fn remove(&mut self, value: u64) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.counts.get(value) {
            *count = count.saturating_sub(1);
        }
    }

    /// Gives a value another name.
    pub fn rename(&mut self, old: u64, new: u64) {
        if old != new
            && let Some(count) = self.counts.remove(old)
        {
            match self.counts.get(new) {
                Some(sum) => *sum = sum.saturating_add(count),
                None => self.counts.insert(new, count),
            }
        }
    }

    /// Accounts with this value.
    #[must_use]
    pub fn count(&self, value: u64) -> u32 {
        self.counts.peek(value).copied().unwrap_or(0)
    }

    /// Accounts in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// ln of the share of accounts with this value, in thousandths; a value never seen counts as half an account.
    #[must_use]
    pub fn ln_share(&self, value: u64) -> MilliNats {
        ln_ratio(2 * u64::from(self.count(value)) + 1, 2 * u64::from(self.total) + 2)
    }

    /// How much likelier a value is in a group, where `count` of `total` accounts have it, than here. The group's own
    /// frequencies are smoothed with `weight` accounts of this population, so that one account proves nothing.
    #[must_use]
    pub fn ln_lift(&self, value: u64, count: u32, total: u32, weight: u32) -> MilliNats {
        // (count + weight·q) / (total + weight) / q with q = (c + ½) / (n + 1): all times 2(n + 1).
        let (here, all) = (2 * u64::from(self.count(value)) + 1, 2 * u64::from(self.total) + 2);
        let above = u64::from(count) * all + u64::from(weight) * here;
        ln(above.max(1)) - ln(u64::from(total) + u64::from(weight)) - ln(here)
    }
}

/// The attributes of accounts that are compared between groups and the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// What is taken: dialect and line of models.
    pub target: u64,
    /// How the client program is set.
    pub settings: u64,
    /// The client program.
    pub agent: u64,
    /// The network it is used from; 0: unknown.
    pub network: u64,
}

impl Client {
    /// The attributes of a request's sender.
    #[must_use]
    pub fn of(caller: &Caller, reading: &Reading) -> Self {
        let dialect = reading.dialect.map_or(0, |dialect| dialect as u64 + 1);
        Self {
            target: reading.line.rotate_left(8) ^ dialect,
            settings: reading.settings,
            agent: caller.agent,
            network: caller.network,
        }
    }
}

/// How long a model is new after it was first asked for.
const NEW: u64 = DAY;
/// How long traffic must have been seen before a model can be told to be new.
const KNOWN: u64 = 6 * HOUR;
/// Models that are told apart; names are the caller's, so they are bounded.
const MODELS: usize = 1 << 10;

/// When each model was first asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Models {
    first: Generations<Timestamp>,
    begin: Option<Timestamp>,
}

impl Default for Models {
    fn default() -> Self {
        Self { first: Generations::new(MODELS), begin: None }
    }
}

impl Models {
    /// Takes note that a model was asked for.
    pub fn see(&mut self, model: u64, now: Timestamp) {
        self.begin.get_or_insert(now);
        if self.first.get(model).is_none() {
            self.first.insert(model, now);
        }
    }

    /// Gives a model another name: it is as old as it was.
    pub fn rename(&mut self, old: u64, new: u64) {
        if old != new
            && let Some(first) = self.first.remove(old)
        {
            let first = self.first.peek(new).map_or(first, |&of| of.min(first));
            self.first.insert(new, first);
        }
    }

    /// Whether a model came out within the last day, as far as this traffic tells.
    #[must_use]
    pub fn released(&self, model: u64, now: Timestamp) -> bool {
        let first = self.first.peek(model).copied();
        first.zip(self.begin).is_some_and(|(first, begin)| first.since(begin) > KNOWN && now.since(first) < NEW)
    }
}

/// Accounts by what kin have in common.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kinds {
    /// All of them.
    pub all: Frequencies,
    /// Those that have met another party under a rare key.
    pub met: Frequencies,
    /// Accounts that have so met one that is set up as they are.
    pub kin: u32,
}

/// Frequencies of all attributes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Population {
    /// Of targets.
    pub targets: Frequencies,
    /// Of settings.
    pub settings: Frequencies,
    /// Of client programs.
    pub agents: Frequencies,
    /// Of client programs by name, whatever their release ([`product`]).
    pub names: Frequencies,
    /// Of those names together with what they are used for.
    pub uses: Frequencies,
    /// Of networks.
    pub networks: Frequencies,
    /// Exchanges of its accounts.
    pub exchanges: u64,
    /// Its accounts that ever took a prompt from a public set.
    pub sweeping: u32,
    /// How often accounts that are set up alike meet.
    pub kinds: Each<Kinds>,
    /// When each model was first asked for.
    pub models: Models,
}

impl Population {
    /// Counts an account.
    pub fn add(&mut self, client: &Client) {
        self.targets.add(client.target);
        self.settings.add(client.settings);
        self.agents.add(client.agent);
        self.names.add(product(client.agent));
        self.uses.add(used_for(product(client.agent), client.target));
        self.networks.add(client.network);
        for likeness in Likeness::ALL {
            self.kinds.of_mut(likeness).all.add(likeness.of(client));
        }
    }

    /// Counts an account among those that have met another party under a rare key.
    pub(super) fn meet(&mut self, client: &Client) {
        for likeness in Likeness::ALL {
            self.kinds.of_mut(likeness).met.add(likeness.of(client));
        }
    }

    /// Counts an account as another client from now on; `met`: whether it has met another party under a rare key.
    pub(super) fn moves(&mut self, old: &Client, new: &Client, met: bool) {
        self.remove(old);
        self.add(new);
        if met {
            self.part(old, met, Each::default());
            self.meet(new);
        }
    }

    /// Takes an account that has met others so, or its kin, out of those that have.
    pub(super) fn part(&mut self, client: &Client, met: bool, kin: Each<bool>) {
        for likeness in Likeness::ALL {
            let kinds = self.kinds.of_mut(likeness);
            kinds.kin = kinds.kin.saturating_sub(u32::from(*kin.of(likeness)));
            if met {
                kinds.met.remove(likeness.of(client));
            }
        }
    }

    /// Gives the attributes of a client other names.
    pub fn rename(&mut self, old: &Client, new: &Client) {
        self.targets.rename(old.target, new.target);
        self.settings.rename(old.settings, new.settings);
        self.agents.rename(old.agent, new.agent);
        let (old_name, new_name) = (product(old.agent), product(new.agent));
        self.names.rename(old_name, new_name);
        self.uses.rename(used_for(old_name, old.target), used_for(new_name, new.target));
        self.networks.rename(old.network, new.network);
        for likeness in Likeness::ALL {
            let (kinds, old, new) = (self.kinds.of_mut(likeness), likeness.of(old), likeness.of(new));
            kinds.all.rename(old, new);
            kinds.met.rename(old, new);
        }
    }

    /// Takes an account out.
    pub fn remove(&mut self, client: &Client) {
        self.targets.remove(client.target);
        self.settings.remove(client.settings);
        self.agents.remove(client.agent);
        self.names.remove(product(client.agent));
        self.uses.remove(used_for(product(client.agent), client.target));
        self.networks.remove(client.network);
        for likeness in Likeness::ALL {
            self.kinds.of_mut(likeness).all.remove(likeness.of(client));
        }
    }

    /// Accounts that use a client program of this name for another target.
    #[must_use]
    pub fn elsewhere(&self, name: u64, target: u64) -> u32 {
        self.names.count(name).saturating_sub(self.uses.count(used_for(name, target)))
    }
}

/// A client program's name together with what it is used for.
fn used_for(name: u64, target: u64) -> u64 {
    Derived::Used(name, target).key()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> Frequencies {
        let mut frequencies = Frequencies::default();
        (0..1000).for_each(|n| frequencies.add(if n % 10 == 0 { 1 } else { 2 }));
        frequencies
    }

    #[test]
    fn shares_are_logarithms_of_what_was_counted() {
        assert!((mixed().ln_share(1) + 2303).abs() < 10);
        assert!(mixed().ln_share(99) < -7000);
    }

    #[test]
    fn lift_grows_with_the_group_and_one_account_proves_little() {
        let frequencies = mixed();
        assert!(frequencies.ln_lift(1, 100, 100, 10) > 2000);
        assert!(frequencies.ln_lift(1, 1, 1, 10) < 700);
        assert!(frequencies.ln_lift(1, 0, 100, 10) < -2000);
    }

    #[test]
    fn what_is_removed_is_gone() {
        let (mut population, client) = (Population::default(), Client { target: 1, settings: 2, agent: 3, network: 4 });
        population.add(&client);
        population.remove(&client);
        population.remove(&client);
        assert_eq!((population.targets.count(1), population.targets.total()), (0, 0));
    }

    #[test]
    fn a_name_is_used_elsewhere_where_others_take_something_else_with_it() {
        let client = |target, release: u64| Client { target, agent: (7 << 32) | release, ..Client::default() };
        let mut population = Population::default();
        [client(1, 0), client(1, 1), client(2, 2)].iter().for_each(|client| population.add(client));
        assert_eq!([1, 2, 3].map(|target| population.elsewhere(7, target)), [1, 2, 3]);
        population.rename(&client(1, 0), &Client { target: 4, agent: 8 << 32, ..Client::default() });
        population.rename(&client(2, 2), &Client { target: 5, agent: 8 << 32 | 2, ..Client::default() });
        assert_eq!((population.elsewhere(8, 4), population.elsewhere(8, 5), population.elsewhere(7, 1)), (1, 2, 0));
    }
}
