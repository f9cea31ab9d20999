//! What the second tier holds evidence against: the knobs of the rules, compiled.

use crate::nats::MilliNats;
use crate::rules::{Document, Family};
use crate::time::{HOUR, Timestamp};

/// Log-odds from which an account is linked to a campaign, in thousandths of a nat.
pub const LINK: MilliNats = 6_000;

/// Thresholds and switches; evidence in thousandths of a nat, times in milliseconds.
#[derive(Clone, Debug)]
pub struct Criteria {
    /// Evidence from which a group names a campaign.
    pub name: MilliNats,
    /// Unrelated parties a group needs to name one.
    pub parties: u32,
    /// Bound of what a group's focus is worth.
    pub focus: MilliNats,
    /// Bound of what a group's wording is worth, either way.
    pub wording: MilliNats,
    /// How long a full group that named nothing is kept as it is.
    pub window: u64,
    /// How long a blob is remembered.
    pub blobs: u64,
    /// How long a conversation is remembered.
    pub conversations: u64,
    /// How soon a refused body reappears when a pool manager hands it on.
    pub echo: u64,
    families: u16,
}

impl Criteria {
    /// The criteria of a rules document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let families = &document.families;
        let on = |family: &&Family| families.worth(**family).enabled;
        Self {
            // What names a campaign is what would throttle: the prior of a group, and then the threshold.
            name: families.cohort_synchrony.prior.0.saturating_add(document.thresholds.throttle.0),
            parties: families.cohort_synchrony.parties_from,
            focus: families.cohort_synchrony.focus_most.0,
            wording: families.harvest_content.group_most.0,
            window: u64::from(families.skeleton_spread.window_hours) * HOUR,
            blobs: u64::from(families.blob_provenance.remember_hours) * HOUR,
            conversations: u64::from(families.prefix_continuity.remember_hours) * HOUR,
            echo: u64::from(families.failover_echo.within_seconds) * crate::time::SECOND,
            families: Family::ALL.iter().filter(on).fold(0, |bits, family| bits | 1 << *family as u16),
        }
    }

    /// Whether a family counts.
    #[must_use]
    pub fn counts(&self, family: Family) -> bool {
        self.families >> family as u16 & 1 == 1
    }

    /// How long what a deterministic family sees is remembered.
    #[must_use]
    pub fn remembers(&self, family: Family) -> u64 {
        match family {
            Family::BlobProvenance => self.blobs,
            Family::FailoverEcho => self.echo,
            _ => self.conversations,
        }
    }

    /// Whether something seen at `then` is still remembered.
    #[must_use]
    pub fn recent(&self, family: Family, then: Timestamp, now: Timestamp) -> bool {
        now.since(then) < self.remembers(family)
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self::of(&Document::default())
    }
}
