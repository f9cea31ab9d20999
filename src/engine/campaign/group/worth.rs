//! What a group's evidence is worth: whether it looks like one operator.
//!
//! Four things are weighed, as log-odds, and a fifth must be there:
//!
//! * **focus**: one operator harvests one model, unrelated people spread over what the gateway offers. The G-statistic
//!   of the group's targets against the population's. On a gateway with one model that is silent; there, and worth less,
//!   that one program sets the sampling parameters of all.
//! * **wording**: the content model's verdicts on the members' first requests, summed.
//! * **disguise**: client programs of several names, all set in the same few ways.
//! * **turns** ([`rhythm`](crate::campaign::rhythm)): one operator's accounts send in one order.
//! * **variety**: a prompt that goes viral has one content and nothing to harvest, unless a pool asks it again and again.

use super::{AGAIN, Group};
use crate::campaign::gathering::Gathering;
use crate::campaign::joiner::Joiner;
use crate::campaign::kin::Likeness;
use crate::campaign::population::Population;
use crate::evidence::cohort;
use crate::nats::{MilliNats, ln_ratio};
use crate::rules::Family;
use serde::{Deserialize, Serialize};

/// Parties from which a group is larger than a class.
const CLASS: u32 = 48;
/// Most that focus is worth where a group with one text is neither: a class takes what its one program takes. That names a
/// campaign only with wording of a harvest's.
const ONCE: MilliNats = 10_000;
/// Most that it is worth of the users of a tool, who take what that takes: only wording of 1.5 nats a request, or turns
/// ([`TURNING`]), make a campaign of them. (`tests/detection/families/apps.json`: twelve chat apps, each with one
/// provider, a prompt that the content model has not seen and a hundred users with keys of their own; without the bound all
/// twelve are named.)
const TOOL: MilliNats = 8_000;
/// Most that it is worth where three in four parties run one program in one way, whatever its name, as the users of a tool do that
/// was built with somebody's SDK: their wording has to be a harvest's, by a quarter of a nat on average, before that names a campaign.
/// (`make detection-heldout`: of honest programs that nobody trained on one in nine is worded so, of harvests six in seven.)
const ALIKE: MilliNats = 13_000;
/// What turns have to be worth before a pool is told from a tool by them: one or two that happen to be alike say nothing.
const TURNING: MilliNats = 6_000;
/// Mean wording below which a template is so plainly a service's that the programs that send it say nothing: whoever sends a firm's
/// prompt from a pool of his own would have the firm refused (`tests/e2e/test_framing.py`). In simulated traffic services lie at
/// -0.7 to -1.7 nats (a quarter of honest programs), harvests that nobody trained on at -0.7 and above.
const PLAIN: i64 = -900;

/// What a group's evidence is worth, in thousandths of a nat, and what it was worked out from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// Unrelated parties.
    pub parties: u32,
    /// Of its targets.
    pub focus: MilliNats,
    /// Of its members' wordings, summed.
    pub wording: i64,
    /// Different contents, estimated.
    pub contents: u32,
    /// Requests that asked them.
    pub requests: u32,
    /// What most of it takes.
    pub target: u64,
    /// Parties that take that.
    pub taking: u32,
    /// ln of the share of everybody that takes it, in thousandths.
    pub ln_share: MilliNats,
    /// What `focus` comes of.
    pub basis: Basis,
    /// That client programs of several names are set in the same few ways.
    pub disguise: MilliNats,
    /// That its accounts take turns.
    pub turns: MilliNats,
    /// Turns that were held against the one before, and those that were like it.
    pub taken: (u32, u32),
}

/// What the focus of a group comes of, and what its targets are held to where its parties look like a tool's users.
///
/// The first two are numbered as the flag that snapshots of layout 8 have in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Its targets; of a sweep, that its parties take from public sets.
    #[default]
    Targets,
    /// Settings that its parties share, 8 nats at most: they say more than the targets.
    Settings,
    /// Its targets, 8 nats at most: most of its parties run programs that nobody runs for anything else.
    Tool,
    /// Its targets, 13 nats at most: three in four of its parties run one program in one way.
    Alike,
}

