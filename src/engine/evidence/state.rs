//! Where counters are: five tables in the store, of a size that the configuration fixes.
//!
//! Changing the number of pages makes new places for keys; what the old ones held is lost, and on Envoy their memory
//! with it until the process ends.

use super::{population, provenance, shape, spread};
use crate::rules::State;
use crate::sketch::table::{self, Table};

/// Meaning of the slots' bytes: a new one begins from nothing.
const LAYOUT: u16 = 3;
/// The one key of the population's table.
pub const EVERYBODY: u64 = 1;

/// The tables of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// A slot an account: [`shape`].
    pub accounts: Table,
    /// A slot a key of a skeleton: [`spread`].
    pub skeletons: Table,
    /// A slot a blob, conversation or refused body: [`provenance`].
    pub provenance: Table,
    /// One slot: [`population`].
    pub population: Table,
    /// A slot an account, organisation or campaign that has a budget: [`crate::budget`].
    pub budgets: Table,
}

impl Tables {
    /// The tables of a configured size.
    #[must_use]
    pub const fn of(state: &State) -> Self {
        Self {
            accounts: Table::new("account", LAYOUT, state.account_pages, shape::BYTES),
            skeletons: Table::new("skeleton", LAYOUT, state.skeleton_pages, spread::BYTES).timeless().lasting(),
            provenance: Table::new("provenance", LAYOUT, state.provenance_pages, provenance::slot::BYTES),
            population: Table::new("population", LAYOUT, 1, population::BYTES as u16),
            budgets: Table::new("budget", LAYOUT, state.budget_pages, crate::budget::BYTES),
        }
    }
}

impl State {
    /// The most that keys and values of all tables ever take in the store, in bytes. A host adds its own: Envoy about
    /// 100 bytes a page.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Tables { accounts, skeletons, provenance, population, budgets } = Tables::of(self);
        table::bytes(&[accounts, skeletons, provenance, population, budgets])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_takes_less_than_64_mib_with_what_the_host_adds() {
        let state = State::default();
        let pages = state.account_pages + state.skeleton_pages + state.provenance_pages + state.budget_pages + 1;
        let all = state.bytes() + pages as usize * 128;
        assert!((48 << 20..64 << 20).contains(&all), "{all}");
    }

    #[test]
    fn every_slot_has_a_whole_place() {
        let tables = Tables::of(&State { account_pages: 1, skeleton_pages: 1, provenance_pages: 1, budget_pages: 1 });
        assert_eq!((tables.accounts.slots(), tables.skeletons.slots(), tables.population.slots()), (17, 23, 2));
        assert_eq!((tables.provenance.slots(), tables.budgets.slots()), (102, 92));
    }
}
