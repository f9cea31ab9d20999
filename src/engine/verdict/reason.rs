//! Reason codes: why a verdict is what it is. Stable: logs, dashboards and appeals rely on them.

use crate::rules::Family;

/// Declares the reasons with their codes and families.
macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal $(of $family:ident)?; )+) => {
        /// Why a verdict is what it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code in labels, logs and replay output.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// One sentence for whoever reads the code.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// The evidence family it belongs to; `None` for what is no evidence.
            #[must_use]
            pub fn family(self) -> Option<Family> {
                match self {
                    $(Self::$variant => None$(.or(Some(Family::$family)))?,)+
                }
            }
        }
    };
}

reasons! {
    /// A reasoning blob, or the id of an answer to go on from, came back under another account.
    BlobProvenance = "blob_provenance" of BlobProvenance;
    /// A conversation went on under an unrelated account.
    PrefixContinuity = "prefix_continuity" of PrefixContinuity;
    /// A body that was refused for load, or here, reappeared from an unrelated account within seconds.
    FailoverEcho = "failover_echo" of FailoverEcho;
    /// One rare skeleton came from many unrelated accounts.
    SkeletonSpread = "skeleton_spread" of SkeletonSpread;
    /// The prompts of the account keep coming from public prompt sets.
    CorpusSweep = "corpus_sweep" of CorpusSweep;
    /// The account is of a group that takes one model where everybody takes many, or that moved to a new one together.
    CohortSynchrony = "cohort_synchrony" of CohortSynchrony;
    /// The accounts of its campaign moved to a new model within a day of its release.
    ReleasePivot = "release_pivot" of CohortSynchrony;
    /// The account was at full rate from its first hour.
    FullRate = "full_rate" of AccountShape;
    /// The account is used round the clock without variation.
    RoundTheClock = "round_the_clock" of AccountShape;
    /// One key is used from many networks.
    ManyNetworks = "many_networks" of AccountShape;
    /// One key is used by many client programs.
    ManyAgents = "many_agents" of AccountShape;
    /// The wording is that of a harvest; never acts alone.
    HarvestContent = "harvest_content" of HarvestContent;
    /// One payload came under ever new wordings, from unrelated accounts or from this one that the model keeps refusing.
    TechniqueSearch = "technique_search" of TechniqueSearch;
    /// The caller belongs to a campaign that the sidecar has found, or that the rules name.
    CampaignMember = "campaign_member";
    /// The operator ordered it for this account or organisation.
    OperatorDeny = "operator_deny";
    /// The operator excepted this caller or skeleton: nothing is done.
    OperatorAllow = "operator_allow";
    /// A budget of the account, its organisation or its campaign is used up.
    OverBudget = "over_budget";
    /// The body could not be read (no JSON, unknown codec): judged without it.
    Unread = "unread";
    /// The body was longer than what is inspected: judged on its beginning.
    Truncated = "truncated";
    /// The configured rules have expired: the built-in ones observed in their place.
    RulesExpired = "rules_expired";
}

impl Reason {
    /// The first reason of a family.
    #[must_use]
    pub fn of_family(family: Family) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.family() == Some(family))
    }

    /// The reason of a code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_rfc_9651_tokens() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|reason| Reason::of(reason.code()) == Some(*reason)));
    }

    #[test]
    fn every_family_has_a_reason() {
        for family in Family::ALL {
            assert!(Reason::ALL.iter().any(|reason| reason.family() == Some(*family)), "{}", family.name());
        }
    }
}