impl Basis {
    /// Most that focus is worth for it, where otherwise that is `bound`.
    #[must_use]
    pub fn most(self, bound: MilliNats) -> MilliNats {
        match self {
            Self::Targets => bound,
            Self::Settings => bound.min(cohort::PROGRAM),
            Self::Tool => bound.min(TOOL),
            Self::Alike => bound.min(ALIKE),
        }
    }
}

impl Worth {
    /// Most that the focus of a group that `family` sees is worth, where otherwise that is `bound`.
    #[must_use]
    pub fn most(&self, family: Family, bound: MilliNats) -> MilliNats {
        let one_text = matches!(family, Family::SkeletonSpread | Family::TechniqueSearch);
        let lasting = self.came_back() || self.parties >= CLASS;
        if lasting || !one_text { bound } else { bound.min(ONCE) }
    }

    /// Whether one text is asked again and again for the answers that it gives: what goes viral does not come back, nor from
    /// programs of several names that are set alike.
    #[must_use]
    pub fn sampled(&self) -> bool {
        self.disguise >= cohort::PROGRAM && self.came_back()
    }

    /// Whether its parties ask again and again ([`AGAIN`]).
    fn came_back(&self) -> bool {
        self.requests >= AGAIN.saturating_mul(self.parties)
    }

    /// The mean wording of its parties; 0 of none.
    #[must_use]
    pub fn mean_wording(&self) -> MilliNats {
        let mean = self.wording.checked_div(i64::from(self.parties));
        mean.and_then(|mean| MilliNats::try_from(mean).ok()).unwrap_or(0)
    }
}

impl Group {
    /// What it says that its parties spread over targets as they do.
    #[must_use]
    pub fn focus(&self, population: &Population) -> MilliNats {
        cohort::focus(&self.targets, self.parties(), |target| population.targets.ln_share(target))
    }

    /// What its evidence is worth against a population.
    #[must_use]
    pub fn worth(&self, population: &Population) -> Worth {
        let parties = self.parties();
        let program = self.program(&self.settings, population).min(cohort::PROGRAM);
        let focus = self.focus(population);
        let by_settings = program > focus;
        Worth {
            parties,
            focus: focus.max(program),
            wording: self.wording,
            contents: cohort::distinct(self.contents).min(self.requests),
            requests: self.requests,
            target: self.target(),
            taking: self.taking(self.target()),
            ln_share: population.targets.ln_share(self.target()),
            basis: if by_settings { Basis::Settings } else { Basis::Targets },
            disguise: self.disguise(population, if by_settings { program } else { 0 }),
            turns: self.rhythm.worth(),
            taken: (self.rhythm.turns, self.rhythm.alike),
        }
    }
}

impl Joiner {
    /// What a group's evidence is worth, part by part.
    pub(in crate::campaign) fn worth(&self, kind: Gathering, group: &Group) -> Worth {
        let together = self.criteria.counts(Family::CohortSynchrony);
        let mut worth = group.worth(&self.population);
        match kind {
            Gathering::Corpus => {
                (worth.focus, worth.basis) = (self.sweep(group.parties(), group.settings()), Basis::Targets);
                // Questions of a public set are worded by whoever made it: that they read like a person's says nothing.
                worth.wording = worth.wording.max(0);
            }
            Gathering::Kin(likeness) => (worth.focus, worth.basis) = self.kinship(likeness, group),
            _ if together => {}
            _ => worth.focus = 0,
        }
        worth.focus = worth.focus.min(worth.most(kind.family(), self.criteria.focus));
        if !self.criteria.counts(Family::HarvestContent) {
            worth.wording = 0;
        }
        let turns = together && kind.is_template() && worth.parties >= self.criteria.turn_parties;
        worth.turns = if turns { worth.turns.min(self.criteria.turns) } else { 0 };
        let expected = match kind {
            Gathering::Skeleton | Gathering::Part | Gathering::Payload | Gathering::Kin(Likeness::Program) => true,
            Gathering::Corpus | Gathering::Replay | Gathering::Kin(Likeness::Way) | Gathering::Hands(_) => false,
        };
        // Shared settings are worth no more than a tool's users are, whoever has them.
        if expected && worth.turns < TURNING && worth.basis == Basis::Targets {
            if group.of_tools(&self.population) {
                worth.basis = Basis::Tool;
            } else if group.runs_one() && self.criteria.counts(Family::HarvestContent) {
                worth.basis = Basis::Alike;
            }
            worth.focus = worth.basis.most(worth.focus);
        }
        let plain = worth.wording < i64::from(worth.parties) * PLAIN;
        worth.disguise = match kind {
            Gathering::Skeleton | Gathering::Part => worth.disguise,
            Gathering::Kin(Likeness::Way) => group.few_programs(&self.population),
            _ => 0,
        };
        worth.disguise = if together && !plain { worth.disguise.min(self.criteria.disguise) } else { 0 };
        worth
    }

