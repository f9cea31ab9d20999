//! Evidence → score → rung.

use super::{Action, Backing, Reason, Verdict, carried_out, ladder};
use crate::caller::Caller;
use crate::campaign::feed::GivenAway;
use crate::campaign::{Feed, LINK, below_a_block};
use crate::digest::Reading;
use crate::evidence::{Evidence, Seen};
use crate::nats::MilliNats;
use crate::rules::{Config, Document, Family, FamilySet, InForce, Nature, Rules, Subject};
use crate::store::Store;
use crate::time::Timestamp;

/// A verdict and what it was worked out from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// What each reason is worth by the proxy's own counters, before weights and bounds, in thousandths of a nat; 0: it is the
    /// campaign's.
    pub evidence: Evidence,
    /// What the proxy had seen itself, whether it counts or not.
    pub seen: Seen,
    /// What ties the request to a campaign.
    pub member: Option<Member>,
    /// What stands behind the score.
    pub backing: Backing,
    /// The rung that the score alone asks for, before the operator's orders.
    pub rung: Action,
}

/// Judges an exchange by what was counted before it.
pub fn assess<S: Store>(
    config: &Config,
    store: &S,
    feed: &Feed,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
) -> Assessment {
    let InForce { rules, mode, expired } = config.in_force(now);
    let mut verdict = Verdict {
        retry_after: rules.document.throttle.retry_after_seconds,
        case: if caller.account != 0 { caller.account } else { caller.network },
        rules: rules.document.version,
        ..Verdict::default()
    };
    let seen = crate::evidence::local(config, rules, store, caller, reading, now);
    // What rules that have ended said of campaigns has ended with them.
    if !expired {
        verdict.rules = verdict.rules.max(feed.version);
    }
    let families = &rules.document.families;
    let replay = seen.alone.worth(Reason::BlobProvenance).map(|milli| families.worth(Family::BlobProvenance).of(milli));
    let member = if expired { None } else { membership(rules, feed, caller, reading, now, (seen.own, replay)) };
    let whole = feed.joined && !expired && member.is_none();
    let mut evidence = if whole { seen.alone.clone() } else { seen.all() };
    if let Some(member) = &member {
        verdict.campaign = Some(member.campaign.clone());
        verdict.reasons.push(Reason::CampaignMember.code());
        for &reason in &member.reasons {
            // Whom a blob links is linked for that already: two keys of one person send it with each turn.
            if reason == Reason::BlobProvenance {
                evidence.discount(reason);
            }
            evidence.add(reason, 0);
        }
    }
    verdict.score = evidence.score(families).saturating_add(member.as_ref().map_or(0, |member| member.score));
    verdict.reasons.extend(evidence.all().iter().map(|(reason, _)| reason.code()));
    let backing =
        Backing { confirmed: member.as_ref().is_some_and(|member| member.confirmed), ..Backing::of(&evidence) };
    let rung = ladder(verdict.score, backing, &rules.document.thresholds);
    verdict.would = rung;
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
    Assessment { verdict, evidence, seen, member, backing, rung }
}

/// What the operator ordered goes before any evidence; an exception before any order.
fn orders(rules: &Rules, caller: &Caller, reading: &Reading, now: Timestamp, verdict: &mut Verdict) {
    let excepted = rules.lists.allows_caller(caller, now)
        || rules.lists.allows_any(reading.templates().map(Subject::Skeleton), now);
    if excepted {
        verdict.would = Action::Allow;
        verdict.reasons.push(Reason::OperatorAllow.code());
    } else if let Some(action) = rules.lists.denies(caller, now) {
        verdict.would = verdict.would.max(action);
        verdict.reasons.push(Reason::OperatorDeny.code());
    }
}

/// What ties a request to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The campaign's name.
    pub campaign: String,
    /// Whether the sidecar, or the rules, confirmed the campaign, and a key that gives its accounts away tells: a block needs that.
    pub confirmed: bool,
    /// How sure that is, in thousandths of a nat.
    pub score: MilliNats,
    /// Families that found the campaign, and whether it pivots.
    pub reasons: Vec<Reason>,
    /// How it is known.
    pub by: Known,
}

