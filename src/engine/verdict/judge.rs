//! Evidence → score → rung.

use super::{Action, Reason, Verdict, carried_out, ladder};
use crate::caller::Caller;
use crate::campaign::{Feed, LINK};
use crate::digest::Reading;
use crate::evidence::Evidence;
use crate::nats::MilliNats;
use crate::rules::{Config, Family, InForce, Nature, Rules, Subject};
use crate::store::Store;
use crate::time::Timestamp;

/// Judges an exchange by what was counted before it.
pub fn judge<S: Store>(
    config: &Config,
    store: &mut S,
    feed: &Feed,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
) -> Verdict {
    let InForce { rules, mode, expired } = config.in_force(now);
    let mut verdict = Verdict {
        retry_after: rules.document.throttle.retry_after_seconds,
        case: if caller.account != 0 { caller.account } else { caller.network },
        rules: rules.document.version,
        ..Verdict::default()
    };
    let mut evidence = Evidence::default();
    crate::evidence::local(config, rules, store, caller, reading, now, &mut evidence);
    let member = membership(rules, feed, caller, reading, now);
    if let Some(member) = &member {
        verdict.campaign = Some(member.campaign.clone());
        verdict.reasons.push(Reason::CampaignMember.code());
        for reason in &member.reasons {
            evidence.add(*reason, 0);
        }
    }
    let families = &rules.document.families;
    let worth =
        |&(reason, milli): &(Reason, MilliNats)| reason.family().map_or(0, |family| families.worth(family).of(milli));
    verdict.score = evidence.all().iter().map(worth).fold(0, MilliNats::saturating_add);
    verdict.score = verdict.score.saturating_add(member.as_ref().map_or(0, |member| member.score));
    verdict.reasons.extend(evidence.all().iter().map(|(reason, _)| reason.code()));
    let deterministic = evidence.families().any(|family| family.nature() == Nature::Deterministic);
    let count = u32::try_from(evidence.families().count()).unwrap_or(u32::MAX);
    verdict.would = ladder(
        verdict.score,
        count,
        deterministic,
        member.is_some_and(|member| member.confirmed),
        &rules.document.thresholds,
    );
    orders(rules, caller, reading, now, &mut verdict);
    if reading.unread {
        verdict.reasons.push(Reason::Unread.code());
    } else if reading.truncated {
        verdict.reasons.push(Reason::Truncated.code());
    }
    if expired {
        verdict.reasons.push(Reason::RulesExpired.code());
    }
    verdict.action = carried_out(verdict.would, mode);
    verdict
}

/// What the operator ordered goes before any evidence; an exception before any order.
fn orders(rules: &Rules, caller: &Caller, reading: &Reading, now: Timestamp, verdict: &mut Verdict) {
    let excepted = rules.lists.allows_caller(caller, now)
        || reading.skeleton.keys.iter().any(|&(_, key)| rules.lists.allows(Subject::Skeleton(key), now));
    if excepted {
        verdict.would = Action::Allow;
        verdict.reasons.push(Reason::OperatorAllow.code());
    } else if let Some(action) = rules.lists.denies(caller, now) {
        verdict.would = verdict.would.max(action);
        verdict.reasons.push(Reason::OperatorDeny.code());
    }
}

/// What gives an account away that is not linked yet: a campaign's key, and its kind of client.
const GIVEN_AWAY: &[Family] = &[Family::SkeletonSpread, Family::CohortSynchrony];

/// What ties a request to a campaign.
struct Member {
    campaign: String,
    confirmed: bool,
    score: MilliNats,
    reasons: Vec<Reason>,
}

/// The campaign that rules or feed know the caller or its skeleton for.
fn membership(rules: &Rules, feed: &Feed, caller: &Caller, reading: &Reading, now: Timestamp) -> Option<Member> {
    let skeletons = reading.skeleton.keys.iter().map(|&(_, key)| Subject::Skeleton(key));
    let listed = std::iter::once(Subject::Account(caller.account)).chain(skeletons);
    if let Some(campaign) = listed.into_iter().find_map(|subject| rules.campaign(subject, now)) {
        let score = rules.document.thresholds.block.0;
        return Some(Member {
            campaign: campaign.id.as_str().to_owned(),
            confirmed: campaign.confirmed,
            score,
            reasons: Vec::new(),
        });
    }
    let (index, score, families) = match feed.account(caller.account) {
        Some(linked) => (linked.campaign, linked.score, linked.families.as_slice()),
        None => {
            let (index, score) = feed.gives_away(caller, reading)?;
            (score >= LINK).then_some((index, score, GIVEN_AWAY))?
        }
    };
    let mut reasons: Vec<_> = families.iter().filter_map(|family| Reason::of_family(*family)).collect();
    if feed.pivots(index, reading.model) {
        reasons.push(Reason::ReleasePivot);
    }
    Some(Member { campaign: feed.name(index)?.to_owned(), confirmed: true, score, reasons })
}
