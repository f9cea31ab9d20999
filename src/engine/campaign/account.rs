//! What the second tier knows of an account, and why it is linked.

use super::kin::Each;
use super::population::Client;
use super::rhythm::Turn;
use crate::evidence::cohort;
use crate::evidence::wording::{self, UNHEARD};
use crate::nats::{MilliNats, ln_ratio};
use crate::rules::Family;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Its organisation or, where none is named, its network.
    pub party: u64,
    /// Its client, as its first request showed it.
    pub client: Client,
    /// What the wording of all its requests is worth, summed.
    pub wording: MilliNats,
    /// Requests that count; none: upstream has answered none yet, and the account is linked.
    pub requests: u32,
    /// Requests with a prompt out of a public set.
    pub corpus: u32,
    /// Whether it ever met another party under a rare key.
    pub met: bool,
    /// Whether one of those was set up as it is.
    pub kin: Each<bool>,
    /// Requests that carried a telling key of a campaign.
    pub matches: i32,
    /// The model it last took.
    pub model: u64,
    /// The most that ever spoke for its being of a campaign, whether that sufficed or not.
    pub most: MilliNats,
    /// Its last turn in the group that it is one of.
    pub turn: Turn,
    /// Why it is linked to a campaign, if it is.
    pub link: Option<Link>,
}

/// Of how many requests the mean wording counts: one account's requests are not independent of each other, so their sum
/// would make a harvester of everybody who asks much.
const WORDINGS: u32 = cohort::WORDING_FACTOR as u32;
/// One in how many requests must carry a campaign's telling key before further ones count: who asks much comes upon
/// anybody's words now and then.
const TELLING: u32 = 4;

impl Account {
    /// An account before its first request.
    #[must_use]
    pub fn new(party: u64, client: Client) -> Self {
        Self {
            party,
            client,
            wording: 0,
            requests: 0,
            corpus: 0,
            met: false,
            kin: Each::default(),
            matches: 0,
            model: 0,
            most: 0,
            turn: Turn::default(),
            link: None,
        }
    }

    /// Whether upstream has answered it: until then its key may be made up.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.requests > 0
    }

    /// Counts a request; whether it was its first with a prompt out of a public set.
    pub fn request(&mut self, wording: MilliNats, corpus: bool) -> bool {
        self.requests = self.requests.saturating_add(1);
        self.wording = self.wording.saturating_add(wording);
        self.corpus = self.corpus.saturating_add(u32::from(corpus));
        corpus && self.corpus == 1
    }

    /// What its wording is worth beside a campaign whose own is `usual` ([`Campaign::usual`]): of a few requests the sum, of many the
    /// mean as often as that of a group counts. That it reads as a campaign does says nothing against it.
    ///
    /// [`Campaign::usual`]: super::named::Campaign::usual
    #[must_use]
    pub fn said(&self, usual: MilliNats) -> MilliNats {
        let requests = self.requests.max(1);
        let counting = i64::from(self.beyond(usual)) * i64::from(requests.min(WORDINGS)) / i64::from(requests);
        MilliNats::try_from(counting).unwrap_or(0)
    }

    /// What all its wordings say beside a campaign whose own is `usual`. Where that reads as a harvest it is one account, and no group
    /// ([`wording::alone`]); beside one that asks what people ask, as who sells their chat on does, wording tells nobody apart.
    #[must_use]
    pub fn beyond(&self, usual: MilliNats) -> MilliNats {
        let expected = i64::from(usual.min(0)) * i64::from(self.requests);
        let said = match usual > UNHEARD {
            true => wording::alone(self.wording.into(), self.requests),
            false => self.wording.into(),
        };
        let beyond = said.saturating_sub(expected).min(said.max(0));
        MilliNats::try_from(beyond).unwrap_or(MilliNats::MAX)
    }

    /// Requests that carried a telling key of a campaign, or, where that `sweeps`, a prompt out of a public set, where that is
    /// what the account does.
    #[must_use]
    pub fn kept_at(&self, sweeps: bool) -> i32 {
        let swept = if sweeps { i32::try_from(self.corpus).unwrap_or(i32::MAX) } else { 0 };
        let kept = self.matches.max(swept);
        let often = u32::try_from(kept).unwrap_or(0).saturating_mul(TELLING) >= self.requests;
        if often { kept } else { 0 }
    }

    /// What a weak key in its present request loses: so many requests it took to come upon one, which is the likelier to be
    /// by chance the more there are.
    #[must_use]
    pub fn chance(&self) -> MilliNats {
        let keyed = u64::try_from(self.matches).unwrap_or(0).saturating_add(1);
        ln_ratio(u64::from(self.requests), keyed).max(0)
    }

    /// What it loses that one of a group of `kept` requests an account is of it: who asks much comes upon anybody's words.
    #[must_use]
    pub fn passing(&self, kept: u32) -> MilliNats {
        ln_ratio(u64::from(self.requests), u64::from(TELLING) * u64::from(kept.max(1))).max(0)
    }

    /// The campaign it is linked to.
    #[must_use]
    pub fn campaign(&self) -> Option<u32> {
        self.link.map(|link| link.campaign)
    }
}

