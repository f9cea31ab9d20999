//! Which rung, and why.

use super::words::{bare, count, nats};
use azeotrope_engine::evidence::Evidence;
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::rules::Document;
use azeotrope_engine::verdict::judge::Known;
use azeotrope_engine::verdict::{Action, Assessment, Backing, Reason, ladder};
use serde::Serialize;

/// What was decided.
#[derive(Debug, Serialize)]
pub(crate) struct Decision {
    pub(crate) action: &'static str,
    /// What the evidence asks for, whatever the mode.
    pub(crate) would: &'static str,
    /// Nats.
    pub(crate) score: f64,
    pub(crate) observe: f64,
    pub(crate) throttle: f64,
    pub(crate) block: f64,
    /// Independent families that contributed, the campaign not counted.
    pub(crate) families: u32,
    pub(crate) deterministic: bool,
    pub(crate) confirmed_campaign: bool,
    pub(crate) reasons: Vec<Told>,
    pub(crate) words: Vec<String>,
    /// What would have changed it.
    pub(crate) otherwise: Vec<String>,
}

/// A reason, its meaning and its worth.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) code: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) family: Option<&'static str>,
    /// What it adds to the score, in nats.
    pub(crate) adds: f64,
    pub(crate) words: String,
}

impl Decision {
    pub(crate) fn of(document: &Document, assessment: &Assessment) -> Self {
        let (verdict, thresholds) = (&assessment.verdict, &document.thresholds);
        let Backing { families, deterministic, confirmed } = assessment.backing;
        let reasons = verdict.reasons.iter().filter_map(|code| Reason::of(code));
        Self {
            action: verdict.action.name(),
            would: verdict.would.name(),
            score: in_nats(verdict.score),
            observe: thresholds.observe.number(),
            throttle: thresholds.throttle.number(),
            block: thresholds.block.number(),
            families,
            deterministic,
            confirmed_campaign: confirmed,
            reasons: reasons.map(|reason| told(reason, document, assessment)).collect(),
            words: words(document, assessment),
            otherwise: otherwise(document, assessment),
        }
    }
}

fn told(reason: Reason, document: &Document, assessment: &Assessment) -> Told {
    let family = reason.family();
    let local = assessment.evidence.worth(reason).unwrap_or(0);
    let worth = family.map(|family| document.families.worth(family));
    let (adds, words) = match (&assessment.member, worth) {
        (Some(member), _) if reason == Reason::CampaignMember => {
            (member.score, format!("adds {}: how sure the link to {} is", nats(member.score), member.campaign))
        }
        (_, Some(worth)) if local != 0 => {
            let adds = worth.of(local);
            let rule = format!("weight {}, at most {}", bare(worth.weight.0), bare(worth.most.0));
            (adds, format!("adds {}: this proxy's counters say {} nats ({rule})", nats(adds), nats(local)))
        }
        (Some(_), Some(_)) => (0, "adds nothing more here: the campaign's evidence, already in the link".to_owned()),
        _ => (0, "no evidence: adds nothing".to_owned()),
    };
    Told {
        code: reason.code(),
        meaning: reason.meaning(),
        family: family.map(|family| family.name()),
        adds: in_nats(adds),
        words,
    }
}

fn words(document: &Document, assessment: &Assessment) -> Vec<String> {
    let (verdict, backing, thresholds) = (&assessment.verdict, assessment.backing, &document.thresholds);
    let mut words = vec![format!(
        "The score is {} nats: odds of {} for what the evidence says. Rungs: observe from {}, throttle from {}, block from {}.",
        bare(verdict.score),
        odds(verdict.score),
        bare(thresholds.observe.0),
        bare(thresholds.throttle.0),
        bare(thresholds.block.0),
    )];
    words.push(format!(
        "{} contributed, {} of them deterministic; {}.",
        count(u64::from(backing.families), "independent family", "independent families"),
        if backing.deterministic { "at least one" } else { "none" },
        match (&assessment.member, backing.confirmed) {
            (Some(_), true) => "a confirmed campaign counts as one more",
            (Some(_), false) => "the campaign is not confirmed",
            (None, _) => "no campaign is known for it",
        }
    ));
    let score = |evidence: &Evidence| evidence.score(&document.families);
    let left = match assessment.member {
        None => score(&assessment.seen.all()) - score(&assessment.evidence),
        Some(_) => 0,
    };
    if left > 0 {
        words.push(format!(
            "Others are like it, as far as this proxy sees. That would add {}, but the sidecar, which sees all of them, names no \
             campaign: so are users of one app.",
            nats(left)
        ));
    }
    // The rung of the score alone, had it all the backing that rungs ask for.
    let full = Backing { families: 9, deterministic: true, confirmed: true };
    let reached = ladder(verdict.score, full, thresholds);
    if assessment.rung < reached {
        let missing = match reached {
            Action::Block if assessment.rung == Action::Throttle => {
                "a block needs a deterministic family or a confirmed campaign"
            }
            _ => "any action needs two independent families, a confirmed campaign among them",
        };
        words.push(format!("By score alone it would be {reached}; {missing}, so it is {}.", assessment.rung));
    }
    for (code, order) in [(Reason::OperatorAllow, "excepted"), (Reason::OperatorDeny, "ordered")] {
        if verdict.reasons.contains(&code.code()) {
            words.push(format!("The operator {order} it: {} instead of {}.", verdict.would, assessment.rung));
        }
    }
    if verdict.action != verdict.would {
        words.push(format!("In observe mode {} is done instead of {}.", verdict.action, verdict.would));
    }
    words
}