    /// What it says that so many parties with the same settings take prompts from public sets: how much oftener than
    /// accounts do on the whole.
    fn sweep(&self, parties: u32, settings: u64) -> MilliNats {
        let here = ln_ratio(u64::from(parties), u64::from(self.population.settings.count(settings).max(parties)));
        let there = ln_ratio(u64::from(self.population.sweeping), u64::from(self.population.targets.total()));
        (here - there).saturating_mul(i32::try_from(parties).unwrap_or(i32::MAX))
    }

    /// What a group's evidence is worth in all.
    pub(in crate::campaign) fn score(&self, worth: &Worth) -> MilliNats {
        let wording = cohort::wording(worth.wording, worth.parties, self.criteria.wording);
        let together = worth.turns.saturating_add(worth.disguise);
        worth.focus.saturating_add(wording).saturating_add(together)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Member;
    use super::super::tests::{group, member};
    use super::*;
    use crate::campaign::population::Client;
    use crate::time::Timestamp;

    /// Half takes target 1, four in ten 2, one in ten 3; everybody has settings of their own.
    fn population() -> Population {
        let mut population = Population::default();
        for n in 0..1000 {
            let target = [1, 1, 1, 1, 1, 2, 2, 2, 2, 3].get(n % 10).copied().unwrap_or(1);
            population.add(&Client { target, settings: 5000 + n as u64, agent: 9, network: n as u64 });
        }
        population
    }

    fn one_model() -> Population {
        let mut population = Population::default();
        (0..1000).for_each(|n| population.add(&Client { target: 1, settings: 5000 + n, agent: 9, network: n }));
        population
    }

    #[test]
    fn one_target_among_many_parties_is_evidence_and_a_mixture_is_none() {
        let focused = group(std::iter::repeat_n(1, 20)).worth(&population());
        assert!(focused.focus > 11_000 && focused.basis == Basis::Targets, "{focused:?}");
        let mixed = group((0..20).map(|n| {
            if n % 10 < 5 {
                1
            } else if n % 10 < 9 {
                2
            } else {
                3
            }
        }))
        .worth(&population());
        assert!(mixed.focus <= 0, "{mixed:?}");
    }

    #[test]
    fn a_gateway_with_one_model_gives_no_focus() {
        assert!(group(std::iter::repeat_n(1, 40)).worth(&one_model()).focus <= 0);
    }

    #[test]
    fn on_a_gateway_with_one_model_shared_settings_speak_up_to_a_bound() {
        let mut group = Group::new(Timestamp(0));
        for n in 1..30 {
            let client = Client { target: 1, settings: 7 + n % 2, agent: 9, network: n };
            group.join(&Member { client, ..member(n, 1) });
        }
        let worth = group.worth(&one_model());
        assert_eq!((worth.focus, worth.basis), (8_000, Basis::Settings));
    }

    #[test]
    fn contents_are_counted_once() {
        let mut viral = Group::new(Timestamp(0));
        (0..500).for_each(|_| viral.request(42));
        assert!(viral.worth(&population()).contents <= 2);
        let varied = group(std::iter::repeat_n(1, 40)).worth(&population());
        assert!((30..=52).contains(&varied.contents), "{varied:?}");
    }
}
