//! What the second tier holds evidence against: the knobs of the rules, compiled.

use super::derived::Derived;
use crate::caller::Caller;
use crate::evidence::provenance::Custody;
use crate::nats::MilliNats;
use crate::rules::{Document, Families, Family, Migrations, Thresholds};
use crate::time::{HOUR, Timestamp};

/// Log-odds from which an account is linked to a campaign, in thousandths of a nat.
pub const LINK: MilliNats = 6_000;

/// What a shared key must be worth to link an account at all, in thousandths of a nat: who has one program in common with a
/// campaign and a few words that anybody uses is not of it.
pub const SPEAKS: MilliNats = 1_500;

/// What a key must be worth to be telling, in thousandths of a nat.
pub const TELLING: MilliNats = 3_000;

/// How far below a block a link without a telling key stays, in thousandths of a nat.
const UNTOLD: MilliNats = 500;

/// What a link without a telling key is worth at most: what a client looks like blocks nobody.
#[must_use]
pub fn below_a_block(thresholds: &Thresholds) -> MilliNats {
    thresholds.block.0.saturating_sub(UNTOLD)
}

/// Thresholds and switches; evidence in thousandths of a nat, times in milliseconds.
#[derive(Clone, Debug)]
pub struct Criteria {
    /// Evidence from which a group names a campaign.
    pub name: MilliNats,
    /// Evidence from which a group is of a campaign that is set up as it is.
    pub adopt: MilliNats,
    /// What a link without a telling key is worth at most ([`below_a_block`]).
    pub untold: MilliNats,
    /// Unrelated parties a group needs to name one.
    pub parties: u32,
    /// Bound of what a group's focus is worth.
    pub focus: MilliNats,
    /// Bound of what it is worth that a group's accounts take turns.
    pub turns: MilliNats,
    /// Unrelated parties of a group from which that counts.
    pub turn_parties: u32,
    /// Bound of what it is worth that client programs of several names are set in the same few ways.
    pub disguise: MilliNats,
    /// Bound of what a group's wording is worth, either way.
    pub wording: MilliNats,
    /// Wordings of one payload from which they count.
    pub wordings: u32,
    /// How long a full group that named nothing is kept as it is.
    pub window: u64,
    /// Scores from which proxies do more.
    rungs: [MilliNats; 3],
    /// What each family counts for.
    families: Families,
    /// Accounts that are declared to be one party.
    migrations: Migrations,
}

impl Criteria {
    /// The criteria of a rules document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let (families, thresholds) = (&document.families, &document.thresholds);
        Self {
            // What names a campaign is what would throttle: the prior of a group, and then the threshold.
            name: families.cohort_synchrony.prior.0.saturating_add(thresholds.throttle.0),
            adopt: thresholds.throttle.0,
            untold: below_a_block(thresholds),
            parties: families.cohort_synchrony.parties_from,
            focus: families.cohort_synchrony.focus_most.0,
            turns: families.cohort_synchrony.turns_most.0,
            turn_parties: families.cohort_synchrony.turns_from,
            disguise: families.cohort_synchrony.disguise_most.0,
            wording: families.harvest_content.group_most.0,
            wordings: families.technique_search.wordings_from,
            window: u64::from(families.skeleton_spread.window_hours) * HOUR,
            rungs: [thresholds.observe.0, thresholds.throttle.0, thresholds.block.0],
            migrations: Migrations::of(&document.migrations),
            families: families.clone(),
        }
    }

    /// Whether a family counts.
    #[must_use]
    pub fn counts(&self, family: Family) -> bool {
        self.families.worth(family).enabled
    }

    /// On which rung of the ladder a score stands.
    pub(super) fn rung(&self, score: MilliNats) -> usize {
        self.rungs.iter().filter(|&&from| score >= from).count()
    }

    /// What deterministic families are held against.
    #[must_use]
    pub fn custody(&self) -> Custody<'_> {
        Custody { families: &self.families, migrations: &self.migrations }
    }

    /// The caller, with an organisation in common with whom it is declared to be.
    #[must_use]
    pub fn party(&self, caller: &Caller, now: Timestamp) -> Caller {
        match self.migrations.party(caller.account, now) {
            Some(party) if caller.organisation == 0 => {
                Caller { organisation: Derived::Declared(party).key(), ..*caller }
            }
            _ => *caller,
        }
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self::of(&Document::default())
    }
}
