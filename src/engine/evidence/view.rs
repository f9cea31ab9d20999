//! What the proxy's counters hold of an exchange's account and keys: for who explains a verdict, not on a request's path.

use super::population::Shares;
use super::shape::Account;
use super::spread::{self, Group, Party};
use super::state::{EVERYBODY, Tables};
use crate::caller::Caller;
use crate::digest::Reading;
use crate::rules::Config;
use crate::store::Get;
use crate::time::Timestamp;

/// The counters that [`super::local`] judges by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The account's, if it was counted before.
    pub account: Option<Account>,
    /// The target of the exchange.
    pub target: u32,
    /// The exchange's keys that were counted before, and their groups.
    pub groups: Vec<(u64, Group)>,
    /// Everybody's targets.
    pub everybody: Shares,
}

impl View {
    /// Reads the counters.
    #[must_use]
    pub fn of(config: &Config, store: &impl Get, caller: &Caller, reading: &Reading, now: Timestamp) -> Self {
        let tables = Tables::of(&config.state);
        let groups = spread::keys(reading).into_iter().filter(|key| *key != 0);
        let group = |key| Some((key, tables.skeletons.peek(store, key, Group::of)?));
        Self {
            account: tables.accounts.peek(store, caller.account, |slot| Account::of(slot, now)),
            target: Party::of(caller, reading).target,
            groups: groups.filter_map(group).collect(),
            everybody: tables.population.peek(store, EVERYBODY, |slot| Shares::of(slot, now)).unwrap_or_default(),
        }
    }
}
