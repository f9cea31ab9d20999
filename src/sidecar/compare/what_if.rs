//! Whom other rules would have acted upon: a comparison with the accounts it is made of.

use super::{Comparison, Judged, Recent, Shadow, acts};
use crate::explain::words::digest;
use azeotrope_engine::campaign::Feed;
use azeotrope_engine::nats::{MilliNats, in_nats};
use azeotrope_engine::rules::Config;
use azeotrope_engine::verdict::Action;
use serde::Serialize;
use std::cmp::Reverse;

/// Accounts that are listed of each kind of change.
const LISTED: usize = 200;
/// Width of a step of the histogram, in thousandths of a nat.
const STEP: MilliNats = 500;
/// Steps; what scores more counts in the last.
const STEPS: usize = 41;

/// What other rules would have done, and to whom.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WhatIf {
    /// When the first and the last observation was made, in milliseconds; 0: there was none.
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) comparison: Comparison,
    /// Accounts whose action changes: newly acted on, newly labelled, let go; of each those that no campaign claims
    /// first, and of these the least suspicious.
    pub(crate) affected: Vec<Affected>,
    /// Accounts whose action changes, that are not listed.
    pub(crate) omitted: u64,
    /// Accounts by the most that a request of theirs scored under the old rules.
    pub(crate) scores: Vec<Step>,
}

/// How an account's lot changes; in the order of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// It would be acted on and was not.
    ActedOn,
    /// It would only be labelled and was not, or be acted on otherwise than it was.
    Sharper,
    /// It would get off more lightly.
    Milder,
}

/// An account whose action changes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Affected {
    pub(crate) account: String,
    pub(crate) change: Change,
    pub(crate) was: Action,
    pub(crate) is: Action,
    /// The campaign that claims it.
    pub(crate) campaign: Option<String>,
    /// The most that a request scored, in nats.
    pub(crate) score: f64,
    pub(crate) requests: u32,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) reasons: Vec<&'static str>,
}

/// A step of the histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Step {
    /// Where it begins, in nats.
    pub(crate) from: f64,
    /// Accounts that no campaign claims.
    pub(crate) others: u64,
    /// Accounts of campaigns.
    pub(crate) linked: u64,
}

fn change(was: Action, is: Action) -> Option<Change> {
    match was.cmp(&is) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less if acts(is) && !acts(was) => Some(Change::ActedOn),
        std::cmp::Ordering::Less => Some(Change::Sharper),
        std::cmp::Ordering::Greater => Some(Change::Milder),
    }
}

/// Holds rules against others over recent traffic, and tells whom it makes a difference to.
pub(crate) fn what_if(old: &Config, new: &Config, feed: &Feed, recent: &Recent) -> WhatIf {
    let shadow = Shadow::run(old, new, feed, recent);
    let mut changed: Vec<(Change, u64, &Judged, &Judged)> = shadow
        .accounts()
        .filter_map(|(account, was, is)| Some((change(was.action, is.action)?, account, was, is)))
        .collect();
    changed.sort_by_key(|(change, account, _, is)| {
        (*change, is.campaign.is_some(), is.score, Reverse(is.requests), *account)
    });
    let all = changed.len();
    let mut room = [LISTED; 3];
    let affected: Vec<Affected> = changed
        .into_iter()
        .filter(|(change, ..)| {
            room.get_mut(*change as usize).is_some_and(|room| {
                let some = *room > 0;
                *room = room.saturating_sub(1);
                some
            })
        })
        .map(|(change, account, was, is)| Affected {
            account: digest(account),
            change,
            was: was.action,
            is: is.action,
            campaign: is.campaign.clone(),
            score: in_nats(is.score),
            requests: is.requests,
            first: is.first.0,
            last: is.last.0,
            reasons: is.reasons.clone(),
        })
        .collect();
    WhatIf {
        from: recent.events.front().map_or(0, |(at, _)| at.0),
        to: recent.events.back().map_or(0, |(at, _)| at.0),
        comparison: shadow.comparison(),
        omitted: (all - affected.len()) as u64,
        affected,
        scores: histogram(&shadow),
    }
}

fn histogram(shadow: &Shadow) -> Vec<Step> {
    let mut steps: Vec<Step> =
        (0_u32..).take(STEPS).map(|n| Step { from: f64::from(n) / 2.0, ..Step::default() }).collect();
    for (_, was, _) in shadow.accounts() {
        let step = usize::try_from(was.score / STEP).unwrap_or(0).min(STEPS - 1);
        let Some(step) = steps.get_mut(step) else { continue };
        match was.campaign {
            Some(_) => step.linked += 1,
            None => step.others += 1,
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rules, traffic};
    use super::*;

    #[test]
    fn those_it_makes_a_difference_to_are_those_that_are_counted() {
        let (recent, feed) = traffic();
        let found = what_if(&rules(7.0), &rules(5.0), &feed, &recent);
        assert_eq!(found.comparison, super::super::compare(&rules(7.0), &rules(5.0), &feed, &recent));
        assert_eq!((found.affected.len(), found.omitted), (100, 0));
        assert!(found.affected.iter().all(|one| one.change == Change::ActedOn && one.is == Action::Throttle));
        assert_eq!(found.affected[0].campaign.as_deref(), Some("c-1"));
        assert!(found.from > 0 && found.to > found.from);
    }

    #[test]
    fn every_account_is_in_the_histogram_once() {
        let (recent, feed) = traffic();
        let found = what_if(&rules(7.0), &rules(5.0), &feed, &recent);
        assert_eq!(found.scores.iter().map(|step| step.others).sum::<u64>(), 900);
        let linked: Vec<&Step> = found.scores.iter().filter(|step| step.linked > 0).collect();
        assert_eq!(linked, [&Step { from: 6.0, others: 0, linked: 100 }]);
    }

    #[test]
    fn what_is_listed_is_bounded_and_the_rest_counted() {
        let (recent, feed) = traffic();
        let mut deny = rules(7.0);
        deny.rules = azeotrope_engine::rules::Rules::parse(
            format!(
                r#"{{"format":1,"version":1,"deny":[{}]}}"#,
                (101..=1_000)
                    .map(|n| format!(r#"{{"account":"{n:016x}","action":"block"}}"#))
                    .collect::<Vec<_>>()
                    .join(",")
            )
            .as_bytes(),
        )
        .unwrap();
        let found = what_if(&rules(7.0), &deny, &feed, &recent);
        assert_eq!((found.comparison.newly, found.affected.len(), found.omitted), (900, LISTED, 700));
        assert!(found.affected.iter().all(|one| one.campaign.is_none()));
    }
}
