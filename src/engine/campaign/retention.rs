//! How long the second tier remembers.

use super::joiner::Joiner;
use super::kin::Likeness;
use super::population::Population;
use super::union::Union;
use crate::time::Timestamp;

impl Joiner {
    /// Forgets accounts, keys, groups and things in whose hands they were that were not seen since the last turn, and campaigns
    /// that were not since `before`. Returns which campaigns are left, by the places that they had; where one is gone,
    /// places have changed, and all that proxies were told has to be told anew ([`Joiner::feed`]).
    pub fn turn(&mut self, before: Timestamp) -> Vec<usize> {
        self.accounts.turn();
        self.groups.turn();
        self.chains.turn();
        self.singles.turn();
        self.ledger.turn();
        self.renamed.turn();
        let left = self.end(before);
        self.recount();
        left
    }

    /// Ends campaigns. Who was in them is an account as others are, should it come back.
    fn end(&mut self, before: Timestamp) -> Vec<usize> {
        let lasts = |index: &usize| self.campaigns.get(*index).is_some_and(|campaign| campaign.last >= before);
        let left: Vec<usize> = (0..self.campaigns.len()).filter(lasts).collect();
        if left.len() == self.campaigns.len() {
            return left;
        }
        let place = |index: u32| left.iter().zip(0_u32..).find(|(old, _)| **old == index as usize).map(|(_, new)| new);
        for account in self.accounts.values_mut() {
            account.link = account.link.and_then(|mut link| {
                link.campaign = place(link.campaign)?;
                Some(link)
            });
        }
        for group in self.groups.values_mut() {
            group.campaign = group.campaign.and_then(place);
        }
        self.unions = std::mem::take(&mut self.unions)
            .into_iter()
            .filter_map(|union| Some(Union { part: place(union.part)?, whole: place(union.whole)?, ..union }))
            .collect();
        let mut index = 0;
        self.campaigns.retain(|_| {
            index += 1;
            left.binary_search(&(index - 1)).is_ok()
        });
        left
    }

    /// Counts again what accounts look like that are of no campaign: who is forgotten is not among them.
    fn recount(&mut self) {
        let (exchanges, models) = (self.population.exchanges, std::mem::take(&mut self.population.models));
        let mut population = Population { exchanges, models, ..Population::default() };
        for (_, account) in self.accounts.iter().filter(|(_, account)| account.link.is_none() && account.accepted()) {
            let client = self.renamed.client(&account.client);
            population.add(&client);
            population.sweeping += u32::from(account.corpus > 0);
            for likeness in Likeness::ALL {
                population.kinds.of_mut(likeness).kin += u32::from(*account.kin.of(likeness));
            }
            if account.met {
                population.meet(&client);
            }
        }
        self.population = population;
    }
}