/// Why an account is linked: the terms of a sum, in thousandths of a nat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Index of the campaign.
    pub campaign: u32,
    /// The family that linked it.
    pub family: Family,
    /// How sure that is: the sum.
    pub score: MilliNats,
    /// When it was linked, or last became surer.
    pub at: Timestamp,
    /// When proxies were last told.
    pub told: Timestamp,
    /// The sum's terms; all 0 where the account was one of the group that named the campaign, or something went through
    /// its hands.
    pub terms: Terms,
}

/// The terms of a link's score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Before any evidence: how common the campaign's accounts are.
    pub prior: MilliNats,
    /// Target, settings, client program and network, against everybody's.
    pub client: MilliNats,
    /// The shared key: how much commoner it is in the campaign, a weak one less what it loses to chance.
    pub key: MilliNats,
    /// Further requests with telling keys.
    pub again: MilliNats,
    /// Wording.
    pub wording: MilliNats,
}

impl Terms {
    /// The sum.
    #[must_use]
    pub fn score(&self) -> MilliNats {
        let terms = [self.prior, self.client, self.key, self.again, self.wording];
        terms.into_iter().fold(0, MilliNats::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(requests: u32, wording: MilliNats) -> Account {
        let mut account = Account::new(1, Client::default());
        (0..requests).for_each(|_| {
            account.request(wording, false);
        });
        account
    }

    #[test]
    fn who_asks_much_is_not_held_for_a_harvester_by_that() {
        assert_eq!([1, 2, 4].map(|requests| asking(requests, 500).said(0)), [500, 1_000, 2_000]);
        assert_eq!([40, 4_000].map(|requests| asking(requests, 500).said(0)), [2_000, 2_000]);
        assert_eq!(asking(40, -500).said(0), -2_000);
        assert_eq!(asking(3, MilliNats::MAX).said(0), MilliNats::MAX);
        assert_eq!(asking(0, 500).said(0), 0);
    }

    #[test]
    fn that_it_reads_as_its_campaign_does_says_nothing() {
        assert_eq!([-500, -700, -300, 400].map(|wording| asking(1, wording).said(-500)), [0, -200, 0, 400]);
        assert_eq!(asking(40, -700).said(-500), -800);
    }

    #[test]
    fn beside_a_campaign_that_reads_as_a_harvest_it_counts_with_the_whole_log_odds() {
        assert_eq!([1, 4, 40].map(|requests| asking(requests, 500).said(700)), [900, 3_600, 3_600]);
        assert_eq!(
            [asking(4, 500).said(UNHEARD), asking(1, 100).said(700), asking(1, -500).said(700)],
            [2_000, 0, -500]
        );
    }

    #[test]
    fn a_key_loses_what_looking_at_many_requests_costs() {
        let chance = |requests, matches| Account { matches, ..asking(requests, 0) }.chance();
        assert_eq!([chance(0, 0), chance(1, 0), chance(4, 3), chance(4, 9)], [0; 4]);
        assert!((chance(10, 0) - 2_303).abs() < 10, "{}", chance(10, 0));
        assert!((chance(10, 4) - 693).abs() < 10, "{}", chance(10, 4));
    }

    #[test]
    fn who_asks_much_may_only_have_passed_a_group() {
        assert_eq!(
            [(1, 1), (4, 1), (40, 10), (0, 0)].map(|(requests, kept)| asking(requests, 0).passing(kept)),
            [0; 4]
        );
        assert!((asking(120, 0).passing(1) - 3_401).abs() < 10, "{}", asking(120, 0).passing(1));
    }

    #[test]
    fn a_key_now_and_then_is_chance_and_one_in_most_requests_is_none() {
        assert_eq!(Account { matches: 5, ..asking(20, 0) }.kept_at(false), 5);
        assert_eq!(Account { matches: 5, ..asking(21, 0) }.kept_at(false), 0);
        let swept = |corpus| [false, true].map(|sweeps| Account { corpus, ..asking(20, 0) }.kept_at(sweeps));
        assert_eq!([4, 5].map(swept), [[0, 0], [0, 5]]);
    }
}