/// What would have changed it: the same without the campaign, and without this proxy's counters.
fn otherwise(document: &Document, assessment: &Assessment) -> Vec<String> {
    let thresholds = &document.thresholds;
    if assessment.rung == Action::Allow {
        let missing = thresholds.observe.0.saturating_sub(assessment.verdict.score);
        return vec![format!("Nothing to let off; {} nats more would be needed to observe it.", bare(missing.max(0)))];
    }
    let mut words = Vec::new();
    if let Some(member) = &assessment.member {
        let seen = &assessment.seen;
        let local = if member.by == Known::Listed { seen.all() } else { seen.alone.clone() };
        let left = local.score(&document.families);
        let rung = ladder(left, Backing::of(&local), thresholds);
        words.push(format!("Without the campaign the score would be {}: {rung}.", bare(left)));
        if assessment.verdict.score != member.score {
            let rung = ladder(member.score, assessment.backing, thresholds);
            words.push(format!("Without this proxy's own counters it would be {}: {rung}.", bare(member.score)));
        }
    }
    words.push(format!("Below {} nats it would have been allowed.", bare(thresholds.observe.0)));
    words
}

/// Odds of a score: `1340 to 1`. Beyond a million the model is not to be trusted to the digit.
fn odds(milli: i32) -> String {
    let odds = in_nats(milli.saturating_abs()).exp();
    let rounded = match odds {
        ..10.0 => format!("{odds:.1}"),
        ..1e6 => format!("{odds:.0}"),
        _ => "over 1,000,000".to_owned(),
    };
    if milli >= 0 { format!("{rounded} to 1") } else { format!("1 to {rounded}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::evidence::Seen;
    use azeotrope_engine::verdict::Verdict;
    use azeotrope_engine::verdict::judge::Member;

    /// What is told of a score of 9 nats that `backing` stands behind.
    fn told(backing: Backing) -> String {
        let document = Document::default();
        let verdict = Verdict { score: 9_000, ..Verdict::default() };
        let rung = ladder(verdict.score, backing, &document.thresholds);
        words(&document, &Assessment { verdict, backing, rung, ..Assessment::default() }).join(" ")
    }

    #[test]
    fn what_a_rung_lacks_is_told() {
        let two = Backing { families: 2, ..Backing::default() };
        assert!(!told(two).contains("By score alone"));
        assert!(told(Backing { families: 1, ..two }).contains("any action needs two independent families"));
    }

    #[test]
    fn a_group_that_is_left_to_the_sidecar_is_told() {
        let mut seen = Seen::default();
        seen.group.add(Reason::SkeletonSpread, 4_000);
        let assessment = Assessment { seen, ..Assessment::default() };
        let told = words(&Document::default(), &assessment).join(" ");
        assert!(told.contains("would add +4.00") && told.contains("names no campaign"), "{told}");
    }

    #[test]
    fn without_the_campaign_only_what_this_proxy_has_seen_counts() {
        let (mut seen, of_the_campaign) = (Seen::default(), Reason::BlobProvenance);
        [Reason::SkeletonSpread, Reason::CohortSynchrony].into_iter().for_each(|reason| seen.group.add(reason, 4_750));
        let mut evidence = seen.all();
        evidence.add(of_the_campaign, 0);
        let reasons = vec![of_the_campaign];
        let member = Member { campaign: "c-1".to_owned(), confirmed: true, score: 9_000, reasons, by: Known::Listed };
        let assessment = Assessment {
            verdict: Verdict { score: 17_750, ..Verdict::default() },
            evidence,
            seen,
            member: Some(member),
            backing: Backing { families: 3, deterministic: true, confirmed: true },
            rung: Action::Block,
        };
        let told = otherwise(&Document::default(), &assessment).join(" ");
        assert!(told.contains("Without the campaign the score would be 8.75: throttle."), "{told}");
    }
}
