//! The evidence families: what each is worth, and its thresholds.

use super::section::section;
use super::values::Milli;
use serde::{Deserialize, Serialize};

/// How much a family's evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Something that does not happen without a link between accounts: supports a block.
    Deterministic,
    /// Something that honest use does less often.
    Statistical,
    /// How requests are worded: never acts alone.
    Wording,
}

/// What a family's evidence is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Whether it counts at all.
    pub enabled: bool,
    /// Factor on its evidence.
    pub weight: Milli,
    /// Most it can add to a score, in thousandths of a nat.
    pub most: Milli,
}

impl Worth {
    /// What evidence of so many thousandths of a nat adds to a score.
    #[must_use]
    pub fn of(self, evidence: i32) -> i32 {
        if !self.enabled {
            return 0;
        }
        let weighed = i64::from(evidence).saturating_mul(i64::from(self.weight.0)) / 1_000;
        i32::try_from(weighed.min(i64::from(self.most.0))).unwrap_or(i32::MIN)
    }
}

/// Declares the families: a section each with what all have in common, and the enum over them.
macro_rules! families {
    ($(
        $(#[doc = $about:literal])+
        $variant:ident $field:ident $nature:ident most $most:literal { $($knobs:tt)* }
    )+) => {
        /// An evidence family.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Family {
            $( $(#[doc = $about])+ $variant, )+
        }

        impl Family {
            /// All families, in the order of the design.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in rules and labels.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($field),)+
                }
            }

            /// How much its evidence proves.
            #[must_use]
            pub const fn nature(self) -> Nature {
                match self {
                    $(Self::$variant => Nature::$nature,)+
                }
            }
        }

        $( section! {
            $(#[doc = $about])+
            pub struct $variant {
                /// Whether the family counts.
                enabled: bool = true, ();
                /// Factor on the family's evidence.
                weight: Milli = Milli::of(1.0), 0.0..=10.0;
                /// Most that the family can add to a score.
                most: Milli = Milli::of($most), 0.0..=20.0, "nats";
                $($knobs)*
            }
        } )+

        section! {
            /// What each evidence family is worth, and its thresholds.
            pub struct Families {
                $( $(#[doc = $about])+ $field: $variant = $variant::default(), (); )+
            }
        }

        impl Families {
            /// What a family's evidence is worth under these rules.
            #[must_use]
            pub fn worth(&self, family: Family) -> Worth {
                match family {
                    $(Family::$variant => Worth {
                        enabled: self.$field.enabled,
                        weight: self.$field.weight,
                        most: self.$field.most,
                    },)+
                }
            }
        }
    };
}

families! {
    /// A reasoning blob comes back under another account or conversation.
    BlobProvenance blob_provenance Deterministic most 6.0 {
        /// How long a blob is remembered after its answer.
        remember_hours: u32 = 48, 1..=720, "hours";
    }
    /// A conversation goes on under an unrelated account. One of several proxies may have missed that the account sent its
    /// beginning too (an app's example, say), so what it sees alone stays below the threshold of observing.
    PrefixContinuity prefix_continuity Deterministic most 3.0 {
        /// How long a conversation's prefix is remembered.
        remember_hours: u32 = 48, 1..=720, "hours";
    }
    /// A body that was refused for load (429, 5xx) reappears from an unrelated account within seconds. So does an honest
    /// client's that has a key in each of several regions: alone it stays below the threshold of observing.
    FailoverEcho failover_echo Deterministic most 4.0 {
        /// How soon a refused body must reappear.
        within_seconds: u32 = 30, 1..=3_600, "seconds";
    }
    /// One rare skeleton (system prompt, tools and masked user text) across unrelated accounts.
    SkeletonSpread skeleton_spread Statistical most 5.0 {
        /// Unrelated parties (organisations, else networks) from which one skeleton's spread counts.
        parties_from: u32 = 8, 2..=10_000, "parties";
        /// Unrelated parties after which a skeleton's counts stay as they are until its window is over.
        parties_full: u32 = 64, 2..=10_000, "parties";
        /// How long a skeleton's counts are kept once it is full; then they begin anew.
        window_hours: u32 = 24, 1..=720, "hours";
    }
    /// Sustained membership in public prompt sets, template or not.
    CorpusSweep corpus_sweep Statistical most 4.0 {}
    /// A group that takes one model where everybody takes many; one whose accounts take turns, or whose several client programs are set alike; a known cohort that moves to a new
    /// model together.
    CohortSynchrony cohort_synchrony Statistical most 4.0 {
        /// Unrelated parties a cohort must have.
        parties_from: u32 = 8, 2..=10_000, "parties";
        /// Most that it is worth that a cohort takes one target.
        focus_most: Milli = Milli::of(16.0), 0.0..=100.0, "nats";
        /// Unrelated parties of a cohort from which it counts that they take turns: a firm may give each request to its next key.
        turns_from: u32 = 32, 2..=64, "parties";
        /// Most that it is worth that a cohort's accounts take turns.
        turns_most: Milli = Milli::of(8.0), 0.0..=100.0, "nats";
        /// Most that it is worth that client programs of several names are set in the same few ways.
        disguise_most: Milli = Milli::of(8.0), 0.0..=100.0, "nats";
        /// What a cohort's evidence must exceed before it counts: how unlikely one is, and how many are looked at.
        prior: Milli = Milli::of(6.5), 0.0..=100.0, "nats";
    }
    /// Full rate from the first hour, round the clock without variation, one key from many networks and clients.
    AccountShape account_shape Statistical most 3.0 {
        /// Requests in an account's first hour from which it started at full rate.
        first_hour_from: u32 = 120, 1..=1_000_000, "requests";
        /// Hours of the last day with requests from which use is round the clock.
        active_hours_from: u32 = 22, 1..=24, "hours";
        /// The busiest hour of a day without variation, in multiples of the day's mean.
        busiest_hour: Milli = Milli::of(2.0), 1.0..=24.0;
        /// Different skeletons in a day from which rate and hours say nothing: people have many.
        skeletons_below: u32 = 8, 2..=1_000_000, "skeletons";
        /// Networks behind one account in a day from which their number counts.
        networks_from: u32 = 16, 2..=1_000_000, "networks";
        /// Client programs behind one account in a day from which their number counts.
        agents_from: u32 = 8, 2..=1_000_000, "client programs";
        /// What each of these is worth.
        each: Milli = Milli::of(0.9), 0.0..=20.0, "nats";
    }
    /// Wording of a harvest: reasoning elicitation, rubric grading, task generation, single turns with long answers.
    HarvestContent harvest_content Wording most 4.0 {
        /// Most that the wording of a group is worth, either way.
        group_most: Milli = Milli::of(8.0), 0.0..=100.0, "nats";
    }
    /// One payload under ever new wordings, from unrelated accounts.
    TechniqueSearch technique_search Statistical most 3.0 {
        /// Wordings of one payload from which they count.
        wordings_from: u32 = 8, 2..=1_000_000, "wordings";
        /// Wordings of one payload that the model refused an account within a day, from which they count.
        refused_from: u32 = 4, 2..=1_000, "wordings";
        /// What each of these is worth.
        each: Milli = Milli::of(0.5), 0.0..=20.0, "nats";
    }
}

/// Some of the families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FamilySet(u16);

impl FamilySet {
    /// The set of these.
    #[must_use]
    pub fn of(families: &[Family]) -> Self {
        Self(families.iter().fold(0, |set, family| set | 1 << (*family as u16)))
    }

    /// The set as a number.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set of a number; families that are not known here are left out of it.
    #[must_use]
    pub fn of_bits(bits: u16) -> Self {
        let known = Self::of(Family::ALL);
        Self(bits & known.0)
    }

    /// Its members, in the order of the design.
    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.iter().copied().filter(move |family| self.0 >> (*family as u16) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_tells_its_members_in_order() {
        let set = FamilySet::of(&[Family::HarvestContent, Family::SkeletonSpread, Family::SkeletonSpread]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Family::SkeletonSpread, Family::HarvestContent]);
        assert_eq!(FamilySet::of(Family::ALL).iter().count(), Family::ALL.len());
    }

    #[test]
    fn evidence_is_weighed_and_capped() {
        let worth = Worth { enabled: true, weight: Milli::of(1.5), most: Milli::of(4.0) };
        assert_eq!(worth.of(2_000), 3_000);
        assert_eq!(worth.of(9_000), 4_000);
        assert_eq!(worth.of(-1_000), -1_500);
        assert_eq!(worth.of(i32::MIN), i32::MIN);
        assert_eq!(Worth { enabled: false, ..worth }.of(9_000), 0);
    }

    #[test]
    fn every_family_has_its_own_name_and_section() {
        let families = Families::default();
        for family in Family::ALL {
            assert!(families.worth(*family).enabled, "{}", family.name());
        }
        assert_eq!(Family::ALL.len(), 9);
    }
}
