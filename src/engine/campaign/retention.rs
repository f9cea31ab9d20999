//! How long the second tier remembers.

use super::joiner::Joiner;
use super::kin::Likeness;
use super::named::Campaign;
use super::population::Population;
use super::union::Union;
use crate::time::{DAY, Timestamp};

/// One in how many places for campaigns is to be free: room is made before there is none, for twice as many.
const FREE: usize = 16;

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
        let left = self.end(|_, campaign| campaign.last >= before);
        self.recount();
        left
    }

    /// Ends the least campaigns where there is hardly room for another. Returns which are left, as [`Joiner::turn`] does; `None`:
    /// there is room.
    ///
    /// Parts of others go first, for nothing is counted of them; then those of the fewest accounts. Not seen for a day they count
    /// for a quarter of those they have, and for half where nothing confirms them. So whoever would end a campaign of `n` accounts
    /// by naming others must have nearly as many of them as there is room for, with more than an eighth of `n` accounts each.
    pub fn make_room(&mut self, now: Timestamp) -> Option<Vec<usize>> {
        let (all, most) = (self.campaigns.len(), self.limits.campaigns);
        let free = (most / FREE).max(1);
        if all + free <= most {
            return None;
        }
        let mut least: Vec<_> = self.campaigns.iter().map(|of| (weight(of, now), of.last)).zip(0..).collect();
        least.sort_unstable();
        least.truncate((all + 2 * free).saturating_sub(most));
        let mut ended: Vec<usize> = least.into_iter().map(|(_, index)| index).collect();
        ended.sort_unstable();
        let left = self.end(|index, _| ended.binary_search(&index).is_err());
        self.recount();
        Some(left)
    }

    /// Ends campaigns. Who was in them is an account as others are, should it come back.
    fn end(&mut self, lasts: impl Fn(usize, &Campaign) -> bool) -> Vec<usize> {
        let lasting = self.campaigns.iter().enumerate().filter(|(index, campaign)| lasts(*index, campaign));
        let left: Vec<usize> = lasting.map(|(index, _)| index).collect();
        if left.len() == self.campaigns.len() {
            return left;
        }
        let mut places = vec![None; self.campaigns.len()];
        for (new, &old) in (0_u32..).zip(&left) {
            if let Some(place) = places.get_mut(old) {
                *place = Some(new);
            }
        }
        let place = |index: u32| places.get(index as usize).copied().flatten();
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

/// How many accounts a campaign counts for when others need room, in eighths.
fn weight(campaign: &Campaign, now: Timestamp) -> u64 {
    let seen = if now.is_past(campaign.last, DAY) { 1 } else { 4 };
    let confirmed = if campaign.confirmed() { 2 } else { 1 };
    u64::from(campaign.accounts) * seen * confirmed
}
