//! What client programs a group's parties run: a tool's own, anybody's, or one operator's under several names.

use super::Group;
use crate::caller::product;
use crate::campaign::population::Population;
use crate::evidence::cohort;
use crate::nats::{MilliNats, ln_ratio};

/// Accounts that take something else, of which one at most runs a program that is nobody's for anything else: what anybody runs,
/// as SDKs and HTTP libraries are, one in twenty does.
const OTHERS: u32 = 200;

/// Counts of each of few values, in order of appearance.
fn tally<T: PartialEq>(counts: impl Iterator<Item = (T, u32)>) -> Vec<(T, u32)> {
    let mut sums: Vec<(T, u32)> = Vec::new();
    for (value, count) in counts {
        match sums.iter_mut().find(|(known, _)| *known == value) {
            Some((_, sum)) => *sum += count,
            None => sums.push((value, count)),
        }
    }
    sums
}

impl Group {
    /// Whether its parties are users of a tool, or of several whose prompts have something in common: most of them run programs
    /// that nobody runs for anything else. A pool that runs an SDK goes by a name that others use for anything.
    pub(super) fn of_tools(&self, population: &Population) -> bool {
        let anybodys = self.anybodys(population);
        let users = self.names().iter().filter(|(name, _)| !anybodys(*name)).map(|&(_, count)| count).sum();
        cohort::is_tool(users, self.parties())
    }

    /// Whether most of its parties run one program, set in one way.
    pub(super) fn runs_one(&self) -> bool {
        cohort::is_tool(self.running_one(), self.parties())
    }

    /// Parties that run the commonest program, set in its commonest way.
    fn running_one(&self) -> u32 {
        let ways = tally(self.programs.iter().map(|&((agent, way), count)| ((product(agent), way), count)));
        ways.into_iter().map(|(_, count)| count).max().unwrap_or(0)
    }

    /// Whether its parties may be users of a tool, whose prompt is worded by whoever made that: half of them run one program, set in
    /// one way, or most run programs that nobody runs for anything else. (`make detection-heldout`: the users of an honest agent's
    /// prompt, which asks for reasoning, came with two people's programs among them.)
    pub(in crate::campaign) fn of_one_maker(&self, population: &Population) -> bool {
        self.running_one().saturating_mul(2) >= self.parties() || self.of_tools(population)
    }

    /// Whether a program of this name is run for what the group does not take, too: a tool's own is not.
    fn anybodys(&self, population: &Population) -> impl Fn(u64) -> bool {
        let target = self.target();
        let others = population.targets.total().saturating_sub(population.targets.count(target));
        // Where few take anything else, few of them run what anybody runs.
        let few = (others / OTHERS).clamp(1, cohort::USERS);
        move |name| population.elsewhere(name, target) >= few
    }

    /// The names of its client programs, and parties that run each.
    fn names(&self) -> Vec<(u64, u32)> {
        tally(self.programs.iter().map(|&((agent, _), count)| (product(agent), count)))
    }

    /// What it says that client programs of so few names meet as one.
    pub(super) fn few_programs(&self, population: &Population) -> MilliNats {
        cohort::few(&self.names(), self.parties(), |name| population.names.ln_share(name))
    }

    /// What it says that its parties are set in these ways, against everybody else of its target: as long as it is nameless
    /// its own accounts are part of the population.
    pub(super) fn program(&self, settings: &[(u64, u32)], population: &Population) -> MilliNats {
        let others = |all: u32, own: u32| 2 * u64::from(all.saturating_sub(own));
        let target = others(population.targets.count(self.target()), self.taking(self.target())) + 2;
        let own = |settings| self.settings.iter().find(|(of, _)| *of == settings).map_or(0, |&(_, count)| count);
        let set_so = |settings| others(population.settings.count(settings), own(settings)) + 1;
        cohort::program(settings, self.parties(), |settings| ln_ratio(set_so(settings), target).min(0))
    }

    /// What it says that client programs of several names are set in the same few ways, `counted` of which counts as focus.
    pub(super) fn disguise(&self, population: &Population, counted: MilliNats) -> MilliNats {
        // A tool's own names are used for what it takes; those of a pool's programs are anybody's.
        let anybodys = self.anybodys(population);
        let named = self.programs.iter().map(|&((agent, settings), count)| ((product(agent), settings), count));
        let named = named.filter(|&((name, _), _)| anybodys(name));
        let program = |ways: &[u64]| {
            let shared = self.settings.iter().filter(|(settings, _)| ways.contains(settings)).copied();
            self.program(&shared.collect::<Vec<_>>(), population).saturating_sub(counted)
        };
        cohort::disguise(&named.collect::<Vec<_>>(), self.parties(), program)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Member;
    use super::super::tests::member;
    use super::*;
    use crate::campaign::population::Client;
    use crate::time::Timestamp;

    #[test]
    fn a_program_is_a_tools_own_where_hardly_anybody_runs_it_for_anything_else_as_few_as_they_may_be() {
        let agent = 3 << 32;
        let tools = |others: u64, elsewhere: u64| {
            let mut population = Population::default();
            for n in 0..others {
                let agent = if n < elsewhere { agent } else { (9 + n % 20) << 32 };
                population.add(&Client { target: 2, settings: n, agent, network: n });
            }
            let mut group = Group::new(Timestamp(0));
            for n in 1..=20 {
                let client = Client { target: 1, settings: 7, agent, network: n };
                population.add(&client);
                group.join(&Member { client, ..member(n, 1) });
            }
            group.of_tools(&population)
        };
        let asked = [(100, 0), (100, 1), (500, 1), (500, 2), (5_000, 2), (5_000, 3)];
        assert_eq!(asked.map(|(others, of)| tools(others, of)), [true, false, true, false, true, false]);
    }

    #[test]
    fn a_pool_is_disguised_in_names_that_others_run_as_few_as_they_may_be() {
        let disguise = |others: u64, elsewhere: u64| {
            let mut population = Population::default();
            for n in 0..others {
                let agent = if n < 2 * elsewhere { 3 + n % 2 } else { 9 + n % 20 };
                population.add(&Client { target: 2, settings: 50 + n, agent: agent << 32, network: n });
            }
            let mut group = Group::new(Timestamp(0));
            for n in 1..=40 {
                let client = Client { target: 1, settings: 7 + n % 3, agent: (3 + n / 3 % 2) << 32, network: n };
                population.add(&client);
                group.join(&Member { client, ..member(n, 1) });
            }
            // Who takes the same and is set in other ways.
            (0..100).for_each(|n| {
                population.add(&Client { target: 1, settings: 900 + n, agent: (9 + n) << 32, network: n })
            });
            group.worth(&population).disguise
        };
        let asked = [(100, 0), (100, 1), (5_000, 2), (5_000, 3)];
        assert_eq!(asked.map(|(others, of)| disguise(others, of) > 0), [false, true, false, true]);
    }
}
