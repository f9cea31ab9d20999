//! From evidence to a rung of the ladder.

use super::Action;
use crate::evidence::Evidence;
use crate::rules::{Mode, Nature, Thresholds};

/// What stands behind a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backing {
    /// Independent families that contributed, here or to the link to a campaign.
    pub families: u32,
    /// Whether one of them is deterministic ([`crate::rules::Nature::Deterministic`]).
    pub deterministic: bool,
    /// Whether the caller belongs to a campaign that the sidecar, or the operator, confirmed. What the sidecar saw across
    /// proxies counts as one more independent family.
    pub confirmed: bool,
}

impl Backing {
    /// What evidence stands behind a score, as far as it goes.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        Self {
            families: u32::try_from(evidence.families().count()).unwrap_or(u32::MAX),
            deterministic: evidence.families().any(|family| family.nature() == Nature::Deterministic),
            ..Self::default()
        }
    }
}

/// The rung that evidence asks for; `score` in thousandths of a nat (log-odds), all families together.
///
/// An action (throttle and above) needs two families, so wording never acts alone, nor does anything else; a block needs a
/// deterministic family or a confirmed campaign. Where that is missing, the rung below is taken. [`Action::Degrade`] is never a matter of score.
#[must_use]
pub fn ladder(score: i32, backing: Backing, thresholds: &Thresholds) -> Action {
    let Backing { families, deterministic, confirmed } = backing;
    let independent = families.saturating_add(u32::from(confirmed));
    if score < thresholds.observe.0 || independent == 0 {
        Action::Allow
    } else if score < thresholds.throttle.0 || independent < 2 {
        Action::Observe
    } else if score < thresholds.block.0 || !(deterministic || confirmed) {
        Action::Throttle
    } else {
        Action::Block
    }
}

/// What is done of what the evidence asks for: in observe mode nothing that the caller would notice.
#[must_use]
pub fn carried_out(would: Action, mode: Mode) -> Action {
    match mode {
        Mode::Enforce => would,
        Mode::Observe => would.min(Action::Observe),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Milli;

    const THRESHOLDS: Thresholds = Thresholds { observe: Milli(2_000), throttle: Milli(5_000), block: Milli(9_000) };

    #[test]
    fn takes_the_rung_that_score_and_families_allow() {
        use Action::{Allow, Block, Observe, Throttle};
        for (score, families, deterministic, confirmed, action) in [
            (0, 0, false, false, Allow),
            (i32::MIN, 2, true, true, Allow),
            (1_999, 2, true, true, Allow),
            (2_000, 1, false, false, Observe),
            (4_999, 3, true, true, Observe),
            // Whatever it scores, one family alone does not act: wording is one.
            (i32::MAX, 1, false, false, Observe),
            (i32::MAX, 1, true, false, Observe),
            (5_000, 2, false, false, Throttle),
            (8_999, 2, true, true, Throttle),
            // A block needs more than numbers.
            (i32::MAX, 9, false, false, Throttle),
            (9_000, 2, true, false, Block),
            (9_000, 2, false, true, Block),
            // A confirmed campaign is a family of its own; with nothing seen here it does not act.
            (9_000, 1, false, true, Block),
            (5_000, 1, false, true, Throttle),
            (9_000, 0, false, true, Observe),
            // A score that no family stands for is not evidence.
            (9_000, 0, false, false, Allow),
        ] {
            let backing = Backing { families, deterministic, confirmed };
            assert_eq!(ladder(score, backing, &THRESHOLDS), action, "score {score}, {backing:?}");
        }
    }

    #[test]
    fn a_higher_score_never_takes_a_lower_rung() {
        for families in 0..4 {
            for (deterministic, confirmed) in [(false, false), (true, false), (false, true), (true, true)] {
                let backing = Backing { families, deterministic, confirmed };
                let rungs = (-1_000..20_000).step_by(250).map(|score| ladder(score, backing, &THRESHOLDS));
                assert!(rungs.is_sorted());
            }
        }
    }

    #[test]
    fn observe_mode_never_acts() {
        assert_eq!(carried_out(Action::Block, Mode::Observe), Action::Observe);
        assert_eq!(carried_out(Action::Allow, Mode::Observe), Action::Allow);
        assert_eq!(carried_out(Action::Block, Mode::Enforce), Action::Block);
    }
}