/// How a caller is known to belong to a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The rules list it.
    Listed,
    /// The sidecar has linked the account.
    Linked,
    /// It carries a key of the campaign and looks like its accounts.
    GivenAway(GivenAway),
}

/// The campaign that rules or feed know the caller or its skeleton for. `own`: a template that was the caller's first does
/// not give it away; `replay`: what it is worth already that it carries a blob of others.
fn membership(
    rules: &Rules,
    feed: &Feed,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
    (own, replay): (bool, Option<MilliNats>),
) -> Option<Member> {
    let skeletons = reading.templates().map(Subject::Skeleton);
    let accounts = [caller.account, caller.before.account].map(Subject::Account);
    let listed = accounts.into_iter().chain(skeletons);
    if let Some(campaign) = rules.campaign_of(listed, now) {
        let score = rules.document.thresholds.block.0;
        return Some(Member {
            campaign: campaign.id.as_str().to_owned(),
            confirmed: campaign.confirmed,
            score,
            reasons: Vec::new(),
            by: Known::Listed,
        });
    }
    let enabled = |family: Family| rules.document.families.worth(family).enabled;
    let (index, score, families, by) =
        match feed.account(caller.account, now).or_else(|| feed.account(caller.before.account, now)) {
            Some(linked) => (linked.campaign, linked.score, linked.families, Known::Linked),
            None if own => return None,
            None => {
                let given = given_away(rules, feed, caller, reading, now, replay)?;
                // A campaign's key, and its kind of client.
                let families = FamilySet::of(&[given.by, Family::CohortSynchrony]);
                (given.campaign, given.score(), families, Known::GivenAway(given))
            }
        };
    let campaign = feed.name(index)?.to_owned();
    // What a client looks like, beside words that others use as well, blocks nobody.
    let telling = !matches!(by, Known::GivenAway(given) if !given.telling);
    let confirmed = telling && (feed.confirms(index) || rules.confirms(&campaign, now));
    // That a conversation changed hands among accounts that are only alike backs no block.
    let counts = |family: &Family| enabled(*family) && (confirmed || family.nature() != Nature::Deterministic);
    let speaking = families.iter().filter(counts);
    let mut reasons: Vec<_> = speaking.filter_map(Reason::of_family).collect();
    let before = reading.before.iter().map(|before| before.model);
    if std::iter::once(reading.model).chain(before).any(|model| feed.pivots(index, model)) {
        reasons.push(Reason::ReleasePivot);
    }
    Some(Member { campaign, confirmed, score, reasons, by })
}

/// What a key of a campaign says of a caller that is not linked yet, where it suffices.
fn given_away(
    rules: &Rules,
    feed: &Feed,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
    replay: Option<MilliNats>,
) -> Option<GivenAway> {
    let Document { families, thresholds, .. } = &rules.document;
    let mut given = feed.gives_away(caller, reading, replay.is_some(), now)?;
    if !families.harvest_content.enabled {
        given.wording = 0;
    }
    let score = given.score();
    if let Some(counted) = replay.filter(|_| given.by == Family::BlobProvenance) {
        // The blob counts once. And two keys of one person who runs what a pool does look like this: it blocks nobody.
        let above = score.saturating_sub(below_a_block(thresholds)).max(0);
        given.key = given.key.saturating_sub(counted).saturating_sub(above);
    }
    (score >= LINK).then_some(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::derived::Derived;
    use crate::campaign::feed::Profile;
    use crate::campaign::population::Client;
    use crate::campaign::{Change, TELLING};
    use crate::digest::skeleton::Place;
    use crate::store::MemoryStore;

    /// The rung for an account that is linked as surely as can be, to a campaign whose accounts are alike.
    fn linked(confirmed: bool, rules: &str) -> Action {
        let (mut feed, until) = (Feed::default(), Timestamp(u64::MAX));
        let profile = Profile { name: "c-1".into(), confirmed, ..Profile::default() };
        let families = FamilySet::of(&[Family::SkeletonSpread, Family::CohortSynchrony]);
        feed.apply(&Change::Profile { campaign: 0, profile });
        feed.apply(&Change::Account { account: 5, campaign: 0, score: 20_000, families, until });
        let (config, caller) =
            (Config::for_replay(Some(rules.as_bytes())).unwrap(), Caller { account: 5, ..Caller::default() });
        assess(&config, &MemoryStore::default(), &feed, &caller, &Reading::default(), Timestamp(1_000)).rung
    }

    #[test]
    fn accounts_of_a_campaign_are_blocked_once_the_sidecar_or_the_operator_has_confirmed_it() {
        let document = |campaigns| format!(r#"{{"format":1,"version":1,"campaigns":[{campaigns}]}}"#);
        assert_eq!(linked(false, &document("")), Action::Throttle);
        assert_eq!(linked(true, &document("")), Action::Block);
        assert_eq!(linked(false, &document(r#"{"id":"c-1","confirmed":true}"#)), Action::Block);
        assert_eq!(linked(false, &document(r#"{"id":"c-2","confirmed":true}"#)), Action::Throttle);
    }

    #[test]
    fn whom_a_weak_key_or_a_part_of_a_text_gives_away_among_clients_that_look_alike_is_not_blocked() {
        let (mut feed, until) = (Feed::default(), Timestamp(u64::MAX));
        let profile = Profile { name: "c-1".into(), confirmed: true, base: 9_000, ..Profile::default() };
        feed.apply(&Change::Profile { campaign: 0, profile });
        feed.apply(&Change::Key { key: 7, campaign: 0, lift: TELLING, until });
        feed.apply(&Change::Key { key: 8, campaign: 0, lift: TELLING - 1, until });
        let rung = |keys: &[(Place, u64)]| {
            let mut reading = Reading::default();
            reading.skeleton.keys.extend(keys);
            let (config, caller) = (Config::default(), Caller { account: 5, ..Caller::default() });
            assess(&config, &MemoryStore::default(), &feed, &caller, &reading, Timestamp(1_000)).rung
        };
        let [whole, part, weak] = [(Place::Head, 7), (Place::UserPart, 7), (Place::Head, 8)];
        let asked: [&[_]; 5] = [&[whole], &[weak], &[part], &[part, whole], &[part, weak]];
        use Action::{Block, Throttle};
        assert_eq!(asked.map(rung), [Block, Throttle, Throttle, Block, Throttle]);
    }

    #[test]
    fn whom_a_blob_gives_away_is_throttled_at_once_and_never_blocked_for_that_and_the_blob_counts_once() {
        let (config, now) = (Config::default(), Timestamp(1_000));
        let (mut store, mut feed) = (MemoryStore::default(), Feed::default());
        let [owner, other] = [4, 5].map(|n| Caller { account: n, network: n, ..Caller::default() });
        let reading = Reading { blobs: vec![77], ..Reading::default() };
        let rules = config.in_force(now).rules;
        assert_eq!(crate::evidence::given(&config, rules, &mut store, &owner, &reading.blobs, now), 0);
        let judged = |feed: &Feed| assess(&config, &store, feed, &other, &reading, now);
        assert_eq!(judged(&feed).rung, Action::Observe);
        let blob = judged(&feed).verdict.score;
        let key = Derived::Replay(Client::of(&other, &reading).target).key();
        feed.apply(&Change::Key { key, campaign: 0, lift: 9_000, until: Timestamp(u64::MAX) });
        for (base, score, rung) in
            [(-2_000, 7_000, Action::Observe), (-1_000, 8_000, Action::Throttle), (9_000, 9_000, Action::Throttle)]
        {
            let profile = Profile { name: "c-1".into(), confirmed: true, base, ..Profile::default() };
            feed.apply(&Change::Profile { campaign: 0, profile });
            let judged = judged(&feed);
            assert_eq!((judged.verdict.score, judged.rung), (score, rung));
            assert_eq!(judged.member.unwrap().score, score - blob);
        }
        let profile = Profile { name: "c-1".into(), confirmed: true, base: -4_000, ..Profile::default() };
        feed.apply(&Change::Profile { campaign: 0, profile });
        assert!(judged(&feed).member.is_none());
        // Nor is who is linked for it.
        let (families, until) = (FamilySet::of(&[Family::BlobProvenance]), Timestamp(u64::MAX));
        feed.apply(&Change::Account { account: other.account, campaign: 0, score: 9_000, families, until });
        assert_eq!((judged(&feed).verdict.score, judged(&feed).rung), (9_000, Action::Throttle));
    }
}
